// The codec: picture to .mfca file and back, in a browser (best in a worker) or in Node.
//
//   const codec = await Codec.load(new URL("../_build/web/", import.meta.url));
//   const encoded = await codec.encode({ pixels, width, height }, { quality: 50 });
//   const decoded = await codec.decode(encoded.bytes);
//
// The twin of mfca_tutorial/codec.py, without the search for better latents (effort). README.md
// describes the interface.

import { BitstreamError } from "./bytes.mjs";
import { MAX_QUALITY, STRIDE, TILE, pack, readHeader, tileGrid, unpack } from "./container.mjs";
import { PLAIN } from "./exact.mjs";
import { ExactHyperprior } from "./exact_hyperprior.mjs";
import { Files } from "./files.mjs";
import { fastKernel } from "./kernel.mjs";
import { blocksOf, cutOut, flatLevels, levelsOf, qualitiesOf } from "./importance.mjs";
import { UNIT, decodeLatents, encodeLatents, roundHalfToEven, withinLimit } from "./latents.mjs";
import { decodeMap, encodeMap } from "./map_coder.mjs";
import { Networks, graphsOf } from "./networks.mjs";
import { readSafetensors } from "./safetensors.mjs";
import { tablesFrom } from "./tables.mjs";
import { Canvas, isGrey, tileInput } from "./tiling.mjs";
import { Work } from "./work.mjs";

const LATENTS_PER_BLOCK = 4; // along each side of a 64x64 block
const MAX_PIXELS = 89478485; // decoded without being asked twice: as in Python, where Pillow warns

export class Codec {
  #analyses = new WeakMap(); // picture -> what g_a made of its tiles

  /** Use `Codec.load`. */
  constructor(files, networks, config, exact, tables) {
    this.networks = networks;
    this.config = config;
    this.modelId = files.manifest.modelId;
    this.gates = config.gates ?? "energy"; // what they know: nothing else, or the quality
    this.exact = exact;
    this.tables = tables;
  }

  /**
   * Load what every use needs, the integers and tables (3 MB), and the networks of some uses. Other
   * networks follow when they are first needed.
   *
   * base: URL of the folder that tools/export_web.py filled, ending in a slash.
   * options: uses, any of "encode" and "decode"; onProgress; signal; plain, for the exact half in
   *   plain JavaScript, without its kernel.
   */
  static async load(base, { uses = [], onProgress = () => {}, signal, plain = false } = {}) {
    const files = await Files.at(base);
    const names = ["exact.safetensors", "kernel.wasm"].filter((name) => files.has(name));
    const networks = new Networks(files);
    const graphs = graphsOf(uses);

    // one measure of progress for everything
    const first = files.sizeOf(names);
    const total = first + files.sizeOf(networks.missing(graphs));
    const options = {
      onProgress: ({ done }) => onProgress({ stage: "load", done, total }),
      signal,
    };
    const [integers, kernel] = await files.loadAll(names, options);
    options.onProgress = ({ done }) => onProgress({ stage: "load", done: first + done, total });
    await networks.load(graphs, options);

    const { metadata, arrays } = readSafetensors(integers.buffer);
    const config = JSON.parse(metadata.config);
    const sums = kernel && !plain ? await fastKernel(kernel) : PLAIN;
    const exact = new ExactHyperprior(arrays, config.passes, sums);
    const tables = { y: tablesOf(arrays, "y"), z: tablesOf(arrays, "z") };
    return new Codec(files, networks, config, exact, tables);
  }

  /** Load the networks of some uses ("encode", "decode") that are not there yet. */
  async prepare(uses, options) {
    await this.networks.load(graphsOf(uses), options);
  }

  // ---- to a file

