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

// how many values of an input lie along one side of a block
const SIDES = { x: 64, y: 4, v_hat: 4, quality: 1 };

/** Which graphs some uses need: "encode" (which shows its result, too), "decode". */
export function graphsOf(uses) {
  const graphs = uses.includes("encode") ? ["analysis", "hyper"] : [];
  return uses.length > 0 ? [...graphs, "synthesis"] : graphs;
}

export class Networks {
  #files;
  #runtime; // the module, once it is loaded
  #sessions = {}; // of the graphs that are loaded

  constructor(files) {
    this.#files = files;
  }

  /** The files that some graphs need and that are not loaded yet. */
  missing(graphs) {
    const names = graphs.filter((graph) => !this.#sessions[graph]).map((graph) => `${graph}.onnx`);
    if (names.length > 0 && !this.#runtime) names.push(RUNTIME_WASM);
    return names;
  }

  /** Get graphs ready: "analysis", "hyper", "synthesis". What is loaded already costs nothing. */
  async load(graphs, { onProgress = () => {}, signal } = {}) {
    const names = this.missing(graphs);
    const onBytes = ({ done, total }) => onProgress({ stage: "load", done, total });
    const contents = await this.#files.loadAll(names, { onProgress: onBytes, signal });
    const content = Object.fromEntries(names.map((name, k) => [name, contents[k]]));

    if (content[RUNTIME_WASM]) {
      const runtime = await import(this.#files.url(RUNTIME).href);
      runtime.env.wasm.numThreads = 1; // several need a page that is isolated from all others
      runtime.env.wasm.wasmBinary = content[RUNTIME_WASM];
      this.#runtime = runtime;
    }
    for (const graph of graphs) {
      const model = content[`${graph}.onnx`];
      if (model) {
        const { InferenceSession } = this.#runtime;
        this.#sessions[graph] = await InferenceSession.create(model, {
          executionProviders: ["wasm"],
        });
      }
    }
  }

  /**
   * Run a graph on a tile of rows x columns blocks: inputs by name -> outputs by name, Float32Array
   * each. options: as for `load`, if the graph is not there yet.
   */
  async run(graph, inputs, rows, columns, options) {
    await this.load([graph], options);
    const feeds = {};
    for (const [name, data] of Object.entries(inputs)) {
      const sides = [SIDES[name] * rows, SIDES[name] * columns];
      const channels = data.length / (sides[0] * sides[1]);
      feeds[name] = new this.#runtime.Tensor("float32", data, [1, channels, ...sides]);
    }
    const session = this.#sessions[graph];
    const outputs = await session.run(feeds);
    return Object.fromEntries(session.outputNames.map((name) => [name, outputs[name].data]));
  }
}
