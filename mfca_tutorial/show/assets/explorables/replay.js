// Chapter 11: a training run that one pulls through: the picture of an epoch, and where its curves are then.
(function (mfca) {
  "use strict";

  // ---- the arithmetic

  // the index of the value that is nearest to x; of two, the first
  mfca.nearest = function (x, values) {
    const distances = values.map((value) => Math.abs(value - x));
    return distances.indexOf(Math.min(...distances));
  };

  // the multiples of a round step (1, 2 or 5 times a power of ten) from low to high: at most `most` of them
  mfca.ticks = function (low, high, most) {
    if (high <= low) return [low];
    for (let power = Math.floor(Math.log10((high - low) / most)); ; power += 1) {
      for (const digit of [1, 2, 5]) {
        const step = digit * 10 ** power;
        const [first, last] = [Math.ceil(low / step - 1e-9), Math.floor(high / step + 1e-9)];
        if (last - first >= most) continue;
        const digits = Math.max(0, -power);
        return [...Array(last - first + 1).keys()].map((i) => Number(((first + i) * step).toFixed(digits)));
      }
    }
  };

  // ---- 'Replay a training run': given.epochs, .pictures, .decibels and .skips by step of the slider,
  //      given.curves[title]: [[epoch, value], ...]

  const [HIGH, LEFT, ABOVE, BELOW] = [120, 44, 30, 10]; // of a chart; its margins
  const FOOT = 24; // the epochs below the last chart

  mfca.kinds.replay = function (board) {
    const { epochs, pictures, decibels, skips, curves } = board.given;
    const titles = Object.keys(curves);
    const last = Math.max(...titles.map((title) => curves[title].at(-1)[0])); // epoch

    const parts = mfca.make("html:div", { class: "replay-parts" }, board.stage);
    const left = mfca.make("html:div", {}, parts);
    const picture = mfca.make("html:img", { class: "explorable-picture explorable-exact" }, left);
    const caption = mfca.make("html:span", { class: "caption" }, left);
    const right = mfca.make("html:div", {}, parts);
    const tall = HIGH * titles.length + FOOT;
    const { svg, width } = mfca.drawing({ ...board, stage: right, redraw: () => board.redraw() }, tall, "plot");
    const drawn = mfca.make("g", {}, svg);

    // the picture is pulled from end to end, a chart at the epoch under the hand
    const x = (epoch) => LEFT + ((width() - LEFT - 10) * epoch) / last;
    mfca.drag(left, (share) => board.move({ epoch: Math.round(share * (epochs.length - 1)) }));
    mfca.drag(svg, (share) => {
      const epoch = (last * (share * width() - LEFT)) / (width() - LEFT - 10);
      board.move({ epoch: mfca.nearest(epoch, epochs) });
    });

    // all pictures, once a hand comes near
    board.box.addEventListener("pointerenter", () => {
      pictures.forEach((address) => { new Image().src = address; });
    }, { once: true });

    function chart(title, top, epoch) {
      const values = curves[title].map(([, value]) => value);
      const [low, high] = [Math.min(...values), Math.max(...values)];
      const y = (value) => top + ABOVE + ((HIGH - ABOVE - BELOW) * (high - value)) / (high - low || 1);
      mfca.make("text", { x: LEFT, y: top + 16, class: "title" }, drawn, title);
      const ticks = mfca.ticks(low, high, 4);
      const digits = Math.max(...ticks.map((value) => (String(value).split(".")[1] || "").length));
      ticks.forEach((value) => {
        mfca.make("line", { x1: LEFT, x2: x(last), y1: y(value), y2: y(value), class: "grid" }, drawn);
        mfca.make("text", { x: LEFT - 6, y: y(value) + 4, class: "tick", "text-anchor": "end" }, drawn, value.toFixed(digits));
      });
      const points = curves[title].map(([at, value]) => [x(at), y(value)]);
      mfca.make("polyline", { points: points.join(" "), class: "curve other" }, drawn);
      const now = curves[title].find(([at]) => at === epoch);
      if (now) mfca.make("circle", { cx: x(epoch), cy: y(now[1]), r: 5, class: "dot other" }, drawn);
    }

    return function () {
      const at = board.at("epoch");
      const epoch = epochs[at];
      picture.src = pictures[at];
      picture.alt = `decoded after ${epoch} epochs`;
      caption.textContent = epoch ? `after ${epoch} epochs` : "before the first epoch";

      drawn.replaceChildren();
      mfca.make("line", { x1: x(epoch), x2: x(epoch), y1: ABOVE - 6, y2: tall - FOOT, class: "now" }, drawn);
      titles.forEach((title, i) => chart(title, HIGH * i, epoch));
      mfca.ticks(0, last, 4).forEach((value) => {
        const anchor = value === last ? "end" : "middle";
        mfca.make("text", { x: x(value), y: tall - 8, class: "tick", "text-anchor": anchor }, drawn, value ? `${value}` : "epoch 0");
      });

      const read = `${mfca.fixed(skips[at], 1)} bpp of skips`;
      board.say(`this picture ${mfca.fixed(decibels[at], 2)} dB; its decoder reads ${read}`);
    };
  };
})((globalThis.mfca = globalThis.mfca || {}));
