// h_s and the context network in whole numbers: the same bits on every machine (chapter 9).
//
// A second implementation of mfca_tutorial/entropy/exact_hyperprior.py, in another language. An
// activation is a whole number of 2^-8, a weight of 2^-12, a bias of 2^-20. Every product and every
// sum is a whole number below 2^53, which a number of JavaScript holds exactly. So the order of the
// sums does not matter, and kernel.wat may add them up in another one than the loops below.
//
// Activations are Float64Array, channel last: element (n, c) of an array (N, C) is at n * C + c, and
// n counts the positions of the picture row by row.

const LIMIT = 2 ** 23; // of an activation: 2^15 in units of 2^-8
const ROUND_OFF = 2 ** 12; // units of a sum (2^-20) in a unit of an activation (2^-8)
const PER_UNIT = 2 ** 8; // units of an activation in 1
const LEVELS = 64; // number of Gaussian scales
const PER_INDEX = 2 ** 5; // units in a step of the scale index, which is 8 x the network's output

// The pass in which a channel group is coded at a position of a 2x2 square (row-major): one row per
// group. Source: Li et al. 2023 (DCVC-DC). With one or two passes all channels are one group.
const TURNS = {
  1: [[0, 0, 0, 0]],
  2: [[0, 1, 1, 0]],
  4: [
    [0, 1, 2, 3],
    [3, 2, 1, 0],
    [2, 3, 0, 1],
    [1, 0, 3, 2],
  ],
};

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
function neighbourhoods(x, rows, columns, channels) {
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
function shuffle(x, rows, columns) {
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

export class ExactHyperprior {
  /**
   * arrays: the checkpoint's integers by name, with their shapes, as safetensors.mjs reads them.
   * passes: of the context, 1, 2 or 4. kernel: PLAIN, or a faster twin of it.
   */
  constructor(arrays, passes, kernel = PLAIN) {
    this.kernel = kernel;
    this.passes = passes;
    const integers = (name) => arrays[`hyperprior.${name}`];
    const first = integers("h_s.0.weight"); // (C_h, C_z, 3, 3)
    const last = integers("trunk.2.weight"); // (2 M, C, 1, 1)
    this.features = first.shape[0]; // C_h
    this.zChannels = first.shape[1];
    this.latents = last.shape[0] / 2; // M
    this.width = last.shape[1]; // C
    this.turns = TURNS[passes];
    this.groupSize = this.latents / this.turns.length;

    // h_s: a 3x3 layer, then two that are shuffled to twice the sides
    this.upsampler = [
      this.#layer(tapsFirst(first), integers("h_s.0.bias"), true),
      this.#layer(integers("h_s.2.weight"), integers("h_s.2.bias"), true),
      this.#layer(integers("h_s.5.weight"), integers("h_s.5.bias"), true),
    ];
    this.trunk = this.#layer(integers("trunk.0.weight"), integers("trunk.0.bias"), true);

    // a context network per pass; its first and its last layer, taken apart by position
    this.networks = [];
    for (let p = 0; p < passes; p += 1) {
      const adapter = integers(`adapters.${p}.0.weight`);
      const bias = integers(`adapters.${p}.0.bias`);
      const positions = [0, 1, 2, 3].map((position) => {
        const decoded = this.#channels((group) => this.turns[group][position] < p);
        const wanted = this.#channels((group) => this.turns[group][position] === p);
        const read = [...range(this.features), ...decoded.map((c) => this.features + c)];
        const made = [...wanted, ...wanted.map((c) => this.latents + c)]; // means, then scales
        return {
          decoded,
          wanted,
          first: this.#layer(part(adapter, range(this.width), read), bias, true),
          last: this.#layer(
            part(last, made, range(this.width)),
            made.map((c) => integers("trunk.2.bias")[c]),
            false,
          ),
        };
      });
      const middle = {
        channels: this.width,
        weight: tapsFirst(integers(`adapters.${p}.2.weight`), true),
        bias: Float64Array.from(integers(`adapters.${p}.2.bias`)),
      };
      this.networks.push({ positions, middle });
    }
  }

  #layer(weight, bias, relu) {
    const outputs = bias.length;
    return {
      inputs: outputs === 0 ? 0 : weight.length / outputs,
      outputs,
      weight: Float64Array.from(weight),
      bias: Float64Array.from(bias),
      relu,
    };
  }

  /** The channels of the groups that `isIn` picks, rising. */
  #channels(isIn) {
    return range(this.latents).filter((c) => isIn(Math.floor(c / this.groupSize)));
  }

  /** h_s: zHat (C_z, rows * columns), whole numbers -> features (16 rows * columns, C_h). */
  upsample(zHat, rows, columns) {
    // channel last, in units of 2^-8
    const size = rows * columns;
    let x = new Float64Array(zHat.length);
    for (let c = 0; c < this.zChannels; c += 1) {
      for (let n = 0; n < size; n += 1) x[n * this.zChannels + c] = PER_UNIT * zHat[c * size + n];
    }

    const [first, second, third] = this.upsampler;
    x = this.kernel.linear(neighbourhoods(x, rows, columns, this.zChannels), first);
    x = shuffle(this.kernel.linear(x, second), rows, columns);
    return shuffle(this.kernel.linear(x, third), 2 * rows, 2 * columns);
  }

  /**
   * What pass p expects of its latents, from the features and the latents of earlier passes.
   *
   * vHat: (M, rows * columns), in units of 2^-8. Returns {mean, index}, of the same shape: units of
   * 2^-8, and 0..63; both are 0 at the latents of other passes.
   */
  parametersOf(p, features, vHat, rows, columns) {
    const { positions, middle } = this.networks[p];
    const size = rows * columns;

    // the first layer, position by position, reads what is decoded there
    let x = new Float64Array(size * this.width);
    positions.forEach(({ decoded, first }, position) => {
      const places = placesOf(position, rows, columns);
      const read = new Float64Array(places.length * first.inputs);
      places.forEach((n, k) => {
        const to = k * first.inputs;
        read.set(features.subarray(n * this.features, (n + 1) * this.features), to);
        decoded.forEach((c, i) => {
          read[to + this.features + i] = vHat[c * size + n];
        });
      });
      const made = this.kernel.linear(read, first);
      places.forEach((n, k) => {
        x.set(made.subarray(k * this.width, (k + 1) * this.width), n * this.width);
      });
    });

    // the neighbours, and the trunk
    x = this.kernel.depthwise(x, rows, columns, middle);
    x = this.kernel.linear(x, this.trunk);

    // the last layer makes what is coded in this pass
    const mean = new Float64Array(vHat.length);
    const index = new Uint8Array(vHat.length);
    positions.forEach(({ wanted, last }, position) => {
      if (wanted.length === 0) return;
      const places = placesOf(position, rows, columns);
      const read = new Float64Array(places.length * this.width);
      places.forEach((n, k) => {
        read.set(x.subarray(n * this.width, (n + 1) * this.width), k * this.width);
      });
      const made = this.kernel.linear(read, last);
      wanted.forEach((c, i) => {
        places.forEach((n, k) => {
          const at = k * last.outputs + i;
          const scale = Math.floor(made[at + wanted.length] / PER_INDEX + 0.5);
          mean[c * size + n] = made[at];
          index[c * size + n] = Math.min(LEVELS - 1, Math.max(0, scale));
        });
      });
    });
    return { mean, index };
  }

  /** Where the latents of pass p are in (M, rows * columns), rising: Int32Array. */
  placesOfPass(p, rows, columns) {
    const places = [];
    for (let c = 0; c < this.latents; c += 1) {
      const turn = this.turns[Math.floor(c / this.groupSize)];
      for (let n = 0; n < rows * columns; n += 1) {
        const row = Math.floor(n / columns);
        const position = 2 * (row & 1) + ((n - row * columns) & 1);
        if (turn[position] === p) places.push(c * rows * columns + n);
      }
    }
    return Int32Array.from(places);
  }
}

// ---- small helpers

function range(n) {
  return Array.from({ length: n }, (_, k) => k);
}

/** The positions of the picture at one of the four places in a 2x2 square: Int32Array. */
function placesOf(position, rows, columns) {
  const places = [];
  for (let row = position >> 1; row < rows; row += 2) {
    for (let column = position & 1; column < columns; column += 2) {
      places.push(row * columns + column);
    }
  }
  return Int32Array.from(places);
}

/** A smaller matrix: these rows and columns of weights (O, C, 1, 1). */
function part(weight, rows, columns) {
  const inputs = weight.shape[1];
  const out = new Float64Array(rows.length * columns.length);
  rows.forEach((row, i) => {
    columns.forEach((column, j) => {
      out[i * columns.length + j] = weight[row * inputs + column];
    });
  });
  return out;
}

/**
 * The weights of a k x k convolution with the channels last.
 *
 * Dense: (O, C, k, k) -> (O, k k C). Depthwise: (C, 1, k, k) -> (k k, C).
 */
function tapsFirst(weight, depthwise = false) {
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
