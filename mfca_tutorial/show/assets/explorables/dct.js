// Chapter 1: the discrete cosine transform of 8 x 8 blocks, its 64 basis pictures, and what is left of a few of them.
(function (mfca) {
  "use strict";

  const N = 8;

  // ---- the transform, as mfca_tutorial/blocks/dct.py has it

  // rows of length 1: cosine k makes k half-waves along n samples
  mfca.dctMatrix = function (n) {
    const rows = [];
    for (let k = 0; k < n; k += 1) {
      const scale = Math.sqrt((k === 0 ? 1 : 2) / n);
      const row = [];
      for (let i = 0; i < n; i += 1) row.push(scale * Math.cos((Math.PI * k * (i + 0.5)) / n));
      rows.push(row);
    }
    return rows;
  };

  const C = mfca.dctMatrix(N);

  // one block of 64 values, row by row -> its 64 coefficients, row u, column v
  mfca.dct2 = (block) => twice(block, (k, i) => C[k][i]);
  // ... and back
  mfca.idct2 = (coefficients) => twice(coefficients, (i, k) => C[k][i]);

  // a matrix times the block, then the block times the matrix transposed
  function twice(block, matrix) {
    const half = new Float64Array(N * N);
    const whole = new Float64Array(N * N);
    for (let a = 0; a < N; a += 1) {
      for (let column = 0; column < N; column += 1) {
        let sum = 0;
        for (let row = 0; row < N; row += 1) sum += matrix(a, row) * block[row * N + column];
        half[a * N + column] = sum;
      }
    }
    for (let a = 0; a < N; a += 1) {
      for (let b = 0; b < N; b += 1) {
        let sum = 0;
        for (let column = 0; column < N; column += 1) sum += half[a * N + column] * matrix(b, column);
        whole[a * N + b] = sum;
      }
    }
    return whole;
  }

  // a picture (height x width values) -> its blocks, row by row; and back
  mfca.toBlocks = function (x, width) {
    const blocks = [];
    for (let top = 0; top < x.length / width; top += N) {
      for (let left = 0; left < width; left += N) {
        const block = new Float64Array(N * N);
        for (let i = 0; i < N * N; i += 1) block[i] = x[(top + (i >> 3)) * width + left + (i & 7)];
        blocks.push(block);
      }
    }
    return blocks;
  };
  mfca.fromBlocks = function (blocks, width) {
    const x = new Float64Array(blocks.length * N * N);
    const across = width / N;
    blocks.forEach((block, number) => {
      const top = N * Math.floor(number / across);
      const left = N * (number % across);
      for (let i = 0; i < N * N; i += 1) x[(top + (i >> 3)) * width + left + (i & 7)] = block[i];
    });
    return x;
  };

  // the 64 places of a block, one diagonal after the other, every second one upwards
  mfca.zigzag = function () {
    const order = [];
    for (let diagonal = 0; diagonal < 2 * N - 1; diagonal += 1) {
      const rows = [];
      for (let u = 0; u < N; u += 1) if (diagonal - u >= 0 && diagonal - u < N) rows.push(u);
      if (diagonal % 2 === 0) rows.reverse();
      rows.forEach((u) => order.push(u * N + diagonal - u));
    }
    return order;
  };

  // the places of the k largest coefficients of a block
  mfca.largest = function (coefficients, k) {
    const places = [...coefficients.keys()];
    places.sort((a, b) => Math.abs(coefficients[b]) - Math.abs(coefficients[a]));
    return places.slice(0, k);
  };

  // only the coefficients in `places`, the others zero
  mfca.keepOnly = function (coefficients, places) {
    const kept = new Float64Array(N * N);
    places.forEach((place) => { kept[place] = coefficients[place]; });
    return kept;
  };

  const squares = (blocks) => {
    let sum = 0;
    blocks.forEach((block) => block.forEach((value) => { sum += value * value; }));
    return sum;
  };

  // ---- the pad: all 64 basis pictures, two pixels apart, which the reader touches

  const CELL = N + 2;

  // pick(u, v) is called with the place under the hand
  function pad(parent, pick) {
    const frame = mfca.make("html:div", { class: "dct-pad" }, parent);
    const canvas = mfca.canvas(N * CELL, N * CELL);
    frame.append(canvas);
    mfca.paint(canvas, (i) => {
      const y = Math.floor(i / canvas.width);
      const x = i % canvas.width;
      const [row, column] = [(y % CELL) - 1, (x % CELL) - 1];
      if (Math.min(row, column) < 0 || Math.max(row, column) === N) return [0, 0, 0, 0];
      return mfca.grey(128 + 480 * C[Math.floor(y / CELL)][row] * C[Math.floor(x / CELL)][column]);
    });
    mfca.drag(frame, (x, y) => {
      pick(Math.min(Math.floor(y * N), N - 1), Math.min(Math.floor(x * N), N - 1));
    });
    return frame;
  }

  // a frame over `rows` x `columns` cells of the pad, from its corner or at (u, v)
  function cover(mark, u, v, rows, columns) {
    mark.style.cssText = `top: ${12.5 * u}%; left: ${12.5 * v}%; height: ${12.5 * rows}%; width: ${12.5 * columns}%`;
  }

  // a part of the stage with a line of text below it
  function part(parent, caption) {
    const box = mfca.make("html:div", {}, parent);
    const words = mfca.make("html:span", { class: "caption" }, box, caption);
    return { box, add: (element) => { words.before(element); return element; } };
  }

  // ---- 'Pick a frequency': given.grey (H, W)

  mfca.kinds.frequencies = function (board) {
    const { grey } = board.given;
    const [height, width] = grey.shape;
    const x = Float64Array.from(grey, (level) => level - 128);
    const X = mfca.toBlocks(x, width).map(mfca.dct2);
    const all = squares(X);

    const parts = mfca.make("html:div", { class: "dct-parts" }, board.stage);
    const first = part(parts, "touch one of the 64 patterns");
    const grid = pad(first.box, (u, v) => board.move({ u, v }));
    first.add(grid);
    const area = mfca.make("html:span", { class: "cell-mark faint" }, grid);
    const mark = mfca.make("html:span", { class: "cell-mark" }, grid);
    const one = part(parts, "how much of it is where").add(mfca.canvas(width, height));
    const sum = part(parts, "all patterns up to it, added").add(mfca.canvas(width, height));

    return function () {
      const [u, v] = [board.at("u"), board.at("v")];
      cover(mark, u, v, 1, 1);
      cover(area, 0, 0, u + 1, v + 1);

      const upto = [];
      for (let row = 0; row <= u; row += 1) for (let column = 0; column <= v; column += 1) upto.push(row * N + column);
      const single = X.map((block) => mfca.keepOnly(block, [u * N + v]));
      const several = X.map((block) => mfca.keepOnly(block, upto));
      const alone = mfca.fromBlocks(single.map(mfca.idct2), width);
      const added = mfca.fromBlocks(several.map(mfca.idct2), width);
      mfca.paint(one, (i) => mfca.signed(alone[i] / 40));
      mfca.paintGrey(sum, added.map((value) => value + 128));

      const share = mfca.fixed((100 * squares(single)) / all, 2);
      board.say(`this pattern: ${share}% of the sum of squares; up to it: ${upto.length} of 64 patterns`);
    };
  };

  // ---- 'Keep k coefficients': given.grey (H, W)

  const BY_SIZE = "the fainter a pattern, the fewer blocks keep it; touch one to change k";
  const IN_ORDER = "touch a pattern: all up to it are kept, in zig-zag order";

  mfca.kinds.keep = function (board) {
    const { grey } = board.given;
    const width = grey.shape[1];
    const X = mfca.toBlocks(grey, width).map(mfca.dct2);
    const bySize = X.map((block) => mfca.largest(block, N * N));
    const order = mfca.zigzag();

    const parts = mfca.make("html:div", { class: "keep-parts" }, board.stage);
    const frame = mfca.make("html:div", { class: "curtain" }, parts);
    const kept = mfca.canvas(width, grey.length / width);
    const original = mfca.canvas(width, grey.length / width, "over");
    mfca.paintGrey(original, grey);
    frame.append(kept, original);
    const curtain = mfca.dressCurtain(frame, "", "the original");

    // a pattern is faint where no block keeps a pattern
    const side = part(parts, "");
    const words = side.box.querySelector(".caption");
    const grid = side.add(pad(side.box, (u, v) => board.move({ k: order.indexOf(u * N + v) })));
    const shades = order.map(() => mfca.make("html:span", { class: "shade" }, grid));
    shades.forEach((shade, place) => cover(shade, place >> 3, place & 7, 1, 1));

    return function () {
      const k = board.at("k") + 1;
      const byOrder = board.at("which") === 1;
      words.textContent = byOrder ? IN_ORDER : BY_SIZE;
      const places = X.map((_, i) => (byOrder ? order : bySize[i]).slice(0, k));
      const few = X.map((block, i) => mfca.keepOnly(block, places[i]));
      const picture = mfca.fromBlocks(few.map(mfca.idct2), width);
      mfca.paintGrey(kept, picture);

      const users = new Array(N * N).fill(0);
      places.forEach((list) => list.forEach((place) => { users[place] += 1; }));
      shades.forEach((shade, place) => { shade.style.opacity = 0.85 * (1 - users[place] / X.length); });

      // the squared error, counted among the coefficients
      const error = squares(X) - squares(few);
      const decibels = 10 * Math.log10(255 ** 2 / (error / grey.length));
      const verdict = k < N * N ? `PSNR ${mfca.fixed(decibels, 2)} dB` : "no error at all";
      frame.querySelector(".tag.left").textContent = verdict;
      curtain();
      board.say(`${k} of 64 kept (${mfca.fixed((100 * k) / 64, 0)}%): ${verdict}`);
    };
  };
})((globalThis.mfca = globalThis.mfca || {}));
