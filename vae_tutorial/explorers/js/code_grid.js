// Code grid: the codes of a digit, cell by cell; the chosen cell's code is changed and the digit decoded anew.
import { asBytes, createNetwork, decodeFloat, sigmoid } from "./network.js";
import { button, clamp, createAnnouncer, element, followHash, formatNumber, listen, math, prepareRoot, setState, stageName } from "./page.js";
import { followTheme } from "./theme.js";
import { createSurface, onArrows, onDrag } from "./canvas.js";
import { createDigitPainter, digitValues, PIXELS } from "./digits.js";
import { changedPixels, vectorsOf } from "./codes.js";

const VISIBLE = 0.05;                                                // a change of a pixel's probability that counts
const PATCH = 12;                                                    // pixels to a side of the picture of a code

// Lines between the cells, and a frame around the chosen one.
function drawCells(context, width, height, { rows, columns, cell, colours }) {
  const [high, wide] = [height / rows, width / columns];
  context.strokeStyle = colours.soft;
  context.globalAlpha = 0.35;
  context.lineWidth = 1;
  context.beginPath();
  for (let i = 1; i < columns; i++) {
    context.moveTo(i * wide, 0);
    context.lineTo(i * wide, height);
  }
  for (let i = 1; i < rows; i++) {
    context.moveTo(0, i * high);
    context.lineTo(width, i * high);
  }
  context.stroke();
  context.globalAlpha = 1;
  const row = Math.floor((cell - 1) / columns), column = (cell - 1) % columns;
  for (const [colour, line] of [[colours.card, 5], [colours.q, 2.5]]) {
    context.strokeStyle = colour;
    context.lineWidth = line;
    context.strokeRect(column * wide + 1.5, row * high + 1.5, wide - 3, high - 3);
  }
}

