// The brush: a map of one level per block of 64 x 64 pixels, painted on the picture.

const BLOCK = 64; // pixels along each side
const FLAT = 8; // the level that changes nothing
const STEPS = 4; // quality steps of one level

const blocks = (pixels) => Math.ceil(pixels / BLOCK);
const signed = (number) => (number > 0 ? `+${number}` : String(number).replace("-", "−"));

export class Brush {
  #width = 0;
  #height = 0;
  #at = { row: 0, column: 0 }; // where the keyboard is
  #isDown = false;

  /**
   * canvas: lies over the picture and takes hands and keys; level() is the brush's, 0..15;
   * onStroke() is called after each stroke; say(text) tells what the keyboard is on.
   */
  constructor(canvas, { level, onStroke, say }) {
    this.canvas = canvas;
    this.level = level;
    this.onStroke = onStroke;
    this.say = say;
    this.levels = null;
    canvas.addEventListener("pointerdown", (event) => this.#down(event));
    canvas.addEventListener("pointermove", (event) => this.#isDown && this.#paintUnder(event));
    canvas.addEventListener("pointerup", () => this.#up());
    canvas.addEventListener("pointercancel", () => this.#up());
    canvas.addEventListener("keydown", (event) => this.#key(event));
    canvas.addEventListener("focus", () => this.draw());
    canvas.addEventListener("blur", () => this.draw());
  }

  /** Start with a flat map for a picture of this size. */
  resize(width, height) {
    this.#width = width;
    this.#height = height;
    this.canvas.width = width;
    this.canvas.height = height;
    this.#at = { row: 0, column: 0 };
    this.start(new Uint8Array(this.rows * this.columns).fill(FLAT));
  }

  /** Go on from these levels, row by row. */
  start(levels) {
    this.levels = Uint8Array.from(levels);
    this.draw();
  }

  get rows() {
    return blocks(this.#height);
  }

  get columns() {
    return blocks(this.#width);
  }

  draw() {
    const context = this.canvas.getContext("2d");
    context.clearRect(0, 0, this.#width, this.#height);
    const scale = this.#width / (this.canvas.clientWidth || this.#width);
    context.font = `600 ${Math.min(13 * scale, 24)}px sans-serif`;
    context.lineWidth = scale;
    for (let row = 0; row < this.rows; row += 1) {
      for (let column = 0; column < this.columns; column += 1) this.#drawBlock(context, row, column);
    }
    if (!this.canvas.matches(":focus-visible")) return;
    context.lineWidth = 3 * scale;
    context.strokeStyle = "#fff";
    context.strokeRect(this.#at.column * BLOCK + 2, this.#at.row * BLOCK + 2, BLOCK - 4, BLOCK - 4);
  }

  #drawBlock(context, row, column) {
    const steps = STEPS * (this.levels[row * this.columns + column] - FLAT);
    const place = [column * BLOCK, row * BLOCK];

    // light where bytes go, dark where they are saved; the number says it without colours
    const strength = Math.min(Math.abs(steps) / 32, 1) * 0.6;
    context.fillStyle = steps > 0 ? `rgb(255 240 180 / ${strength})` : `rgb(10 20 50 / ${strength})`;
    context.fillRect(...place, BLOCK, BLOCK);
    context.strokeStyle = "rgb(255 255 255 / 45%)";
    context.strokeRect(...place, BLOCK, BLOCK);
    if (steps === 0) return;
    context.strokeStyle = "#000";
    context.fillStyle = "#fff";
    context.strokeText(signed(steps), place[0] + 5, place[1] + 20);
    context.fillText(signed(steps), place[0] + 5, place[1] + 20);
  }

  #paint(row, column) {
    if (row < 0 || column < 0 || row >= this.rows || column >= this.columns) return;
    this.levels[row * this.columns + column] = this.level();
    this.draw();
  }

  #paintUnder(event) {
    const box = this.canvas.getBoundingClientRect();
    const x = ((event.clientX - box.left) / box.width) * this.#width;
    const y = ((event.clientY - box.top) / box.height) * this.#height;
    this.#paint(Math.floor(y / BLOCK), Math.floor(x / BLOCK));
  }

  #down(event) {
    if (event.button > 0) return;
    this.canvas.setPointerCapture(event.pointerId);
    this.#isDown = true;
    this.#paintUnder(event);
  }

  #up() {
    if (this.#isDown) this.onStroke();
    this.#isDown = false;
  }

  #key(event) {
    const { row, column } = this.#at;
    const moves = {
      ArrowUp: [row - 1, column],
      ArrowDown: [row + 1, column],
      ArrowLeft: [row, column - 1],
      ArrowRight: [row, column + 1],
    };
    const isStroke = event.key === "Enter" || event.key === " ";
    if (!isStroke && !(event.key in moves)) return;
    event.preventDefault();
    if (isStroke) {
      this.#paint(row, column);
      this.onStroke();
    } else {
      const [down, right] = moves[event.key];
      this.#at.row = Math.min(Math.max(down, 0), this.rows - 1);
      this.#at.column = Math.min(Math.max(right, 0), this.columns - 1);
      this.draw();
    }
    const steps = STEPS * (this.levels[this.#at.row * this.columns + this.#at.column] - FLAT);
    this.say(`Block in row ${this.#at.row + 1}, column ${this.#at.column + 1}: ${signed(steps)}`);
  }
}
