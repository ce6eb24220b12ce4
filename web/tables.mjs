// Symbols to bytes and back with integer tables: the twin of mfca_tutorial/entropy/tables.py and
// escapes.py, whose docstrings define the streams (version 1).
//
// A table is {offset, escape, cumulative}: it has the integers offset, offset + 1, ... and then the
// escape, 'another integer'; symbol k has the share cumulative[k + 1] - cumulative[k] of 2^16.

import { BitstreamError } from "./bytes.mjs";

export const TOTAL = 2 ** 16;
const INT32_MIN = -(2 ** 31);
const INT32_MAX = 2 ** 31 - 1;

/** Counts (n,) -> where each symbol's interval starts, (n + 1,) from 0 to 2^16. */
export function cumulate(counts) {
  const cumulative = new Int32Array(counts.length + 1);
  counts.forEach((count, k) => {
    cumulative[k + 1] = cumulative[k] + count;
  });
  return cumulative;
}

/** The tables that lie one after another in `counts`: offset (T,) and length (T,) say where. */
export function tablesFrom({ offset, length, counts }) {
  let at = 0;
  return Array.from(length, (size, k) => {
    at += size;
    const cumulative = cumulate(counts.subarray(at - size, at));
    return { offset: offset[k], escape: size - 1, cumulative };
  });
}

// The prefixes of escapes, 0..33: each half as likely as the one before, down to prefix 10;
// prefixes 12..33 have one count each, and prefix 11 has what is left.
const HALVED = Array.from({ length: 11 }, (_, b) => 2 ** (15 - b));
const PREFIX = cumulate([...HALVED, 10, ...new Array(22).fill(1)]);
const BIT = cumulate([TOTAL / 2, TOTAL / 2]);

/** Append a symbol that has no escape. */
function put(encoder, symbol, cumulative) {
  encoder.put(cumulative[symbol], cumulative[symbol + 1] - cumulative[symbol]);
}

// ---- one table

/** Append whole numbers, coded with one table; those that it lacks are escaped. */
export function encodeGroup(encoder, symbols, table) {
  const { offset, escape, cumulative } = table;

  // first the codes of all symbols; an escaped number becomes r + 1, r as in escapes.py
  const rest = [];
  for (const symbol of symbols) {
    const code = symbol - offset;
    const fits = code >= 0 && code < escape;
    put(encoder, fits ? code : escape, cumulative);
    if (code >= escape) rest.push(2 * (code - escape) + 1);
    if (code < 0) rest.push(-2 * code);
  }

  // then what the escapes stand for: how many binary digits follow the leading one ...
  const prefixes = rest.map(lengthAfterLeadingOne);
  prefixes.forEach((prefix) => put(encoder, prefix, PREFIX));

  // ... and the digits: the first of each number that has one, then the second, ...
  const longest = largest(prefixes);
  for (let digit = 1; digit <= longest; digit += 1) {
    rest.forEach((value, k) => {
      const following = prefixes[k] - digit;
      if (following >= 0) put(encoder, Math.floor(value / 2 ** following) % 2, BIT);
    });
  }
}

function largest(numbers) {
  return numbers.reduce((most, number) => Math.max(most, number), 0);
}

/** floor(log2(value)), for whole numbers 1..2^34. */
function lengthAfterLeadingOne(value) {
  let length = 0;
  while (value >= 2 ** (length + 1)) length += 1;
  return length;
}

/** The next n numbers coded with the table, Int32Array (n,). Throws BitstreamError. */
export function decodeGroup(decoder, n, table) {
  const { offset, escape, cumulative } = table;
  const symbols = new Int32Array(n);

  // first the codes of all symbols
  const escaped = []; // where
  for (let k = 0; k < n; k += 1) {
    const code = decoder.get(cumulative);
    symbols[k] = code + offset;
    if (code === escape) escaped.push(k);
  }

  // then what the escapes stand for, digit by digit after the leading one
  const prefixes = escaped.map(() => decoder.get(PREFIX));
  const values = escaped.map(() => 1);
  const longest = largest(prefixes);
  for (let digit = 1; digit <= longest; digit += 1) {
    prefixes.forEach((prefix, k) => {
      if (prefix >= digit) values[k] = 2 * values[k] + decoder.get(BIT);
    });
  }

  // r is even above the table's numbers and odd below them
  values.forEach((value, k) => {
    const r = value - 1;
    const code = r % 2 === 0 ? escape + r / 2 : -(r + 1) / 2;
    const symbol = code + offset;
    if (symbol < INT32_MIN || symbol > INT32_MAX) {
      throw new BitstreamError("the coded data is damaged: a value exceeds 32 bits");
    }
    symbols[escaped[k]] = symbol;
  });
  return symbols;
}

// ---- many tables

/**
 * The places 0..n - 1, sorted by the table that `index` (n,) names, rising within a table.
 * Returns one Int32Array per table.
 */
function groups(index, tables) {
  const sizes = new Int32Array(tables.length);
  index.forEach((table) => {
    sizes[table] += 1;
  });
  const places = Array.from(sizes, (size) => new Int32Array(size));
  sizes.fill(0);
  index.forEach((table, place) => {
    places[table][sizes[table]] = place;
    sizes[table] += 1;
  });
  return places;
}

/** Append numbers (n,), each coded with the table that index (n,) names, table by table. */
export function encodeIndexed(encoder, symbols, index, tables) {
  groups(index, tables).forEach((places, k) => {
    const group = places.map((place) => symbols[place]);
    encodeGroup(encoder, group, tables[k]);
  });
}

/** The inverse of `encodeIndexed`: Int32Array (n,). Throws BitstreamError. */
export function decodeIndexed(decoder, index, tables) {
  const symbols = new Int32Array(index.length);
  groups(index, tables).forEach((places, k) => {
    const group = decodeGroup(decoder, places.length, tables[k]);
    places.forEach((place, i) => {
      symbols[place] = group[i];
    });
  });
  return symbols;
}
