// Conditional: a class and six style units; the chosen class large, the same code as all ten classes beside it.
import { createNetwork, sigmoid } from "./network.js";
import { button, coalesce, createAnnouncer, element, followHash, formatNumber, listen, math, prepareRoot, setState, stageName } from "./page.js";
import { followTheme } from "./theme.js";
import { createSurface } from "./canvas.js";
import { createDigitPainter, PIXELS } from "./digits.js";
import { createNormal } from "./random.js";
import { slantOf } from "./slant.js";

const CLASSES = 10, REACH = 3, STEP = 0.05;

function render({ model, el }) {
  const lifetime = new AbortController(), { signal } = lifetime;
  const decoder = createNetwork(model.get("decoder_layers"), model.get("decoder_weights"), model.get("precision"));
  const order = model.get("order"), size = order.length, ranks = order.map((_, rank) => `rank${rank + 1}`);
  const start = Object.fromEntries(["label", ...ranks].map((name) => [name, model.get(name)]));
  const decoded = new Float32Array(CLASSES * PIXELS), input = new Float32Array(size + CLASSES), slants = new Float32Array(CLASSES);
  const normal = createNormal(7);
  let colours = null;

  const picture = (at) => {
    const canvas = element("canvas", { class: "vae-square", role: "img" }), paintDigit = createDigitPainter();
    const surface = createSurface(canvas, signal, (context, width, height) => colours && paintDigit(context, width, height, decoded, colours, at() * PIXELS));
    return { canvas, paint: surface.paint };
  };
  const large = picture(() => model.get("label"));
  const tiles = Array.from({ length: CLASSES }, (_, label) => {
    const { canvas, paint } = picture(() => label), slant = element("span");
    canvas.setAttribute("aria-hidden", "true");
    const node = element("button", { type: "button", class: "vae-pick", "aria-label": `class ${label}` }, canvas);
    node.addEventListener("click", () => setState(model, { label }), { signal });
    return { node: element("div", {}, node, element("p", {}, `${label}: `, slant)), press: node, slant, paint };
  });
  const sentence = element("p", { class: "vae-sentence" });
  const setRanks = (values) => setState(model, Object.fromEntries(ranks.map((name, rank) => [name, values[rank]])));
  const handwriting = () => setRanks(ranks.map(() => Math.round(Math.min(REACH, Math.max(-REACH, normal())) / STEP) * STEP).map((value) => Math.round(100 * value) / 100));
  prepareRoot(el, "conditional");
  el.replaceChildren(
    element("div", { class: "vae-buttons" },
      button("new handwriting", signal, handwriting), button("z = 0", signal, () => setRanks(ranks.map(() => 0))), button("reset", signal, () => setState(model, start))),
    element("div", { class: "vae-told" },
      element("div", {}, stageName("Decoder", "vae-decoder", math("p(x|z, y)")), large.canvas),
      element("div", {}, stageName("Same z", "vae-q", "as every class, with its slant; press one to choose it"),
        element("div", { class: "vae-ten-classes" }, ...tiles.map(({ node }) => node)))),
    sentence,
    element("p", { class: "vae-hint" }, element("b", {}, "Try: "), "draw a 7 that leans to the left. Then change the class and leave the sliders alone: does the lean stay? Press ", element("i", {}, "new handwriting"), " a few times."));
  const announce = createAnnouncer(el, signal);

  function update() {
    const label = model.get("label"), z = new Array(size);
    order.forEach((unit, rank) => { z[unit] = model.get(ranks[rank]); });
    for (let c = 0; c < CLASSES; c++) {
      input.fill(0);
      input.set(z);
      input[size + c] = 1;                                           // the class, one of ten
      const logits = decoder.forward(input);
      for (let i = 0; i < PIXELS; i++) decoded[c * PIXELS + i] = sigmoid(logits[i]);
      slants[c] = slantOf(decoded, c * PIXELS);
      tiles[c].slant.textContent = formatNumber(slants[c]);
      tiles[c].press.setAttribute("aria-pressed", String(c === label));
    }
    el.values = { label, z, slants };
    const text = `A ${label} with a slant of ${formatNumber(slants[label])}; the mean over all ten classes is ${formatNumber(slants.reduce((a, b) => a + b, 0) / CLASSES)}.`;
    sentence.textContent = text;
    large.canvas.setAttribute("aria-label", `decoded digit of class ${label}`);
    announce(text);
    if (colours) paint();
  }
  function paint() {
    large.paint();
    tiles.forEach(({ paint: draw }) => draw());
  }
  const ranges = Object.fromEntries(ranks.map((name) => [name, [-REACH, REACH]]));
  followHash(model, { class: "label", ...Object.fromEntries(ranks.map((name) => [`style${name.slice(4)}`, name])) }, { label: [0, 9], ...ranges }, ["label"]);
  Object.assign(el, { decoded });
  update();
  followTheme(el, signal, (now) => {
    colours = now;
    paint();
  });
  listen(model, ["label", ...ranks], signal, coalesce(signal, update));
  el.dataset.ready = "true";
  return () => lifetime.abort();
}

export default { render };
