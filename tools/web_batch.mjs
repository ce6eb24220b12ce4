// Many files through web/codec.mjs in one process, for tests/test_web.py and tools/portability.py.
//
// node tools/web_batch.mjs FOLDER [--plain] < jobs.json > results.json
//
// FOLDER is an exported one. jobs.json is a list; each job gives one result, {...} or
// {error, message}:
//   {"do": "latents", "file", "maxPixels"}          -> {"hashes": sha256 of each tile's latents}
//   {"do": "recode", "file", "to"}                  -> {"size"}
//   {"do": "decode", "file", "to"}                  -> {"hashes"}, and a PPM file
//   {"do": "encode", "file", "to", "quality", "map"} -> {"hashes", "parts"}, from a PPM file
//   {"do": "stream", "tables", "index", "symbols"}  -> {"bytes": base64, "decoded": symbols}
//   {"do": "sums", "x", "layer"}                    -> {"plain", "fast"}: what `linear` makes of x

import { createHash } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";

import { Codec } from "../web/codec.mjs";
import { PLAIN } from "../web/exact.mjs";
import { readPpm, writePpm } from "../web/ppm.mjs";
import { RangeDecoder, RangeEncoder } from "../web/range_coder.mjs";
import { cumulate, decodeIndexed, encodeIndexed } from "../web/tables.mjs";

const [folder, ...flags] = process.argv.slice(2);
const base = pathToFileURL(`${resolve(folder)}/`);
const codec = await Codec.load(base, { plain: flags.includes("--plain") });

/** As `hash_of` of tools/portability.py: int32, little-endian. */
function hashes({ tiles }) {
  return tiles.map(({ vHat }) => createHash("sha256").update(Int32Array.from(vHat)).digest("hex"));
}

const read = (name) => new Uint8Array(readFileSync(name));

const DOERS = {
  async latents({ file, maxPixels }) {
    const { latents } = await codec.read(read(file), { maxPixels });
    return { hashes: hashes(latents) };
  },

  async recode({ file, to }) {
    const bytes = await codec.recode(read(file));
    writeFileSync(to, bytes);
    return { size: bytes.length };
  },

  async decode({ file, to }) {
    const decoded = await codec.decode(read(file));
    writeFileSync(to, writePpm(decoded));
    return { hashes: hashes(decoded.latents) };
  },

  async encode({ file, to, quality, map = null }) {
    const { bytes, latents, parts } = await codec.encode(readPpm(read(file)), { quality, map });
    writeFileSync(to, bytes);
    return { hashes: hashes(latents), parts };
  },

  async stream({ tables, index, symbols }) {
    const cumulated = tables.map(({ offset, counts }) => ({
      offset,
      escape: counts.length - 1,
      cumulative: cumulate(counts),
    }));
    const encoder = new RangeEncoder();
    encodeIndexed(encoder, Int32Array.from(symbols), Uint8Array.from(index), cumulated);
    const bytes = encoder.finish();
    const decoder = new RangeDecoder(bytes);
    const decoded = decodeIndexed(decoder, Uint8Array.from(index), cumulated);
    decoder.checkFinished();
    return { bytes: Buffer.from(bytes).toString("base64"), decoded: Array.from(decoded) };
  },

  async sums({ x, layer }) {
    const numbers = {
      ...layer,
      weight: Float64Array.from(layer.weight),
      bias: Float64Array.from(layer.bias),
    };
    const input = Float64Array.from(x);
    const [plain, fast] = [PLAIN, codec.exact.kernel].map((kernel) => kernel.linear(input, numbers));
    return { plain: Array.from(plain), fast: Array.from(fast) };
  },
};

const results = [];
for (const job of JSON.parse(readFileSync(0))) {
  try {
    results.push(await DOERS[job.do](job));
  } catch (error) {
    results.push({ error: error.name, message: error.message });
  }
}
process.stdout.write(JSON.stringify(results));
