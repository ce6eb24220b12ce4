// Pixels to what the networks take, and back: padding, and tiles that fade into one another.
//
// The twin of mfca_tutorial/tiling.py. A picture is {pixels, width, height}: RGBA, four bytes per
// pixel, row by row, as a canvas has it.

import { OVERLAP, STRIDE } from "./container.mjs";

/** Whether red, green and blue are the same in every pixel. */
export function isGrey({ pixels }) {
  for (let at = 0; at < pixels.length; at += 4) {
    if (pixels[at] !== pixels[at + 1] || pixels[at] !== pixels[at + 2]) return false;
  }
  return true;
}

/**
 * A tile of a picture -> Float32Array (3, rows * 64, columns * 64) in 0..1.
 *
 * Where the tile ends, its last row and its last column are repeated. Transparent pixels are
 * composited over white.
 */
export function tileInput({ pixels, width }, { top, left, height: h, width: w }, rows, columns) {
  const size = rows * STRIDE * columns * STRIDE;
  const x = new Float32Array(3 * size);
  for (let row = 0; row < rows * STRIDE; row += 1) {
    for (let column = 0; column < columns * STRIDE; column += 1) {
      const from = 4 * ((top + Math.min(row, h - 1)) * width + left + Math.min(column, w - 1));
      const to = row * columns * STRIDE + column;
      const alpha = pixels[from + 3];
      for (let c = 0; c < 3; c += 1) {
        let level = pixels[from + c];
        if (alpha < 255) level = Math.floor((level * alpha + 255 * (255 - alpha) + 127) / 255);
        x[c * size + to] = level / 255;
      }
    }
  }
  return x;
}

/** Puts tiles together, in the order of their grid, with a linear fade where they overlap. */
export class Canvas {
  /** grid: of `tileGrid`. grey: the mean of the three channels in each of them. */
  constructor({ width, height, grey }, grid) {
    this.width = width;
    this.height = height;
    this.grey = grey;
    this.pixels = new Uint8ClampedArray(4 * width * height).fill(255); // opaque

    // how much each tile counts in each of its rows and columns
    this.rowShares = shares(grid.map(({ top, height: length }) => [top, length]));
    this.columnShares = shares(grid.map(({ left, width: length }) => [left, length]));

    // what earlier tiles add where later ones overlap them: to the right, and in the next row
    this.right = null; // (3, height of the tile, OVERLAP)
    this.below = new Float32Array(3 * OVERLAP * width); // (3, OVERLAP, width)
  }

  /** xHat: (3, H, stride) of a tile, of which height x width count. */
  add(xHat, stride, { top, left, height: h, width: w }) {
    const plane = xHat.length / 3;
    const rowShare = this.rowShares.get(top);
    const columnShare = this.columnShares.get(left);
    const hasNextColumn = left + w < this.width;
    const hasNextRow = top + h < this.height;
    const right = hasNextColumn ? new Float32Array(3 * h * OVERLAP) : null;
    const colour = [0, 0, 0];

    for (let row = 0; row < h; row += 1) {
      const isLastRow = hasNextRow && row >= h - OVERLAP; // other tiles go on with it
      for (let column = 0; column < w; column += 1) {
        const isLastColumn = hasNextColumn && column >= w - OVERLAP;
        for (let c = 0; c < 3; c += 1) {
          // a tile counts for less towards its borders
          let value = xHat[c * plane + row * stride + column];
          value *= rowShare[row] * columnShare[column];

          // the first columns are shared with the tile before, the last ones with the next
          if (left > 0 && column < OVERLAP) value += this.right[(c * h + row) * OVERLAP + column];
          if (isLastColumn) {
            right[(c * h + row) * OVERLAP + column - (w - OVERLAP)] = value;
            continue;
          }

          // the first rows are shared with the tiles above, the last ones with the next row
          const place = c * OVERLAP * this.width + left + column;
          if (top > 0 && row < OVERLAP) value += this.below[place + row * this.width];
          if (isLastRow) this.below[place + (row - (h - OVERLAP)) * this.width] = value;
          colour[c] = value;
        }
        if (!isLastColumn && !isLastRow) this.#set(top + row, left + column, colour);
      }
    }
    this.right = right;
  }

  #set(row, column, [red, green, blue]) {
    const at = 4 * (row * this.width + column);
    const mean = (red + green + blue) / 3;
    // the array clamps to 0..255 and rounds, halves to even
    this.pixels[at] = 255 * (this.grey ? mean : red);
    this.pixels[at + 1] = 255 * (this.grey ? mean : green);
    this.pixels[at + 2] = 255 * (this.grey ? mean : blue);
  }
}

/**
 * [start, length] of the tiles along one side -> Map from each start to the share of its tile.
 *
 * A share is (length,); those of the tiles that cover a pixel sum to 1.
 */
function shares(cuts) {
  const lengths = new Map(cuts);
  const size = Math.max(...cuts.map(([start, length]) => start + length));

  // rising to 1 over the first OVERLAP pixels, and falling again over the last ones
  const fadeOf = (length) =>
    Float64Array.from({ length }, (_, k) => {
      const toBorder = Math.min(k + 0.5, length - k - 0.5);
      return Math.min(1, toBorder / OVERLAP);
    });
  const total = new Float64Array(size);
  const fades = new Map();
  for (const [start, length] of lengths) {
    const fade = fadeOf(length);
    fades.set(start, fade);
    fade.forEach((value, k) => {
      total[start + k] += value;
    });
  }
  for (const [start, fade] of fades)
    fades.set(
      start,
      fade.map((value, k) => value / total[start + k]),
    );
  return fades;
}