  /**
   * A picture {pixels, width, height} (RGBA) -> a file, and what it holds.
   *
   * quality: 0..100, rounded to half steps.
   * map: null for a flat importance map; "auto" for the learned one; or one level 0..15 for each
   *   64x64 block, row by row, 8 for no change and 4 quality points a level.
   * The same picture object again is not analysed again, as far as the model allows it.
   *
   * Returns {bytes, header, parts, latents}: parts are sizes in bytes, {header, map, z, passes},
   * which sum to the file's; latents are for `reconstruct`.
   */
  async encode(picture, { quality, map = null, ...options }) {
    const work = new Work(options);
    const header = this.#headerOf(picture, quality, map);
    const grid = tileGrid(header.width, header.height, header.tile);

    const tiles = [];
    for (const [k, place] of grid.entries()) {
      await work.report("analyse", k, grid.length);
      tiles.push(await this.#encodeTile(picture, header, place, k, map, work));
    }
    const bytes = pack(header, tiles);
    return { bytes, header, parts: partsOf(bytes, tiles), latents: { header, tiles } };
  }

  #headerOf({ width, height, pixels }, quality, map) {
    if (typeof quality !== "number" || !(quality >= 0 && quality <= MAX_QUALITY)) {
      throw new RangeError(`quality must be in 0..${MAX_QUALITY}, not ${quality}`);
    }
    if (pixels.length !== 4 * width * height) {
      throw new RangeError(`${width} x ${height} pixels need ${4 * width * height} bytes (RGBA)`);
    }
    const blocks = blocksOf(width) * blocksOf(height);
    if (map !== null && map !== "auto" && map.length !== blocks) {
      throw new RangeError(`the map has ${map.length} levels, the picture ${blocks} blocks`);
    }
    return {
      modelId: this.modelId,
      width,
      height,
      quality: roundHalfToEven(2 * quality) / 2,
      grey: isGrey({ pixels }),
      hasMap: map !== null,
      tile: Math.max(width, height) > TILE ? TILE : 0,
    };
  }

  async #encodeTile(picture, header, place, k, map, work) {
    const rows = blocksOf(place.height);
    const columns = blocksOf(place.width);

    // the map of this tile, and with it the quality of each block
    let levels = flatLevels(rows, columns);
    if (map === "auto") {
      // look at the picture as if its map were flat
      const flat = qualitiesOf(header.quality, levels);
      const { importance } = await this.#analyse(picture, place, k, flat, work);
      levels = levelsOf(importance);
    } else if (map !== null) {
      levels = cutOut(map, blocksOf(header.width), place, rows, columns);
    }
    const blocks = qualitiesOf(header.quality, levels);

    // latents in rounding steps, and the side information about them
    const { y } = await this.#analyse(picture, place, k, blocks, work);
    const sides = [LATENTS_PER_BLOCK * rows, LATENTS_PER_BLOCK * columns];
    const { v, z } = await this.networks.run("hyper", { y, quality: blocks }, rows, columns, work);

