// Starts every explorable of a page (mfca_tutorial/show/explorables.py). No library, no request but for frames.
(function (mfca) {
  "use strict";

  // ---- frames that were drawn in advance

  mfca.kinds.frames = function (board) {
    const { data, stage } = board;
    const [picture, over] = stage.querySelectorAll("img");
    const left = stage.querySelector(".tag.left");
    const right = stage.querySelector(".tag.right");
    const curtain = over ? mfca.curtain(stage) : null;
    const hasLabels = data.labels.some(Boolean);
    const panels = board.box.querySelectorAll(".explorable-panels > span");

    // where there is no curtain, the picture itself is what one touches
    if (data.touch && typeof data.touch[0] === "string") touchPanels(board, data.touch);
    else if (data.touch) touchCells(board, ...data.touch);
    else if (!curtain) scrub(board);

    return function () {
      let at = 0;
      board.inputs.forEach((input, i) => { at = at * data.counts[i] + Number(input.value); });
      picture.src = data.frames[data.index[at]];
      picture.alt = data.alts[at];
      if (left) left.textContent = hasLabels ? data.labels[at] : data.notes[at];
      panels.forEach((panel, i) => { panel.textContent = data.panels[at][i]; });
      if (curtain) {
        over.src = data.frames[data.beside[at]];
        over.alt = `Behind the curtain: ${data.besideLabels[at]}.`;
        right.textContent = data.besideLabels[at];
        curtain();
      }
      board.say(data.notes[at]);
    };
  };

  // dragging across the picture moves its first slider from end to end
  function scrub(board) {
    const input = board.inputs.find((one) => one.type === "range");
    if (!input) return;
    mfca.drag(board.stage, (x) => board.move({ [input.dataset.key]: Math.round(x * input.max) }));
  }

  // a grid over the picture: cell n of it is value n + 1 of the first slider; touched again, it is value 0
  function touchCells(board, rows, columns) {
    const input = board.inputs[0];
    const mark = mfca.make("html:span", { class: "cell-mark", hidden: "" }, board.stage);
    let before = null;
    mfca.drag(board.stage, (x, y, event) => {
      const row = Math.min(Math.floor(y * rows), rows - 1);
      const column = Math.min(Math.floor(x * columns), columns - 1);
      const cell = row * columns + column + 1;
      if (event.type === "pointerdown") before = Number(input.value);
      const again = event.type === "pointerdown" && before === cell;
      board.move({ [input.dataset.key]: again ? 0 : cell });
    });
    const frameCell = () => {
      const cell = Number(input.value) - 1;
      mark.hidden = cell < 0;
      mark.style.left = (100 * (cell % columns)) / columns + "%";
      mark.style.top = (100 * Math.floor(cell / columns)) / rows + "%";
      mark.style.width = 100 / columns + "%";
      mark.style.height = 100 / rows + "%";
    };
    input.addEventListener("input", frameCell);
    frameCell();
  }

  // pictures in a row, each with the name of a control: touched, it gives the control the next value
  function touchPanels(board, names) {
    // a click, not a drag: a finger that scrolls the page exchanges nothing
    board.stage.addEventListener("click", (event) => {
      const box = board.stage.getBoundingClientRect();
      const x = (event.clientX - box.left) / box.width;
      const name = names[mfca.clamp(Math.floor(x * names.length), 0, names.length - 1)];
      const place = board.inputs.findIndex((input) => input.dataset.key === name);
      board.move({ [name]: (board.at(name) + 1) % board.data.counts[place] });
    });
    board.stage.classList.add("pressed");
  }

  // ---- the start

  // what an explorable works with: its elements, what it is given, where its controls are
  function boardOf(box) {
    const data = JSON.parse(box.querySelector(".explorable-data").textContent);
    const inputs = [...box.querySelectorAll(".explorable-input")];
    const said = box.querySelector(".explorable-said");
    const input = (key) => inputs.find((one) => one.dataset.key === key);
    const stage = box.querySelector(".explorable-stage");
    const board = {
      box,
      data,
      inputs,
      stage,
      given: mfca.unpack(data.given || {}),

      // the index of a control's value, and its text
      at: (key) => Number(input(key).value),
      text: (key) => data.texts[inputs.indexOf(input(key))][input(key).value],

      // move controls to indices, all before anything is drawn
      move(indices) {
        const moved = Object.entries(indices).filter(([key, index]) => {
          const before = input(key).value;
          input(key).value = index;
          return input(key).value !== before;
        });
        moved.forEach(([key]) => input(key).dispatchEvent(new Event("input", { bubbles: true })));
      },

      // give a slider other values: their texts, and the lines that they will say; it begins with the first
      replace(key, texts, notes) {
        const one = input(key);
        data.texts[inputs.indexOf(one)] = texts;
        one.max = texts.length - 1;
        one.value = 0;
        const longest = notes.reduce((most, note) => (note.length > most.length ? note : most), "");
        box.querySelector(".explorable-room").textContent = longest;
        one.dispatchEvent(new Event("input", { bubbles: true }));
      },

      // put a control where the script knows better, without drawing
      settle(key, index) {
        input(key).value = index;
        spell(data, box, input(key), inputs.indexOf(input(key)));
      },

      // what the reader has made is an entry of a list, the last one, once there is something
      isOwn: (key) => board.at(key) === data.texts[inputs.indexOf(input(key))].length,
      chooseOwn(key) {
        const list = input(key);
        const place = data.texts[inputs.indexOf(list)].length;
        if (list.options.length === place) mfca.make("html:option", { value: place }, list, "yours");
        list.value = place;
      },

      // the line below; without a picture of its own, the stage is described by it
      say(line) {
        const note = mfca.typeset(line);
        if (said && said.textContent !== note) said.textContent = note;
        if (!data.frames) stage.setAttribute("aria-label", `${data.alt} ${note}`);
      },
    };
    return board;
  }

  // the text of a slider's value, beside it and for screen readers
  function spell(data, box, input, i) {
    const output = box.querySelector(`output[for="${input.id}"]`);
    if (!output) return;
    output.textContent = data.texts[i][input.value];
    input.setAttribute("aria-valuetext", output.textContent);
  }

  // frames are files beside the page: fetched when a hand comes near, before a control moves
  function fetchSoon(board) {
    const names = ["pointerenter", "focusin", "touchstart"];
    function fetchFrames() {
      board.data.frames.forEach((address) => { new Image().src = address; });
      names.forEach((name) => board.box.removeEventListener(name, fetchFrames));
    }
    names.forEach((name) => board.box.addEventListener(name, fetchFrames, { passive: true }));
  }

  mfca.start = function (box) {
    const board = boardOf(box);
    mfca.steadySliders(box);
    if (!board.data.frames) board.stage.setAttribute("role", "group");
    const draw = mfca.kinds[box.dataset.kind](board);
    board.redraw = draw;
    board.inputs.forEach((input, i) => input.addEventListener("input", () => {
      spell(board.data, box, input, i);
      draw();
    }));
    if (board.data.frames) fetchSoon(board);
    draw();
    box.dataset.ready = "yes";
  };

  if (typeof document === "undefined") return;
  const all = () => document.querySelectorAll(".explorable:not([data-ready])").forEach(mfca.start);
  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", all);
  else all();
})((globalThis.mfca = globalThis.mfca || {}));
