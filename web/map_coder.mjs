// The importance map in the file: the twin of mfca_tutorial/entropy/map_coder.py.
//
// A level 0..15 is expected to equal its left neighbour or, in the first column, the level above;
// the very first one, 8. Of four contrasts the encoder takes the cheapest. Taught in chapter 5.

import { BitstreamError } from "./bytes.mjs";
import { MAP_FLAT, MAP_LEVELS } from "./importance.mjs";
import { RangeDecoder, RangeEncoder } from "./range_coder.mjs";
import { TOTAL, cumulate } from "./tables.mjs";

const STEPS = [0, 1, 3, 8]; // contrast c: one level away is 2^STEPS[c] times less likely
const CONTRAST = cumulate(new Array(STEPS.length).fill(TOTAL / STEPS.length));
const LARGEST_WEIGHT = 1n << 48n; // the weight of the expected level

// the intervals of the 16 levels, for each contrast and each expected level
const MODELS = STEPS.map((_, contrast) =>
  Array.from({ length: MAP_LEVELS }, (__, expected) => model(contrast, expected)),
);

function model(contrast, expected) {
  // every step away divides the weight by a power of two
  const weights = Array.from({ length: MAP_LEVELS }, (_, level) => {
    const halvings = STEPS[contrast] * Math.abs(level - expected);
    return LARGEST_WEIGHT >> BigInt(halvings);
  });

  // one count for each level; the others by weight, rounded down, in integers of any size
  const toShare = BigInt(TOTAL - MAP_LEVELS);
  const total = weights.reduce((sum, weight) => sum + weight);
  const counts = weights.map((weight) => 1 + Number((toShare * weight) / total));

  // what rounding has left over goes to the likeliest level
  counts[expected] += TOTAL - counts.reduce((sum, count) => sum + count);
  return cumulate(counts);
}

/** Levels (rows * columns,) in 0..15 -> the bytes of a map stream. Throws RangeError. */
export function encodeMap(levels, rows, columns) {
  const isLevel = (level) => Number.isInteger(level) && level >= 0 && level < MAP_LEVELS;
  if (levels.length !== rows * columns || !levels.every(isLevel)) {
    throw new RangeError(`a map has ${rows} x ${columns} levels 0..${MAP_LEVELS - 1}`);
  }
  const streams = STEPS.map((_, contrast) => encodeWith(contrast, levels, columns));
  return streams.reduce((best, stream) => (stream.length < best.length ? stream : best));
}

function encodeWith(contrast, levels, columns) {
  const encoder = new RangeEncoder();
  encoder.put(CONTRAST[contrast], CONTRAST[1]);
  levels.forEach((level, at) => {
    // the level on the left or, in the first column, the one above
    let expected = MAP_FLAT;
    if (at % columns > 0) expected = levels[at - 1];
    else if (at > 0) expected = levels[at - columns];
    const intervals = MODELS[contrast][expected];
    encoder.put(intervals[level], intervals[level + 1] - intervals[level]);
  });
  return encoder.finish();
}

/** The inverse of `encodeMap`: Uint8Array (rows * columns,). Throws BitstreamError. */
export function decodeMap(data, rows, columns) {
  if (data.length > rows * columns + 1) {
    throw new BitstreamError("the importance map has more bytes than any map of its size");
  }
  const decoder = new RangeDecoder(data);
  const contrast = decoder.get(CONTRAST);
  const levels = new Uint8Array(rows * columns);
  for (let at = 0; at < levels.length; at += 1) {
    let expected = MAP_FLAT;
    if (at % columns > 0) expected = levels[at - 1];
    else if (at > 0) expected = levels[at - columns];
    levels[at] = decoder.get(MODELS[contrast][expected]);
  }
  decoder.checkFinished();
  return levels;
}
