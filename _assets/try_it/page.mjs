// The page 'Try it' (book/try_it.md): what happens when somebody brings a picture or a file, moves
// the quality, paints, cancels. The codec itself is web/worker.mjs; nothing leaves this machine.

import { Brush } from "./brush.mjs";
import { Cancelled, CodecClient } from "./codec_client.mjs";
import { PictureError, psnr, readPicture } from "./pictures.mjs";
import { rivalOf } from "./rivals.mjs";
import { count, decibels, showFiles, showParts } from "./shown.mjs";

const MAX_SIDE = { desk: 768, phone: 384 }; // pixels; a larger picture is reduced
const PHONE = 600; // CSS pixels: a screen with a shorter side is one
const REST = 500; // milliseconds after a stroke before the picture is coded again
const RIVALS = { jpeg: ["JPEG", "image/jpeg"], webp: ["WebP", "image/webp"] };

const root = document.getElementById("try-it");
const part = (name) => document.getElementById(`try-${name}`);

// ---- what is known

let original = null; // {pixels, width, height, from, name}
let shown = {}; // pictures behind the curtain by name: {label, pixels}; all of one size
let levels = null; // the map of the last file
let turn = 0; // the number of the last run; an older one stops
const links = {}; // addresses of what can be downloaded

// ---- words

const STAGES = {
  load: ({ done, total }) => `Loading the codec: ${megabytes(done)} of ${megabytes(total)} MB, once`,
  analyse: () => "Analysing the picture",
  code: ({ done, total }) => `Coding: pass ${Math.min(done, total)} of ${total}`,
  synthesise: () => "Making the picture from the file",
};
const megabytes = (bytes) => (bytes / 1e6).toFixed(1);

function say(text) {
  part("status").textContent = text;
}

function showProgress({ stage, done, total }) {
  const bar = part("progress");
  say(STAGES[stage]({ done, total }));
  bar.max = total;
  if (stage === "load" || stage === "code") bar.value = done;
  else bar.removeAttribute("value"); // a network does not tell how far it is
}

function busy(isBusy) {
  root.classList.toggle("is-busy", isBusy);
  part("work").setAttribute("aria-busy", String(isBusy));
  part("progress").hidden = !isBusy;
  part("cancel").hidden = !isBusy;
}

function complain(error) {
  const known = error instanceof PictureError || error.name === "BitstreamError";
  const text = error.message.replace(/^./, (letter) => letter.toUpperCase());
  part("error").textContent = known ? text : `That did not work: ${error.message}`;
  say("");
}

// ---- one run after another

const client = new CodecClient(new URL(root.dataset.codec || "./", location.href), showProgress);

/** Do something that a newer run, or "Cancel", may end; `isWanted` says whether it goes on. */
async function perform(work) {
  const mine = (turn += 1);
  client.cancel();
  part("error").textContent = "";
  busy(true);
  try {
    await work(() => mine === turn);
  } catch (error) {
    if (mine !== turn) return;
    if (error instanceof Cancelled) say("Cancelled.");
    else complain(error);
  } finally {
    if (mine === turn) busy(false);
  }
}

function cancel() {
  turn += 1;
  client.stop();
  busy(false);
  say("Cancelled.");
}

// ---- a picture

async function openPicture(blob, name) {
  await perform(async (isWanted) => {
    say("Reading the picture");
    const isPhone = Math.min(screen.width, screen.height) < PHONE;
    const maxSide = isPhone ? MAX_SIDE.phone : MAX_SIDE.desk;
    const picture = await readPicture(blob, maxSide);
    if (!isWanted()) return;
    original = { ...picture, name };
    client.keep({ pixels: picture.pixels, width: picture.width, height: picture.height });
    start(picture);
    shown = { original: { label: "original", pixels: picture.pixels } };
    showNotice(picture, maxSide);
    root.dataset.state = "picture";
    part("map").value = "flat";
    part("brush").value = "off";
    brush.resize(picture.width, picture.height);
    chooseBrush();
    draw();
    await code(isWanted);
  });
}

function showNotice({ width, height, from }, maxSide) {
  const isReduced = width !== from.width || height !== from.height;
  part("notice").textContent = isReduced
    ? `Your picture has ${from.width} x ${from.height} pixels. This page codes at most ${maxSide} per side, ` +
      `so it was reduced to ${width} x ${height} first. The command mfca encode takes it whole.`
    : `${width} x ${height} pixels.`;
}

