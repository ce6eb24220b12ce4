// The codec's worker (web/worker.mjs) as a function that one awaits: `await client.ask("encode", { quality: 50 })`.
//
// It starts with the first task. A network that runs cannot be interrupted from outside, so `stop`
// ends a worker that does not answer in time; the next task starts a new one, with the same picture.

const PATIENCE = 700; // milliseconds between asking for an end and ending

/** Somebody pressed "Cancel", or asked for something newer. */
export class Cancelled extends Error {
  name = "Cancelled";
}

export class CodecClient {
  #base;
  #worker = null;
  #waiting = new Map(); // id -> {resolve, reject} of each task that is not finished
  #last = 0; // the id of the newest task
  #picture = null; // what a new worker must be told

  /** base: URL of the exported folder; onProgress({stage, done, total}) hears of every task. */
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
    const id = (this.#last += 1);
    const answer = new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
    });
    this.#worker.postMessage({ id, task, ...values });
    return answer;
  }

  /** Give up whatever is not finished, as soon as the worker looks up. */
  cancel() {
    for (const id of this.#waiting.keys()) this.#worker.postMessage({ id, task: "cancel" });
  }

  /** The same, at once: a worker that is deep in a network ends with it. */
  stop() {
    const asked = [...this.#waiting.keys()];
    const worker = this.#worker;
    this.cancel();
    setTimeout(() => {
      if (worker === this.#worker && asked.some((id) => this.#waiting.has(id))) {
        this.#end(new Cancelled("cancelled"));
      }
    }, PATIENCE);
  }

  #start() {
    if (this.#worker) return;
    this.#worker = new Worker(new URL("worker.mjs", this.#base), { type: "module" });
    this.#worker.onmessage = ({ data }) => this.#hear(data);
    this.#worker.onerror = () => {
      this.#end(new Error("The codec could not be started. Is the connection there? Try again."));
    };
    if (this.#picture) this.keep(this.#picture);
  }

  #hear({ id, type, ...message }) {
    if (type === "progress") {
      if (this.#waiting.has(id)) this.onProgress(message);
      return;
    }
    const task = this.#waiting.get(id);
    this.#waiting.delete(id);
    if (!task) return; // a picture was kept
    if (type === "done") task.resolve(message.result);
    else if (type === "cancelled") task.reject(new Cancelled("cancelled"));
    else task.reject(Object.assign(new Error(message.message), { name: message.name }));
  }

  #end(error) {
    this.#worker.terminate();
    this.#worker = null;
    const left = [...this.#waiting.values()];
    this.#waiting.clear();
    left.forEach(({ reject }) => reject(error));
  }
}
