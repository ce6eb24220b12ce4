// How the bytes of a .mfca file are laid out: the twin of mfca_tutorial/container.py, whose
// docstring is the definition of the format (version 1).
//
// What the three streams of a tile contain, tables.mjs, map_coder.mjs and latents.mjs know.

import { BitstreamError, ByteReader, crc32, hex, unhex, varint } from "./bytes.mjs";

export const MAX_QUALITY = 100;
export const STRIDE = 64; // pixels: one value of the importance map, and of z, per 64x64 block
export const TILE = 1024; // pixels: the longest side of a picture that is coded in one piece
export const OVERLAP = 64; // pixels that neighbouring tiles share

const MAGIC = [0x4d, 0x46, 0x43, 0x41]; // "MFCA"
const VERSION = 1;
const MODEL_ID_BYTES = 8;
const CHECKSUM_BYTES = 4; // CRC-32
const MAX_SIDE = 65535; // pixels
const MAX_PIXELS = 2 ** 27;
const TILE_SIZES = [0, 128, 256, 512, 1024]; // pixels; 0 = untiled

const GREY = 1; // the three flags
const MAP = 2;
const TILED = 4;

/**
 * A header is {modelId, width, height, quality, grey, hasMap, tile}: 16 hexadecimal digits, pixels,
 * pixels, 0..100 in half steps, two booleans, and the longest side of a tile (0 = untiled).
 * Returns it unchanged. Throws RangeError for values that the format cannot store.
 */
export function checkHeader(header) {
  const { width, height, quality, tile } = header;

  // the size: each side separately, then their product
  const size = `${width} x ${height} pixels`;
  const sidesFit = width >= 1 && height >= 1 && width <= MAX_SIDE && height <= MAX_SIDE;
  if (!sidesFit || width * height > MAX_PIXELS) {
    throw new RangeError(`${size}: at most ${MAX_PIXELS} pixels, with sides of 1..${MAX_SIDE}`);
  }

  // the quality: a whole number of half steps
  if (!(quality >= 0 && quality <= MAX_QUALITY) || !Number.isInteger(2 * quality)) {
    throw new RangeError(`quality ${quality} is not in 0, 0.5, ... ${MAX_QUALITY}`);
  }

  // the tiles: a known size, given if and only if the picture is larger than one tile
  if (!TILE_SIZES.includes(tile)) {
    throw new RangeError(`tile size ${tile} is not 0, 128, 256, 512 or 1024`);
  }
  const needsTiles = Math.max(width, height) > (tile || TILE);
  if (needsTiles !== tile > 0) {
    throw new RangeError(
      `${size}, tile size ${tile}: only a picture larger than a tile has a tile size`,
    );
  }
  return header;
}

// ---- which tiles a picture is cut into

/**
 * Cut a picture into overlapping tiles of nearly equal sides, row by row.
 *
 * Example: tileGrid(1100, 500, 1024) -> two tiles, the second {top: 0, left: 576, height: 500,
 * width: 524}. tile = 0 makes one tile of the whole picture.
 */
export function tileGrid(width, height, tile) {
  if (tile === 0) return [{ top: 0, left: 0, height, width }];

  const rows = cut(height, tile);
  const columns = cut(width, tile);
  return rows.flatMap(([top, h]) =>
    columns.map(([left, w]) => ({ top, left, height: h, width: w })),
  );
}

/** Cut 0..size into the fewest [start, length] with length <= tile. */
function cut(size, tile) {
  if (size <= tile) return [[0, size]];

  // after the first overlap, every tile covers tile - OVERLAP new pixels
  const newPixels = size - OVERLAP;
  const count = Math.ceil(newPixels / (tile - OVERLAP));

  // space the starts evenly, each rounded up to a multiple of the overlap
  const starts = [];
  for (let i = 0; i < count; i += 1) {
    starts.push(OVERLAP * Math.ceil((i * newPixels) / (count * OVERLAP)));
  }

  // each tile ends one overlap after the start of the next one
  return starts.map((start, i) => {
    const end = i + 1 < count ? starts[i + 1] + OVERLAP : size;
    return [start, end - start];
  });
}

// ---- writing

/** A header and the tiles {map, z, y} (Uint8Array each), in the order of `tileGrid` -> a file. */
export function pack(header, tiles) {
  checkHeader(header);
  const { width, height, quality, grey, hasMap, tile } = header;
  if (tiles.length !== tileGrid(width, height, tile).length) {
    throw new RangeError(`${tiles.length} tiles do not cover the picture`);
  }

  // the header, field by field
  const flags = GREY * grey + MAP * hasMap + TILED * (tile > 0);
  const pieces = [MAGIC, [VERSION], unhex(header.modelId), [flags]];
  pieces.push(varint(width), varint(height), [2 * quality]);
  if (tile) pieces.push([Math.log2(tile)]);

  // each tile: the three lengths, then the three streams
  for (const { map, z, y } of tiles) {
    pieces.push(varint(map.length), varint(z.length), varint(y.length), map, z, y);
  }

  // one after another, and the checksum of it all, the most significant byte first
  const length = pieces.reduce((sum, piece) => sum + piece.length, 0);
  const file = new Uint8Array(length + CHECKSUM_BYTES);
  let at = 0;
  for (const piece of pieces) {
    file.set(piece, at);
    at += piece.length;
  }
  new DataView(file.buffer).setUint32(length, crc32(file.subarray(0, length)));
  return file;
}

