// Calls kernel.wat, the fast twin of the two sums in exact.mjs.

import { LIMIT, PLAIN } from "./exact.mjs";

const PAGE = 65536; // bytes, of a WebAssembly memory
const ALIGNED = 16; // bytes

/** The bytes of kernel.wasm -> {linear, depthwise}, with the results of PLAIN. */
export async function fastKernel(bytes) {
  const { instance } = await WebAssembly.instantiate(bytes);
  const { memory, linear, depthwise } = instance.exports;
  const places = new Map(); // layer -> the addresses of its weights and of its bias
  let used = ALIGNED; // everything below holds weights

  /** Make room for n numbers at an address; returns the first address behind them. */
  function reserve(at, n) {
    const end = at + 8 * n;
    const missing = end - memory.buffer.byteLength;
    if (missing > 0) memory.grow(Math.ceil(missing / PAGE));
    return ALIGNED * Math.ceil(end / ALIGNED);
  }

  /** The numbers at an address. To be asked for anew after `reserve`, which may move the memory. */
  function view(at, n) {
    return new Float64Array(memory.buffer, at, n);
  }

  /** Weights are copied once. */
  function placeOf(layer) {
    if (!places.has(layer)) {
      const weight = used;
      const bias = reserve(weight, layer.weight.length);
      used = reserve(bias, layer.bias.length);
      view(weight, layer.weight.length).set(layer.weight);
      view(bias, layer.bias.length).set(layer.bias);
      places.set(layer, { weight, bias });
    }
    return places.get(layer);
  }

  /** Lay x behind the weights and room for n results behind x; `run(from, to)` computes them. */
  function compute(x, n, run) {
    const from = used;
    const to = reserve(from, x.length);
    reserve(to, n);
    view(from, x.length).set(x);
    run(from, to);
    return view(to, n).slice();
  }

  return {
    linear(x, layer) {
      const { inputs, outputs, relu } = layer;
      if (inputs % 2 || outputs % 4) return PLAIN.linear(x, layer); // no whole vectors
      const { weight, bias } = placeOf(layer);
      const rows = x.length / inputs;
      const lowest = relu ? 0 : -LIMIT;
      return compute(x, rows * outputs, (from, to) => {
        linear(from, rows, inputs, weight, bias, outputs, to, lowest);
      });
    },

    depthwise(x, rows, columns, layer) {
      const { channels } = layer;
      if (channels % 2) return PLAIN.depthwise(x, rows, columns, layer);
      const { weight, bias } = placeOf(layer);
      return compute(x, x.length, (from, to) => {
        depthwise(from, rows, columns, channels, weight, bias, to);
      });
    },
  };
}
