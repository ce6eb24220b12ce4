// Chapter 9: the bytes of a file; the one under the pointer names its field.
(function (mfca) {
  "use strict";

  const ACROSS = 16;
  const SHOWN = 4; // rows, and the last one

  // given.bytes: the file; given.fields: [name, first byte, length, meaning] of each
  mfca.kinds.bytes = function (board) {
    const { bytes, fields } = board.given;
    const shown = [...Array(ACROSS * SHOWN).keys()];
    const end = [...Array(ACROSS).keys()].map((i) => bytes.length - ACROSS + i);
    const fieldOf = (at) => fields.findIndex(([, start, size]) => start <= at && at < start + size);

    // one row of the table after the other, with a gap before the last one
    const table = mfca.make("html:div", { class: "hex" }, board.stage);
    const cells = [];
    [...shown, ...end].forEach((at, i) => {
      if (i % ACROSS === 0) {
        if (i === shown.length) mfca.make("html:span", { class: "hex-gap" }, table, "⋯");
        mfca.make("html:span", { class: "hex-at" }, table, String(at));
      }
      const text = bytes[at].toString(16).padStart(2, "0");
      const cell = mfca.make("html:span", { class: "hex-byte", "data-at": at }, table, text);
      cell.style.setProperty("--hue", `var(--${["blue", "amber", "teal", "violet"][fieldOf(at) % 4]})`);
      cells.push(cell);
    });

    // the byte under a mouse, or under a finger that is down
    const under = (event) => {
      const cell = document.elementFromPoint(event.clientX, event.clientY);
      if (cell && cell.dataset.at) board.move({ field: fieldOf(Number(cell.dataset.at)) });
    };
    mfca.drag(table, (x, y, event) => under(event));
    table.addEventListener("pointermove", under);

    return function () {
      const [name, start, size, meaning] = fields[board.at("field")];
      cells.forEach((cell) => {
        const at = Number(cell.dataset.at);
        cell.classList.toggle("on", start <= at && at < start + size);
      });
      const place = size === 1 ? `byte ${start}` : `bytes ${start} to ${start + size - 1}`;
      board.say(`${name}: ${place}; ${meaning}`);
    };
  };
})((globalThis.mfca = globalThis.mfca || {}));
