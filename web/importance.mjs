// The importance map as the encoder and the decoder use it: a level 0..15 for each 64x64 block.
//
// The twin of mfca_tutorial/blocks/importance.py; map_coder.mjs puts the levels into the file.

import { MAX_QUALITY, STRIDE } from "./container.mjs";
import { roundHalfToEven } from "./latents.mjs";

export const MAP_LEVELS = 16;
export const MAP_STEP = 4; // quality points per level
export const MAP_FLAT = 8; // the level that changes nothing

/** Pixels along a side -> 64x64 blocks. */
export function blocksOf(pixels) {
  return Math.ceil(pixels / STRIDE);
}

/** The levels of blocks -> the quality of each, in 0..100: Float32Array. */
export function qualitiesOf(quality, levels) {
  return Float32Array.from(levels, (level) => {
    const shifted = quality + MAP_STEP * (level - MAP_FLAT);
    return Math.min(MAX_QUALITY, Math.max(0, shifted));
  });
}

/** The part of a picture's map that belongs to a tile. */
export function cutOut(map, width, { top, left }, rows, columns) {
  return Uint8Array.from({ length: rows * columns }, (_, at) => {
    const row = top / STRIDE + Math.floor(at / columns);
    return map[row * width + left / STRIDE + (at % columns)];
  });
}

/** A map where nothing changes. */
export function flatLevels(rows, columns) {
  return new Uint8Array(rows * columns).fill(MAP_FLAT);
}

/** The learned map, in 0..1 -> levels. */
export function levelsOf(importance) {
  return Uint8Array.from(importance, (value) => {
    const level = roundHalfToEven(value * MAP_LEVELS);
    return Math.min(MAP_LEVELS - 1, Math.max(0, level));
  });
}
