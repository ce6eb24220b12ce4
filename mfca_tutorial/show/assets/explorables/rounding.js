// Chapter 6: what rounding to multiples of a step costs, in squared error and in bits, next to noise of the same size.
(function (mfca) {
  "use strict";

  // ---- the arithmetic

  mfca.quantise = (values, step) => values.map((value) => mfca.round(value / step));

  mfca.meanSquare = function (a, b) {
    let sum = 0;
    for (let i = 0; i < a.length; i += 1) sum += (a[i] - b[i]) ** 2;
    return sum / a.length;
  };

  // the entropy of whole numbers, in bits per number
  mfca.entropyOf = function (integers) {
    const counts = new Map();
    integers.forEach((k) => counts.set(k, (counts.get(k) || 0) + 1));
    let bits = 0;
    counts.forEach((count) => { bits -= (count / integers.length) * Math.log2(count / integers.length); });
    return bits;
  };

  // ---- 'Round it or add noise': given.grey (H, W), given.noise, a tile in 256 levels of -1/2..1/2

  const HIGH = 46; // of the histogram, in its own units; 256 across

  mfca.kinds.rounding = function (board) {
    const { noise } = board.given;
    const [height, width] = board.given.grey.shape;
    const [tall, wide] = noise.shape;
    const grey = Float64Array.from(board.given.grey);
    const u = grey.map((_, i) => {
      const [row, column] = [Math.floor(i / width) % tall, (i % width) % wide];
      return (noise[row * wide + column] + 0.5) / 256 - 0.5;
    });

    const frame = mfca.make("html:div", { class: "curtain" }, board.stage);
    const rounded = mfca.canvas(width, height);
    const noisy = mfca.canvas(width, height, "over");
    frame.append(rounded, noisy);
    const curtain = mfca.dressCurtain(frame, "rounded", "noise added");

    // the ladder: how many pixels have each grey, and the values that are left
    const ladder = mfca.make("svg", { viewBox: `0 0 256 ${HIGH}`, class: "ladder", "aria-hidden": "true" }, board.stage);
    const bars = new Array(256).fill(0);
    grey.forEach((value) => { bars[Math.floor(value)] += 1; });
    const most = Math.max(...bars);
    bars.forEach((count, x) => {
      const up = (0.8 * HIGH * count) / most;
      mfca.make("rect", { x, y: HIGH - up, width: 1, height: up, fill: "var(--rival)" }, ladder);
    });
    const lines = mfca.make("g", {}, ladder);
    mfca.make("html:span", { class: "caption" }, board.stage, "grey bars: how many pixels have each grey; vertical lines: the greys that rounding leaves. Drag a line.");

    // the line that was taken follows the hand, and all others keep their order
    let taken = 1;
    mfca.drag(ladder, (x, y, event) => {
      const step = board.text("step");
      if (event.type === "pointerdown") taken = Math.max(1, Math.round((256 * x) / step));
      const wanted = (256 * x) / taken;
      const steps = board.data.texts[0].map(Number);
      const nearest = steps.reduce((best, one) => (Math.abs(one - wanted) < Math.abs(best - wanted) ? one : best));
      board.move({ step: steps.indexOf(nearest) });
    });

    return function () {
      const step = Number(board.text("step"));
      const integers = mfca.quantise(grey, step);
      const left = integers.map((k) => step * k);
      const right = grey.map((value, i) => value + step * u[i]);
      mfca.paintGrey(rounded, left);
      mfca.paintGrey(noisy, right);

      lines.replaceChildren();
      for (let x = 0; x <= 256; x += step) {
        mfca.make("line", { x1: x, x2: x, y1: 0, y2: HIGH, stroke: "var(--ours)" }, lines);
      }
      curtain();
      const errors = [mfca.meanSquare(left, grey), mfca.meanSquare(right, grey), step ** 2 / 12];
      const [one, other, rule] = errors.map((error) => mfca.fixed(error, 1));
      const bits = mfca.fixed(mfca.entropyOf(integers), 2);
      board.say(`squared error: rounded ${one}, noise ${other}, step²/12 = ${rule}; rounded, ${bits} bits per pixel`);
    };
  };
})((globalThis.mfca = globalThis.mfca || {}));
