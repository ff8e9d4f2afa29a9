// Mean and sample: from one code z, the mean of p(x|z) and a draw from it, with Bernoulli pixels or Gaussian ones.
import { asBytes, createNetwork, decodeFloat, sigmoid } from "./network.js";
import { button, clamp, coalesce, createAnnouncer, element, formatNumber, listen, math, parseHash, prepareRoot, setState, stageName } from "./page.js";
import { followTheme } from "./theme.js";
import { createSurface, onDrag } from "./canvas.js";
import { createDigitPainter, digitValues, PIXELS, SIDE } from "./digits.js";
import { createProfile } from "./profile.js";
import { createNormal, createUniform } from "./random.js";
import { distortionOf, gaussianDistortionOf, squaredErrorOf } from "./objectives.js";

const NAMES = { bernoulli: "Bernoulli", gaussian: "Gaussian" };
const LOWEST_SIGMA = 0.02, HIGHEST_SIGMA = 0.6;

// One draw from p(x|z) by the noise given: a coin for each pixel, or mean + σ·ε.
export function drawPixels(family, mean, noise, sigma, sample) {
  for (let i = 0; i < mean.length; i++) sample[i] = family === "bernoulli" ? Number(noise[i] < mean[i]) : mean[i] + sigma * noise[i];
}

// The share of values that no picture can have: below 0 or above 1.
export function shareOutside(values) {
  return values.reduce((count, value) => count + (value < 0 || value > 1), 0) / values.length;
}

