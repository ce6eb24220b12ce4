// The range coder of the file format: 32-bit words, a 64-bit register, 24-bit probabilities.
//
// It writes and reads the same bytes as `constriction`'s coder, which the Python package uses; this
// is a second implementation. How a range coder works is taught in chapter 7. JavaScript's numbers
// hold whole numbers exactly up to 2^53 only, so each 64-bit number is kept as two words.
//
// A symbol's interval is given by integers as the tables have them: start and count, of 2^16.

import { BitstreamError } from "./bytes.mjs";

const WORD = 2 ** 32;
const UNIT = 256; // of 24-bit probability, in one count of 2^16

// what `multiply` found: the upper and the lower word of its product
let upper = 0;
let lower = 0;

/** scale * factor, with scale < 2^40 and factor <= 2^24. */
function multiply(scale, factor) {
  // the scale in two halves of at most 20 bits: both products stay below 2^45
  const high = Math.floor(scale / 2 ** 20);
  const low = scale - high * 2 ** 20;
  const a = high * factor; // counts 2^20 each
  const b = low * factor;

  // of a, what lies above bit 32 belongs to the upper word
  const aboveWord = Math.floor(a / 4096);
  const rest = (a - aboveWord * 4096) * 2 ** 20 + b; // < 2^32 + 2^44
  const carry = Math.floor(rest / WORD);
  upper = aboveWord + carry;
  lower = rest - carry * WORD;
}

/** The register's width / 2^24: what one unit of probability is worth. */
function scaleOf(high, low) {
  return high * 256 + (low >>> 24);
}

export class RangeEncoder {
  constructor() {
    this.bytes = new Uint8Array(1024); // grows
    this.size = 0; // bytes written
    this.isEmpty = true;

    // the interval: its lower end and its width, two words each
    this.lowHigh = 0;
    this.lowLow = 0;
    this.rangeHigh = WORD - 1;
    this.rangeLow = WORD - 1;
  }

  /** Narrow the interval to the part of a symbol: start..start + count, in 2^-16 of its width. */
  put(start, count) {
    this.isEmpty = false;
    const scale = scaleOf(this.rangeHigh, this.rangeLow);

    // low += scale * start; a carry runs into the bytes that are written
    multiply(scale, UNIT * start);
    let low = this.lowLow + lower;
    let high = this.lowHigh + upper;
    if (low >= WORD) {
      low -= WORD;
      high += 1;
    }
    if (high >= WORD) {
      high -= WORD;
      carryInto(this.bytes, this.size);
    }
    this.lowLow = low;
    this.lowHigh = high;

    // range = scale * count
    multiply(scale, UNIT * count);
    this.rangeHigh = upper;
    this.rangeLow = lower;

    // when the range fits into one word, the first word of low is settled, up to a carry
    if (this.rangeHigh === 0) {
      this.#write(this.lowHigh);
      this.lowHigh = this.lowLow;
      this.lowLow = 0;
      this.rangeHigh = this.rangeLow;
      this.rangeLow = 0;
    }
  }

  #write(word) {
    if (this.size + 4 > this.bytes.length) {
      const larger = new Uint8Array(2 * this.bytes.length);
      larger.set(this.bytes);
      this.bytes = larger;
    }
    new DataView(this.bytes.buffer).setUint32(this.size, word);
    this.size += 4;
  }

  /** The information so far, in bits. */
  bits() {
    return 8 * this.size + 64 - Math.log2(this.rangeHigh * WORD + this.rangeLow);
  }

  /** The shortest bytes that, continued with zeros, name a number in the final interval. */
  finish() {
    if (this.isEmpty) return new Uint8Array(0);
    const low = (BigInt(this.lowHigh) << 32n) + BigInt(this.lowLow);
    const range = (BigInt(this.rangeHigh) << 32n) + BigInt(this.rangeLow);

    // how many bytes of the register are needed: the fewest for which a multiple lies inside
    let size = 0;
    let point = 0n;
    for (;;) {
      const unit = 1n << BigInt(64 - 8 * size);
      point = ((low + unit - 1n) / unit) * unit; // low, rounded up to that many bytes
      if (point < low + range) break;
      size += 1;
    }

    // the words, then these bytes; rounding up may carry, too
    const out = new Uint8Array(this.size + size);
    out.set(this.bytes.subarray(0, this.size));
    if (point >> 64n) carryInto(out, this.size);
    for (let k = 0; k < size; k += 1) {
      out[this.size + k] = Number((point >> BigInt(56 - 8 * k)) & 255n);
    }

    // zeros at the end go without saying
    let end = out.length;
    while (end > 0 && out[end - 1] === 0) end -= 1;
    return out.slice(0, end);
  }
}