    // to bytes
    const coded = await encodeLatents(this.exact, this.tables, withinLimit(v), z, ...sides, (p) =>
      work.report("code", p + 1, this.exact.passes),
    );
    const mapBytes = header.hasMap ? encodeMap(levels, rows, columns) : new Uint8Array(0);
    return { ...coded, map: mapBytes, levels, blocks, rows, columns };
  }

  /** g_a of a tile; kept for the next time where it would be the same. */
  async #analyse(picture, place, k, blocks, work) {
    const key = this.gates === "quality" ? blocks.join(" ") : "";
    if (!this.#analyses.has(picture)) this.#analyses.set(picture, []);
    const kept = this.#analyses.get(picture);
    if (kept[k]?.key !== key) {
      const rows = blocksOf(place.height);
      const columns = blocksOf(place.width);
      const x = tileInput(picture, place, rows, columns);
      const inputs = { x, quality: blocks };
      const outputs = await this.networks.run("analysis", inputs, rows, columns, work);
      kept[k] = { key, ...outputs };
      await work.pause();
    }
    return kept[k];
  }

  // ---- from a file

  /**
   * The bytes of a .mfca file (Uint8Array) -> {pixels, width, height, header, parts, latents}.
   *
   * maxPixels: the largest picture to decode.
   * Throws BitstreamError on anything but a whole, undamaged file that this model wrote.
   */
  async decode(bytes, { maxPixels, ...options } = {}) {
    const read = await this.read(bytes, { maxPixels, ...options });
    return { ...(await this.reconstruct(read.latents, options)), ...read };
  }

  /** As `decode`, without the picture: {header, parts, latents, fields}. It needs no network. */
  async read(bytes, { maxPixels = MAX_PIXELS, ...options } = {}) {
    const work = new Work(options);
    const { header, tiles, fields } = this.#unpack(bytes, maxPixels);
    const grid = tileGrid(header.width, header.height, header.tile);

    const decoded = [];
    for (const [k, tile] of tiles.entries()) {
      const { passes } = this.exact;
      decoded.push(
        await this.#readTile(tile, header, grid[k], (p) =>
          work.report("code", k * passes + p + 1, tiles.length * passes),
        ),
      );
    }
    const parts = partsOf(bytes, decoded);
    return { header, parts, latents: { header, tiles: decoded }, fields };
  }

  /** The container's `unpack`, for files of this model and of bounded size only. */
  #unpack(bytes, maxPixels) {
    const { width, height, modelId } = readHeader(bytes);
    if (width * height > maxPixels) {
      throw new BitstreamError(
        `the picture has ${width} x ${height} = ${width * height} pixels, ` +
          `more than the limit of ${maxPixels}`,
      );
    }
    const unpacked = unpack(bytes);
    if (modelId !== this.modelId) {
      throw new BitstreamError(
        `this file was made by model ${modelId}, this is ${this.modelId}: ` +
          "another version of the codec is needed",
      );
    }
    return unpacked;
  }

  /** The streams of a tile -> its latents, its map, and the quality of its blocks. */
  async #readTile({ map, z, y }, header, place, afterPass) {
    const rows = blocksOf(place.height);
    const columns = blocksOf(place.width);
    const levels = header.hasMap ? decodeMap(map, rows, columns) : flatLevels(rows, columns);
    const sides = [LATENTS_PER_BLOCK * rows, LATENTS_PER_BLOCK * columns];
    const coded = await decodeLatents(this.exact, this.tables, z, y, ...sides, afterPass);
    const blocks = qualitiesOf(header.quality, levels);
    return { ...coded, map, z, y, levels, blocks, rows, columns };
  }

  /** The latents of `encode` or `read` -> the picture that a decoder shows. */
  async reconstruct({ header, tiles }, options) {
    const work = new Work(options);
    const grid = tileGrid(header.width, header.height, header.tile);
    const canvas = new Canvas(header, grid);
    for (const [k, { vHat, blocks, rows, columns }] of tiles.entries()) {
      await work.report("synthesise", k, tiles.length);
      const inputs = {
        v_hat: Float32Array.from(vHat, (units) => units * UNIT),
        quality: blocks,
      };
      const outputs = await this.networks.run("synthesis", inputs, rows, columns, work);
      canvas.add(outputs.x_hat, STRIDE * columns, grid[k]);
    }
    await work.report("synthesise", tiles.length, tiles.length);
    return { pixels: canvas.pixels, width: header.width, height: header.height };
  }

  /** A file -> its symbols -> a file: the same bytes. */
  async recode(bytes, options) {
    const { header, latents } = await this.read(bytes, options);
    const tiles = [];
    for (const { vHat, zHat, levels, rows, columns } of latents.tiles) {
      const coded = await encodeLatents(
        this.exact,
        this.tables,
        Float32Array.from(vHat, (units) => units * UNIT),
        zHat,
        LATENTS_PER_BLOCK * rows,
        LATENTS_PER_BLOCK * columns,
      );
      const map = header.hasMap ? encodeMap(levels, rows, columns) : new Uint8Array(0);
      tiles.push({ ...coded, map });
    }
    return pack(header, tiles);
  }
}

// ---- small helpers

function tablesOf(arrays, name) {
  const vector = (part) => arrays[`tables.${name}.${part}`];
  return tablesFrom({
    offset: vector("offset"),
    length: vector("length"),
    counts: vector("counts"),
  });
}

/** Where the bytes of a file went: {header, map, z, passes: one number per pass}. */
function partsOf(bytes, tiles) {
  const sum = (values) => values.reduce((total, value) => total + value, 0);
  const map = sum(tiles.map((tile) => tile.map.length));
  const z = sum(tiles.map((tile) => tile.z.length));
  const y = sum(tiles.map((tile) => tile.y.length));
  const passes = tiles[0].passBytes.map((_, p) => sum(tiles.map((tile) => tile.passBytes[p])));
  return { header: bytes.length - map - z - y, map, z, passes };
}
