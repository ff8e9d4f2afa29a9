// Bottleneck: the first d units of an ordered code are kept, the rest set to 0, and the digits decoded from what is left.
import { asBytes, createNetwork, decodeFloat, sigmoid } from "./network.js";
import { button, clamp, coalesce, createAnnouncer, element, formatNumber, listen, math, parseHash, prepareRoot, setState, stageName } from "./page.js";
import { followTheme } from "./theme.js";
import { createSurface } from "./canvas.js";
import { createDigitPainter, digitValues, PIXELS } from "./digits.js";
import { createCurve } from "./curve.js";
import { distortionOf, squaredErrorOf } from "./objectives.js";

const MEASURES = { squared: { name: "squared error", trait: "squared_errors", unit: "" }, cross: { name: "cross-entropy", trait: "cross_entropies", unit: " nats" } };

// Code units as cells: the kept ones filled.
function drawCode(context, width, height, size, d, colours) {
  const cell = width / size, gap = Math.min(2, cell / 4);
  for (let unit = 0; unit < size; unit++) {
    context.fillStyle = unit < d ? colours.q : colours.line;
    context.fillRect(unit * cell, unit < d ? 0 : height / 3, cell - gap, unit < d ? height : height / 3);
  }
}

function render({ model, el }) {
  const lifetime = new AbortController(), { signal } = lifetime;
  const decoder = createNetwork(model.get("decoder_layers"), model.get("decoder_weights"), model.get("precision"));
  const size = decoder.inputs;
  const codes = decodeFloat(model.get("codes")), digits = digitValues(asBytes(model.get("digits"))), labels = asBytes(model.get("labels"));
  const start = { d: model.get("d"), digit: model.get("digit") };
  const decoded = new Float32Array(digits.length), errors = [];
  const paintDigit = createDigitPainter();
  let measure = "squared", colours = null, decodedAt = 0;

  const picture = (values, index, attributes) => {
    const canvas = element("canvas", { class: "vae-square", ...attributes });
    const surface = createSurface(canvas, signal, (context, width, height) => colours && paintDigit(context, width, height, values, colours, index() * PIXELS));
    return { canvas, paint: surface.paint };
  };
  const chosen = () => model.get("digit");
  const columns = Array.from(labels, (label, index) => {
    const original = picture(digits, () => index, { "aria-hidden": "true" });
    const node = button("", signal, () => setState(model, { digit: index }), { "aria-label": `enlarge digit ${label}` });
    node.classList.replace("vae-button", "vae-pick");
    node.append(original.canvas);
    return { node, original, output: picture(decoded, () => index, { role: "img", "aria-label": `reconstruction of digit ${label}` }), error: element("span") };
  });
  const large = {
    input: picture(digits, chosen, { role: "img", "aria-label": "chosen digit, enlarged" }),
    output: picture(decoded, chosen, { role: "img", "aria-label": "its reconstruction, enlarged" }),
  };
  const codeCanvas = element("canvas", { class: "vae-code-strip", role: "img" });
  const code = createSurface(codeCanvas, signal, (context, width, height) => colours && drawCode(context, width, height, size, model.get("d"), colours));
  const curve = createCurve({ signal, onChoose: (d) => setState(model, { d }) });
  const codeNote = element("span"), curveName = element("p", { class: "vae-stage vae-distortion" });
  const row = (...nodes) => element("div", { class: "vae-row", style: `grid-template-columns: repeat(${labels.length}, minmax(0, 1fr))` }, ...nodes);
  const measureButtons = Object.entries(MEASURES).map(([key, { name }]) => button(name, signal, () => {
    measure = key;
    update();
  }, { "data-measure": key }));
  const codeStage = stageName("Code", "vae-q");
  codeStage.append(codeNote);
  prepareRoot(el, "bottleneck");
  el.replaceChildren(
    element("div", { class: "vae-buttons" }, element("div", { class: "vae-choice", role: "group", "aria-label": "measure of error" }, ...measureButtons),
      button("reset", signal, () => {
        measure = "squared";
        setState(model, start);
        update();
      })),
    stageName("Input", "", "held-out digits; press one to enlarge it"), row(...columns.map(({ node }) => node)),
    codeStage, codeCanvas,
    stageName("Output", "vae-decoder", "reconstructions and their errors"),
    row(...columns.map(({ output, error }) => element("div", { class: "vae-reconstruction" }, output.canvas, error))),
    element("div", { class: "vae-closeup" },
      element("div", { class: "vae-pair" },
        element("div", {}, stageName("Input"), large.input.canvas), element("div", {}, stageName("Output", "vae-decoder"), large.output.canvas)),
      element("div", {}, curveName, curve.canvas)),
    element("p", { class: "vae-hint" }, element("b", {}, "Try: "), "from which ", math("d"), " on can you tell every digit? Where does the curve flatten, and what do the last units still improve?"));
  const announce = createAnnouncer(el, signal);

  function decode() {
    const d = model.get("d"), z = new Float32Array(size);
    for (let index = 0; index < labels.length; index++) {
      for (let unit = 0; unit < d; unit++) z[unit] = codes[index * size + unit];
      const logits = decoder.forward(z);
      for (let i = 0; i < PIXELS; i++) decoded[index * PIXELS + i] = sigmoid(logits[i]);
      const image = decoded.subarray(index * PIXELS, (index + 1) * PIXELS);
      errors[index] = { squared: squaredErrorOf(image, digits, index * PIXELS), cross: distortionOf(logits, digits, index * PIXELS) };
    }
  }
  function update() {
    if (model.get("d") !== decodedAt) decode();
    decodedAt = model.get("d");
    const d = model.get("d"), { name, trait, unit } = MEASURES[measure];
    codeNote.textContent = `the first ${d} of ${size} units`;
    codeCanvas.setAttribute("aria-label", `${d} of ${size} code units are kept`);
    columns.forEach(({ node, error }, index) => {
      error.textContent = formatNumber(errors[index][measure], measure === "cross" ? 0 : 1);
      node.setAttribute("aria-pressed", String(index === chosen()));
    });
    measureButtons.forEach((node) => node.setAttribute("aria-pressed", String(node.dataset.measure === measure)));
    curveName.replaceChildren(name, element("span", {}, `mean of ${model.get("count").toLocaleString("en")} held-out digits${unit && ", nats"}`));
    announce(`d = ${d}: mean ${name} ${formatNumber(model.get(trait)[d - 1], 1)}${unit}`);
    if (colours) paint();
  }
  function paint() {
    const { trait, unit } = MEASURES[measure];
    columns.forEach(({ output }) => output.paint());
    large.input.paint();
    large.output.paint();
    code.paint();
    curve.paint({ values: model.get(trait), d: model.get("d"), unit, colours });
  }
  const linked = parseHash(location.hash, ["d", "digit"]);
  if ("d" in linked) linked.d = clamp(Math.round(linked.d), 1, size);
  if ("digit" in linked) linked.digit = clamp(Math.round(linked.digit), 0, labels.length - 1);
  if (Object.keys(linked).length) setState(model, linked);
  update();
  followTheme(el, signal, (now) => {
    colours = now;
    columns.forEach(({ original }) => original.paint());
    paint();
  });
  listen(model, ["d", "digit"], signal, coalesce(signal, update));
  el.decoded = decoded;
  el.dataset.ready = "true";
  return () => lifetime.abort();
}

export default { render };
