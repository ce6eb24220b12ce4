// The codec in a worker, so that the page stays alive while it works.
//
//   const worker = new Worker(new URL("worker.mjs", base), { type: "module" });
//   worker.postMessage({ id, task: "encode", quality: 50 });
//
// A message in is {id, task, ...}; messages out are {id, type: "progress", stage, done, total}, any
// number of them, and at last one of {id, type: "done", result}, {id, type: "cancelled"} and
// {id, type: "error", name, message}. Tasks run one at a time, in the order in which they came;
// {task: "cancel", id} stops the one with this id, or takes it out of the queue. README.md lists
// the tasks.

import { Codec } from "./codec.mjs";

const BASE = new URL("./", import.meta.url);

let codec = null;
let picture = null; // the last one of "picture"
let latents = null; // the last ones of "encode" and "read", for "reconstruct"

const controllers = new Map(); // id -> AbortController of a task that is not finished

const TASKS = {
  /** Load: the integers, and the networks of these uses ("encode", "decode"). */
  async load({ uses = [] }, options) {
    if (codec) await codec.prepare(uses, options);
    else codec = await Codec.load(BASE, { uses, ...options });
    return { modelId: codec.modelId, gates: codec.gates };
  },

  /** Keep a picture for the following tasks. */
  async picture({ pixels, width, height }) {
    picture = { pixels, width, height };
    return {};
  },

  /** The kept picture -> a file. */
  async encode({ quality, map = null }, options) {
    if (!picture) throw new Error("there is no picture yet");
    await TASKS.load({ uses: ["encode"] }, options);
    const encoded = await codec.encode(picture, { quality, map, ...options });
    latents = encoded.latents;
    const levels = latents.tiles.map((tile) => tile.levels);
    return { bytes: encoded.bytes, header: encoded.header, parts: encoded.parts, levels };
  },

  /** A file -> what it says, without its picture. */
  async read({ bytes, maxPixels }, options) {
    await TASKS.load({}, options);
    const read = await codec.read(bytes, { maxPixels, ...options });
    latents = read.latents;
    const levels = latents.tiles.map((tile) => tile.levels);
    return { header: read.header, parts: read.parts, fields: read.fields, levels };
  },

  /** What was encoded or read last -> the picture that a decoder shows. */
  async reconstruct(_, options) {
    if (!latents) throw new Error("nothing has been encoded or read yet");
    await TASKS.load({ uses: ["decode"] }, options);
    return codec.reconstruct(latents, options);
  },
};

async function perform({ id, task, ...values }) {
  const { signal } = controllers.get(id);
  const onProgress = (progress) => postMessage({ id, type: "progress", ...progress });
  try {
    signal.throwIfAborted();
    const result = await TASKS[task](values, { onProgress, signal });

    // pixels are handed over, not copied
    const moved = result.pixels ? [result.pixels.buffer] : [];
    postMessage({ id, type: "done", result }, moved);
  } catch (error) {
    if (signal.aborted) postMessage({ id, type: "cancelled" });
    else postMessage({ id, type: "error", name: error.name, message: error.message });
  }
  controllers.delete(id);
}

let queue = Promise.resolve();

addEventListener("message", ({ data }) => {
  if (data.task === "cancel") {
    controllers.get(data.id)?.abort();
    return;
  }
  controllers.set(data.id, new AbortController());
  queue = queue.then(() => perform(data));
});
