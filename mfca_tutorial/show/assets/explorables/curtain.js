// Two pictures in one place: the border between them is dragged, or moved by keyboard through a range input.
(function (mfca) {
  "use strict";

  const NEAR = 24; // per cent: nearer than this to its edge, the border would cover a corner's label

  // element: holds the pictures, a range input 0..100 and two labels; its style reads --x. Returns a function that draws.
  mfca.curtain = function (element) {
    const input = element.querySelector("input[type=range]");
    const left = element.querySelector(".tag.left");
    const right = element.querySelector(".tag.right");

    function draw() {
      const x = Number(input.value);
      element.style.setProperty("--x", x + "%");
      left.style.opacity = x < NEAR ? 0 : 1;
      right.style.opacity = x > 100 - NEAR ? 0 : 1;
      const shares = `${x} % ${left.textContent}, ${100 - x} % ${right.textContent}`;
      input.setAttribute("aria-valuetext", shares);
    }

    mfca.drag(element, (x, y, event) => {
      input.value = 100 * x;
      draw();
      if (event.type !== "pointerdown") return;
      input.focus({ preventScroll: true, focusVisible: false });
      event.preventDefault();
    });
    input.addEventListener("input", draw);
    draw();
    return draw;
  };

  // the same around pictures that a script has drawn: labels, border and range input are added
  mfca.dressCurtain = function (element, left, right) {
    mfca.make("html:span", { class: "tag left" }, element, left);
    mfca.make("html:span", { class: "tag right" }, element, right);
    const bar = mfca.make("html:span", { class: "bar" }, element);
    mfca.make("html:span", { class: "knob", "aria-hidden": "true" }, bar, "⟷");
    const input = { type: "range", class: "curtain-border", min: 0, max: 100, value: 50 };
    mfca.make("html:input", { ...input, "aria-label": "border of the curtain" }, element);
    return mfca.curtain(element);
  };

  // the pictures are chosen from two lists
  mfca.kinds.curtain = function (board) {
    const draw = mfca.curtain(board.stage);
    const pictures = board.stage.querySelectorAll("img");
    return function () {
      ["left", "right"].forEach((side, i) => {
        const label = board.data.labels[board.at(side)];
        pictures[i].src = board.data.frames[board.at(side)];
        pictures[i].alt = `${board.data.alt} ${label}`;
        board.stage.querySelector(".tag." + side).textContent = label;
      });
      draw();
    };
  };
})((globalThis.mfca = globalThis.mfca || {}));