function render({ model, el }) {
  const lifetime = new AbortController(), { signal } = lifetime;
  const decoders = {}, codes = {};
  for (const family of Object.keys(NAMES)) {
    decoders[family] = createNetwork(model.get(`${family}_layers`), model.get(`${family}_weights`), model.get("precision"));
    codes[family] = decodeFloat(model.get(`${family}_codes`));
  }
  const digits = digitValues(asBytes(model.get("digits"))), labels = asBytes(model.get("labels"));
  const start = Object.fromEntries(["likelihood", "digit", "z1", "z2", "sigma", "row", "seed"].map((name) => [name, model.get(name)]));
  const learned = model.get("learned_sigma"), extent = model.get("extent");
  const decoded = new Float32Array(PIXELS), sample = new Float32Array(PIXELS), noise = new Float32Array(PIXELS);
  const codeOf = (family, digit) => ({ z1: Math.round(100 * codes[family][2 * digit]) / 100, z2: Math.round(100 * codes[family][2 * digit + 1]) / 100 });
  let colours = null, noisy = "";

  const picture = (values, offset, label) => {
    const paintDigit = createDigitPainter(), canvas = element("canvas", { class: "vae-square vae-active", role: "img", "aria-label": label });
    const surface = createSurface(canvas, signal, (context, width, height) => {
      paintDigit(context, width, height, values, colours, offset());
      const y = (model.get("row") + 0.5) * height / SIDE;
      context.strokeStyle = colours.decoder;
      context.lineWidth = 1;
      context.strokeRect(0.5, y - height / SIDE / 2, width - 1, height / SIDE);
    });
    onDrag(canvas, signal, (x, y) => setState(model, { row: clamp(Math.floor(y / canvas.clientHeight * SIDE), 0, SIDE - 1) }));
    return { canvas, paint: surface.paint };
  };
  const panes = {
    original: picture(digits, () => model.get("digit") * PIXELS, "held-out digit, the original"),
    mean: picture(decoded, () => 0, "mean of p(x|z)"),
    sample: picture(sample, () => 0, "one sample of p(x|z)"),
  };
  const profile = createProfile({ signal });
  const picks = Array.from(labels, (label, digit) => {
    const canvas = element("canvas", { "aria-hidden": "true" }), paintDigit = createDigitPainter();
    const surface = createSurface(canvas, signal, (context, width, height) => colours && paintDigit(context, width, height, digits, colours, digit * PIXELS));
    const node = button("", signal, () => setState(model, { digit, ...codeOf(model.get("likelihood"), digit) }), { "aria-label": `go to the code of a ${label}` });
    node.classList.replace("vae-button", "vae-sample");
    node.append(canvas);
    return { node, paint: surface.paint };
  });
  const families = Object.entries(NAMES).map(([family, name]) =>
    button(name, signal, () => setState(model, { likelihood: family, ...codeOf(family, model.get("digit")) }), { "data-likelihood": family }));
  const learnedButton = button("learned σ", signal, () => setState(model, { sigma: start.sigma }));
  const facts = { sigma: element("dd"), rms: element("dd"), nats: element("dd"), outside: element("dd") };
  const fact = (name, value, kind = "") => element("div", { class: kind }, element("dt", {}, ...name), value);
  const pane = (name, kind, note, { canvas }) => element("div", {}, stageName(name, kind, ...note), canvas);
  prepareRoot(el, "mean-and-sample");
  el.replaceChildren(
    element("div", { class: "vae-buttons" }, element("div", { class: "vae-choice", role: "group", "aria-label": "likelihood" }, ...families), learnedButton,
      button("reset", signal, () => setState(model, start))),
    element("div", { class: "vae-samples vae-ten" }, ...picks.map(({ node }) => node)),
    element("div", { class: "vae-trio" },
      pane("Original", "", [math("x")], panes.original), pane("Mean", "vae-decoder", [], panes.mean), pane("Sample", "vae-decoder", [], panes.sample)),
    element("dl", { class: "vae-facts vae-wide" },
      fact(["σ of a pixel"], facts.sigma), fact(["RMS error of the mean"], facts.rms),
      fact(["−log ", math("p(x|z)")], facts.nats, "vae-distortion"), fact(["sample's pixels below 0 or above 1"], facts.outside)),
    profile.canvas,
    element("p", { class: "vae-hint" }, element("b", {}, "Try: "), "change the seed: which picture moves? Then, with Gaussian pixels, pull σ both ways from its learned value and watch ",
      "−log ", math("p(x|z)"), ". Where is it smallest?"));
  const announce = createAnnouncer(el, signal);

  function drawNoise(family) {
    const wanted = `${family} ${model.get("seed")}`;
    if (wanted === noisy) return;
    noisy = wanted;
    const next = family === "bernoulli" ? createUniform(model.get("seed")) : createNormal(model.get("seed"));
    for (let i = 0; i < PIXELS; i++) noise[i] = next();
  }
  function update() {
    const family = model.get("likelihood"), isGaussian = family === "gaussian", sigma = model.get("sigma");
    const at = model.get("digit") * PIXELS, output = decoders[family].forward([model.get("z1"), model.get("z2")]);
    for (let i = 0; i < PIXELS; i++) decoded[i] = isGaussian ? output[i] : sigmoid(output[i]);
    drawNoise(family);
    drawPixels(family, decoded, noise, sigma, sample);
    const distortion = isGaussian ? gaussianDistortionOf(output, digits, sigma, at) : distortionOf(output, digits, at);
    const rms = Math.sqrt(squaredErrorOf(decoded, digits, at) / PIXELS), outside = shareOutside(sample);
    Object.assign(el, { family, digit: model.get("digit"), distortion, rms, outside, sigma });
    facts.sigma.textContent = isGaussian ? `${formatNumber(sigma, 3)} (learned: ${formatNumber(learned, 3)})` : "none: a coin, 0 or 1";
    facts.rms.textContent = formatNumber(rms, 3);
    facts.nats.textContent = `${formatNumber(distortion, 1)} nats`;
    facts.outside.textContent = `${formatNumber(100 * outside, 0)} %`;
    for (const node of families) node.setAttribute("aria-pressed", String(node.dataset.likelihood === family));
    picks.forEach(({ node }, digit) => node.setAttribute("aria-pressed", String(digit === model.get("digit"))));
    announce(`${NAMES[family]} pixels${isGaussian ? `, σ ${formatNumber(sigma, 3)}` : ""}. z is ${formatNumber(model.get("z1"))}, ${formatNumber(model.get("z2"))}; `
      + `minus log p of the ${labels[model.get("digit")]} is ${formatNumber(distortion, 1)} nats; RMS error ${formatNumber(rms, 3)}; row ${model.get("row")}, seed ${model.get("seed")}.`);
    if (colours) paint();
  }
  function paint() {
    Object.values(panes).forEach((shown) => shown.paint());
    const at = model.get("digit") * PIXELS, sigma = model.get("likelihood") === "gaussian" ? model.get("sigma") : 0;
    profile.paint({ original: digits.subarray(at, at + PIXELS), mean: decoded, sample, sigma, row: model.get("row"), colours });
  }
  const linked = parseHash(location.hash, ["digit", "z1", "z2", "sigma", "row", "seed"]);
  if ("digit" in linked) linked.digit = clamp(Math.round(linked.digit), 0, labels.length - 1);
  if ("digit" in linked) Object.assign(linked, { ...codeOf(start.likelihood, linked.digit), ...parseHash(location.hash, ["z1", "z2"]) });
  for (const name of ["z1", "z2"]) if (name in linked) linked[name] = clamp(linked[name], -extent, extent);
  if ("sigma" in linked) linked.sigma = clamp(linked.sigma, LOWEST_SIGMA, HIGHEST_SIGMA);
  if ("row" in linked) linked.row = clamp(Math.round(linked.row), 0, SIDE - 1);
  if ("seed" in linked) linked.seed = Math.max(0, Math.round(linked.seed));
  if (Object.keys(linked).length) setState(model, linked);
  Object.assign(el, { decoded, sample, noise });
  update();
  followTheme(el, signal, (now) => {
    colours = now;
    picks.forEach((pick) => pick.paint());
    paint();
  });
  listen(model, Object.keys(start), signal, coalesce(signal, update));
  el.dataset.ready = "true";
  return () => lifetime.abort();
}

export default { render };