function render({ model, el }) {
  const lifetime = new AbortController(), { signal } = lifetime;
  const decoder = createNetwork(model.get("decoder_layers"), model.get("decoder_weights"), model.get("precision"));
  const [rows, columns] = model.get("size"), cells = rows * columns, codebook = decodeFloat(model.get("codebook"));
  const dimension = decoder.inputs / cells, size = codebook.length / dimension, background = model.get("background");
  const grids = asBytes(model.get("grids")), digits = digitValues(asBytes(model.get("digits"))), labels = asBytes(model.get("labels"));
  const frequency = model.get("frequency");
  const start = { digit: model.get("digit"), cell: model.get("cell"), code: model.get("code") };
  const decoded = new Float32Array(PIXELS), untouched = new Float32Array(PIXELS);
  const ownGrid = (digit) => Array.from(grids.subarray(digit * cells, (digit + 1) * cells));
  let colours = null, shown = { digit: -1, cell: -1 }, grid = [], frame = 0;

  function decodeInto(values, codes) {
    const logits = decoder.forward(vectorsOf(codes, codebook, dimension));
    for (let i = 0; i < PIXELS; i++) values[i] = sigmoid(logits[i]);
  }
  const paintDigit = createDigitPainter();
  const pictureOf = (values, offset, attributes, beneath = () => {}) => {
    const canvas = element("canvas", { class: "vae-square", ...attributes });
    const surface = createSurface(canvas, signal, (context, width, height) => {
      if (!colours) return;
      paintDigit(context, width, height, values, colours, offset());
      beneath(context, width, height);
    });
    return { canvas, paint: surface.paint };
  };
  const input = pictureOf(digits, () => model.get("digit") * PIXELS, { role: "img", "aria-label": "held-out digit, the original" });
  const output = pictureOf(decoded, () => 0, { class: "vae-square vae-active", tabindex: 0, role: "application" },
    (context, width, height) => drawCells(context, width, height, { rows, columns, cell: model.get("cell"), colours }));
  const numbers = element("canvas", { class: "vae-square vae-active", role: "img", "data-grid": "codes" });
  const numberSurface = createSurface(numbers, signal, (context, width, height) => {
    if (!colours) return;
    const own = ownGrid(model.get("digit")), [high, wide] = [height / rows, width / columns];
    context.fillStyle = colours.card;
    context.fillRect(0, 0, width, height);
    context.textAlign = "center";
    context.textBaseline = "middle";
    grid.forEach((code, i) => {
      const edited = code !== own[i];
      context.font = `${edited ? "700 " : ""}${Math.round(clamp(wide * 0.42, 10, 16))}px system-ui, sans-serif`;
      context.fillStyle = edited ? colours.decoder : code === background ? colours.soft : colours.ink;
      context.fillText(String(code), (i % columns + 0.5) * wide, (Math.floor(i / columns) + 0.5) * high);
    });
    drawCells(context, width, height, { rows, columns, cell: model.get("cell"), colours });
  });
  for (const canvas of [output.canvas, numbers]) {
    onDrag(canvas, signal, (x, y, phase) => {
      if (phase === "end") return;
      const column = clamp(Math.floor(x / canvas.clientWidth * columns), 0, columns - 1), row = clamp(Math.floor(y / canvas.clientHeight * rows), 0, rows - 1);
      setState(model, { cell: row * columns + column + 1 });
    });
  }
  onArrows(output.canvas, signal, (dx, dy) => {
    const row = Math.floor((model.get("cell") - 1) / columns), column = (model.get("cell") - 1) % columns;
    setState(model, { cell: clamp(row - dy, 0, rows - 1) * columns + clamp(column + dx, 0, columns - 1) + 1 });
  }, () => reset());
  output.canvas.addEventListener("keydown", (event) => {
    const step = { PageUp: 1, PageDown: -1 }[event.key];
    if (!step) return;
    setState(model, { code: (model.get("code") + step + size) % size });
    event.preventDefault();
    event.stopPropagation();
  }, { signal });

  const paintPatch = createDigitPainter(PATCH);
  const patches = digitValues(asBytes(model.get("patches")));
  const picks = Array.from({ length: size }, (_, code) => {
    const canvas = element("canvas", { "aria-hidden": "true" });
    const surface = createSurface(canvas, signal, (context, width, height) => colours && paintPatch(context, width, height, patches, colours, code * PATCH * PATCH));
    const node = button("", signal, () => setState(model, { code }), { "aria-label": `code ${code}, in ${formatNumber(100 * frequency[code], 1)} % of cells` });
    node.classList.replace("vae-button", "vae-sample");
    node.append(canvas);
    return { node, paint: surface.paint };
  });
  const facts = { cell: element("dd"), code: element("dd"), edited: element("dd"), pixels: element("dd") };
  const fact = (name, value) => element("div", {}, element("dt", {}, name), value);
  function reset() {
    shown = { digit: -1, cell: -1 };                                 // the grid is read anew, edits are gone
    setState(model, start);
    update();
  }
  prepareRoot(el, "code-grid");
  el.replaceChildren(
    element("div", { class: "vae-trio vae-coded" },
      element("div", {}, stageName("Input", "", math("x")), input.canvas),
      element("div", {}, stageName("Codes", "vae-q"), numbers),
      element("div", {}, stageName("Output", "vae-decoder"), output.canvas)),
    element("dl", { class: "vae-facts vae-wide" }, fact("cell", facts.cell), fact("its code", facts.code), fact("cells edited", facts.edited), fact("pixels that the edits changed", facts.pixels)),
    stageName("Codebook", "vae-q", "the mean image around each code’s cells; press one to put it into the cell"),
    element("div", { class: "vae-samples vae-codebook" }, ...picks.map(({ node }) => node)),
    element("div", { class: "vae-buttons" }, button("undo edits", signal, () => {
      shown.digit = -1;
      update();
    }), button("reset", signal, reset)),
    element("p", { class: "vae-hint" }, element("b", {}, "Try: "), "change the code of a cell with ink. How many pixels away is it felt? Then turn the digit into another one with as few edits as you can."));
  const announce = createAnnouncer(el, signal);

  // Which of the three traits changed decides what is kept: a new digit brings its grid, a new cell shows its code, a new code is an edit.
  function update() {
    const digit = clamp(model.get("digit"), 0, labels.length - 1), cell = clamp(model.get("cell"), 1, cells);
    if (digit !== shown.digit) {
      grid = ownGrid(digit);
      decodeInto(untouched, grid);
    } else if (cell === shown.cell) {
      grid[cell - 1] = clamp(model.get("code"), 0, size - 1);
    }
    shown = { digit, cell };
    if (model.get("code") !== grid[cell - 1]) setState(model, { code: grid[cell - 1] });
    decodeInto(decoded, grid);
    const code = grid[cell - 1], own = ownGrid(digit), edited = grid.filter((each, i) => each !== own[i]).length;
    const changed = changedPixels(decoded, untouched, VISIBLE), row = Math.floor((cell - 1) / columns) + 1, column = (cell - 1) % columns + 1;
    facts.cell.textContent = `row ${row}, column ${column}`;
    facts.code.textContent = `${code} of 0 … ${size - 1}, in ${formatNumber(100 * frequency[code], 1)} % of cells`;
    facts.edited.textContent = `${edited} of ${cells}`;
    facts.pixels.textContent = `${changed} of ${PIXELS}`;
    picks.forEach(({ node }, each) => node.setAttribute("aria-pressed", String(each === code)));
    const where = `Row ${row}, column ${column}: code ${code}.`;
    output.canvas.setAttribute("aria-label", `Decoded digit ${labels[digit]} with its cells. ${where} Arrow keys choose the cell, page keys its code, Home resets.`);
    numbers.setAttribute("aria-label", `Grid of codes of digit ${labels[digit]}, line by line: ${grid.join(" ")}`);
    announce(`Digit ${labels[digit]}. ${where} ${edited} cells edited, ${changed} pixels changed.`);
    el.values = { cell, code, grid: [...grid], changed, edited };
    el.digit = digit;
    if (colours && !frame) frame = requestAnimationFrame(() => {
      frame = 0;
      paint();
    });
  }
  signal.addEventListener("abort", () => cancelAnimationFrame(frame));
  function paint() {
    input.paint();
    output.paint();
    numberSurface.paint();
  }
  el.decoded = decoded;
  update();
  followHash(model, { digit: "digit", cell: "cell" }, { digit: [0, labels.length - 1], cell: [1, cells] }, ["digit", "cell"]);
  update();
  followHash(model, { code: "code" }, { code: [0, size - 1] }, ["code"]);
  update();
  followTheme(el, signal, (now) => {
    colours = now;
    picks.forEach((pick) => pick.paint());
    paint();
  });
  listen(model, ["digit", "cell", "code"], signal, update);
  el.dataset.ready = "true";
  return () => lifetime.abort();
}

export default { render };
