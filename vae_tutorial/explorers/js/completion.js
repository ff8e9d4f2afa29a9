// Completion: a digit partly covered, p(z|visible pixels) as a map of its grid, the completions at its modes and of samples.
import { asBytes, createNetwork, decodeFloat, sigmoid } from "./network.js";
import { button, clamp, coalesce, createAnnouncer, element, followHash, formatNumber, listen, math, prepareRoot, setState, stageName } from "./page.js";
import { followTheme } from "./theme.js";
import { createAxes, createSurface, onArrows, onDrag } from "./canvas.js";
import { drawCentres, drawPrior, outlinedText } from "./class_map.js";
import { createDigitPainter, digitValues, PIXELS, SIDE } from "./digits.js";
import { createHeat } from "./heat.js";
import { createUniform } from "./random.js";
import { cellMasses, drawCell, findModes, gridCodes, visibleLogLikelihood, visiblePixels } from "./visible.js";

const LEAST = 0.02;                                                  // of the mass: lighter modes are not shown
const SHOWN = 3, SAMPLES = 6;                                        // modes with a picture; draws
const TIME = 24, ROWS = 8;                                           // milliseconds of decoding between two frames; rows between two pictures
const NAMES = ["left", "right", "top", "bottom"], NUMBERS = ["①", "②", "③"];

// Stripes over what is covered.
function drawCover(context, width, height, side, covered, colours) {
  const size = covered / SIDE, across = side < 2;
  const box = [side === 1 ? width * (1 - size) : 0, side === 3 ? height * (1 - size) : 0, across ? width * size : width, across ? height : height * size];
  context.save();
  context.beginPath();
  context.rect(...box);
  context.clip();
  context.fillStyle = colours.card;
  context.fillRect(...box);
  context.strokeStyle = colours.soft;
  context.lineWidth = 1.5;
  context.beginPath();
  for (let x = -height; x < width; x += 9) {
    context.moveTo(x, height);
    context.lineTo(x + height, 0);
  }
  context.stroke();
  context.restore();
}

