// Chapter 5: an importance map that one paints on the photograph, and what it costs.
(function (mfca) {
  "use strict";

  // ---- the arithmetic: a picture is put together from those that have one level everywhere

  // levels: of each block; bytes[level][block] and errors[level][block] (mean squared) -> {bytes, decibels}
  mfca.priceOfMap = function (levels, bytes, errors) {
    const sum = (table) => levels.reduce((total, level, block) => total + table[level][block], 0);
    const error = sum(errors) / levels.length;
    return { bytes: sum(bytes), decibels: 10 * Math.log10(255 ** 2 / error) };
  };

  // y at x, by straight lines between the points of a curve that rises; outside, its ends (numpy.interp)
  mfca.interpolate = function (x, xs, ys) {
    if (x <= xs[0]) return ys[0];
    const right = xs.findIndex((one) => one >= x);
    if (right < 0) return ys.at(-1);
    const share = (x - xs[right - 1]) / (xs[right] - xs[right - 1]);
    return ys[right - 1] + share * (ys[right] - ys[right - 1]);
  };

  // the decibels of a flat map that costs as many bytes, over the logarithm of the bytes
  mfca.flatAt = function (bytes, count, table, errors) {
    const flats = table.map((_, level) => mfca.priceOfMap(new Array(count).fill(level), table, errors));
    const sizes = flats.map((flat) => Math.log(flat.bytes));
    return mfca.interpolate(Math.log(bytes), sizes, flats.map((flat) => flat.decibels));
  };

  // ---- 'Paint an importance map': given.pictures[level], given.bytes, given.errors, given.presets[name][block], given.offsets

  const SIDE = 4; // blocks in a row
  const [HIGH, LOW] = [340, 220]; // of the curve, beside the photograph and below it on a phone
  const [LEFT, BELOW] = [34, 34]; // its margins

  mfca.kinds.painting = function (board) {
    const { pictures, bytes, errors, presets, offsets, size } = board.given;
    const count = SIDE * SIDE;
    const sign = (offset) => (offset > 0 ? `+${offset}` : String(offset).replace("-", "−"));

    const parts = mfca.make("html:div", { class: "paint-parts" }, board.stage);
    const frame = mfca.make("html:div", { class: "paint-frame" }, parts);
    const canvas = mfca.canvas(size, size);
    frame.append(canvas);
    const right = mfca.make("html:div", {}, parts);
    const tall = board.stage.clientWidth > 480 ? HIGH : LOW;
    const { svg, width } = mfca.drawing({ ...board, stage: right, redraw: () => board.redraw() }, tall, "plot paint-curve");
    const drawn = mfca.make("g", {}, svg);
    mfca.make("html:span", { class: "caption" }, right, "line: flat maps; dot: yours. Can you lift it off the line?");

    // a picture of one level is loaded when its level is first painted
    const images = pictures.map(() => null);
    function image(level) {
      if (!images[level]) {
        images[level] = new Image();
        images[level].addEventListener("load", () => board.redraw());
        images[level].src = pictures[level];
      }
      return images[level];
    }

    // the map: one of the list, or what the reader has made of one
    let own = [];
    const levels = () => (board.isOwn("map") ? own : Object.values(presets)[board.at("map")]);
    function paint(block) {
      const level = board.at("brush");
      if (levels()[block] === level) return;
      own = [...levels()];
      own[block] = level;
      board.chooseOwn("map");
      board.redraw();
    }

    // what a hand would paint with
    const label = mfca.make("html:span", { class: "tag left" }, frame);

    // a button for each block: for the keyboard and for screen readers
    const grid = mfca.make("html:div", { class: "paint-grid" }, frame);
    const buttons = [...Array(count).keys()].map((block) => {
      const button = mfca.make("html:button", { type: "button" }, grid);
      button.addEventListener("click", (event) => { if (event.detail === 0) paint(block); });
      return button;
    });
    mfca.drag(frame, (x, y) => {
      paint(SIDE * Math.min(Math.floor(y * SIDE), SIDE - 1) + Math.min(Math.floor(x * SIDE), SIDE - 1));
    });

    function drawPicture() {
      const context = canvas.getContext("2d");
      const block = size / SIDE;
      levels().forEach((level, i) => {
        const place = [block * (i % SIDE), block * Math.floor(i / SIDE), block, block];
        if (image(level).complete) context.drawImage(image(level), ...place, ...place);
        const row = Math.floor(i / SIDE) + 1;
        const text = sign(offsets[level]);
        buttons[i].textContent = level === flatLevel ? "" : text;
        buttons[i].setAttribute("aria-label", `block in row ${row}, column ${(i % SIDE) + 1}: ${text}`);
      });
    }

    const flatLevel = offsets.indexOf(0);
    const flats = offsets.map((_, level) => mfca.priceOfMap(new Array(count).fill(level), bytes, errors));

    function drawCurve(mine) {
      const [low, high] = [flats[0], flats.at(-1)];
      const x = (value) => LEFT + ((width() - LEFT - 12) * Math.log(value / low.bytes)) / Math.log(high.bytes / low.bytes);
      const y = (value) => 10 + ((tall - BELOW - 20) * (high.decibels - value)) / (high.decibels - low.decibels);
      drawn.replaceChildren();
      for (let value = Math.ceil(low.decibels); value <= high.decibels; value += 1) {
        mfca.make("line", { x1: LEFT, x2: "100%", y1: y(value), y2: y(value), class: "grid" }, drawn);
        mfca.make("text", { x: LEFT - 5, y: y(value) + 4, class: "tick", "text-anchor": "end" }, drawn, String(value));
      }
      mfca.make("polyline", { points: flats.map((flat) => [x(flat.bytes), y(flat.decibels)]).join(" "), class: "curve rival" }, drawn);
      flats.forEach((flat) => mfca.make("circle", { cx: x(flat.bytes), cy: y(flat.decibels), r: 3, class: "dot rival" }, drawn));
      mfca.make("circle", { cx: x(mine.bytes), cy: y(mine.decibels), r: 7, class: "dot ours" }, drawn);
      // bytes: of the coarsest flat map, the middle one and the finest
      [["start", 0], ["middle", flats.length >> 1], ["end", flats.length - 1]].forEach(([anchor, level]) => {
        const place = { x: x(flats[level].bytes), y: tall - 20, class: "tick", "text-anchor": anchor };
        mfca.make("text", place, drawn, mfca.commas(flats[level].bytes));
      });
      mfca.make("text", { x: 0, y: tall - 4, class: "tick" }, drawn, "PSNR in dB against bytes (logarithmic)");
    }

    return function () {
      const mine = mfca.priceOfMap(levels(), bytes, errors);
      const flat = mfca.flatAt(mine.bytes, count, bytes, errors);
      drawPicture();
      drawCurve(mine);
      label.textContent = `brush ${sign(offsets[board.at("brush")])}`;
      board.say(
        `${mfca.commas(mine.bytes)} bytes, ${mfca.fixed(mine.decibels, 2)} dB; ` +
        `with a flat map at the same number of bytes: ${mfca.fixed(flat, 2)} dB`,
      );
    };
  };
})((globalThis.mfca = globalThis.mfca || {}));
