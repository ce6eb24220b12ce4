// The page 'Try it' (book/try_it.md): what happens when somebody brings a picture or a file, moves
// the quality, paints, cancels. The codec itself is web/worker.mjs; nothing leaves this machine.

import { Brush } from "./brush.mjs";
import { Cancelled, CodecClient } from "./codec_client.mjs";
import { PictureError, checkSize, psnr, readPicture } from "./pictures.mjs";
import { Progress } from "./progress.mjs";
import { rivalOf } from "./rivals.mjs";
import { count, decibels, noticeOf, showFiles, showParts } from "./shown.mjs";
import { Stage } from "./stage.mjs";

const MAX_SIDE = { desk: 768, phone: 384 }; // pixels; a larger picture is reduced
const PHONE = 600; // CSS pixels: a screen with a shorter side is one
const REST = 500; // milliseconds after a stroke before the picture is coded again
const RIVALS = { jpeg: ["JPEG", "image/jpeg"], webp: ["WebP", "image/webp"] };

const root = document.getElementById("try-it");
const part = (name) => document.getElementById(`try-${name}`);

// ---- what is known

let picture = null; // {pixels, width, height, from, name} of what is being coded
let levels = null; // the importance map of the last file
let turn = 0; // the number of the last run; an older one stops
const links = {}; // addresses of what can be downloaded

// ---- what does the work

const progress = new Progress(root, part);
const stage = new Stage(part);
const base = new URL(root.dataset.codec || "./", location.href);
const codec = new CodecClient(base, (message) => progress.show(message));

let rest = 0; // the timer of the last stroke
const brush = new Brush(part("paint"), {
  level: () => Number(part("brush").value),
  say: (text) => progress.say(text),
  onStroke() {
    part("map").value = "painted";
    clearTimeout(rest);
    rest = setTimeout(() => perform(code), REST);
  },
});

// ---- one run after another

/** Do something that a newer run, or "Cancel", may end; `isWanted()` says whether to go on. */
async function perform(work) {
  const mine = (turn += 1);
  clearTimeout(rest);
  codec.cancel();
  progress.forgive();
  progress.busy(true);
  try {
    await work(() => mine === turn);
  } catch (error) {
    if (mine !== turn) return;
    if (error instanceof Cancelled) progress.say("Cancelled.");
    else progress.complain(error);
  } finally {
    if (mine === turn) progress.busy(false);
  }
}

function cancel() {
  turn += 1;
  clearTimeout(rest);
  codec.stop();
  progress.busy(false);
  progress.say("Cancelled.");
}

// ---- a picture

async function openPicture(blob, name) {
  await perform(async (isWanted) => {
    progress.say("Reading the picture");
    checkSize(blob);
    const isPhone = Math.min(screen.width, screen.height) < PHONE;
    const maxSide = isPhone ? MAX_SIDE.phone : MAX_SIDE.desk;
    const opened = await readPicture(blob, maxSide);
    if (!isWanted()) return;

    picture = { ...opened, name };
    const { pixels, width, height } = picture;
    codec.keep({ pixels, width, height });
    begin("picture", noticeOf(picture, maxSide));
    stage.start("original", { pixels, width, height, label: "original" });
    part("map").value = "flat";
    part("brush").value = "off";
    brush.resize(width, height);
    chooseBrush();
    await code(isWanted);
  });
}

/** Code the picture with what the controls say, and show everything that follows from it. */
async function code(isWanted) {
  // what is loaded once shall not count as time
  await codec.ask("load", { uses: ["encode"] });
  if (!isWanted()) return;

  const map = { flat: null, learned: "auto", painted: brush.levels }[part("map").value];
  const task = { quality: Number(part("quality").value), map };
  const [file, encoding] = await codec.timed("encode", task);
  if (!isWanted()) return;
  levels = file.levels[0];
  offer("file", file.bytes, "application/octet-stream", `${stem(picture.name)}.mfca`);
  showNumbers(file.bytes.length, "PSNR …");
  showTable({ bytes: file.bytes.length });
  showParts(part("parts"), file.parts);

  const [{ pixels }, decoding] = await codec.timed("reconstruct");
  if (!isWanted()) return;
  const ours = { bytes: file.bytes.length, psnr: psnr(picture.pixels, pixels) };
  showNumbers(ours.bytes, `PSNR ${decibels(ours.psnr)}`);
  part("times").textContent = `Coded in ${encoding.toFixed(1)} s and decoded in ${decoding.toFixed(1)} s by this page.`;
  stage.drop(Object.keys(RIVALS));
  stage.put("ours", { label: label("this book", ours), pixels });
  await compare(ours, isWanted);
}

/** What others make of as many bytes. */
async function compare(ours, isWanted) {
  const others = {};
  showTable(ours);
  for (const [key, [name, type]] of Object.entries(RIVALS)) {
    progress.say(`Looking for the best ${name} file of at most ${count(ours.bytes)} bytes`);
    const rival = await rivalOf(picture, type, ours.bytes, isWanted);
    if (!isWanted()) return;
    if (rival) {
      const found = { bytes: rival.blob.size, psnr: psnr(picture.pixels, rival.pixels) };
      const remark = rival.fits ? "" : ": its smallest file, still too large";
      others[key] = { name: `${name}, quality ${rival.quality}${remark}`, ...found };
      stage.put(key, { label: label(name, found), pixels: rival.pixels });
    } else {
      others[key] = { name, why: "your browser does not write such files" };
      stage.put(key, { label: `original: your browser writes no ${name}`, pixels: picture.pixels });
    }
    showTable(ours, others);
  }
  progress.say(`${count(ours.bytes)} bytes, ${decibels(ours.psnr)}.`);
}