function render({ model, el }) {
  const lifetime = new AbortController(), { signal } = lifetime;
  const decoder = createNetwork(model.get("decoder_layers"), model.get("decoder_weights"), model.get("precision"));
  const points = model.get("points"), extent = model.get("extent"), cells = points * points, codes = gridCodes(points, extent);
  const digits = digitValues(asBytes(model.get("digits"))), count = digits.length / PIXELS;
  const places = decodeFloat(model.get("centres")), centres = Array.from({ length: 10 }, (_, label) => ({ label, x: places[2 * label], y: places[2 * label + 1] }));
  const traits = ["digit", "side", "covered", "seed"], start = Object.fromEntries(traits.map((name) => [name, model.get(name)]));
  const logits = new Float32Array(cells * PIXELS), softplus = new Float32Array(cells * PIXELS), run = decoder.createBatch(codes, points);
  const decoded = new Float32Array(SHOWN * PIXELS), sampled = new Float32Array(SAMPLES * PIXELS);
  let filled = 0, pictured = 0, frame = 0, colours = null, mass = new Float64Array(cells), modes = [], samples = [], seen = visiblePixels(0, 0), held = -1;
  const offset = () => (model.get("digit") - 1) * PIXELS;

  // A picture on a canvas, with its values and, over them, what `over` draws.
  const picture = (values, at, over = null) => {
    const canvas = element("canvas", { class: "vae-square", role: "img" }), paintDigit = createDigitPainter();
    const surface = createSurface(canvas, signal, (context, width, height) => {
      if (!colours) return;
      paintDigit(context, width, height, values, colours, at());
      over?.(context, width, height);
    });
    return { canvas, paint: surface.paint };
  };
  const edge = (context, width, height) => {                         // where the cover began
    const share = model.get("covered") / SIDE, side = model.get("side");
    if (share === 0 || share === 1) return;
    const at = side % 2 ? 1 - share : share;
    context.strokeStyle = colours.posterior;
    context.setLineDash([4, 3]);
    context.lineWidth = 1.5;
    context.beginPath();
    context.moveTo(side < 2 ? at * width : 0, side < 2 ? 0 : at * height);
    context.lineTo(side < 2 ? at * width : width, side < 2 ? height : at * height);
    context.stroke();
    context.setLineDash([]);
  };
  const input = picture(digits, offset, (context, width, height) => drawCover(context, width, height, model.get("side"), model.get("covered"), colours));
  const whole = picture(digits, offset);
  const completions = Array.from({ length: SHOWN }, (_, i) => ({ ...picture(decoded, () => i * PIXELS, edge), caption: element("p", { class: "vae-soft" }) }));
  const draws = Array.from({ length: SAMPLES }, (_, i) => picture(sampled, () => i * PIXELS, edge));

  const paintHeat = createHeat(points);
  const map = element("canvas", { class: "vae-square vae-active", role: "application", tabindex: 0 });
  const mapSurface = createSurface(map, signal, (context, width, height) => {
    if (!colours) return;
    const axes = createAxes(width, height, extent), at = (cell) => axes.toScreen(codes[2 * cell], codes[2 * cell + 1]);
    paintHeat(context, width, height, mass, colours);
    drawPrior(context, axes, colours);
    drawCentres(context, axes, centres, colours, 15);
    for (const cell of samples) {
      const [x, y] = at(cell);
      context.strokeStyle = colours.ink;
      context.lineWidth = 1.3;
      context.strokeRect(x - 2.5, y - 2.5, 5, 5);
    }
    context.textAlign = "left";
    context.textBaseline = "middle";
    context.font = "700 17px system-ui, sans-serif";
    modes.slice(0, SHOWN).forEach(({ index }, i) => {
      const [x, y] = at(index);
      context.strokeStyle = context.fillStyle = colours.ink;
      context.lineWidth = 2;
      context.beginPath();
      context.arc(x, y, 5, 0, 2 * Math.PI);
      context.stroke();
      outlinedText(context, NUMBERS[i], x > width - 34 ? x - 28 : x + 9, y, colours);
    });
    if (held >= 0) {
      context.strokeStyle = colours.ink;
      context.lineWidth = 2;
      context.strokeRect(...at(held).map((value) => value - 5), 10, 10);
    }
  });
  // While the map is pressed, or arrow keys walk on it, the third picture shows the completion there.
  onDrag(map, signal, (x, y, phase) => {
    const column = Math.min(points - 1, Math.floor(x / map.clientWidth * points)), row = Math.min(points - 1, Math.floor(y / map.clientHeight * points));
    held = phase === "end" ? -1 : row * points + column;
    show();
  });
  const release = () => {
    held = -1;
    show();
  };
  onArrows(map, signal, (dx, dy) => {
    const from = held >= 0 ? held : modes[0]?.index ?? 0;
    held = clamp(Math.floor(from / points) - dy, 0, points - 1) * points + clamp(from % points + dx, 0, points - 1);
    show();
  }, release);
  map.addEventListener("blur", release, { signal });

  const sentence = element("p", { class: "vae-sentence" });
  prepareRoot(el, "completion");
  el.replaceChildren(
    element("div", { class: "vae-buttons" },
      button("draw again", signal, () => setState(model, { seed: model.get("seed") + 1 })),
      button("half covered", signal, () => setState(model, { covered: 14 })),
      button("reset", signal, () => setState(model, start))),
    element("div", { class: "vae-columns" },
      element("div", {},
        stageName("Input", "", "what is seen, and the whole digit"), element("div", { class: "vae-pair" }, input.canvas, whole.canvas),
        stageName("Output", "vae-decoder", "completed at the modes"),
        element("div", { class: "vae-trio" }, ...completions.map(({ canvas, caption }) => element("div", {}, canvas, caption)))),
      element("div", {}, stageName("Latent", "vae-posterior", math("p(z|visible pixels)"), "press to complete from a place of your own"), map)),
    sentence,
    stageName("Output", "vae-decoder", "completed from samples of ", math("p(z|visible pixels)"), " (□ on the map)"),
    element("div", { class: "vae-draws" }, ...draws.map(({ canvas }) => canvas)),
    element("p", { class: "vae-hint" }, element("b", {}, "Try: "), "move ", element("i", {}, "covered"), " up from 0. When does a second mode appear, and which digit does it complete? Then cover all 28: what is left on the map?"));
  const announce = createAnnouncer(el, signal);

  // The picture of one cell with the visible pixels of the digit put back.
  function complete(values, at, cell) {
    for (let i = 0; i < PIXELS; i++) values[at + i] = sigmoid(logits[cell * PIXELS + i]);
    for (const pixel of seen) values[at + pixel] = digits[offset() + pixel];
  }
  function measure() {
    const uniform = createUniform(model.get("seed"));
    seen = visiblePixels(model.get("side"), model.get("covered"));
    const known = visibleLogLikelihood(logits, softplus, filled, digits, offset(), seen), all = new Float64Array(cells).fill(-Infinity);
    all.set(known);
    mass = filled ? cellMasses(all, codes) : mass;
    const done = filled === cells;
    modes = done ? findModes(mass, points, LEAST) : [];
    samples = done ? Array.from({ length: SAMPLES }, () => drawCell(mass, uniform())) : [];
    sampled.fill(0);
    samples.forEach((cell, i) => complete(sampled, i * PIXELS, cell));
    const entropy = done ? -mass.reduce((sum, value) => sum + (value > 0 ? value * Math.log(value) : 0), 0) : NaN;
    const first = modes.slice(0, SHOWN), padded = (values) => [...values, 0, 0, 0].slice(0, SHOWN);
    el.values = {
      filled: filled / cells, entropy, count: done ? modes.length : NaN, masses: padded(first.map(({ mass: share }) => share)),
      codes: [0, 1].flatMap((axis) => padded(first.map(({ index }) => codes[2 * index + axis]))), samples, side: model.get("side"), held,
    };
  }
  function show() {
    decoded.fill(0);
    modes.slice(0, SHOWN).forEach(({ index }, i) => complete(decoded, i * PIXELS, index));
    if (held >= 0 && filled === cells) complete(decoded, (SHOWN - 1) * PIXELS, held);
    el.values.held = held;
    completions.forEach(({ canvas, caption }, i) => {
      const mode = modes[i], own = held >= 0 && i === SHOWN - 1, where = own ? "at the place pressed" : mode ? `mode ${i + 1}` : "no mode here";
      caption.textContent = own ? "□ pressed" : mode ? `${NUMBERS[i]} ${formatNumber(100 * mode.mass, 0)} %` : "–";
      canvas.setAttribute("aria-label", `completion, ${where}`);
    });
    if (colours) paint();
  }
  function say() {
    const { entropy, masses, count: found } = el.values, side = NAMES[model.get("side")];
    const text = filled < cells ? `Decoding the grid of codes, once: ${Math.round(100 * filled / cells)} % …`
      : `${model.get("covered")} of ${SIDE} ${model.get("side") < 2 ? "columns" : "rows"} covered from the ${side}: `
      + `${found === 1 ? "one mode holds" : `${found} modes hold`} 2 % or more of the mass; the heaviest ${formatNumber(100 * masses[0], 0)} %. `
      + `The posterior spreads over about ${formatNumber(Math.exp(entropy), Math.exp(entropy) < 10 ? 1 : 0)} of ${cells.toLocaleString("en")} cells.`;
    sentence.textContent = text;
    map.setAttribute("aria-label", `Heat map of the posterior over z, with the classes' places. ${text} Arrow keys complete from another place, Home ends that.`);
    input.canvas.setAttribute("aria-label", `digit ${model.get("digit")} of ${count}, ${model.get("covered")} of ${SIDE} pixels covered from the ${side}`);
    whole.canvas.setAttribute("aria-label", `digit ${model.get("digit")} of ${count}, whole`);
    draws.forEach(({ canvas }, i) => canvas.setAttribute("aria-label", `completion from sample ${i + 1}`));
    if (filled === cells) announce(text);
  }
  function update() {
    measure();
    say();
    show();
  }
  function paint() {
    mapSurface.paint();
    for (const { paint: draw } of [input, whole, ...completions, ...draws]) draw();
  }
  // Decodes row after row of the grid, a few between two frames.
  function fill() {
    const end = performance.now() + TIME;
    while (filled < cells && performance.now() < end) {
      const batch = run(filled, filled + points), at = filled * PIXELS;
      logits.set(batch, at);
      for (let i = 0; i < batch.length; i++) softplus[at + i] = batch[i] > 0 ? batch[i] + Math.log1p(Math.exp(-batch[i])) : Math.log1p(Math.exp(batch[i]));
      filled += points;
    }
    if (filled === cells || filled - pictured >= ROWS * points) {
      pictured = filled;
      update();
    }
    el.dataset.filled = String(filled === cells);
    if (filled < cells) frame = requestAnimationFrame(fill);
  }
  signal.addEventListener("abort", () => cancelAnimationFrame(frame));
  followHash(model, { completed: "digit", from: "side", covered: "covered" }, { digit: [1, count], side: [0, 3], covered: [0, SIDE] }, ["digit", "side", "covered"]);
  Object.assign(el, { decoded, sampled });
  update();
  followTheme(el, signal, (now) => {
    colours = now;
    paint();
  });
  listen(model, traits, signal, coalesce(signal, update));
  el.dataset.filled = "false";
  el.dataset.ready = "true";
  const near = new IntersectionObserver((entries) => {               // not before the reader is there
    if (!entries.some(({ isIntersecting }) => isIntersecting)) return;
    near.disconnect();
    frame = requestAnimationFrame(fill);
  }, { rootMargin: "300px" });
  near.observe(el);
  signal.addEventListener("abort", () => near.disconnect());
  return () => lifetime.abort();
}

export default { render };
