// The networks in floating point, which need not agree to the bit: g_a, h_a, PQF and g_s.
//
// tools/web_graphs.py exports them as three ONNX graphs; ONNX Runtime runs them as WebAssembly, in
// one thread. The gain is in the graphs, too. Shapes: a tile has h x w blocks of 64x64 pixels.
//
//   analysis   x (3, 64 h, 64 w) in 0..1, quality (h, w)    -> y (M, 4 h, 4 w), importance (h, w)
//   hyper      y, quality                                   -> v = gain * y, z (C_z, h, w)
//   synthesis  v_hat (M, 4 h, 4 w), quality                 -> x_hat (3, 64 h, 64 w)
//
// The quality of a block is in 0..100. Where the gates do not know it (`gates: "energy"` in the
// codec's configuration), the analysis has the input and does not look at it.

const RUNTIME = "ort.wasm.bundle.min.mjs";
const RUNTIME_WASM = "ort-wasm-simd-threaded.wasm";

export class Networks {
  #files;
  #runtime; // promise of the module, once it is asked for
  #sessions = {}; // promises

  constructor(files) {
    this.#files = files;
  }

  /** Which files some graphs need that have not been asked for yet. */
  #missing(graphs) {
    const names = graphs.filter((graph) => !this.#sessions[graph]).map((graph) => `${graph}.onnx`);
    return this.#runtime ? names : [RUNTIME_WASM, ...names];
  }

  /**
   * Get graphs ready: "analysis", "hyper", "synthesis". onProgress({stage: "load", done, total}), in
   * bytes. What is loaded already costs nothing.
   */
  async load(graphs, { onProgress = () => {}, signal } = {}) {
    const missing = this.#missing(graphs);
    const total = this.#files.sizeOf(missing);
    let done = 0;
    const onBytes = (count) => {
      done = Math.min(total, done + count);
      onProgress({ stage: "load", done, total });
    };
    try {
      this.#runtime ??= this.#loadRuntime({ onBytes, signal });
      for (const graph of graphs) {
        this.#sessions[graph] ??= this.#loadGraph(graph, { onBytes, signal });
      }
      await this.#runtime;
      await Promise.all(graphs.map((graph) => this.#sessions[graph]));
    } catch (error) {
      // what did not arrive may be asked for again
      if (missing.includes(RUNTIME_WASM)) this.#runtime = undefined;
      missing.forEach((name) => delete this.#sessions[name.replace(".onnx", "")]);
      throw error;
    }
  }

  async #loadRuntime(options) {
    const wasm = await this.#files.load(RUNTIME_WASM, options);
    const runtime = await import(this.#files.url(RUNTIME).href);
    runtime.env.wasm.numThreads = 1; // several need a page that is isolated from all others
    runtime.env.wasm.wasmBinary = wasm;
    return runtime;
  }

  async #loadGraph(graph, options) {
    const [runtime, model] = await Promise.all([
      this.#runtime,
      this.#files.load(`${graph}.onnx`, options),
    ]);
    return runtime.InferenceSession.create(model, { executionProviders: ["wasm"] });
  }

  /** Run a graph: inputs by name, {data: Float32Array, dims} -> outputs by name, Float32Array. */
  async run(graph, inputs, options) {
    await this.load([graph], options);
    const runtime = await this.#runtime;
    const session = await this.#sessions[graph];
    const feeds = {};
    for (const [name, { data, dims }] of Object.entries(inputs)) {
      feeds[name] = new runtime.Tensor("float32", data, dims);
    }
    const outputs = await session.run(feeds);
    return Object.fromEntries(session.outputNames.map((name) => [name, outputs[name].data]));
  }
}
