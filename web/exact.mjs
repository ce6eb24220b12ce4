// Layers of fixed-point networks: the same bits on every machine (chapter 9).
//
// The twin of mfca_tutorial/entropy/exact.py, in whole numbers: an activation counts units of 2^-8,
// a weight of 2^-12, a bias of 2^-20. Every product and every sum is a whole number below 2^53,
// which a number of JavaScript holds exactly. So the order of the sums does not matter, and
// kernel.wat may add them up in another one than the loops below.
//
// Activations are Float64Array, channel last: element (n, c) of an array (N, C) is at n * C + c,
// and n counts the positions of the picture row by row.

export const PER_UNIT = 2 ** 8; // units of an activation in 1
export const LIMIT = 2 ** 23; // of an activation: 2^15 in these units
const ROUND_OFF = 2 ** 12; // units of a sum (2^-20) in a unit of an activation

/** Back to multiples of 2^-8, halves up, and between the limits; ReLU is the lowest value 0. */
function rounded(sum, lowest) {
  const units = Math.floor(sum / ROUND_OFF + 0.5);
  return Math.min(LIMIT, Math.max(lowest, units));
}

/**
 * A 1x1 convolution, or any other matrix: x (N, inputs) -> (N, outputs).
 *
 * layer: {inputs, outputs, weight (outputs, inputs), bias (outputs,), relu}.
 */
function linear(x, layer) {
  const { inputs, outputs, weight, bias, relu } = layer;
  const lowest = relu ? 0 : -LIMIT;
  const y = new Float64Array((x.length / inputs) * outputs);
  for (let at = 0; at < y.length; at += 1) {
    const n = Math.floor(at / outputs);
    const o = at - n * outputs;
    let sum = bias[o];
    for (let c = 0; c < inputs; c += 1) {
      sum += x[n * inputs + c] * weight[o * inputs + c];
    }
    y[at] = rounded(sum, lowest);
  }
  return y;
}

/**
 * A depthwise convolution, 5x5: x (rows * columns, C) -> the same shape.
 *
 * layer: {channels, weight (25, C), bias (C,)}.
 */
function depthwise(x, rows, columns, layer) {
  const { channels, weight, bias } = layer;
  const y = new Float64Array(x.length);
  const sum = new Float64Array(channels);
  for (let row = 0; row < rows; row += 1) {
    for (let column = 0; column < columns; column += 1) {
      sum.set(bias);

      // the neighbours that lie inside
      for (let i = Math.max(0, row - 2); i <= Math.min(rows - 1, row + 2); i += 1) {
        for (let j = Math.max(0, column - 2); j <= Math.min(columns - 1, column + 2); j += 1) {
          const from = (i * columns + j) * channels;
          const tap = ((i - row + 2) * 5 + (j - column + 2)) * channels;
          for (let c = 0; c < channels; c += 1) sum[c] += x[from + c] * weight[tap + c];
        }
      }
      const to = (row * columns + column) * channels;
      for (let c = 0; c < channels; c += 1) y[to + c] = rounded(sum[c], -LIMIT);
    }
  }
  return y;
}

/** The two sums in plain JavaScript; kernel.mjs makes a faster twin of them. */
export const PLAIN = { linear, depthwise };

/** The inputs of a 3x3 convolution at each position, zeros outside: (N, C) -> (N, 9 C). */
export function neighbourhoods(x, rows, columns, channels) {
  const out = new Float64Array(9 * x.length);
  for (let row = 0; row < rows; row += 1) {
    for (let column = 0; column < columns; column += 1) {
      for (let tap = 0; tap < 9; tap += 1) {
        const i = row + Math.floor(tap / 3) - 1;
        const j = column + (tap % 3) - 1;
        if (i < 0 || i >= rows || j < 0 || j >= columns) continue;
        const from = (i * columns + j) * channels;
        const to = ((row * columns + column) * 9 + tap) * channels;
        out.set(x.subarray(from, from + channels), to);
      }
    }
  }
  return out;
}

/** PixelShuffle(2): (rows * columns, 4 C) -> (2 rows * 2 columns, C). */
export function shuffle(x, rows, columns) {
  const channels = x.length / (rows * columns) / 4;
  const out = new Float64Array(x.length);
  for (let row = 0; row < 2 * rows; row += 1) {
    for (let column = 0; column < 2 * columns; column += 1) {
      // which input position, and which of its four values for every channel
      const n = (row >> 1) * columns + (column >> 1);
      const corner = 2 * (row & 1) + (column & 1);
      const to = (row * 2 * columns + column) * channels;
      for (let c = 0; c < channels; c += 1) out[to + c] = x[(n * channels + c) * 4 + corner];
    }
  }
  return out;
}

/**
 * The weights of a k x k convolution with the channels last.
 *
 * Dense: (O, C, k, k) -> (O, k k C). Depthwise: (C, 1, k, k) -> (k k, C).
 */
export function tapsFirst(weight, depthwise = false) {
  const [outputs, inputs, height, width] = weight.shape;
  const taps = height * width;
  const channels = depthwise ? outputs : inputs;
  const matrices = depthwise ? 1 : outputs;
  const out = new Float64Array(weight.length);
  for (let at = 0; at < out.length; at += 1) {
    // element (matrix, tap, channel) of the result
    const channel = at % channels;
    const tap = Math.floor(at / channels) % taps;
    const matrix = Math.floor(at / channels / taps);
    out[at] = weight[((matrices === 1 ? 0 : matrix) * channels + channel) * taps + tap];
  }
  return out;
}
