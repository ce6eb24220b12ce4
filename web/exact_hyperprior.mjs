// h_s and the context network in whole numbers, and which latents each pass codes.
//
// The twin of mfca_tutorial/entropy/exact_hyperprior.py and passes.py. exact.mjs says what the
// numbers mean, and how arrays lie in memory.

import { PER_UNIT, PLAIN, neighbourhoods, shuffle, tapsFirst } from "./exact.mjs";

const LEVELS = 64; // number of Gaussian scales
const PER_INDEX = PER_UNIT / 8; // units in a step of the scale index: 8 x the network's output

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

    // a context network per pass
    this.networks = range(passes).map((p) => this.#network(p, integers));
  }

  /** The network of pass p; its first and its last layer are taken apart by position. */
  #network(p, integers) {
    const adapter = integers(`adapters.${p}.0.weight`);
    const bias = integers(`adapters.${p}.0.bias`);
    const last = integers("trunk.2.weight");
    const lastBias = integers("trunk.2.bias");
    const positions = [0, 1, 2, 3].map((position) => {
      const decoded = this.#channels((group) => this.turns[group][position] < p);
      const wanted = this.#channels((group) => this.turns[group][position] === p);
      const read = [...range(this.features), ...decoded.map((c) => this.features + c)];
      const made = [...wanted, ...wanted.map((c) => this.latents + c)]; // means, then scales
      const madeBias = made.map((c) => lastBias[c]);
      return {
        decoded,
        wanted,
        first: this.#layer(part(adapter, range(this.width), read), bias, true),
        last: this.#layer(part(last, made, range(this.width)), madeBias, false),
      };
    });
    const middle = {
      channels: this.width,
      weight: tapsFirst(integers(`adapters.${p}.2.weight`), true),
      bias: Float64Array.from(integers(`adapters.${p}.2.bias`)),
    };
    return { positions, middle };
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
    let x = this.#firstLayer(positions, features, vHat, rows, columns);
    x = this.kernel.depthwise(x, rows, columns, middle);
    x = this.kernel.linear(x, this.trunk);
    return this.#lastLayer(positions, x, rows, columns);
  }

  /** What is decoded at each position, and the features there -> (rows * columns, C). */
  #firstLayer(positions, features, vHat, rows, columns) {
    const size = rows * columns;
    const x = new Float64Array(size * this.width);
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
    return x;
  }

  /** x (rows * columns, C) -> the {mean, index} of what is coded in this pass. */
  #lastLayer(positions, x, rows, columns) {
    const size = rows * columns;
    const mean = new Float64Array(this.latents * size);
    const index = new Uint8Array(this.latents * size);
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
