// Reads a safetensors file, the format of the checkpoints: eight bytes for the length of a JSON
// header, the header, the arrays.

const TYPES = { I16: Int16Array, I32: Int32Array };

/** ArrayBuffer -> {metadata, arrays}: an object of strings; typed arrays, with their `shape`. */
export function readSafetensors(buffer) {
  const size = Number(new DataView(buffer).getBigUint64(0, true));
  const text = new TextDecoder().decode(new Uint8Array(buffer, 8, size));
  const { __metadata__: metadata, ...entries } = JSON.parse(text);

  const arrays = {};
  for (const [name, { dtype, shape, data_offsets: offsets }] of Object.entries(entries)) {
    const [start, end] = offsets.map((offset) => 8 + size + offset);
    const array = new TYPES[dtype](buffer.slice(start, end));
    arrays[name] = Object.assign(array, { shape });
  }
  return { metadata, arrays };
}
