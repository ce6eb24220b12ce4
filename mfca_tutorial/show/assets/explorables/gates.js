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

  // ---- 'Pool a wave to seven samples'

  const HIGH = 230;
  const MIDDLE = 112;
  const TALL = 88; // pixels for a wave of height 1

  mfca.kinds.wave = function (board) {
    const { svg, width } = mfca.drawing(board, HIGH, "plot waves");
    const drawn = mfca.make("g", {}, svg);
    mfca.make("html:span", { class: "caption" }, board.stage, "grey: the wave and its 28 samples; bold: seven averages; dashed: the wave that seven samples take it for");

    // the place of the wave that was taken follows the hand
    let phase = 1;
    mfca.drag(svg, (x, _, event) => {
      if (event.type === "pointerdown") phase = Math.max(board.at("k"), 1) * Math.max(x, 0.04);
      board.move({ k: mfca.clamp(Math.round(phase / Math.max(x, 0.02)), 0, FINE - 1) });
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

  // ---- 'Turn up one frequency': given.energies (photographs, C), given.frequencies (C), given.weights

  const N = 8;

  mfca.kinds.gates = function (board) {
    const { energies, frequencies, weights } = board.given;
    const C = frequencies.length;
    const groups = [...new Set(frequencies.map(String))];
    const hasQuality = Boolean(weights.Wq);

    // the pad: one cell per frequency that some channels ask for
    const parts = mfca.make("html:div", { class: "gate-parts" }, board.stage);
    const left = mfca.make("html:div", {}, parts);
    const pad = mfca.make("html:div", { class: "gate-pad both-ways" }, left);
    mfca.make("html:span", { class: "caption" }, left, "energies, against their usual values: touch one, and drag it up or down");
    const cells = [...Array(N * N).keys()].map((place) => {
      const name = `${place >> 3},${place & 7}`;
      const cell = mfca.make("html:span", { class: groups.includes(name) ? "cell" : "cell empty" }, pad);
      return { name, cell };
    });
    const right = mfca.make("html:div", {}, parts);
    const { svg, width } = mfca.drawing({ ...board, stage: right, redraw: () => board.redraw() }, 230, "plot gates");
    const bars = mfca.make("g", {}, svg);
    mfca.make("html:span", { class: "caption" }, right, "the gate of each channel; bright: channels that ask for this frequency; line: before you moved it");

    // across the pad a cell is chosen, up and down it becomes louder or quieter
    let start = null;
    mfca.drag(pad, (x, y, event) => {
      if (event.type === "pointerdown") {
        const name = `${Math.floor(y * N)},${Math.floor(x * N)}`;
        const group = groups.indexOf(name);
        start = { y: event.clientY, louder: group === board.at("group") ? board.at("louder") : 4 };
        if (group >= 0) board.move({ group, louder: start.louder });
        return;
      }
      const steps = Math.round((start.y - event.clientY) / 14);
      board.move({ louder: mfca.clamp(start.louder + steps, 0, 8) });
    });

    return function () {
      const photo = board.at("photo");
      const own = energies.subarray(photo * C, (photo + 1) * C);
      const group = groups[board.at("group")];
      const shift = (board.at("louder") - 4) * Math.log(2) / 2;
      const turned = Array.from(own, (s, c) => (String(frequencies[c]) === group ? s + shift : s));
      const quality = hasQuality ? Number(board.text("quality")) : 0;
      const before = mfca.gatesOf(own, weights, quality);
      const after = mfca.gatesOf(turned, weights, quality);

      cells.forEach(({ name, cell }) => {
        const mine = turned.filter((_, c) => String(frequencies[c]) === name);
        cell.classList.toggle("on", name === group);
        if (!mine.length) return;
        const mean = mine.reduce((sum, s) => sum + s, 0) / mine.length;
        cell.style.background = `rgb(${mfca.signed(mean).map(Math.round).join(" ")})`;
      });

      const most = Math.max(...before, ...after) * 1.05;
      const [wide, base] = [width() / C, 222];
      bars.replaceChildren();
      after.forEach((gate, c) => {
        const tall = (210 * gate) / most;
        const kind = String(frequencies[c]) === group ? "gate own" : "gate";
        mfca.make("rect", { x: c * wide, y: base - tall, width: Math.max(wide - 0.6, 0.6), height: tall, class: kind }, bars);
        const y = base - (210 * before[c]) / most;
        mfca.make("line", { x1: c * wide, x2: (c + 1) * wide, y1: y, y2: y, class: "before" }, bars);
      });

      const mean = (list, chosen) => {
        const values = list.filter((_, c) => (String(frequencies[c]) === group) === chosen);
        return values.reduce((sum, value) => sum + value, 0) / values.length;
      };
      const change = mean(after.map((gate, c) => Math.abs(gate / before[c] - 1)), false);
      board.say(
        `(${group.replace(",", ", ")}) ${board.text("louder")} as loud: its own gates ${mfca.fixed(mean(before, true), 3)} ` +
        `-> ${mfca.fixed(mean(after, true), 3)}; all others move by ${mfca.fixed(100 * change, 1)}% on average`,
      );
    };
  };
})((globalThis.mfca = globalThis.mfca || {}));
