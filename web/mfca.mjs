#!/usr/bin/env node
// The codec in the shell, on the same modules as the page:
//
//   node web/mfca.mjs encode IN.ppm OUT.mfca [--quality Q] [--auto]
//   node web/mfca.mjs decode IN.mfca OUT.ppm
//   node web/mfca.mjs recode IN.mfca OUT.mfca      to symbols and back: the same bytes
//
// The exported model is in _build/web (`make web`), or where the variable MFCA_WEB says.
// On bad input: one line on stderr, and exit status 1.

import { readFile, rename, writeFile } from "node:fs/promises";
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { parseArgs } from "node:util";

import { Codec } from "./codec.mjs";
import { readPpm, writePpm } from "./ppm.mjs";

const USAGE = "usage: mfca.mjs encode|decode|recode IN OUT [--quality Q] [--auto]";
const DEFAULT_QUALITY = "50";

/** Where the exported model is: a URL that ends in a slash. */
export function modelFolder() {
  if (process.env.MFCA_WEB) return pathToFileURL(`${resolve(process.env.MFCA_WEB)}/`);
  return new URL("../_build/web/", import.meta.url);
}

/** The codec, or an error that says how to get it. */
export async function loadCodec(options) {
  try {
    return await Codec.load(modelFolder(), options);
  } catch (error) {
    if (error.code !== "ENOENT") throw error;
    const where = modelFolder().pathname;
    throw new Error(`no exported model in ${where}: run \`make web\`, or set MFCA_WEB`);
  }
}

async function main() {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      quality: { type: "string", default: DEFAULT_QUALITY },
      auto: { type: "boolean", default: false },
    },
  });
  const [command, from, to] = positionals;
  if (positionals.length !== 3 || !["encode", "decode", "recode"].includes(command)) {
    throw new Error(USAGE);
  }
  const input = new Uint8Array(await readFile(from));
  const codec = await loadCodec();

  let output;
  if (command === "encode") {
    const quality = values.quality.trim() === "" ? NaN : Number(values.quality);
    const map = values.auto ? "auto" : null;
    output = (await codec.encode(readPpm(input), { quality, map })).bytes;
  } else if (command === "decode") {
    output = writePpm(await codec.decode(input));
  } else {
    output = await codec.recode(input);
  }

  // whole or not at all
  await writeFile(`${to}.part`, output);
  await rename(`${to}.part`, to);
}

if (process.argv[1] && import.meta.url === pathToFileURL(resolve(process.argv[1])).href) {
  main().catch((error) => {
    console.error(`mfca.mjs: ${error.message.split("\n")[0]}`);
    process.exitCode = 1;
  });
}