/** Code the picture with what the controls say, and show everything that follows from it. */
async function code(isWanted) {
  const began = performance.now();
  const map = { flat: null, learned: "auto", painted: brush.levels }[part("map").value];
  const encoded = await client.ask("encode", { quality: Number(part("quality").value), map });
  if (!isWanted()) return;
  const coded = performance.now();
  levels = encoded.levels[0];
  offer("file", encoded.bytes, "application/octet-stream", `${stem(original.name)}.mfca`);
  showNumbers(encoded.bytes.length);
  showParts(part("parts"), encoded.parts);

  const decoded = await client.ask("reconstruct");
  if (!isWanted()) return;
  const ours = { bytes: encoded.bytes.length, psnr: psnr(original.pixels, decoded.pixels) };
  shown.ours = { ...ours, label: label("this book", ours), pixels: decoded.pixels };
  const seconds = [coded - began, performance.now() - coded].map((time) => (time / 1000).toFixed(1));
  part("times").textContent = `Coded in ${seconds[0]} s, decoded in ${seconds[1]} s, by this page.`;
  for (const rival of Object.keys(RIVALS)) delete shown[rival];
  showNumbers(ours.bytes, ours.psnr);
  draw();

  // what others make of as many bytes
  const rows = fileRows(ours);
  for (const [key, [name, type]] of Object.entries(RIVALS)) {
    say(`Looking for the best ${name} file of at most ${count(ours.bytes)} bytes`);
    const rival = await rivalOf(original, type, ours.bytes, isWanted);
    if (!isWanted()) return;
    if (rival) {
      const found = { bytes: rival.blob.size, psnr: psnr(original.pixels, rival.pixels) };
      shown[key] = { ...found, label: label(name, found), pixels: rival.pixels };
      const remark = rival.fits ? "" : ": its smallest file, still too large";
      rows.push({ name: `${name}, quality ${rival.quality}${remark}`, ...found });
    } else {
      rows.push({ name, why: "your browser does not write such files" });
    }
    draw();
  }
  showFiles(part("files"), rows, original.width * original.height);
  say(`${count(ours.bytes)} bytes, ${decibels(ours.psnr)}.`);
}

const label = (name, { bytes, psnr: value }) => `${name} · ${count(bytes)} bytes · ${decibels(value)}`;
const stem = (name) => name.replace(/\.[^.]*$/, "") || "picture";

function fileRows(ours) {
  const raw = 3 * original.width * original.height;
  return [
    { name: "original, 3 bytes per pixel", bytes: raw },
    { name: "this book", ...ours, isOurs: true },
  ];
}

function showNumbers(bytes, value) {
  const { width, height } = original;
  part("size").textContent = `${count(bytes)} bytes`;
  part("rate").textContent = `${((8 * bytes) / (width * height)).toFixed(3)} bits per pixel`;
  part("psnr").textContent = value === undefined ? "PSNR …" : `PSNR ${decibels(value)}`;
}

// ---- a file

async function openFile(blob, name) {
  await perform(async (isWanted) => {
    say("Reading the file");
    const bytes = new Uint8Array(await blob.arrayBuffer());
    const read = await client.ask("read", { bytes });
    if (!isWanted()) return;
    const picture = await client.ask("reconstruct");
    if (!isWanted()) return;
    original = { ...picture, name };
    start(picture);
    root.dataset.state = "file";
    const { quality, hasMap } = read.header;
    part("notice").textContent =
      `${name}: ${picture.width} x ${picture.height} pixels, coded at quality ${quality}, ` +
      `with ${hasMap ? "an" : "no"} importance map. It is shown as it is; how far it is from its original, no file can say.`;
    shown = { ours: { label: `${name} · ${count(bytes.length)} bytes`, pixels: picture.pixels } };
    showParts(part("parts"), read.parts);
    showNumbers(bytes.length);
    part("psnr").textContent = "";
    part("times").textContent = "";
    showFiles(part("files"), [{ name, bytes: bytes.length, isOurs: true }], picture.width * picture.height);
    draw();
    part("under").toBlob((png) => offer("png", png, "image/png", `${stem(name)}.png`));
    say("Decoded.");
  });
}

