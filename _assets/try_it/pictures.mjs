// Pictures: from a file to pixels that the codec takes, and how far two of them are apart.

const MAX_BYTES = 64 * 2 ** 20; // of a file
const MAX_PIXELS = 100e6; // of a picture before it is reduced; more would not fit the memory of many machines
const PEAK = 255;

/** Why a file cannot be shown; the message is a sentence for people. */
export class PictureError extends Error {
  name = "PictureError";
}

/** Throws PictureError for a file (a Blob) that is empty, or too large to be read whole. */
export function checkSize({ size }) {
  if (size === 0) throw new PictureError("this file is empty");
  if (size > MAX_BYTES) {
    const megabytes = (bytes) => Math.round(bytes / 2 ** 20);
    throw new PictureError(
      `this file has ${megabytes(size)} MB; the page takes up to ${megabytes(MAX_BYTES)} MB`,
    );
  }
}

/** Make a canvas with these sides, and something that draws on it. */
export function canvasOf(width, height) {
  const canvas = document.createElement("canvas");
  canvas.width = width;
  canvas.height = height;
  return { canvas, context: canvas.getContext("2d", { willReadFrequently: true }) };
}

/**
 * A picture's file (a Blob) -> {pixels, width, height, from}, RGBA in sRGB, upright, over white.
 *
 * The browser decodes it. No side is longer than maxSide afterwards; `from` has the sides before.
 * Throws PictureError for what is no picture, or too large.
 */
export async function readPicture(blob, maxSide) {
  let bitmap;
  try {
    bitmap = await createImageBitmap(blob);
  } catch {
    throw new PictureError("this is not a picture that your browser can read; try a JPEG, PNG or WebP file");
  }
  const from = { width: bitmap.width, height: bitmap.height };
  if (from.width * from.height > MAX_PIXELS) {
    bitmap.close();
    throw new PictureError(`${from.width} x ${from.height} pixels are too many for this page`);
  }
  const scale = Math.min(1, maxSide / Math.max(from.width, from.height));
  const width = Math.max(1, Math.round(scale * from.width));
  const height = Math.max(1, Math.round(scale * from.height));
  const { context } = reduced(bitmap, width, height);
  bitmap.close();
  return { pixels: context.getImageData(0, 0, width, height).data, width, height, from };
}

/** Draw a bitmap smaller: by halves first, since a single large step would skip pixels. */
function reduced(bitmap, width, height) {
  let source = bitmap;
  for (;;) {
    const w = Math.max(width, Math.ceil(source.width / 2));
    const h = Math.max(height, Math.ceil(source.height / 2));
    const drawn = canvasOf(w, h);

    // transparent pixels are composited over white, as the package does
    drawn.context.fillStyle = "#fff";
    drawn.context.fillRect(0, 0, w, h);
    drawn.context.imageSmoothingQuality = "high";
    drawn.context.drawImage(source, 0, 0, w, h);
    if (w === width && h === height) return drawn;
    source = drawn.canvas;
  }
}

/** The PSNR of two pictures of one size in dB, over red, green and blue of all pixels. */
export function psnr(one, other) {
  let sum = 0;
  for (let i = 0; i < one.length; i += 4) {
    for (let c = i; c < i + 3; c += 1) sum += (one[c] - other[c]) ** 2;
  }
  const error = sum / ((3 * one.length) / 4);
  return error === 0 ? Infinity : 10 * Math.log10(PEAK ** 2 / error);
}
