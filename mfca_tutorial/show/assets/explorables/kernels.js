// Chapter 4: how evenly the patches of a transposed convolution cover the pixels.
(function (mfca) {
  "use strict";

  const SHOWN = 24; // pixels, far from the rim: they begin 12 pixels from it
  const RIM = 12;

  // how many patches of `kernel` pixels, one every `stride` pixels, cover each pixel of a row
  mfca.coverRow = function (kernel, stride) {
    return [...Array(SHOWN).keys()].map((i) => {
      const pixel = RIM + i;
      const last = Math.floor(pixel / stride);
      const first = Math.max(Math.ceil((pixel - kernel + 1) / stride), 0);
      return last - first + 1;
    });
  };

  // "once", "3 times", "1 to 4 times"
  mfca.howOften = function (least, most) {
    if (least !== most) return `${least} to ${most} times`;
    return most === 1 ? "once" : `${most} times`;
  };

  // ---- 'Find kernels that cover evenly'

  const [TOP, ROW, ROWS, BASE] = [2, 13, 8, 204]; // of the drawing: patches, counts
  const HIGH = 226;
  const SHADE = [33, 102, 172]; // where most patches are

  mfca.kinds.kernels = function (board) {
    const parts = mfca.make("html:div", { class: "kernel-parts" }, board.stage);
    const left = mfca.make("html:div", {}, parts);
    const right = mfca.make("html:div", {}, parts);
    const { svg, width } = mfca.drawing({ ...board, stage: left, redraw: () => board.redraw() }, HIGH, "plot kernels");
    const drawn = mfca.make("g", {}, svg);
    const square = mfca.canvas(SHOWN, SHOWN);
    right.append(square);
    mfca.make("html:span", { class: "caption" }, left, "one row: patches above, how many cover each pixel below");
    mfca.make("html:span", { class: "caption" }, right, "both directions together");

    // the first patch is pulled at its right end, the second one at its place
    const kernels = board.data.texts[0].map(Number);
    const strides = board.data.texts[1].map(Number);
    let held = "kernel";
    mfca.drag(svg, (x, y, event) => {
      const pixel = x * SHOWN;
      if (event.type === "pointerdown") {
        const second = y * HIGH > TOP + ROW;
        held = second ? "stride" : "kernel";
      }
      const wanted = Math.round(held === "kernel" ? pixel : pixel - 0.5);
      const among = held === "kernel" ? kernels : strides;
      const nearest = mfca.clamp(wanted, among[0], among.at(-1));
      board.move({ [held]: among.indexOf(nearest) });
    });

    return function () {
      const kernel = Number(board.text("kernel"));
      const stride = Number(board.text("stride"));
      const unit = width() / SHOWN;
      drawn.replaceChildren();

      // the patches, one below the other
      for (let patch = 0; patch * stride < SHOWN; patch += 1) {
        const y = TOP + ROW * (patch % ROWS);
        const wide = Math.min(kernel, SHOWN - patch * stride) * unit;
        const kind = patch === 0 ? "patch first" : patch === 1 ? "patch second" : "patch";
        mfca.make("rect", { x: patch * stride * unit + 1, y, width: wide - 2, height: ROW - 2, class: kind }, drawn);
      }
      mfca.make("text", { x: kernel * unit + 4, y: TOP + 10, class: "hold" }, drawn, "↔ pull: kernel");
      mfca.make("text", { x: (stride + kernel) * unit + 4, y: TOP + ROW + 10, class: "hold" }, drawn, "↔ pull: stride");

      // how many of them cover each pixel
      const counts = mfca.coverRow(kernel, stride);
      const most = Math.max(...counts);
      const step = 80 / most;
      counts.forEach((count, i) => {
        mfca.make("rect", { x: i * unit + 1, y: BASE - step * count, width: unit - 2, height: step * count, class: "count" }, drawn);
        if (unit > 12) mfca.make("text", { x: (i + 0.5) * unit, y: BASE + 15, class: "tick", "text-anchor": "middle" }, drawn, String(count));
      });

      mfca.paint(square, (i) => {
        const share = (counts[Math.floor(i / SHOWN)] * counts[i % SHOWN]) / most ** 2;
        return [...SHADE, 255 * share];
      });
      const least = Math.min(...counts);
      board.say(`a pixel is covered ${mfca.howOften(least, most)}; in both directions together, ${mfca.howOften(least ** 2, most ** 2)}`);
    };
  };
})((globalThis.mfca = globalThis.mfca || {}));
