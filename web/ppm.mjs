// Pictures as PPM files (netpbm's P6): what a shell command can read and write without a library.

/** Uint8Array -> {pixels (RGBA), width, height}. Throws Error in words. */
export function readPpm(file) {
  // magic, width, height, largest value; separated by white space or by comments
  const fields = [];
  let at = 0;
  while (fields.length < 4 && at < file.length) {
    const character = String.fromCharCode(file[at]);
    if (/\s/.test(character)) {
      at += 1;
    } else if (character === "#") {
      while (at < file.length && file[at] !== 10) at += 1;
    } else {
      const start = at;
      while (at < file.length && !/\s/.test(String.fromCharCode(file[at]))) at += 1;
      fields.push(String.fromCharCode(...file.subarray(start, Math.min(at, start + 12))));
    }
  }
  at += 1; // one white space before the pixels

  const [magic, width, height, largest] = [fields[0], ...fields.slice(1).map(Number)];
  const areSides = [width, height].every((side) => Number.isInteger(side) && side >= 1);
  if (magic !== "P6" || largest !== 255 || !areSides) {
    throw new Error("not a PPM file with 8 bits per colour (P6, 255)");
  }
  if (file.length - at < 3 * width * height) throw new Error("the PPM file is cut short");

  const pixels = new Uint8ClampedArray(4 * width * height);
  for (let n = 0; n < width * height; n += 1) {
    pixels.set(file.subarray(at + 3 * n, at + 3 * n + 3), 4 * n);
    pixels[4 * n + 3] = 255;
  }
  return { pixels, width, height };
}

/** The inverse of `readPpm`; the fourth value of each pixel is dropped. */
export function writePpm({ pixels, width, height }) {
  const head = new TextEncoder().encode(`P6\n${width} ${height}\n255\n`);
  const file = new Uint8Array(head.length + 3 * width * height);
  file.set(head);
  for (let n = 0; n < width * height; n += 1) {
    file.set(pixels.subarray(4 * n, 4 * n + 3), head.length + 3 * n);
  }
  return file;
}
