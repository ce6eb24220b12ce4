// z and v to bytes and back: the twin of mfca_tutorial/entropy/latents.py.
//
// The encoder and the decoder go through the same passes with the same exact networks. v is y times
// its gain, what is rounded and coded (chapter 6). vHat and the means are in units of 2^-8.

import { BitstreamError } from "./bytes.mjs";
import { RangeDecoder, RangeEncoder } from "./range_coder.mjs";
import { decodeGroup, decodeIndexed, encodeGroup, encodeIndexed } from "./tables.mjs";

export const UNIT = 2 ** -8; // of vHat
const LIMIT = 2 ** 15; // of a latent
const LATENTS_PER_Z = 4; // along each side

// added and taken away again, it leaves no bits behind the point: like torch.round, which rounds
// halves to the even neighbour (Math.round rounds them up)
const MAGNITUDE = 1.5 * 2 ** 52;

/** The nearest whole number, halves to even; for values within +-2^51. */
export function roundHalfToEven(value) {
  return value + MAGNITUDE - MAGNITUDE;
}

function clamp(value, limit) {
  return Math.min(limit, Math.max(-limit, value));
}

/** v, clamped to one less than the limit, so that rounding cannot lead beyond it. */
export function withinLimit(v) {
  return v.map((value) => clamp(value, LIMIT - 1));
}

const nothing = async () => {};

/**
 * The unrounded v and z of one tile -> two streams, and what they decode to.
 *
 * exact: ExactHyperprior. tables: {y, z}.
 * v: (M, rows * columns), `withinLimit`; z: (C_z, rows * columns / 16).
 * afterPass: awaited after each pass with its number; may throw to stop.
 * Returns {z, y, vHat, zHat, passBytes}: Uint8Array, Uint8Array, Int32Array (units of 2^-8),
 * Float64Array, and the share of each pass in the bytes of y.
 */
export async function encodeLatents(exact, tables, v, z, rows, columns, afterPass = nothing) {
  // what the decoder reads first: z, rounded
  const zHat = Float64Array.from(z, (value) => clamp(roundHalfToEven(value), LIMIT));
  const zEncoder = new RangeEncoder();
  const zSize = zHat.length / tables.z.length;
  tables.z.forEach((table, c) => {
    encodeGroup(zEncoder, zHat.subarray(c * zSize, (c + 1) * zSize), table);
  });
  const features = exact.upsample(zHat, rows / LATENTS_PER_Z, columns / LATENTS_PER_Z);

  // then v, pass by pass
  const vHat = new Int32Array(v.length);
  const encoder = new RangeEncoder();
  const bits = [0];
  for (let p = 0; p < exact.passes; p += 1) {
    const { mean, index } = exact.parametersOf(p, features, vHat, rows, columns);
    const places = exact.placesOfPass(p, rows, columns);

    // round what is left after the prediction
    const symbols = new Int32Array(places.length);
    places.forEach((place, k) => {
      symbols[k] = roundHalfToEven(v[place] - mean[place] * UNIT);
      vHat[place] = symbols[k] / UNIT + mean[place];
    });

    // code the whole numbers, each with the table of its scale
    encodeIndexed(encoder, symbols, gather(index, places), tables.y);
    bits.push(encoder.bits());
    await afterPass(p);
  }
  const y = encoder.finish();
  return { z: zEncoder.finish(), y, vHat, zHat, passBytes: shares(bits, y.length) };
}

/**
 * The streams of one tile, z and y -> {vHat, zHat, passBytes}, bit for bit what the encoder had.
 *
 * rows, columns: of the latents, multiples of 4.
 * Throws BitstreamError if the bytes cannot have come from this model.
 */
export async function decodeLatents(exact, tables, z, y, rows, columns, afterPass = nothing) {
  // side information first
  const zSize = (rows * columns) / LATENTS_PER_Z ** 2;
  const zHat = new Float64Array(tables.z.length * zSize);
  const zDecoder = new RangeDecoder(z);
  tables.z.forEach((table, c) => {
    zHat.set(decodeGroup(zDecoder, zSize, table), c * zSize);
  });
  zDecoder.checkFinished();
  zHat.forEach((value) => checkLimit(value));
  const features = exact.upsample(zHat, rows / LATENTS_PER_Z, columns / LATENTS_PER_Z);

  // then v, pass by pass
  const vHat = new Int32Array(exact.latents * rows * columns);
  const decoder = new RangeDecoder(y);
  const bits = [0];
  for (let p = 0; p < exact.passes; p += 1) {
    const { mean, index } = exact.parametersOf(p, features, vHat, rows, columns);
    const places = exact.placesOfPass(p, rows, columns);
    const symbols = decodeIndexed(decoder, gather(index, places), tables.y);
    places.forEach((place, k) => {
      const units = symbols[k] / UNIT + mean[place];
      checkLimit(units * UNIT);
      vHat[place] = units;
    });
    bits.push(decoder.mirror.bits());
    await afterPass(p);
  }
  decoder.checkFinished();
  return { vHat, zHat, passBytes: shares(bits, y.length) };
}

/** Beyond the limit no network would be exact. */
function checkLimit(value) {
  if (Math.abs(value) > LIMIT) {
    throw new BitstreamError("the coded data is damaged: a latent exceeds 2^15");
  }
}

/** values[place] of each place: Uint8Array. */
function gather(values, places) {
  const out = new Uint8Array(places.length);
  places.forEach((place, k) => {
    out[k] = values[place];
  });
  return out;
}

/** Bits after 0, 1, ... passes -> the bytes of each pass; they sum to the stream's length. */
function shares(bits, length) {
  const last = bits.length - 1;
  const bytes = bits.map((count, p) => (p === last ? length : Math.min(length, count / 8)));
  return bytes.slice(1).map((count, p) => count - bytes[p]);
}
