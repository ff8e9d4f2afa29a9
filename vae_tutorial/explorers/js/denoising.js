// Denoising: a digit, picked or drawn → noise → a median filter, a denoising autoencoder and a VAE side by side.
import { asBytes, createNetwork, sigmoid } from "./network.js";
import { button, clamp, coalesce, createAnnouncer, element, followHash, formatNumber, listen, prepareRoot, setState, stageName } from "./page.js";
import { followTheme } from "./theme.js";
import { createSurface } from "./canvas.js";
import { createDigitPainter, digitValues, PIXELS, SIDE } from "./digits.js";
import { createPad } from "./pad.js";
import { corrupt, decibels, drawNoise, medianFilter, NOISES } from "./noise.js";
import { squaredErrorOf } from "./objectives.js";

const DRAWN = -1;                                                    // the value of `digit` when the input is drawn
const TRAITS = ["kind", "level", "seed", "digit"];
const PANES = {
  noisy: ["Noisy", "", "noisy digit"],
  median: ["Median 3×3", "", "median-filtered digit"],
  denoised: ["Denoiser", "vae-decoder", "what the denoising autoencoder makes of it"],
  vae: ["VAE", "vae-decoder", "what the VAE decodes at the code of the noisy digit"],
};

function render({ model, el }) {
  const lifetime = new AbortController(), { signal } = lifetime, precision = model.get("precision");
  const load = (name) => createNetwork(model.get(`${name}_layers`), model.get(`${name}_weights`), precision);
  const denoiser = load("denoiser"), encoder = load("encoder"), decoder = load("decoder"), d = decoder.inputs;
  const samples = digitValues(asBytes(model.get("samples"))), sampleLabels = asBytes(model.get("sample_labels"));
  const start = Object.fromEntries(TRAITS.map((name) => [name, model.get(name)]));
  const images = Object.fromEntries(Object.keys(PANES).map((name) => [name, new Float32Array(PIXELS)]));
  const draws = new Float32Array(PIXELS), clipped = new Float32Array(PIXELS);
  let colours = null, drawn = "";

  const pad = createPad({
    samples, labels: sampleLabels, signal,
    onDrawn() {
      if (model.get("digit") === DRAWN) updateSoon();
      else setState(model, { digit: DRAWN });
    },
    onPicked: (index) => setState(model, { digit: index }),
  });
  pad.seen.setAttribute("aria-label", "the clean digit, 28 by 28 pixels");
  const panes = Object.fromEntries(Object.entries(PANES).map(([name, [title, kind, label]]) => {
    const canvas = element("canvas", { class: "vae-square", role: "img", "aria-label": label }), paintDigit = createDigitPainter();
    const surface = createSurface(canvas, signal, (context, width, height) => colours && paintDigit(context, width, height, images[name], colours));
    const error = element("p", { class: "vae-decibels" });
    return [name, { node: element("div", {}, stageName(title, kind), canvas, error), error, canvas, label, paint: surface.paint }];
  }));
  prepareRoot(el, "denoising");
  el.replaceChildren(
    pad.samples,
    element("div", { class: "vae-cleaned" },
      element("div", { class: "vae-clean" }, stageName("Clean"), pad.canvas, element("div", { class: "vae-clean-tools" }, pad.seen,
        element("div", { class: "vae-buttons" }, button("clear", signal, () => pad.clear()), button("reset", signal, () => setState(model, start))))),
      ...Object.values(panes).map(({ node }) => node)),
    element("p", { class: "vae-soft" }, "Below each picture: its PSNR against the clean digit, in decibels. 10 dB more are a tenth of the squared error."),
    element("p", { class: "vae-hint" }, element("b", {}, "Try: "), "raise the level until you can no longer name the digit: what does the denoiser show there, and does it show any doubt? ",
      "Then choose another noise. The denoiser has seen nothing but Gaussian noise."));
  const announce = createAnnouncer(el, signal);

  function paint(now) {
    if (now !== undefined) colours = now;
    if (!colours) return;
    pad.paint(colours);
    Object.values(panes).forEach((pane) => pane.paint());
  }
  function clean(input) {
    const code = encoder.forward(clipped).slice(0, d), from = { denoised: denoiser.forward(images.noisy), vae: decoder.forward(code) };
    for (const [name, logits] of Object.entries(from)) for (let i = 0; i < PIXELS; i++) images[name][i] = sigmoid(logits[i]);
    medianFilter(images.noisy, SIDE, images.median);
    return Object.fromEntries(Object.entries(images).map(([name, image]) => [name, squaredErrorOf(image, input) / PIXELS]));
  }
  function update() {
    const { kind, level, seed, digit } = Object.fromEntries(TRAITS.map((name) => [name, model.get(name)]));
    const input = digit === DRAWN ? pad.drawnDigit() : samples.slice(digit * PIXELS, (digit + 1) * PIXELS);
    if (drawn !== `${Math.sign(kind)} ${seed}`) drawNoise(kind, seed, draws);
    drawn = `${Math.sign(kind)} ${seed}`;
    corrupt(kind, input, draws, level, images.noisy);
    images.noisy.forEach((value, i) => { clipped[i] = clamp(value, 0, 1); });
    const errors = clean(input);
    Object.assign(el, { input, decoded: images.denoised, noise: draws });
    el.values = { kind, level, digit, noisy: images.noisy, median: images.median, vae: images.vae, errors: Object.values(errors) };
    const said = Object.entries(errors).map(([name, error]) => {
      const text = error ? `${formatNumber(decibels(error), 1)} dB` : "no error";
      panes[name].error.textContent = text;
      panes[name].canvas.setAttribute("aria-label", `${panes[name].label}, ${text}`);
      return `${PANES[name][0]} ${text}`;
    });
    pad.show(input, digit);
    announce(`${NOISES[kind]}, level ${formatNumber(level)}, seed ${seed}, ${digit === DRAWN ? "drawn digit" : `sample ${digit}, a ${sampleLabels[digit]}`}: ${said.join(", ")}.`);
    paint();
  }
  const updateSoon = coalesce(signal, update);
  followHash(model, { noise: "kind", level: "level", seed: "seed", digit: "digit" },
    { kind: [0, NOISES.length - 1], level: [0, 1], seed: [0, 99], digit: [0, sampleLabels.length - 1] }, ["kind", "seed", "digit"]);
  update();
  followTheme(el, signal, paint);
  listen(model, TRAITS, signal, updateSoon);
  el.dataset.ready = "true";
  return () => lifetime.abort();
}

export default { render };