/** The picture, our file {bytes, psnr}, and those of others, as far as they are known. */
function showTable(ours, others = {}) {
  const pixels = picture.width * picture.height;
  const rows = [
    { name: "original, 3 bytes per pixel", bytes: 3 * pixels },
    { name: "this book", ...ours, isOurs: true },
    ...Object.entries(RIVALS).map(([key, [name]]) => others[key] ?? { name, why: "…" }),
  ];
  showFiles(part("files"), rows, pixels);
}

const label = (name, { bytes, psnr: value }) => `${name} · ${count(bytes)} bytes · ${decibels(value)}`;
const stem = (name) => name.replace(/\.[^.]*$/, "") || "picture";

function showNumbers(bytes, judgement) {
  const { width, height } = picture;
  part("size").textContent = `${count(bytes)} bytes`;
  part("rate").textContent = `${((8 * bytes) / (width * height)).toFixed(3)} bits per pixel`;
  part("psnr").textContent = judgement;
}

// ---- a file

async function openFile(blob, name) {
  await perform(async (isWanted) => {
    progress.say("Reading the file");
    checkSize(blob);
    const bytes = new Uint8Array(await blob.arrayBuffer());
    const { header, parts } = await codec.ask("read", { bytes });
    if (!isWanted()) return;
    const { pixels, width, height } = await codec.ask("reconstruct");
    if (!isWanted()) return;

    picture = { pixels, width, height, name };
    const map = header.hasMap ? "with an importance map" : "without an importance map";
    begin(
      "file",
      `${name}: ${width} x ${height} pixels, coded at quality ${header.quality}, ${map}. ` +
        "How far this is from its original, the file does not say.",
    );
    stage.start("ours", { pixels, width, height, label: `${name} · ${count(bytes.length)} bytes` });
    showNumbers(bytes.length, "");
    showParts(part("parts"), parts);
    part("under").toBlob((png) => offer("png", png, "image/png", `${stem(name)}.png`));
    progress.say("Decoded.");
  });
}

// ---- both

/** Anything that was dropped, pasted or chosen. */
async function open(blob) {
  const name = blob.name || "picture";
  const magic = new TextDecoder().decode(await blob.slice(0, 4).arrayBuffer());
  const isOurs = magic === "MFCA" || name.toLowerCase().endsWith(".mfca");
  await (isOurs ? openFile(blob, name) : openPicture(blob, name));
}

async function openBundled(name) {
  const response = await fetch(new URL(`pictures/${name}.webp`, import.meta.url)).catch(() => null);
  if (response?.ok) await openPicture(await response.blob(), `${name}.webp`);
  else progress.complain(new PictureError("this picture could not be loaded"));
}

/** Show the place for a picture or a file, with nothing of an older one in it. */
function begin(state, notice) {
  root.dataset.state = state;
  part("work").hidden = false;
  part("notice").textContent = notice;
  for (const name of ["size", "rate", "psnr", "times"]) part(name).textContent = "";
  for (const name of ["save-file", "save-png"]) part(name).hidden = true;
  part("files").replaceChildren();

  // below the place where pictures are chosen, the new one may be out of sight
  const isCalm = matchMedia("(prefers-reduced-motion: reduce)").matches;
  part("line").scrollIntoView({ behavior: isCalm ? "instant" : "smooth" });
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

// ---- the brush

function chooseBrush() {
  const isOn = part("brush").value !== "off";
  part("paint").hidden = !isOn;
  part("erase").hidden = !isOn;
  if (!isOn) return;
  if (part("map").value === "learned" && levels) brush.start(levels); // go on from the learned map
  brush.draw();
}

function erase() {
  brush.resize(picture.width, picture.height);
  part("map").value = "flat";
  perform(code);
}

// ---- hands

function connect() {
  part("quality").addEventListener("input", () => {
    part("quality-value").textContent = part("quality").value;
  });
  part("quality").addEventListener("change", () => perform(code));
  part("map").addEventListener("change", () => perform(code));
  part("brush").addEventListener("change", chooseBrush);
  part("erase").addEventListener("click", erase);
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
  connectDrop();
}

function connectDrop() {
  addEventListener("dragover", (event) => {
    if (!event.dataTransfer.types.includes("Files")) return;
    event.preventDefault();
    root.classList.add("is-over");
  });
  addEventListener("dragleave", ({ relatedTarget }) => {
    if (!relatedTarget) root.classList.remove("is-over"); // out of the window
  });
  addEventListener("drop", (event) => {
    root.classList.remove("is-over");
    if (event.dataTransfer.files.length === 0) return;
    event.preventDefault();
    open(event.dataTransfer.files[0]);
  });
}

if (root.dataset.codec) {
  connect();
  root.dataset.state = "empty";
  root.dataset.ready = "yes";
}
