// The stage: two pictures behind a curtain, each chosen from a list (in the book: a curtain).

const COLUMN = 736; // CSS pixels: about the width of the page's column
const SMALL = 256; // CSS pixels: a tiny picture is enlarged to this width
const THIN = { low: 1 / 3, high: 5 }; // width / height outside of these leaves no room for labels

const SIDES = [
  { list: "left", canvas: "under", tag: ".tag.left" },
  { list: "right", canvas: "over", tag: ".tag.right" },
];

export class Stage {
  #first = ""; // the name of what is shown where a choice is not there yet
  #pictures = {}; // by name: {label, pixels}; all of one size

  /** part(name) is an element of the page. */
  constructor(part) {
    this.part = part;
    this.drawBorder = globalThis.mfca.dressCurtain(part("curtain"), "", "");
    for (const { list } of SIDES) part(list).addEventListener("change", () => this.draw());
  }

  /** Begin with one picture {width, height, pixels, label}; those that follow have its size. */
  start(name, { width, height, pixels, label }) {
    for (const { canvas } of SIDES) {
      this.part(canvas).width = width;
      this.part(canvas).height = height;
    }
    const aspect = width / height;
    const enlarged = Math.min(COLUMN, Math.max(2 * width, SMALL));
    const stage = this.part("stage");
    stage.style.setProperty("--widest", `${Math.max(width, enlarged)}px`);
    stage.style.setProperty("--aspect", aspect);
    stage.classList.toggle("is-thin", aspect < THIN.low || aspect > THIN.high);

    this.#first = name;
    this.#pictures = {};
    this.put(name, { label, pixels });
  }

  /** Add a picture, or put another in its place. */
  put(name, { label, pixels }) {
    this.#pictures[name] = { label, pixels };
    this.draw();
  }

  /** Forget pictures that belong to an older file. */
  drop(names) {
    for (const name of names) delete this.#pictures[name];
  }

  draw() {
    for (const { list, canvas, tag } of SIDES) {
      const choice = this.part(list);
      const picture = this.#pictures[choice.value];
      const { label, pixels } = picture ?? this.#pictures[this.#first];
      const { width, height } = this.part(canvas);
      this.part(canvas).getContext("2d").putImageData(new ImageData(pixels, width, height), 0, 0);

      // a file that was opened stands alone; beside an original, others are still to come
      const isMissing = !picture && this.#first === "original";
      const missing = `${choice.selectedOptions[0].textContent}: not yet`;
      this.part("curtain").querySelector(tag).textContent = isMissing ? missing : label;
    }
    this.drawBorder();
  }
}
