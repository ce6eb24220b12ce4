// The line that says what is going on: words, a bar and "Cancel"; below it, what went wrong.

import { PictureError } from "./pictures.mjs";

const megabytes = (bytes) => (bytes / 1e6).toFixed(1);

// what the stages of web/README.md are called
const WORDS = {
  load: ({ done, total }) => `Loading the codec, once: ${megabytes(done)} of ${megabytes(total)} MB`,
  analyse: () => "Analysing the picture",
  code: ({ task, done, total }) =>
    `${task === "read" ? "Reading" : "Coding"}: pass ${Math.min(done, total)} of ${total}`,
  synthesise: ({ done, total }) =>
    total === 1
      ? "Making the picture from the file"
      : `Making the picture from the file: tile ${Math.min(done + 1, total)} of ${total}`,
};

export class Progress {
  /** part(name) is an element of the page; root is what is marked as busy. */
  constructor(root, part) {
    this.root = root;
    this.part = part;
  }

  /** Say something in the line; screen readers say it, too. */
  say(text) {
    this.part("status").textContent = text;
  }

  /** Show how far a task of the codec is. */
  show({ task, stage, done, total }) {
    const bar = this.part("progress");
    this.say(WORDS[stage]({ task, done, total }));
    bar.max = total;
    if (total > 1) bar.value = done;
    else bar.removeAttribute("value"); // a single network does not tell how far it is
  }

  /** Show or hide the bar and "Cancel". */
  busy(isBusy) {
    this.root.classList.toggle("is-busy", isBusy);
    this.part("work").setAttribute("aria-busy", String(isBusy));
    this.part("progress").hidden = !isBusy;
    this.part("cancel").hidden = !isBusy;
  }

  /** Say what went wrong, as a sentence. */
  complain(error) {
    const isKnown = error instanceof PictureError || error.name === "BitstreamError";
    const text = isKnown ? error.message : `That did not work: ${error.message}`;
    const sentence = text.replace(/^./, (letter) => letter.toUpperCase());
    this.part("error").textContent = /[.!?]$/.test(sentence) ? sentence : `${sentence}.`;
    this.say("");
  }

  /** Whatever went wrong before is past. */
  forgive() {
    this.part("error").textContent = "";
  }
}
