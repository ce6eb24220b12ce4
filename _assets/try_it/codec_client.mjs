// The codec's worker (web/worker.mjs) as a function that one awaits:
// `await client.ask("encode", { quality: 50 })`.
//
// It starts with the first task. A network that runs cannot be interrupted from outside, so `stop`
// ends a worker that does not answer in time; what was asked for since then goes to a new one.

const PATIENCE = 700; // milliseconds between asking for an end and ending

/** Somebody pressed "Cancel", or asked for something newer. */
export class Cancelled extends Error {
  name = "Cancelled";
}

export class CodecClient {
  #base;
  #worker = null;
  #waiting = new Map(); // id -> {message, isGivenUp, resolve, reject} of what is not finished
  #last = 0; // the id of the newest task
  #picture = null; // what a new worker must be told

  /** base: URL of the exported folder; onProgress({task, stage, done, total}) hears of every task. */
  constructor(base, onProgress) {
    this.#base = base;
    this.onProgress = onProgress;
  }

  /** Keep a picture {pixels, width, height} for the tasks that follow. */
  keep(picture) {
    this.#picture = picture;
    this.#worker?.postMessage({ id: (this.#last += 1), task: "picture", ...picture });
  }

  /** Do a task of web/README.md; returns its result. Throws Cancelled, or an Error in words. */
  ask(task, values = {}) {
    this.#start();
    const message = { id: (this.#last += 1), task, ...values };
    const answer = new Promise((resolve, reject) => {
      this.#waiting.set(message.id, { message, isGivenUp: false, resolve, reject });
    });
    this.#worker.postMessage(message);
    return answer;
  }

  /** As `ask`: the result, and how many seconds it took. */
  async timed(task, values) {
    const start = performance.now();
    const result = await this.ask(task, values);
    return [result, (performance.now() - start) / 1000];
  }

  /** Give up whatever is not finished, as soon as the worker looks up. */
  cancel() {
    for (const [id, task] of this.#waiting) {
      task.isGivenUp = true; // what it still says is of no interest
      this.#worker.postMessage({ id, task: "cancel" });
    }
  }

  /** The same within a moment: a worker that is deep in a network ends with it. */
  stop() {
    const worker = this.#worker;
    this.cancel();
    setTimeout(() => {
      const left = [...this.#waiting.keys()].filter((id) => this.#waiting.get(id).isGivenUp);
      if (worker !== this.#worker || left.length === 0) return;
      this.#end(left, new Cancelled("cancelled"));

      // what was asked for in the meantime
      if (this.#waiting.size > 0) this.#start();
      for (const { message } of this.#waiting.values()) this.#worker.postMessage(message);
    }, PATIENCE);
  }

  #start() {
    if (this.#worker) return;
    this.#worker = new Worker(new URL("worker.mjs", this.#base), { type: "module" });
    this.#worker.onmessage = ({ data }) => this.#hear(data);
    this.#worker.onerror = () => {
      const words = "the codec could not be started. Is there a connection? Try again.";
      this.#end([...this.#waiting.keys()], new Error(words));
    };
    if (this.#picture) this.keep(this.#picture);
  }

  #hear({ id, type, ...said }) {
    const task = this.#waiting.get(id);
    if (!task) return; // a picture was kept
    if (type === "progress") {
      if (!task.isGivenUp) this.onProgress({ task: task.message.task, ...said });
      return;
    }
    this.#waiting.delete(id);
    if (type === "done") task.resolve(said.result);
    else if (type === "cancelled") task.reject(new Cancelled("cancelled"));
    else task.reject(Object.assign(new Error(said.message), { name: said.name }));
  }

  /** End the worker, and these tasks with it. */
  #end(ids, error) {
    this.#worker.terminate();
    this.#worker = null;
    for (const id of ids) {
      const { reject } = this.#waiting.get(id);
      this.#waiting.delete(id);
      reject(error);
    }
  }
}
