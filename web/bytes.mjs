// Whole numbers as varints, a checksum, and a reader that never looks past the end of its bytes.
//
// The twin of mfca_tutorial/byte_reader.py; the numbers' meaning is for container.mjs to know.

const MAX_BYTES = 5; // of a varint: 35 bits

/** The file cannot be decoded; the message says what is wrong and what to do. */
export class BitstreamError extends Error {
  name = "BitstreamError";
}

/** A whole number >= 0 -> the bytes of its varint. Example: varint(300) -> [0xac, 0x02]. */
export function varint(number) {
  const out = [];

  // seven bits at a time, for as long as more are left
  let rest = number;
  while (rest > 127) {
    out.push((rest % 128) + 128); // the high bit says that another byte follows
    rest = Math.floor(rest / 128);
  }
  out.push(rest);
  return out;
}

/** Reads forward through a Uint8Array. */
export class ByteReader {
  constructor(data) {
    this.data = data;
    this.at = 0; // the next byte to read
  }

  /** The next n bytes, as a view. Throws BitstreamError if fewer are left. */
  take(n) {
    if (n > this.data.length - this.at) {
      throw new BitstreamError(
        "the file is cut short: it ends before its contents do; fetch it again",
      );
    }
    this.at += n;
    return this.data.subarray(this.at - n, this.at);
  }

  byte() {
    return this.take(1)[0];
  }

  /** The next varint. Throws BitstreamError unless it is in its shortest form. */
  varint() {
    let value = 0;
    for (let k = 0; k < MAX_BYTES; k += 1) {
      // seven more bits, each group above the one before
      const byte = this.byte();
      value += (byte % 128) * 128 ** k;
      if (byte === 0 && k > 0) break; // this byte adds nothing, so a shorter form exists
      if (byte < 128) return value; // the last byte
    }
    throw new BitstreamError("the file is damaged: a number in it is not in its shortest form");
  }
}

// what one byte does to the CRC-32 of zlib: the remainder of a division by this polynomial
const POLYNOMIAL = 0xedb88320;
const REMAINDERS = Uint32Array.from({ length: 256 }, (_, byte) => {
  let rest = byte;
  for (let bit = 0; bit < 8; bit += 1) {
    rest = rest & 1 ? POLYNOMIAL ^ (rest >>> 1) : rest >>> 1;
  }
  return rest >>> 0;
});

/** The CRC-32 of a Uint8Array, 0..2^32 - 1. The ASCII digits 1 to 9 give 0xcbf43926. */
export function crc32(data) {
  let rest = 0xffffffff;
  for (const byte of data) {
    rest = REMAINDERS[(rest ^ byte) & 255] ^ (rest >>> 8);
  }
  return (rest ^ 0xffffffff) >>> 0;
}

/** Uint8Array -> hexadecimal digits. */
export function hex(bytes) {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** The inverse of `hex`. */
export function unhex(text) {
  return Uint8Array.from(text.match(/../g), (digits) => parseInt(digits, 16));
}
