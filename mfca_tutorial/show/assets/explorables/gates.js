// Chapter 2: a wave that is pooled to seven samples, and the gates of one block on given features.
(function (mfca) {
  "use strict";

  // ---- the arithmetic

  const FINE = 28; // samples
  const COARSE = 7; // averages of four samples each

  mfca.wave = (k, x, n) => Math.cos((Math.PI * k * x) / n);

  // what is left of wave k when n samples are averaged to m
  mfca.pooledFactor = function (k, n, m) {
    if (k === 0) return 1;
    return Math.sin((Math.PI * k) / (2 * m)) / ((n / m) * Math.sin((Math.PI * k) / (2 * n)));
  };

  mfca.poolWave = function (k) {
    const four = FINE / COARSE;
    return [...Array(COARSE).keys()].map((j) => {
      const samples = [0, 1, 2, 3].map((i) => mfca.wave(k, j * four + i + 0.5, FINE));
      return samples.reduce((sum, value) => sum + value, 0) / four;
    });
  };

  // the frequency that the averages have most of, and null where nothing is left
  mfca.heard = function (pooled) {
    const energies = mfca.dctMatrix(COARSE).map((row) => row.reduce((sum, c, i) => sum + c * pooled[i], 0) ** 2);
    const most = Math.max(...energies);
    return most > 1e-9 ? energies.indexOf(most) : null;
  };

  // the gates of a block: energies s (C numbers), its weights, and the quality 0..100 where it looks at that
  mfca.gatesOf = function (s, { W1, b1, W2, b2, Wq }, quality) {
    const times = (matrix, vector) => {
      const columns = vector.length;
      const rows = matrix.length / columns;
      return [...Array(rows).keys()].map((i) => {
        let sum = 0;
        for (let j = 0; j < columns; j += 1) sum += matrix[i * columns + j] * vector[j];
        return sum;
      });
    };
    const t = (2 * quality) / 100 - 1;
    const asked = Wq ? times(Wq, [t, t * t]) : b1.map(() => 0);
    const hidden = times(W1, s).map((sum, i) => Math.max(0, sum + b1[i] + asked[i]));
    const most = Wq ? 2 : 1;
    return times(W2, hidden).map((sum, c) => most / (1 + Math.exp(-sum - b2[c])));
  };

  // ---- 'Average a wave down to seven samples'

  const HIGH = 230;
  const MIDDLE = 112;
  const TALL = 88; // pixels for a wave of height 1
  const PULL = 40; // frequencies per width

  mfca.kinds.wave = function (board) {
    const { svg, width } = mfca.drawing(board, HIGH, "plot waves");
    const drawn = mfca.make("g", {}, svg);
    mfca.make("html:span", { class: "caption" }, board.stage, "grey: the wave and its 28 samples; bold: seven averages; dashed: the wave that seven samples take it for");

    // pulled to the left, more of the wave comes in: evenly, so that no frequency is skipped
    let start = null;
    mfca.drag(svg, (x, _, event) => {
      if (event.type === "pointerdown") start = { x, k: board.at("k") };
      board.move({ k: mfca.clamp(start.k + Math.round(PULL * (start.x - x)), 0, FINE - 1) });
    });

    return function () {
      const k = board.at("k");
      const W = width();
      const y = (value) => MIDDLE - TALL * value;
      const path = (height) => {
        const points = [];
        for (let x = 0; x <= FINE; x += 0.05) points.push(`${(x / FINE) * W},${y(height(x))}`);
        return points.join(" ");
      };
      drawn.replaceChildren();
      mfca.make("line", { x1: 0, x2: W, y1: MIDDLE, y2: MIDDLE, class: "grid" }, drawn);
      mfca.make("polyline", { points: path((x) => mfca.wave(k, x, FINE)), class: "fine" }, drawn);
      for (let i = 0; i < FINE; i += 1) {
        mfca.make("circle", { cx: ((i + 0.5) / FINE) * W, cy: y(mfca.wave(k, i + 0.5, FINE)), r: 3, class: "sample" }, drawn);
      }

      const pooled = mfca.poolWave(k);
      const found = mfca.heard(pooled);
      if (found !== null) {
        const size = pooled[0] / mfca.wave(found, 0.5, COARSE);
        mfca.make("polyline", { points: path((x) => size * mfca.wave(found, x, FINE)), class: "alias" }, drawn);
      }
      pooled.forEach((value, j) => {
        mfca.make("line", { x1: (j / COARSE) * W, x2: ((j + 1) / COARSE) * W, y1: y(value), y2: y(value), class: "average" }, drawn);
      });

      const factor = mfca.fixed(mfca.pooledFactor(k, FINE, COARSE), 2);
      const verdict = found === null ? "gone" : `looks like frequency ${found}`;
      board.say(`frequency ${k} of 28: factor ${factor}, ${verdict}`);
    };
  };

  // ---- 'Turn up one frequency': given.energies (C), given.frequencies (C), given.weights, given.told: quality at first

  const N = 8;
  const SAME = 4; // the place of the energy's own value among its multiples
  const PULLED = 12; // pixels per doubling
  const [GATES, FLOOR, CEILING] = [230, 222, 210]; // of the drawing: its height, where bars stand, the highest bar

  const mean = (values) => values.reduce((sum, value) => sum + value, 0) / values.length;

  // what one can tell about gates once one frequency's energy is `shift` higher and the quality is another:
  // the energies then, the gates then, and the mean size of the change of the channels `own` and of the others
  mfca.turnUp = function ({ energies, weights, told }, own, shift, quality) {
    const turned = Array.from(energies, (s, c) => (own[c] ? s + shift : s));
    const before = mfca.gatesOf(energies, weights, told);
    const after = mfca.gatesOf(turned, weights, quality);
    const changes = after.map((gate, c) => Math.abs(gate / before[c] - 1));
    return {
      turned,
      before,
      after,
      own: mean(changes.filter((_, c) => own[c])),
      others: mean(changes.filter((_, c) => !own[c])),
    };
  };

  mfca.kinds.gates = function (board) {
    const { given } = board;
    const names = given.frequencies.map(String); // by channel
    const groups = [...new Set(names)];
    const channels = groups.map((group) => [...names.keys()].filter((c) => names[c] === group));
    const isOwn = groups.map((group) => names.map((name) => name === group));
    const count = names.length;

    // the pad: one cell per frequency that some channels ask for
    const parts = mfca.make("html:div", { class: "gate-parts" }, board.stage);
    const left = mfca.make("html:div", {}, parts);
    const pad = mfca.make("html:div", { class: "gate-pad" }, left);
    mfca.make("html:span", { class: "caption" }, left, "one square per frequency that channels ask for (row u, column v); red: more energy than usual, blue: less. Drag a square to the right or left");
    const cells = groups.map(() => null);
    for (let place = 0; place < N * N; place += 1) {
      const group = groups.indexOf(`${place >> 3},${place & 7}`);
      const cell = mfca.make("html:span", { class: group < 0 ? "cell empty" : "cell" }, pad);
      if (group >= 0) cells[group] = cell;
    }

    // the gates: three paths, because hundreds of bars would be slow to draw
    const right = mfca.make("html:div", {}, parts);
    const { svg, width } = mfca.drawing({ ...board, stage: right, redraw: () => board.redraw() }, GATES, "plot gates");
    const others = mfca.make("path", { class: "gate" }, svg);
    const bright = mfca.make("path", { class: "gate own" }, svg);
    const lines = mfca.make("path", { class: "before" }, svg);
    const scale = mfca.make("html:span", { class: "caption" }, right);

    // a cell is chosen, and becomes louder to the right and quieter to the left
    let start = null;
    mfca.drag(pad, (x, y, event) => {
      if (event.type === "pointerdown") {
        start = takeCell(groups.indexOf(`${Math.floor(y * N)},${Math.floor(x * N)}`), event.clientX);
      } else if (start) {
        const steps = Math.round((event.clientX - start.x) / PULLED);
        board.move({ louder: mfca.clamp(start.louder + steps, 0, 2 * SAME) });
      }
    });
    function takeCell(group, x) {
      if (group < 0) return null;
      const louder = group === board.at("group") ? board.at("louder") : SAME;
      board.move({ group, louder });
      return { x, louder };
    }

    function drawPad(turned) {
      cells.forEach((cell, group) => {
        // the third root, so that small values are seen too
        const value = mean(channels[group].map((c) => turned[c]));
        const share = 100 * Math.cbrt(Math.min(Math.abs(value), 1));
        cell.style.background = `color-mix(in srgb, var(${value < 0 ? "--less" : "--more"}) ${share.toFixed()}%, transparent)`;
        cell.classList.toggle("on", group === board.at("group"));
      });
    }

    function drawGates({ before, after }, own) {
      const most = Math.max(...before, ...after) * 1.05;
      const wide = width() / count;
      const top = (gate) => (FLOOR - (CEILING * gate) / most).toFixed(1);
      const bar = (c) => `M${(c * wide).toFixed(2)} ${FLOOR}V${top(after[c])}h${Math.max(wide - 0.6, 0.6).toFixed(2)}V${FLOOR}Z`;
      const line = (c) => `M${(c * wide).toFixed(2)} ${top(before[c])}h${wide.toFixed(2)}`;
      const path = (channels, part) => channels.map(part).join("");
      const every = [...names.keys()];
      others.setAttribute("d", path(every.filter((c) => !own[c]), bar));
      bright.setAttribute("d", path(every.filter((c) => own[c]), bar));
      lines.setAttribute("d", path(every, line));
      const highest = mfca.fixed(Math.max(...after), 2);
      scale.textContent = `one bar per channel: its gate, from 0 to ${highest}; bright: channels that ask for the marked frequency; short lines: the gates at first`;
    }

    return function () {
      const group = board.at("group");
      const shift = ((board.at("louder") - SAME) * Math.log(2)) / 2;
      const found = mfca.turnUp(given, isOwn[group], shift, Number(board.text("quality")));
      drawPad(found.turned);
      drawGates(found, isOwn[group]);

      const [own, others] = [found.own, found.others].map((change) => mfca.fixed(100 * change, 1));
      board.say(
        `energy of (${board.text("group")}): ${board.text("louder")}; quality: ${board.text("quality")}; ` +
        `the gates of its channels move by ${own}% on average, all others by ${others}%`,
      );
    };
  };
})((globalThis.mfca = globalThis.mfca || {}));
