// What all explorables share: the numbers they get, hands that drag, text as Python writes it.
// Classic scripts, because a page opened as a file may not load modules. Each adds to one object, `mfca`.
(function (mfca) {
  "use strict";
  mfca.kinds = mfca.kinds || {};

  // ---- numbers

  // what show/html.py has packed: {shape, type, base64} becomes an array with a shape
  mfca.unpack = function (value) {
    if (Array.isArray(value)) return value.map(mfca.unpack);
    if (value === null || typeof value !== "object") return value;
    if (!value.base64) {
      const parts = Object.entries(value).map(([key, part]) => [key, mfca.unpack(part)]);
      return Object.fromEntries(parts);
    }
    const bytes = Uint8Array.from(atob(value.base64), (letter) => letter.charCodeAt(0));
    const array = value.type === "u1" ? bytes : new Float32Array(bytes.buffer);
    return Object.assign(array, { shape: value.shape });
  };

  mfca.clamp = (x, low, high) => Math.min(Math.max(x, low), high);

  // to the nearest whole number, and from half-way to the even one, as NumPy rounds
  mfca.round = function (x) {
    const below = Math.floor(x);
    const rest = x - below;
    if (rest === 0.5) return below % 2 === 0 ? below : below + 1;
    return rest < 0.5 ? below : below + 1;
  };

  // ---- text

  // f"{x:.2f}": from half-way to the even digit, and no minus sign before a zero
  mfca.fixed = function (x, digits) {
    const scaled = x * 10 ** digits;
    const isTie = Math.abs(scaled % 1) === 0.5 && Number.isInteger(x * 2 ** 20);
    const text = (isTie ? mfca.round(scaled) / 10 ** digits : x).toFixed(digits);
    return Number(text) === 0 ? text.replace("-", "") : text;
  };

  // f"{x:,.0f}" and f"{x:+.1f}"
  mfca.commas = (x) => mfca.fixed(x, 0).replace(/\B(?=(\d{3})+$)/g, ",");
  mfca.plus = (x, digits) => (x < 0 ? "" : "+") + mfca.fixed(x, digits);

  // ---- hands

  // follow(x, y, event) while a mouse button, a finger or a pen is down on the element; x and y are 0..1 inside it
  mfca.drag = function (element, follow) {
    const place = (event) => {
      const box = element.getBoundingClientRect();
      const x = mfca.clamp((event.clientX - box.left) / box.width, 0, 1);
      const y = mfca.clamp((event.clientY - box.top) / box.height, 0, 1);
      follow(x, y, event);
    };
    element.addEventListener("pointerdown", (event) => {
      if (event.button > 0) return;
      element.setPointerCapture(event.pointerId);
      element.dataset.held = "yes";
      place(event);
    });
    element.addEventListener("pointermove", (event) => {
      if (element.hasPointerCapture(event.pointerId)) place(event);
    });
    // parts of a drawing have no touch-action of their own: a finger on them must not scroll the page
    element.addEventListener("touchstart", (event) => {
      if (event.cancelable && element.classList.contains("both-ways")) event.preventDefault();
    }, { passive: false });
    ["pointerup", "pointercancel"].forEach((name) => {
      element.addEventListener(name, () => delete element.dataset.held);
    });
    element.classList.add("grabbed");
  };

  // ---- pictures

  // a canvas of its own pixels, which the style enlarges
  mfca.canvas = function (width, height, name) {
    const canvas = document.createElement("canvas");
    canvas.width = width;
    canvas.height = height;
    canvas.className = "explorable-exact " + (name || "");
    canvas.setAttribute("aria-hidden", "true");
    return canvas;
  };

  // colour(index) returns [red, green, blue] in 0..255 of each pixel, row by row
  mfca.paint = function (canvas, colour) {
    const context = canvas.getContext("2d");
    const picture = context.createImageData(canvas.width, canvas.height);
    for (let i = 0; i < canvas.width * canvas.height; i += 1) {
      const [red, green, blue] = colour(i);
      picture.data.set([red, green, blue, 255], 4 * i);
    }
    context.putImageData(picture, 0, 0);
  };

  // the same for grey levels, one per pixel
  mfca.paintGrey = function (canvas, levels) {
    const context = canvas.getContext("2d");
    const picture = context.createImageData(canvas.width, canvas.height);
    const pixels = new Uint32Array(picture.data.buffer);
    for (let i = 0; i < pixels.length; i += 1) {
      const level = mfca.clamp(mfca.round(levels[i]), 0, 255);
      pixels[i] = (255 << 24) | (level << 16) | (level << 8) | level;
    }
    context.putImageData(picture, 0, 0);
  };

  mfca.grey = (x) => {
    const level = mfca.clamp(mfca.round(x), 0, 255);
    return [level, level, level];
  };

  // blue below zero, white at zero, red above, in full colour at 1
  mfca.signed = (x) => {
    const [red, green, blue] = x < 0 ? [33, 102, 172] : [178, 24, 43];
    const share = Math.min(Math.abs(x), 1);
    return [red, green, blue].map((level) => 255 + share * (level - 255));
  };

  // an element of an SVG drawing, or of HTML where `name` begins with "html:"
  mfca.make = function (name, attributes, parent, text) {
    const isHtml = name.startsWith("html:");
    const space = isHtml ? "http://www.w3.org/1999/xhtml" : "http://www.w3.org/2000/svg";
    const element = document.createElementNS(space, name.replace("html:", ""));
    Object.entries(attributes || {}).forEach(([key, value]) => element.setAttribute(key, value));
    if (text !== undefined) element.textContent = text;
    if (parent) parent.append(element);
    return element;
  };

  // a drawing as wide as the stage, in the page's pixels, so that its letters keep their size on phones
  mfca.drawing = function (board, height, name) {
    const svg = mfca.make("svg", { class: name, "aria-hidden": "true" }, board.stage);
    const fit = () => {
      const width = Math.round(board.stage.clientWidth) || 700;
      const wanted = `0 0 ${width} ${height}`;
      if (svg.getAttribute("viewBox") === wanted) return false;
      svg.setAttribute("viewBox", wanted);
      return true;
    };
    fit();
    window.addEventListener("resize", () => { if (fit()) board.redraw(); });
    return { svg, width: () => svg.viewBox.baseVal.width };
  };
})((globalThis.mfca = globalThis.mfca || {}));
