// Chapter 9: the bytes of a file; the one under the pointer names its field.
//
// On the pages of the book, readers open files of their own: the codec in JavaScript reads them. The build puts two of
// its modules (web/container.mjs, web/bytes.mjs) beside this script; in Jupyter and Colab they are not there.
(function (mfca) {
  "use strict";

  const ACROSS = 16;
  const SHOWN = 4; // rows, and the last one
  const HUES = { map: "amber", z: "violet", y: "blue" }; // as in the chapter's drawing of a file
  const FLAGS = ["grey", "map", "tiled"];

  // the address of this script; an empty one where it is a part of the page itself
  const script = typeof document === "undefined" ? null : document.currentScript;
  const home = (script && script.src) || "";

  // ---- what the fields of a file say

  const commas = (number) => mfca.commas(number) + (number === 1 ? " byte" : " bytes");

  // the meaning of a field, in words; `header` and `fields` as `unpack` of container.mjs gives them
  function meaning({ name, start, end }, bytes, header, fields) {
    if (name === "magic") return "'MFCA'";
    if (name === "model id") return header.modelId;
    if (name === "width" || name === "height") return `${header[name]} pixels`;
    if (name === "quality") return `${header.quality} (in half steps)`;
    if (name === "tile size") return `tiles of at most ${header.tile} pixels per side`;
    if (name === "checksum") return "of all bytes before it";
    if (name === "flags") return FLAGS.filter((_, bit) => (bytes[start] >> bit) & 1).join(" + ") || "none";
    if (!name.startsWith("lengths")) return name === "version" ? String(bytes[start]) : commas(end - start);

    // the three streams that follow
    const at = fields.findIndex((field) => field.name === name);
    const streams = fields.slice(at + 1, at + 4);
    return streams.map((stream) => `${stream.name.split(" ")[0]}: ${commas(stream.end - stream.start)}`).join(", ");
  }

  // the colour of a field: that of its stream, and grey for the header and the checksum
  function hueOf([name]) {
    const stream = name.match(/^stream (\w+)/);
    return `var(--${stream ? HUES[stream[1]] : "rival"})`;
  }

  // "lengths 0" -> "lengths of the streams", "z 1" -> "stream z of tile 2"
  function title(name, isTiled) {
    const parts = name.match(/^(lengths|map|z|y) (\d+)$/);
    if (!parts) return name;
    const streams = parts[1] === "lengths" ? "lengths of the streams" : `stream ${parts[1]}`;
    return isTiled ? `${streams} of tile ${Number(parts[2]) + 1}` : streams;
  }

  // what `unpack` found in a file -> [name, first byte, length, meaning] of each field that has a byte
  mfca.fieldsOf = function (bytes, { header, fields }) {
    return fields
      .filter(({ start, end }) => end > start)
      .map((field) => {
        const { name, start, end } = field;
        return [title(name, header.tile > 0), start, end - start, meaning(field, bytes, header, fields)];
      });
  };

  // ---- a file of the reader's

  // offer(bytes, fields) gets what was opened
  function openOwn(place, offer) {
    const line = mfca.make("html:div", { class: "hex-own" }, place);
    const words = mfca.make("html:span", { role: "status" }, line);
    if (location.protocol === "file:") {
      words.textContent = "Once the book is served (python -m http.server), you can open a .mfca file of yours here.";
      return;
    }
    const label = mfca.make("html:label", { class: "hex-choose" }, line, "Open a .mfca file of yours");
    const input = mfca.make("html:input", { type: "file", accept: ".mfca" }, label);
    line.append(words);
    words.textContent = "as “Try it” or mfca encode writes it";

    async function open(file) {
      try {
        const { unpack } = await import(new URL("reader/container.mjs", home));
        const bytes = new Uint8Array(await file.arrayBuffer());
        offer(bytes, mfca.fieldsOf(bytes, unpack(bytes)));
        words.textContent = `${file.name}: ${commas(bytes.length)}`;
      } catch (error) {
        words.textContent = `${file.name}: ${error.message}`;
      }
    }
    input.addEventListener("change", () => {
      if (input.files.length > 0) open(input.files[0]);
    });
    place.addEventListener("dragover", (event) => event.preventDefault());
    place.addEventListener("drop", (event) => {
      if (event.dataTransfer.files.length === 0) return;
      event.preventDefault();
      open(event.dataTransfer.files[0]);
    });
  }

  // ---- the table

  // the number of the field that a byte belongs to
  const fieldAt = (fields, at) => fields.findIndex(([, start, size]) => start <= at && at < start + size);

  // rows of sixteen: the first four and the last one, with a gap between them; all, if there are no more
  function fill(table, bytes, fields) {
    const isWhole = bytes.length <= ACROSS * (SHOWN + 1);
    const first = [...Array(isWhole ? bytes.length : ACROSS * SHOWN).keys()];
    const last = isWhole ? [] : [...Array(ACROSS).keys()].map((i) => bytes.length - ACROSS + i);
    table.replaceChildren();
    return [...first, ...last].map((at, i) => {
      if (i % ACROSS === 0) {
        if (i === first.length) mfca.make("html:span", { class: "hex-gap" }, table, "⋯");
        mfca.make("html:span", { class: "hex-at" }, table, String(at));
      }
      const text = bytes[at].toString(16).padStart(2, "0");
      const cell = mfca.make("html:span", { class: "hex-byte", "data-at": at }, table, text);
      cell.style.setProperty("--hue", hueOf(fields[fieldAt(fields, at)]));
      return cell;
    });
  }

  // given.bytes: the file; given.fields: [name, first byte, length, meaning] of each
  mfca.kinds.bytes = function (board) {
    let { bytes, fields } = board.given;
    const table = mfca.make("html:div", { class: "hex" }, board.stage);
    let cells = fill(table, bytes, fields);

    // the byte under a mouse, or under a finger that is down
    const under = (event) => {
      const cell = document.elementFromPoint(event.clientX, event.clientY);
      if (cell && cell.dataset.at) board.move({ field: fieldAt(fields, Number(cell.dataset.at)) });
    };
    mfca.drag(table, (x, y, event) => under(event));
    table.addEventListener("pointermove", (event) => { if (event.pointerType === "mouse") under(event); });

    const note = ([name, start, size, text]) => {
      const place = size === 1 ? `byte ${start}` : `bytes ${start} to ${start + size - 1}`;
      return `${name}: ${place}; ${text}`;
    };
    if (home) {
      openOwn(board.stage, (ownBytes, ownFields) => {
        [bytes, fields] = [ownBytes, ownFields];
        cells = fill(table, bytes, fields);
        board.replace("field", fields.map(([name]) => name), fields.map(note));
      });
    }

    return function () {
      const field = fields[board.at("field")];
      const [, start, size] = field;
      cells.forEach((cell) => {
        const at = Number(cell.dataset.at);
        cell.classList.toggle("on", start <= at && at < start + size);
      });
      board.say(note(field));
    };
  };
})((globalThis.mfca = globalThis.mfca || {}));
