// Calls kernel.wat, the fast twin of the two sums in exact.mjs.

import { LIMIT, PLAIN } from "./exact.mjs";

const PAGE = 65536; // bytes, of a WebAssembly memory
const ALIGNED = 16; // bytes

/** The bytes of kernel.wasm -> {linear, depthwise}, with the results of PLAIN. */
export async function fastKernel(bytes) {
  const { instance } = await WebAssembly.instantiate(bytes);
  return new Kernel(instance.exports);
}

class Kernel {
  #exports;
  #places = new Map(); // layer -> the addresses of its weights and of its bias
  #used = ALIGNED; // everything below holds weights

  constructor(exports) {
    this.#exports = exports;
  }

  /** As `linear` of exact.mjs. */
  linear(x, layer) {
    const { inputs, outputs, relu } = layer;
    if (inputs % 2 || outputs % 4) return PLAIN.linear(x, layer); // no whole vectors
    const { weight, bias } = this.#placeOf(layer);
    const rows = x.length / inputs;
    const lowest = relu ? 0 : -LIMIT;
    return this.#compute(x, rows * outputs, (from, to) => {
      this.#exports.linear(from, rows, inputs, weight, bias, outputs, to, lowest);
    });
  }

  /** As `depthwise` of exact.mjs. */
  depthwise(x, rows, columns, layer) {
    const { channels } = layer;
    if (channels % 2) return PLAIN.depthwise(x, rows, columns, layer);
    const { weight, bias } = this.#placeOf(layer);
    return this.#compute(x, x.length, (from, to) => {
      this.#exports.depthwise(from, rows, columns, channels, weight, bias, to);
    });
  }

  /** Lay x behind the weights and room for n results behind x; `run(from, to)` computes them. */
  #compute(x, n, run) {
    const from = this.#used;
    const to = this.#reserve(from, x.length);
    this.#reserve(to, n);
    this.#view(from, x.length).set(x);
    run(from, to);
    return this.#view(to, n).slice();
  }

  /** Where the weights of a layer are; they are copied once. */
  #placeOf(layer) {
    if (!this.#places.has(layer)) {
      const weight = this.#used;
      const bias = this.#reserve(weight, layer.weight.length);
      this.#used = this.#reserve(bias, layer.bias.length);
      this.#view(weight, layer.weight.length).set(layer.weight);
      this.#view(bias, layer.bias.length).set(layer.bias);
      this.#places.set(layer, { weight, bias });
    }
    return this.#places.get(layer);
  }

  /** Make room for n numbers at an address; returns the first address behind them. */
  #reserve(at, n) {
    const { memory } = this.#exports;
    const end = at + 8 * n;
    const missing = end - memory.buffer.byteLength;
    if (missing > 0) memory.grow(Math.ceil(missing / PAGE));
    return ALIGNED * Math.ceil(end / ALIGNED);
  }

  /** The numbers at an address. To be asked for anew after `#reserve`, which may move the memory. */
  #view(at, n) {
    return new Float64Array(this.#exports.memory.buffer, at, n);
  }
}