/** Add one to the number that the first `size` bytes form. */
function carryInto(bytes, size) {
  let at = size - 1;
  while (bytes[at] === 255) {
    bytes[at] = 0;
    at -= 1;
  }
  bytes[at] += 1;
}

/** Whose interval a part belongs to: the last symbol that starts there or before. */
function symbolAt(cumulative, part) {
  let symbol = 0;
  let last = cumulative.length - 2;
  while (symbol < last) {
    const middle = (symbol + last + 1) >> 1;
    if (cumulative[middle] <= part) symbol = middle;
    else last = middle - 1;
  }
  return symbol;
}

/** Reads what a RangeEncoder wrote, and writes it again, so that `checkFinished` can compare. */
export class RangeDecoder {
  constructor(data) {
    this.data = data;
    this.at = 0; // the next byte to read
    this.mirror = new RangeEncoder();

    // how far the number in the file lies above the interval's lower end, two words
    this.offsetHigh = this.#read();
    this.offsetLow = this.#read();
  }

  /** The next word; behind its end a stream goes on with zeros. */
  #read() {
    let word = 0;
    for (let k = 0; k < 4; k += 1) {
      word = word * 256 + (this.at < this.data.length ? this.data[this.at] : 0);
      this.at += 1;
    }
    return word;
  }

  /**
   * The next symbol. cumulative: (n + 1,) from 0 to 2^16, the start of each symbol's interval.
   * Throws BitstreamError if the data is damaged.
   */
  get(cumulative) {
    const scale = scaleOf(this.mirror.rangeHigh, this.mirror.rangeLow);
    const symbol = symbolAt(cumulative, this.#part(scale));

    // the interval's lower end moves up
    const start = cumulative[symbol];
    multiply(scale, UNIT * start);
    let high = this.offsetHigh - upper;
    let low = this.offsetLow - lower;
    if (low < 0) {
      low += WORD;
      high -= 1;
    }

    // the encoder's half of the work, and its next word when it wrote one
    const written = this.mirror.size;
    this.mirror.put(start, cumulative[symbol + 1] - start);
    if (this.mirror.size > written) {
      high = low;
      low = this.#read();
    }
    this.offsetHigh = high;
    this.offsetLow = low;
    return symbol;
  }

  /** Which of 2^16 equal parts of the interval the number in the file lies in. */
  #part(scale) {
    // a quotient in floating point, wrong by one at most, and corrected with exact products
    const offset = this.offsetHigh * WORD + this.offsetLow;
    let part = Math.floor(offset / scale / UNIT);
    if (this.#isBelow(scale, part)) part -= 1;
    else if (!this.#isBelow(scale, part + 1)) part += 1;
    if (part >= 2 ** 16) {
      throw new BitstreamError("the coded data is damaged: no symbols fit it");
    }
    return part;
  }

  /** Whether the number in the file lies below the start of a part of the interval. */
  #isBelow(scale, part) {
    multiply(scale, UNIT * part);
    if (this.offsetHigh !== upper) return this.offsetHigh < upper;
    return this.offsetLow < lower;
  }

  /** Throws BitstreamError unless the bytes hold exactly the symbols that were read. */
  checkFinished() {
    const again = this.mirror.finish();
    const isSame = again.length === this.data.length;
    if (!isSame || again.some((byte, i) => byte !== this.data[i])) {
      throw new BitstreamError(
        "the coded data does not end where its symbols end: the file is damaged",
      );
    }
  }
}
