// The published face of mfca_tutorial/show/explorables.py: swaps precomputed pictures when a control moves. No library, no request.
(function () {
  "use strict";

  function frames(box, data, inputs) {
    const picture = box.querySelector(".explorable-picture"), note = box.querySelector(".explorable-note");
    return function () {
      let at = 0;
      inputs.forEach((input, i) => { at = at * data.counts[i] + Number(input.value); });
      picture.src = data.frames[data.index[at]];
      picture.alt = data.alts[at];
      note.textContent = data.notes[at];
    };
  }

  function curtain(box, data, inputs) {
    const sides = ["left", "right"].map((side) => box.querySelector(".explorable-" + side));
    return function () {
      sides.forEach((img, i) => {
        const pick = Number(inputs[i].value), side = i ? "right" : "left";
        img.src = data.frames[pick];
        img.alt = data.alt + " " + side + ": " + data.labels[pick];
      });
      const border = data.texts[2][inputs[2].value];
      box.querySelector(".explorable-curtain").style.setProperty("--border", border + "%");
    };
  }

  // Two sliders on one grid, for the mouse only: the sliders stay the way in for keyboards and screen readers.
  function pad(box, data, inputs) {
    const [x, y] = data.pad.map((key) => inputs.find((input) => input.dataset.key === key));
    const grid = document.createElement("div");
    grid.className = "explorable-pad";
    grid.setAttribute("aria-hidden", "true");
    grid.style.setProperty("--columns", Number(x.max) + 1);
    const cells = [];
    for (let row = 0; row <= Number(y.max); row += 1) {
      for (let column = 0; column <= Number(x.max); column += 1) {
        const cell = document.createElement("span");
        cell.addEventListener("click", () => {
          x.value = column;
          y.value = row;
          [x, y].forEach((input) => input.dispatchEvent(new Event("input")));
        });
        cells.push(grid.appendChild(cell));
      }
    }
    box.querySelector(".explorable-controls").after(grid);
    return function () {
      const now = Number(y.value) * (Number(x.max) + 1) + Number(x.value);
      cells.forEach((cell, i) => cell.classList.toggle("on", i === now));
    };
  }

  function start(box) {
    const data = JSON.parse(box.querySelector(".explorable-data").textContent);
    const inputs = [...box.querySelectorAll(".explorable-input")];
    const updates = [(box.dataset.kind === "curtain" ? curtain : frames)(box, data, inputs)];
    if (data.pad) updates.push(pad(box, data, inputs));
    inputs.forEach((input, i) => input.addEventListener("input", () => {
      const output = box.querySelector('output[for="' + input.id + '"]');
      if (output) {
        output.textContent = data.texts[i][input.value];
        input.setAttribute("aria-valuetext", output.textContent);
      }
      updates.forEach((update) => update());
    }));
    updates.slice(1).forEach((update) => update());

    // the other frames are files beside the page: fetched when a hand comes near, before a control moves
    function fetchFrames() {
      data.frames.forEach((address) => { new Image().src = address; });
      ["pointerenter", "focusin", "touchstart"].forEach((name) => box.removeEventListener(name, fetchFrames));
    }
    ["pointerenter", "focusin", "touchstart"].forEach((name) => box.addEventListener(name, fetchFrames, { passive: true }));
    box.dataset.ready = "yes";
  }

  const all = () => document.querySelectorAll(".explorable").forEach(start);
  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", all);
  else all();
})();
