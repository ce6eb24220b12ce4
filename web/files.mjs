// The exported files (tools/export_web.py): fetched in a browser, read from the disk in Node.
//
// The manifest names each file with its size and its sha256: nothing else is loaded, and a file of
// another version, left over in a cache, is noticed.

import { hex } from "./bytes.mjs";

const IN_NODE = typeof process !== "undefined" && Boolean(process.versions?.node);

export class Files {
  /** base: URL of the folder, ending in a slash. */
  constructor(base, manifest) {
    this.base = base;
    this.manifest = manifest;
  }

  /** Reads the manifest. Throws Error in words if there is no exported model. */
  static async at(base) {
    const manifest = await read(new URL("manifest.json", base), () => {});
    return new Files(base, JSON.parse(new TextDecoder().decode(manifest)));
  }

  has(name) {
    return name in this.manifest.files;
  }

  /** Bytes of all these files together. */
  sizeOf(names) {
    return names.reduce((sum, name) => sum + this.manifest.files[name].bytes, 0);
  }

  /** The address of a file. A new version has a new one, so that no cache answers with the old. */
  url(name) {
    const url = new URL(name, this.base);
    url.searchParams.set("v", this.manifest.files[name].sha256.slice(0, 12));
    return url;
  }

  /** Several files, at the same time. onProgress({done, total}): in bytes. */
  loadAll(names, { onProgress = () => {}, signal } = {}) {
    const total = this.sizeOf(names);
    let done = 0;
    const onBytes = (count) => {
      done += count;
      onProgress({ done, total });
    };
    return Promise.all(names.map((name) => this.#load(name, onBytes, signal)));
  }

  /** A file, checked: Uint8Array. onBytes: called with the number of bytes of each piece. */
  async #load(name, onBytes, signal) {
    const data = await read(this.url(name), onBytes, signal);
    const digest = await sha256(data);
    if (digest && digest !== this.manifest.files[name].sha256) {
      throw new Error(`${name} is not the file that the manifest names: load the page again`);
    }
    return data;
  }
}

async function read(url, onBytes, signal) {
  if (IN_NODE && url.protocol === "file:") {
    const { readFile } = await import("node:fs/promises");
    const data = new Uint8Array(await readFile(url, { signal }));
    onBytes(data.length);
    return data;
  }

  const response = await fetch(url, { signal });
  if (!response.ok) throw new Error(`${url.pathname} could not be loaded (${response.status})`);

  // piece by piece, for the sake of progress
  const pieces = [];
  const reader = response.body.getReader();
  for (;;) {
    const { done, value } = await reader.read();
    if (done) break;
    pieces.push(value);
    onBytes(value.length);
  }
  return new Uint8Array(await new Blob(pieces).arrayBuffer());
}

/** Hexadecimal. Pages that are not from https or from this machine cannot compute it: undefined. */
async function sha256(data) {
  if (!globalThis.crypto?.subtle) return undefined;
  const digest = await crypto.subtle.digest("SHA-256", data);
  return hex(new Uint8Array(digest));
}
