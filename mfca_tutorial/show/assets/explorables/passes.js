// Chapter 8: the order in which latents are decoded, what each of them knows, and the bits that each pass spends.
(function (mfca) {
  "use strict";

  const SIDE = 4; // positions of a grid

  // what the latent of a group at (row, column) knows: [[group, row, column]] of earlier passes, at most one position away
  mfca.knownTo = function (order, group, row, column) {
    const pass = order[group][row][column];
    const known = [];
    order.forEach((grid, other) => grid.forEach((line, y) => line.forEach((its, x) => {
      const near = Math.abs(y - row) <= 1 && Math.abs(x - column) <= 1;
      if (near && its < pass) known.push([other, y, x]);
    })));
    return known;
  };

  // given.order[group][row][column]: passes 1..4; given.bits (qualities, passes, h, w); given.spent[quality][pass]; given.number
  mfca.kinds.passes = function (board) {
    const { order, bits, spent, number } = board.given;
    const [, passes, h, w] = bits.shape;

    const parts = mfca.make("html:div", { class: "pass-parts" }, board.stage);
    const left = mfca.make("html:div", {}, parts);
    const grids = mfca.make("html:div", { class: "pass-grids" }, left);
    const cells = [];
    order.forEach((grid, group) => {
      const box = mfca.make("html:div", {}, grids);
      mfca.make("html:span", { class: "caption" }, box, `group ${group + 1}`);
      const table = mfca.make("html:div", { class: "pass-grid" }, box);
      grid.forEach((line, row) => line.forEach((pass, column) => {
        const cell = mfca.make("html:span", { "data-place": [group, row, column] }, table, String(pass));
        cells.push({ cell, group, row, column, pass });
      }));
    });
    mfca.make("html:span", { class: "caption" }, left, "touch a latent: blue rings mark what it knows within one position (its adapter sees two)");
    const right = mfca.make("html:div", {}, parts);
    const map = mfca.canvas(w, h);
    right.append(map);
    mfca.make("html:span", { class: "caption" }, right, "bits of this pass, from dark (none) to bright");

    // the latent that is looked at; a slider that moves takes the first one of its pass
    let chosen = null;
    const at = (event) => {
      const touched = document.elementFromPoint(event.clientX, event.clientY);
      if (!touched || !touched.dataset.place) return;
      chosen = touched.dataset.place;
      const pass = cells.find(({ cell }) => cell === touched).pass;
      board.move({ p: pass - 1 });
      board.redraw();
    };
    mfca.drag(grids, (x, y, event) => at(event));

    return function () {
      const pass = board.at("p") + 1;
      const quality = board.at("quality");
      const isOfPass = (place) => cells.some((one) => String([one.group, one.row, one.column]) === place && one.pass === pass);
      if (!chosen || !isOfPass(chosen)) {
        const first = cells.find((one) => one.pass === pass && one.row > 0 && one.column > 0 && one.row < SIDE - 1);
        chosen = String([first.group, first.row, first.column]);
      }
      const known = mfca.knownTo(order, ...chosen.split(",").map(Number)).map(String);
      cells.forEach(({ cell, group, row, column, pass: its }) => {
        const place = String([group, row, column]);
        cell.className = its < pass ? "known" : its === pass ? "now" : "later";
        if (known.includes(place)) cell.classList.add("seen");
        if (place === chosen) cell.classList.add("chosen");
      });

      // all passes of one quality share their colours
      const size = h * w;
      const start = quality * passes * size;
      const all = bits.subarray(start, start + passes * size);
      const sums = [...Array(size).keys()].map((i) => all[i] + all[size + i] + all[2 * size + i] + all[3 * size + i]);
      const limit = Math.max(...sums) / 3;
      const now = all.subarray((pass - 1) * size, pass * size);
      mfca.paint(map, (i) => {
        const share = Math.min(now[i] / limit, 1);
        return [30 + 225 * share, 30 + 180 * share, 60 + 40 * share];
      });

      const paid = spent[quality][pass - 1];
      const price = `${mfca.commas(paid / 8)} bytes, ${mfca.fixed(paid / number, 3)} bits each`;
      const before = `${mfca.commas((pass - 1) * number)} of ${mfca.commas(4 * number)} latents`;
      board.say(`Pass ${pass}: ${mfca.commas(number)} latents for ${price}; known before: ${before}.`);
    };
  };
})((globalThis.mfca = globalThis.mfca || {}));
