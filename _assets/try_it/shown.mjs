// How results are shown: numbers, the table of files, and the bar of where the bytes went.

const COUNT = new Intl.NumberFormat("en");

export const count = (number) => COUNT.format(number);
export const decibels = (value) => (value === Infinity ? "no error" : `${value.toFixed(2)} dB`);

/** What is said about a picture of a reader: its size, and whether it was reduced. */
export function noticeOf({ width, height, from }, maxSide) {
  const isReduced = width !== from.width || height !== from.height;
  if (!isReduced) return `${width} x ${height} pixels.`;
  return (
    `Your picture has ${from.width} x ${from.height} pixels. This page codes at most ${maxSide} per side, ` +
    `so it was reduced to ${width} x ${height} first. The command “mfca encode” takes it whole.`
  );
}

/** Append an element with a class and a text. */
function make(name, parent, text = "", kind = "") {
  const element = document.createElement(name);
  element.textContent = text;
  if (kind) element.className = kind;
  parent.append(element);
  return element;
}

/** Fill a table's body: rows of {name, bytes, psnr, isOurs}; pixels are the picture's. */
export function showFiles(body, rows, pixels) {
  body.replaceChildren();
  for (const { name, bytes, psnr, isOurs, why } of rows) {
    const row = make("tr", body, "", isOurs ? "ours" : "");
    make("th", row, name).scope = "row";
    if (why) {
      make("td", row, why).colSpan = 3;
      continue;
    }
    make("td", row, count(bytes));
    make("td", row, ((8 * bytes) / pixels).toFixed(3));
    make("td", row, psnr === undefined ? "–" : decibels(psnr));
  }
}

/** One bar whose parts are as long as they have bytes, and the same as a list. */
export function showParts(figure, { header, map, z, passes }) {
  const parts = [
    ["header and checksum", header, "header"],
    ["importance map", map, "map"],
    ["z, the side information", z, "z"],
    ...passes.map((bytes, p) => [`pass ${p + 1}`, bytes, `pass pass-${p + 1}`]),
  ];
  const total = parts.reduce((sum, [, bytes]) => sum + bytes, 0);
  const bar = figure.querySelector(".try-bar");
  const list = figure.querySelector("ul");
  bar.replaceChildren();
  list.replaceChildren();
  for (const [name, bytes, kind] of parts) {
    make("span", bar, "", kind).style.flexGrow = bytes;
    const item = make("li", list);
    make("span", item, "", `try-key ${kind}`);
    make("span", item, name);
    make("b", item, count(Math.round(bytes))); // passes share one stream: their bytes are its parts
    make("span", item, `${((100 * bytes) / total).toFixed(1)} %`);
  }
}
