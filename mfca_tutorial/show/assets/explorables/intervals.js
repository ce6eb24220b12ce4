// Chapter 7: a message is an interval. Exact fractions, as in the chapter: numerators and denominators without bounds.
(function (mfca) {
  "use strict";

  // ---- the arithmetic: numbers n / d with whole BigInt n and d

  // the part [low, low + width) that a symbol picks; its part begins at `begin` and is `count` wide, of `total`
  mfca.narrow = function (interval, begin, count, total) {
    const { low, width, denominator } = interval; // low / denominator, width / denominator
    return {
      low: low * BigInt(total) + width * BigInt(begin),
      width: width * BigInt(count),
      denominator: denominator * BigInt(total),
    };
  };

  mfca.WHOLE_LINE = { low: 0n, width: 1n, denominator: 1n };

  // the fewest bits whose every continuation lies in the interval
  mfca.shortestBits = function ({ low, width, denominator }) {
    for (let size = 0n; ; size += 1n) {
      const cells = 1n << size;
      const first = (low * cells + denominator - 1n) / denominator; // rounded up
      if ((first + 1n) * denominator <= (low + width) * cells) {
        return size === 0n ? "" : first.toString(2).padStart(Number(size), "0");
      }
    }
  };

  // n / d as a number; both may be far too long for one
  mfca.ratio = function (n, d) {
    const bits = 60n;
    return Number((n << bits) / d) / 2 ** Number(bits);
  };

  mfca.priceOf = ({ width, denominator }) => Math.log2(mfca.ratio(denominator, width));

  // the lengths of Huffman's words for counts: join the two rarest, again and again
  mfca.huffmanLengths = function (counts) {
    let heap = counts.map((count, symbol) => ({ count, symbols: [symbol] }));
    const lengths = counts.map(() => 0);
    while (heap.length > 1) {
      heap.sort((a, b) => a.count - b.count);
      const [one, other, ...rest] = heap;
      const symbols = [...one.symbols, ...other.symbols];
      symbols.forEach((symbol) => { lengths[symbol] += 1; });
      heap = [...rest, { count: one.count + other.count, symbols }];
    }
    return lengths;
  };

  // ---- 'Narrow the interval, symbol by symbol': given.messages: {name: symbols -1, 0, 1}

  const TOTAL = 16;
  const MOST = 8; // symbols
  const [ROW, ZOOM, CUT, HIGH] = [14, 54, 190, 314]; // heights of a row and of the zoomed bar; where that begins; all
  const COLOURS = { "-1": "var(--blue)", 0: "var(--rival)", 1: "var(--amber)" };
  const name = (symbol) => String(symbol).replace("-", "−");

  mfca.kinds.intervals = function (board) {
    const messages = Object.values(board.given.messages);
    let own = []; // what the reader has touched together

    const { svg, width } = mfca.drawing(board, HIGH, "plot interval");
    const rows = mfca.make("g", {}, svg);
    const zoom = mfca.make("g", {}, svg);
    const buttons = mfca.make("html:div", { class: "buttons" }, board.stage);
    const press = (text, label, act) => {
      const button = mfca.make("html:button", { type: "button", "aria-label": label }, buttons, text);
      button.addEventListener("click", act);
      return button;
    };
    const adding = [-1, 0, 1].map((symbol) => {
      return press(`add ${name(symbol)}`, `add ${name(symbol)} to the message`, () => append(symbol));
    });
    press("undo", "undo: take the last symbol away", () => change(current().slice(0, -1)));

    // what is coded so far: the first symbols of a message of the list, or of the reader's own
    const message = () => (board.isOwn("message") ? own : messages[board.at("message")]);
    const current = () => message().slice(0, board.at("step"));
    function change(symbols) {
      own = symbols;
      board.chooseOwn("message");
      board.settle("step", symbols.length);
      draw();
    }
    function append(symbol) {
      if (current().length < MOST) change([...current(), symbol]);
    }

    // counts of -1, 0 and 1, at least one each
    const counts = () => {
      const first = board.at("first") + 1;
      const last = Math.min(board.at("last") + 1, TOTAL - 1 - first);
      return [first, TOTAL - first - last, last];
    };

    // no slider says more than there is: something is left for the zero, and a message has an end
    function settleSliders() {
      board.settle("last", counts()[2] - 1);
      board.settle("step", Math.min(board.at("step"), message().length));
    }

    // the two borders of the zoomed bar are pulled; elsewhere a touch codes the symbol
    let held = null;
    mfca.drag(zoom, (_, __, event) => {
      const box = svg.getBoundingClientRect();
      const place = (TOTAL * (event.clientX - box.left)) / box.width;
      const [first, middle] = counts();
      if (event.type === "pointerdown") {
        const near = (border) => Math.abs(place - border) < 0.7;
        held = near(first) ? "first" : near(first + middle) ? "last" : null;
        if (held === null) append(place < first ? -1 : place < first + middle ? 0 : 1);
      } else if (held === "first") {
        board.move({ first: mfca.clamp(Math.round(place), 1, first + middle - 1) - 1 });
      } else if (held === "last") {
        board.move({ last: TOTAL - mfca.clamp(Math.round(place), first + 1, TOTAL - 1) - 1 });
      }
    });

    // the line from 0 to 1, once for each number of symbols, at its true size
    function drawRow(k, interval, bits) {
      const W = width();
      const y = k * (ROW + 3);
      const left = W * mfca.ratio(interval.low, interval.denominator);
      const wide = W * mfca.ratio(interval.width, interval.denominator);
      mfca.make("rect", { x: 0, y, width: W, height: ROW, class: "line" }, rows);
      mfca.make("rect", { x: left, y, width: Math.max(wide, 1), height: ROW, fill: "var(--ours)" }, rows);
      if (bits === undefined) return [left, left + wide, y + ROW];
      const place = bits ? W * (parseInt(bits, 2) / 2 ** bits.length) : 0;
      mfca.make("rect", { x: place, y: y + ROW + 3, width: Math.max(W / 2 ** bits.length, 1), height: 6, class: "named" }, rows);
      return [left, left + wide, y + ROW];
    }

    function drawZoom(symbols, interval, bits, ends) {
      const W = width();
      const parts = counts();
      let at = 0;
      parts.forEach((count, i) => {
        const symbol = i - 1;
        const x = (W * at) / TOTAL;
        const wide = (W * count) / TOTAL;
        const part = { x, y: CUT, width: wide, height: ZOOM, fill: COLOURS[symbol], class: "part", "data-symbol": symbol };
        mfca.make("rect", part, zoom);
        const words = { x: x + wide / 2, "text-anchor": "middle" };
        mfca.make("text", { ...words, y: CUT + 23, class: "symbol" }, zoom, name(symbol));
        const price = mfca.fixed(Math.log2(TOTAL / count), 2);
        if (wide > 60) mfca.make("text", { ...words, y: CUT + 42, class: "price" }, zoom, `${price} bits`);
        at += count;
      });
      [parts[0], parts[0] + parts[1]].forEach((border) => {
        const x = (W * border) / TOTAL;
        mfca.make("line", { x1: x, x2: x, y1: CUT - 6, y2: CUT + ZOOM + 6, class: "border" }, zoom);
        mfca.make("circle", { cx: x, cy: CUT + ZOOM + 8, r: 9, class: "edge-knob" }, zoom);
        mfca.make("text", { x, y: CUT + ZOOM + 12, class: "edge-arrows" }, zoom, "↔");
      });

      // the magnifying glass, and the bits' own interval in it
      const [left, right, y] = ends;
      mfca.make("path", { d: `M${left} ${y + 11}L0 ${CUT - 2}M${right} ${y + 11}L${W} ${CUT - 2}`, class: "cone" }, rows);
      const cells = 1n << BigInt(bits.length);
      const start = bits ? BigInt(parseInt(bits, 2)) : 0n;
      const inside = (n, d) => W * mfca.ratio(n * interval.denominator - interval.low * d, interval.width * d);
      const [begin, end] = [inside(start, cells), inside(start + 1n, cells)];
      mfca.make("rect", { x: begin, y: CUT + ZOOM + 24, width: end - begin, height: 20, class: "named" }, zoom);
      const middle = mfca.clamp((begin + end) / 2, 40, W - 40);
      mfca.make("text", { x: middle, y: CUT + ZOOM + 39, class: "bits" }, zoom, bits || "no bit");
      mfca.make("text", { x: 0, y: CUT + ZOOM + 64, class: "tick" }, zoom, listed(symbols));
    }

    // the symbols in words; a ninth has no place
    function listed(symbols) {
      const words = symbols.map(name).join(" ") || "none yet";
      return `symbols: ${words}${symbols.length === MOST ? " (no more than eight)" : ""}`;
    }

    function draw() {
      settleSliders();
      const symbols = current();
      adding.forEach((button) => button.setAttribute("aria-disabled", symbols.length === MOST));
      const parts = counts();
      const begins = [0, parts[0], parts[0] + parts[1]];
      rows.replaceChildren();
      zoom.replaceChildren();

      let interval = mfca.WHOLE_LINE;
      let ends = drawRow(0, interval, symbols.length ? undefined : "");
      symbols.forEach((symbol, k) => {
        interval = mfca.narrow(interval, begins[symbol + 1], parts[symbol + 1], TOTAL);
        const isLast = k === symbols.length - 1;
        ends = drawRow(k + 1, interval, isLast ? mfca.shortestBits(interval) : undefined);
      });
      const bits = mfca.shortestBits(interval);
      drawZoom(symbols, interval, bits, ends);

      const lengths = mfca.huffmanLengths(parts);
      const words = symbols.reduce((sum, symbol) => sum + lengths[symbol + 1], 0);
      const low = mfca.ratio(interval.low, interval.denominator);
      const high = mfca.ratio(interval.low + interval.width, interval.denominator);
      const price = mfca.fixed(mfca.priceOf(interval), 2);
      board.say(
        `interval [${mfca.fixed(low, 6)}, ${mfca.fixed(high, 6)}): ideal price ${price} bits; ` +
        `as whole bits ${bits.length}; Huffman's words ${words}`,
      );
    }
    return draw;
  };
})((globalThis.mfca = globalThis.mfca || {}));