// ---- reading

/** The header at the start of a Uint8Array (32 bytes are enough). Throws BitstreamError. */
export function readHeader(data) {
  return headerFrom(new ByteReader(data));
}

function headerFrom(reader) {
  checkBeginning(reader);

  // the model, and which optional parts are present
  const modelId = hex(reader.take(MODEL_ID_BYTES));
  const flags = reader.byte();
  if (flags > GREY + MAP + TILED) {
    throw new BitstreamError(
      `the file is damaged, or newer than this program (unknown flags ${flags}): fetch it again`,
    );
  }

  // the sizes
  const width = reader.varint();
  const height = reader.varint();
  const quality = reader.byte() / 2;
  let tile = 0;
  if (flags & TILED) {
    const code = reader.byte();
    tile = 2 ** code;
    if (!TILE_SIZES.includes(tile)) {
      throw new BitstreamError(`the file is damaged: tile size code ${code}`);
    }
  }

  const grey = Boolean(flags & GREY);
  const hasMap = Boolean(flags & MAP);
  try {
    return checkHeader({ modelId, width, height, quality, grey, hasMap, tile });
  } catch (error) {
    throw new BitstreamError(`the file is damaged: ${error.message}`);
  }
}

/** Is it a .mfca file, and of a version that can be read here? */
function checkBeginning(reader) {
  // the magic; a file that holds only the beginning of it was cut short
  const start = reader.data.subarray(0, MAGIC.length);
  if (start.length === 0 || start.some((byte, i) => byte !== MAGIC[i])) {
    throw new BitstreamError("this is not a .mfca file");
  }
  reader.take(MAGIC.length);

  // the version, before any field whose meaning may depend on it
  const version = reader.byte();
  if (version === 0) {
    throw new BitstreamError("the file is damaged: there is no format version 0");
  }
  if (version !== VERSION) {
    throw new BitstreamError(
      `the file has format version ${version}, this program reads version ${VERSION}: ` +
        "a newer one is needed",
    );
  }
}

/**
 * The bytes of a file -> {header, tiles, fields}, fully checked. Throws BitstreamError.
 *
 * tiles: {map, z, y} each, views of the file. fields: [{name, start, end}], which bytes hold what,
 * without a gap from the first byte to the last; the streams of tile k are named "map k", "z k" and
 * "y k", their lengths together "lengths k".
 */
export function unpack(data) {
  // check the header before the checksum, so that a foreign file is not reported as damaged
  const reader = new ByteReader(data);
  const header = headerFrom(reader);
  const fields = headerFields(header);

  // the checksum
  const end = Math.max(0, data.length - CHECKSUM_BYTES);
  const body = data.subarray(0, end);
  const checksum = data.subarray(end).reduce((sum, byte) => 256 * sum + byte, 0);
  if (crc32(body) !== checksum) {
    throw new BitstreamError(
      "the file is damaged or cut short (its checksum is wrong); fetch it again",
    );
  }

  // the tiles; reading fails unless the file really holds each one
  reader.data = body;
  const mark = (name, start) => fields.push({ name, start, end: reader.at });
  const tiles = tileGrid(header.width, header.height, header.tile).map((_, k) => {
    const start = reader.at;
    const lengths = [reader.varint(), reader.varint(), reader.varint()];
    mark(`lengths ${k}`, start);
    const [map, z, y] = lengths.map((length, i) => {
      const stream = reader.take(length);
      mark(`${["map", "z", "y"][i]} ${k}`, reader.at - length);
      return stream;
    });
    if (map.length > 0 && !header.hasMap) {
      throw new BitstreamError("the file is damaged: it has a map but not its flag");
    }
    return { map, z, y };
  });

  // nothing may follow them
  const surplus = body.length - reader.at;
  if (surplus > 0) {
    throw new BitstreamError(`the file is damaged: ${surplus} bytes follow the last tile`);
  }
  fields.push({ name: "checksum", start: end, end: data.length });
  return { header, tiles, fields };
}

/** Where the fields of a header are that has been read. */
function headerFields({ width, height, tile }) {
  const sizes = [
    ["magic", MAGIC.length],
    ["version", 1],
    ["model id", MODEL_ID_BYTES],
    ["flags", 1],
    ["width", varint(width).length],
    ["height", varint(height).length],
    ["quality", 1],
  ];
  if (tile) sizes.push(["tile size", 1]);

  let at = 0;
  return sizes.map(([name, size]) => {
    at += size;
    return { name, start: at - size, end: at };
  });
}