/** Offer something for download. */
function offer(name, content, type, file) {
  if (links[name]) URL.revokeObjectURL(links[name]);
  links[name] = URL.createObjectURL(new Blob([content], { type }));
  const link = part(`save-${name}`);
  link.href = links[name];
  link.download = file;
  link.hidden = false;
}

/** Anything that was dropped, pasted or chosen. */
async function open(blob) {
  const name = blob.name ?? "picture";
  const magic = new TextDecoder().decode(await blob.slice(0, 4).arrayBuffer());
  const isOurs = magic === "MFCA" || name.toLowerCase().endsWith(".mfca");
  await (isOurs ? openFile(blob, name) : openPicture(blob, name));
}

// ---- the curtain

const curtain = globalThis.mfca.dressCurtain(part("curtain"), "", "");

function start({ width, height }) {
  for (const name of ["under", "over"]) {
    part(name).width = width;
    part(name).height = height;
  }
  part("stage").style.setProperty("--widest", `${Math.max(width, Math.min(736, 2 * width))}px`);
  part("work").hidden = false;
  part("save-file").hidden = true;
  part("save-png").hidden = true;
  part("files").replaceChildren();
}

/** Draw the two chosen pictures; a choice that is not there yet shows the original. */
function draw() {
  for (const [side, canvas, tag] of [
    ["left", "under", ".tag.left"],
    ["right", "over", ".tag.right"],
  ]) {
    const choice = part(side).value;
    const picture = shown[choice] ?? shown.original ?? shown.ours;
    const context = part(canvas).getContext("2d");
    context.putImageData(new ImageData(picture.pixels, part(canvas).width, part(canvas).height), 0, 0);
    const isMissing = !shown[choice] && root.dataset.state === "picture";
    part("curtain").querySelector(tag).textContent = isMissing ? `${nameOf(side)}: not yet` : picture.label;
  }
  curtain();
}

const nameOf = (side) => part(side).selectedOptions[0].textContent;

// ---- the brush

let rest = 0;
const brush = new Brush(part("paint"), {
  level: () => Number(part("brush").value),
  say,
  onStroke() {
    part("map").value = "painted";
    clearTimeout(rest);
    rest = setTimeout(() => perform(code), REST);
  },
});

function chooseBrush() {
  const isOn = part("brush").value !== "off";
  part("paint").hidden = !isOn;
  if (!isOn) return;
  if (part("map").value === "learned" && levels) brush.start(levels); // go on from the learned map
  brush.draw();
}

// ---- hands

function connect() {
  part("quality").addEventListener("input", () => {
    part("quality-value").textContent = part("quality").value;
  });
  part("quality").addEventListener("change", () => perform(code));
  part("map").addEventListener("change", () => perform(code));
  part("brush").addEventListener("change", chooseBrush);
  part("left").addEventListener("change", draw);
  part("right").addEventListener("change", draw);
  part("cancel").addEventListener("click", cancel);

  part("file").addEventListener("change", ({ target }) => {
    if (target.files.length > 0) open(target.files[0]);
    target.value = ""; // the same file again is a change, too
  });
  for (const button of root.querySelectorAll("[data-picture]")) {
    button.addEventListener("click", () => openBundled(button.dataset.picture));
  }
  addEventListener("paste", ({ clipboardData }) => {
    if (clipboardData.files.length > 0) open(clipboardData.files[0]);
  });
  addEventListener("dragover", (event) => {
    if (!event.dataTransfer.types.includes("Files")) return;
    event.preventDefault();
    root.classList.add("is-over");
  });
  addEventListener("dragleave", ({ relatedTarget }) => {
    if (!relatedTarget) root.classList.remove("is-over");
  });
  addEventListener("drop", (event) => {
    root.classList.remove("is-over");
    if (event.dataTransfer.files.length === 0) return;
    event.preventDefault();
    open(event.dataTransfer.files[0]);
  });
}

async function openBundled(name) {
  const response = await fetch(new URL(`pictures/${name}.webp`, import.meta.url));
  if (!response.ok) complain(new PictureError("This picture could not be loaded."));
  else await openPicture(await response.blob(), `${name}.webp`);
}

if (root.dataset.codec) {
  connect();
  root.dataset.state = "empty";
  root.dataset.ready = "yes";
}
