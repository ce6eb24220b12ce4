// Chapter 12: two rate-distortion curves, joined by monotone cubics over the logarithm of the rate, and the Bjøntegaard delta rate over the range that the reader holds.
(function (mfca) {
  "use strict";

  // ---- the arithmetic

  // slopes of the monotone cubics through (x, y), as Fritsch and Butland choose them (SciPy's PchipInterpolator)
  mfca.pchipSlopes = function (x, y) {
    const h = x.slice(1).map((right, i) => right - x[i]);
    const rise = h.map((width, i) => (y[i + 1] - y[i]) / width);
    if (h.length === 1) return [rise[0], rise[0]];

    const slopes = x.map((_, i) => {
      if (i === 0 || i === h.length) return 0;
      if (rise[i - 1] * rise[i] <= 0) return 0;
      const [before, after] = [2 * h[i] + h[i - 1], h[i] + 2 * h[i - 1]];
      return (before + after) / (before / rise[i - 1] + after / rise[i]);
    });

    // at the ends a parabola through three points, which must not overshoot
    const end = (h0, h1, rise0, rise1) => {
      const slope = ((2 * h0 + h1) * rise0 - h0 * rise1) / (h0 + h1);
      if (Math.sign(slope) !== Math.sign(rise0)) return 0;
      if (Math.sign(rise0) !== Math.sign(rise1) && Math.abs(slope) > 3 * Math.abs(rise0)) return 3 * rise0;
      return slope;
    };
    const last = h.length - 1;
    slopes[0] = end(h[0], h[1], rise[0], rise[1]);
    slopes[last + 1] = end(h[last], h[last - 1], rise[last], rise[last - 1]);
    return slopes;
  };

  // the cubic of one interval at a share t of it, integrated from its left end
  function area(t, h, left, right, slopeLeft, slopeRight) {
    const [t2, t3, t4] = [t ** 2, t ** 3, t ** 4];
    const values = left * (t4 / 2 - t3 + t) + right * (t3 - t4 / 2);
    const slopes = slopeLeft * (t4 / 4 - (2 * t3) / 3 + t2 / 2) + slopeRight * (t4 / 4 - t3 / 3);
    return h * (values + h * slopes);
  }

  // the integral of the curve through (x, y) from low to high, both within x
  mfca.pchipIntegral = function (x, y, low, high) {
    const slopes = mfca.pchipSlopes(x, y);
    let sum = 0;
    for (let i = 0; i + 1 < x.length; i += 1) {
      const h = x[i + 1] - x[i];
      const from = mfca.clamp((low - x[i]) / h, 0, 1);
      const to = mfca.clamp((high - x[i]) / h, 0, 1);
      const cubic = [h, y[i], y[i + 1], slopes[i], slopes[i + 1]];
      sum += area(to, ...cubic) - area(from, ...cubic);
    }
    return sum;
  };

  // the curve [rates, qualities] as `bdRate` joins its points: many points, evenly spaced in quality
  mfca.joinedCurve = function ([rates, values], count = 200) {
    const logs = rates.map(Math.log);
    const slopes = mfca.pchipSlopes(values, logs);
    const [first, last] = [values[0], values.at(-1)];
    const fine = Array.from({ length: count }, (_, k) => first + ((last - first) * k) / (count - 1));

    let i = 0;
    const joined = fine.map((value) => {
      while (i + 2 < values.length && value > values[i + 1]) i += 1;
      const h = values[i + 1] - values[i];
      const t = (value - values[i]) / h;
      const [t2, t3] = [t ** 2, t ** 3];
      const ends = logs[i] * (2 * t3 - 3 * t2 + 1) + logs[i + 1] * (3 * t2 - 2 * t3);
      return Math.exp(ends + h * (slopes[i] * (t3 - 2 * t2 + t) + slopes[i + 1] * (t3 - t2)));
    });
    return [joined, fine];
  };

  // % more bits of `test` at equal quality, on average over low..high dB; curves are [rates, qualities]
  mfca.bdRate = function (anchor, test, low, high) {
    const [a, b] = [anchor, test].map(([rates, values]) => mfca.pchipIntegral(values, rates.map(Math.log), low, high));
    return 100 * Math.expm1((b - a) / (high - low));
  };

  mfca.commonRange = (a, b) => [Math.max(a[1][0], b[1][0]), Math.min(a[1].at(-1), b[1].at(-1))];

  // ---- 'Race two codecs over Kodak': given.curves[codec][metric], given.limits[metric], given.ours

  const [H, LEFT, BELOW] = [400, 32, 40]; // of the drawing; the plot's margins
  const MOST = 2; // bits per pixel, at the right edge

  mfca.kinds.race = function (board) {
    const { curves, limits, ours } = board.given;
    const { svg, width } = mfca.drawing(board, H, "plot");
    const axes = mfca.make("g", {}, svg);
    const band = mfca.make("rect", { x: LEFT, class: "band" }, svg);
    const drawn = mfca.make("g", {}, svg);
    const edges = ["start", "end"].map((key) => {
      const edge = mfca.make("g", { class: "edge" }, svg);
      mfca.make("rect", { x: LEFT, y: -14, width: "100%", height: 28, fill: "transparent" }, edge);
      mfca.make("line", { x1: LEFT, x2: "100%", class: "edge-line" }, edge);
      mfca.make("circle", { cx: LEFT + 14, r: 12, class: "edge-knob handle" }, edge);
      mfca.make("text", { x: LEFT + 14, y: 4, class: "edge-arrows" }, edge, "↕");
      return { key, edge };
    });

    const metric = () => board.text("metric");
    const pair = () => [curves[board.text("rival")][metric()], curves[ours][metric()]];
    const x = (rate) => LEFT + ((width() - LEFT) * rate) / MOST;
    const y = (value) => {
      const [low, high] = limits[metric()];
      return ((H - BELOW) * (high - value)) / (high - low);
    };

    // an edge is pulled up and down between the ends of what both curves cover
    edges.forEach(({ key, edge }) => {
      mfca.drag(edge, (_, __, event) => {
        const [low, high] = mfca.commonRange(...pair());
        const box = svg.getBoundingClientRect();
        const above = ((event.clientY - box.top) / box.height) * H;
        const [bottom, top] = limits[metric()];
        const value = top - (above / (H - BELOW)) * (top - bottom);
        const percent = Math.round((100 * (value - low)) / (high - low) / 5);
        const other = board.at(key === "start" ? "end" : "start");
        board.move({ [key]: key === "start" ? mfca.clamp(percent, 0, other - 1) : mfca.clamp(percent, other + 1, 20) });
      });
    });

    function line(name, kind) {
      const [rates, values] = curves[name][metric()];
      if (rates.length < 2) return;
      const places = ([across, up]) => across.map((rate, i) => [x(rate), y(up[i])]).filter(([left]) => left <= width());
      const path = places(mfca.joinedCurve([rates, values]));
      mfca.make("polyline", { points: path.join(" "), class: `curve ${kind}` }, drawn);
      places([rates, values]).forEach(([cx, cy]) => mfca.make("circle", { cx, cy, r: 3, class: `dot ${kind}` }, drawn));
      const [right, top] = path.at(-1);
      const anchor = right > width() - 120 ? "end" : "start";
      mfca.make("text", { x: right + (anchor === "end" ? -4 : 8), y: top - 8, class: `name ${kind}`, "text-anchor": anchor }, drawn, name);
    }

    function ruler() {
      axes.replaceChildren();
      const [low, high] = limits[metric()];
      for (let value = Math.ceil(low / 5) * 5; value <= high; value += 5) {
        mfca.make("line", { x1: LEFT, x2: "100%", y1: y(value), y2: y(value), class: "grid" }, axes);
        mfca.make("text", { x: LEFT - 6, y: y(value) + 4, class: "tick", "text-anchor": "end" }, axes, String(value));
      }
      [0, 0.5, 1, 1.5, 2].forEach((rate) => {
        mfca.make("text", { x: Math.min(x(rate), width() - 8), y: H - BELOW + 18, class: "tick", "text-anchor": "middle" }, axes, String(rate));
      });
      mfca.make("text", { x: LEFT, y: H - 4, class: "tick" }, axes, `bits per pixel, across; ${metric()} in dB, upwards`);
    }

    return function () {
      ruler();
      drawn.replaceChildren();
      line(board.text("rival"), "rival");
      line(ours, "ours");

      // the part of the common range that is held
      const [anchor, test] = pair();
      const known = Math.min(anchor[0].length, test[0].length) >= 2;
      const [least, most] = known ? mfca.commonRange(anchor, test) : [0, 0];
      const shared = most - least >= 0.5;
      const [from, to] = ["start", "end"].map((key) => least + ((most - least) * board.at(key)) / 20);
      [band, ...edges.map(({ edge }) => edge)].forEach((one) => { one.style.display = shared ? "" : "none"; });
      if (!known) return board.say(`no curve was published with ${metric()}`);
      if (!shared) return board.say("the curves share no range of this metric");
      if (to <= from) return board.say("the range is empty: pull its ends apart");
      band.setAttribute("width", width() - LEFT);
      band.setAttribute("y", y(to));
      band.setAttribute("height", y(from) - y(to));
      edges.forEach(({ key, edge }) => edge.setAttribute("transform", `translate(0 ${y(key === "start" ? from : to)})`));

      const gain = mfca.bdRate(anchor, test, from, to);
      const bits = `${mfca.fixed(Math.abs(gain), 1)} % ${gain > 0 ? "more" : "fewer"} bits`;
      return board.say(`at equal ${metric()}, the MFCA codec needs ${bits}, over ${mfca.fixed(from, 1)} to ${mfca.fixed(to, 1)} dB`);
    };
  };
})((globalThis.mfca = globalThis.mfca || {}));
