// What JPEG and WebP make of as many bytes: the best setting of the browser's own encoder that fits.

import { canvasOf, readPicture } from "./pictures.mjs";

const FINEST = 100;

const encoded = (canvas, type, quality) =>
  new Promise((resolve) => {
    canvas.toBlob(resolve, type, quality / FINEST);
  });

/**
 * A picture -> {blob, quality, fits, pixels}: the largest file of a type that has at most `limit`
 * bytes; where even the coarsest file has more, that one, with `fits` false.
 *
 * type: "image/jpeg" or "image/webp"; isWanted() says whether anybody still waits.
 * Returns null where the browser does not write this type.
 */
export async function rivalOf({ pixels, width, height }, type, limit, isWanted) {
  const { canvas, context } = canvasOf(width, height);
  context.putImageData(new ImageData(pixels, width, height), 0, 0);

  // files grow with the quality, so seven tries find the last one that fits
  let best = { blob: null, quality: 0, fits: false };
  let low = 0;
  let high = FINEST;
  while (low <= high && isWanted()) {
    const quality = Math.floor((low + high) / 2);
    const blob = await encoded(canvas, type, quality);
    if (!blob || blob.type !== type) return null;
    if (blob.size <= limit) {
      best = { blob, quality, fits: true };
      low = quality + 1;
    } else {
      if (quality === 0) best.blob = blob;
      high = quality - 1;
    }
  }
  if (!best.blob) return null; // nobody waits
  const shown = await readPicture(best.blob, Math.max(width, height));
  return { ...best, pixels: shown.pixels };
}
