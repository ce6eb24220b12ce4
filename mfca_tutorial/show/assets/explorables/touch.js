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

  // a line for readers: true minus signs, and no line break before a unit (`typeset` of show/html.py)
  mfca.typeset = (text) =>
    text
      .replace(/(^|[^\w-])-(?=[\d.])/g, "$1−")
      .replace(/(\d) ?%/g, "$1\u00a0%")
      .replace(/(\d) (?=(?:dB|bytes?|bits?|bpp|pixels?)(?!\w))/g, "$1\u00a0");

  // f"{x:,.0f}" and f"{x:+.1f}"
  mfca.commas = (x) => mfca.fixed(x, 0).replace(/\B(?=(\d{3})+$)/g, ",");
  mfca.plus = (x, digits) => (x < 0 ? "" : "+") + mfca.fixed(x, digits);

  // ---- hands

  const SLACK = 8; // pixels that a finger may move before it is known what it does

  // what a finger that is down has done so far: scrolls the page, drags, or (null) one cannot tell yet
  mfca.gesture = function (right, down) {
    const farthest = Math.max(Math.abs(right), Math.abs(down));
    if (farthest < SLACK) return null;
    return Math.abs(right) > Math.abs(down) ? "drag" : "scroll";
  };

  // a part that is itself pulled up and down: a finger on it takes hold at once, and does not scroll the page
  const isHandle = (event) => Boolean(event.target.closest(".handle"));

  // follow(x, y, event) while the element is held; x and y are 0..1 inside it, the first event is a pointerdown.
  // A mouse takes hold at once. A finger or a pen may only want to scroll the page: it takes hold once it has moved
  // sideways, or when it is lifted without having moved.
  mfca.drag = function (element, follow) {
    let waiting = null; // the pointerdown of a finger that has not taken hold yet

    const place = (event) => {
      const box = element.getBoundingClientRect();
      const x = mfca.clamp((event.clientX - box.left) / box.width, 0, 1);
      const y = mfca.clamp((event.clientY - box.top) / box.height, 0, 1);
      follow(x, y, event);
    };
    const hold = (event) => {
      waiting = null;
      element.setPointerCapture(event.pointerId);
      element.dataset.held = "yes";
      place(event);
    };
    const leave = () => {
      waiting = null;
      delete element.dataset.held;
    };

    element.addEventListener("pointerdown", (event) => {
      if (event.button > 0 || !event.isPrimary) return;
      if (event.pointerType === "mouse" || isHandle(event)) hold(event);
      else waiting = event;
    });
    element.addEventListener("pointermove", (event) => {
      if (waiting) {
        const gesture = mfca.gesture(event.clientX - waiting.clientX, event.clientY - waiting.clientY);
        if (gesture === "scroll") leave();
        if (gesture === "drag") hold(waiting);
      }
      if (element.dataset.held && event.isPrimary) place(event);
    });
    element.addEventListener("pointerup", () => {
      if (waiting) place(waiting);
      leave();
    });
    // the browser scrolls the page
    element.addEventListener("pointercancel", leave);

    // parts of a drawing have no touch-action of their own: without this, a handle would scroll the page, too
    element.addEventListener("touchstart", (event) => {
      if (event.cancelable && isHandle(event)) event.preventDefault();
    }, { passive: false });
    element.classList.add("grabbed");
  };

  // A slider jumps to where a finger lands. So what it says waits, too, until it is known that the page does not scroll.
  mfca.steadySliders = function (box) {
    let held = null; // {input, before, x, y, scrolls}

    const settle = (isTaken) => {
      const { input, before } = held;
      held = null;
      if (!isTaken) input.value = before;
      else if (input.value !== before) input.dispatchEvent(new Event("input", { bubbles: true }));
    };
    box.addEventListener("pointerdown", (event) => {
      const input = event.target;
      if (input.type !== "range" || event.pointerType === "mouse") return;
      held = { input, before: input.value, x: event.clientX, y: event.clientY, scrolls: false };
    });
    box.addEventListener("pointermove", (event) => {
      if (!held || held.scrolls) return;
      const gesture = mfca.gesture(event.clientX - held.x, event.clientY - held.y);
      if (gesture === "drag") settle(true);
      else held.scrolls = gesture === "scroll";
    });
    box.addEventListener("pointerup", () => { if (held) settle(!held.scrolls); });
    box.addEventListener("pointercancel", () => { if (held) settle(false); });
    box.addEventListener("input", (event) => {
      if (held && event.target === held.input) event.stopPropagation();
    }, { capture: true });
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

  // colour(index) returns [red, green, blue] in 0..255 of each pixel, row by row, and perhaps how opaque it is
  mfca.paint = function (canvas, colour) {
    const context = canvas.getContext("2d");
    const picture = context.createImageData(canvas.width, canvas.height);
    for (let i = 0; i < canvas.width * canvas.height; i += 1) {
      const [red, green, blue, opaque = 255] = colour(i);
      picture.data.set([red, green, blue, opaque], 4 * i);
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

  // blue below zero, red above, in full colour at 1; zero lets the page's own colour through, in light and dark
  mfca.signed = (x) => {
    const colour = x < 0 ? [33, 102, 172] : [178, 24, 43];
    return [...colour, 255 * Math.min(Math.abs(x), 1)];
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
