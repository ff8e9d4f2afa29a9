// Continuous β: one network for every β; the map, samples of the prior, the rate–distortion curve and the units follow one slider.
import { asBytes, createNetwork, decodeFloat } from "./network.js";
import { button, coalesce, createAnnouncer, element, followHash, formatNumber, listen, math, prepareRoot, setState, stageName } from "./page.js";
import { followTheme } from "./theme.js";
import { createSurface } from "./canvas.js";
import { createDigitPainter, digitValues, PIXELS } from "./digits.js";
import { cellsFromCentre } from "./manifold.js";
import { createFrameWork, createStopwatch, inTurns } from "./frame_work.js";
import { createMovingMap } from "./moving_map.js";
import { createRateDistortion, nearestStep, threeDigits } from "./rate_distortion.js";
import { createRecordedCurve } from "./recorded_curve.js";
import { createSampleSheet } from "./sample_sheet.js";
import { createUnitBars } from "./unit_bars.js";

const SIDE_OF_SHEET = 8;
const WORK_PER_FRAME = 8;                                                    // milliseconds of products in a frame; drawing takes its own
const AT_ONCE = { points: 32, samples: 4 };                          // about one million products each

// β's of the slider: powers of two from `low` up in equal steps, and at the end `high`.
export function sliderSteps({ low, high, step }) {
  return [...Array.from({ length: Math.ceil((high - low) / step - 1e-6) }, (_, i) => 2 ** (low + i * step)), 2 ** high];
}

function render({ model, el }) {
  const lifetime = new AbortController(), { signal } = lifetime;
  const load = (name) => createNetwork(model.get(`${name}_layers`), model.get(`${name}_weights`), model.get("precision"));
  const encoder = load("encoder"), decoder = load("decoder");
  const digits = digitValues(asBytes(model.get("digits"))), labels = asBytes(model.get("labels"));
  const curve = createRecordedCurve(model.get("curve")), unitCurve = createRecordedCurve(model.get("unit_curve"));
  const start = { beta: model.get("beta") };
  const steps = sliderSteps(model.get("exponents"));
  const choose = (beta) => setState(model, { beta });

  // What the networks say, and the pieces of work that say it again at another β
  const points = new Float32Array(2 * labels.length).fill(NaN), sigmas = new Float32Array(2 * labels.length).fill(NaN);
  const sheet = createSampleSheet({ side: SIDE_OF_SHEET, signal });
  const encode = encoder.createBatch(digits, AT_ONCE.points);
  const cells = cellsFromCentre(SIDE_OF_SHEET), z = decodeFloat(model.get("z"));
  const decode = decoder.createBatch(Float32Array.from(cells.flatMap((cell) => [z[2 * cell], z[2 * cell + 1]])), AT_ONCE.samples);
  const encodePiece = (from) => () => {
    const to = Math.min(from + AT_ONCE.points, labels.length), out = encode(from, to);
    for (let i = from, at = 0; i < to; i++, at += 4) {
      for (let axis = 0; axis < 2; axis++) {
        points[2 * i + axis] = out[at + axis];
        sigmas[2 * i + axis] = Math.exp(out[at + 2 + axis] / 2);
      }
    }
  };
  const decodePiece = (from) => () => {
    const logits = decode(from, from + AT_ONCE.samples);
    for (let i = 0; i < AT_ONCE.samples; i++) sheet.write(cells[from + i], logits, i * PIXELS);
  };
  const pieces = (count, most, piece) => Array.from({ length: Math.ceil(count / most) }, (_, i) => piece(i * most));
  const work = createFrameWork(inTurns(pieces(labels.length, AT_ONCE.points, encodePiece), pieces(cells.length, AT_ONCE.samples, decodePiece)), WORK_PER_FRAME);
  const stopwatch = createStopwatch();

  // What is seen
  const chosen = Array.from({ length: 10 }, (_, label) => labels.indexOf(label)).filter((index) => index >= 0);
  const map = createMovingMap({ points, sigmas, labels, chosen, extent: model.get("extent"), signal });
  const trade = createRateDistortion({ curve, steps, signal, onChoose: choose });
  const bars = createUnitBars({ curves: [curve, unitCurve], signal });
  const average = new Float32Array(PIXELS);
  for (let i = 0; i < digits.length; i++) average[i % PIXELS] += digits[i] / labels.length;
  const paintDigit = createDigitPainter(), averageCanvas = element("canvas", { class: "vae-square vae-seen", role: "img", "aria-label": "the average of the digits on the map" });
  let colours = null, changed = true;
  const averageSurface = createSurface(averageCanvas, signal, (context, width, height) => colours && paintDigit(context, width, height, average, colours));

  const facts = Object.fromEntries(["rate", "distortion", "elbo", "slope", "active", "activeTen"].map((name) => [name, element("dd")]));
  const fact = (name, value, role = "") => element("div", { class: role }, element("dt", {}, name), value);
  const count = labels.length.toLocaleString("en");
  prepareRoot(el, "continuous-beta");
  el.replaceChildren(
    element("div", { class: "vae-buttons" }, button("reset", signal, () => setState(model, start))),
    element("dl", { class: "vae-facts vae-tiles" },
      fact("rate R", facts.rate, "vae-rate"), fact("distortion D", facts.distortion, "vae-distortion"), fact("ELBO", facts.elbo, "vae-elbo"),
      fact("−dD/dR, measured", facts.slope), fact("active, d = 2", facts.active), fact(`active, d = ${unitCurve.size}`, facts.activeTen)),
    element("div", { class: "vae-four" },
      element("div", {}, stageName("Map", "vae-q"), map.canvas),
      element("div", {}, stageName("Samples", "vae-decoder"), sheet.canvas),
      element("div", { class: "vae-whole" }, stageName("Rate and distortion", "", "drag the point"), trade.canvas),
      element("div", { class: "vae-whole" }, stageName("Units", "vae-rate"), bars.canvas)),
    element("div", { class: "vae-aside" }, averageCanvas, element("p", { class: "vae-soft" }, `The average of the ${count} digits on the map. When every unit has died, each sample looks like this.`)),
    element("p", { class: "vae-soft vae-legend" }, element("b", {}, "Map: "), `means of q(z|x) of ${count} held-out digits; ellipses: ten of these q, at one σ. `,
      element("b", {}, "Samples: "), "64 draws of p(z), the same at every β, decoded; z₁ grows to the right, z₂ upwards. ",
      element("b", {}, "The rest "), "was recorded on 10,000 test digits, for this network and for one with ten units. Along the dashed line D + βR is the same; × marks an inactive unit."),
    element("p", { class: "vae-hint" }, element("b", {}, "Try: "), "pull ", math("β"), " slowly from 1 to 100. When do two neighbouring samples become the same digit? "
      + "Which unit of the ten goes first? Then try 0.03: what does the map gain, and what do the samples lose?"));
  const announce = createAnnouncer(el, signal);
  const values = { beta: NaN, behind: 0, frame: 0, frames: stopwatch.durations, map: points, spread: sigmas };

  function tell(beta) {
    const now = curve.at(beta), ten = unitCurve.at(beta);
    facts.rate.textContent = `${formatNumber(now.rate)} nats`;
    facts.distortion.textContent = `${formatNumber(now.distortion, 1)} nats`;
    facts.elbo.textContent = `${formatNumber(now.elbo, 1)} nats`;
    facts.slope.textContent = threeDigits(now.slope);
    facts.active.textContent = `${now.active} of ${now.units.length}`;
    facts.activeTen.textContent = `${ten.active} of ${ten.units.length}`;
    Object.assign(values, { beta, rate: now.rate, distortion: now.distortion, elbo: now.elbo, slope: now.slope, units: ten.units, active: now.active, activeTen: ten.active });
    const words = `β is ${threeDigits(beta)}: rate ${formatNumber(now.rate)}, distortion ${formatNumber(now.distortion, 1)} nats`;
    map.canvas.setAttribute("aria-label", `Map of ${count} held-out digits. ${words}`);
    sheet.canvas.setAttribute("aria-label", `64 samples of the prior, decoded. β is ${threeDigits(beta)}`);
    announce(`${words}; ${now.active} of ${now.units.length} and ${ten.active} of ${ten.units.length} units active.`);
    if (colours) {
      trade.paint({ beta, colours });
      bars.paint({ found: [now, ten], colours });
    }
  }
  function frame() {
    const started = performance.now();
    if (changed) {
      const beta = model.get("beta");
      encoder.setBeta(beta);
      decoder.setBeta(beta);
      work.renew();
      tell(beta);
      changed = false;
    }
    values.behind = work.work();
    if (colours) {
      map.paint();
      sheet.paint();
    }
    values.frame = performance.now() - started;
    stopwatch.note(values.frame);
    if (values.behind) request();
  }
  const request = coalesce(signal, frame);
  followHash(model, { beta: "beta" }, { beta: [steps[0], steps[steps.length - 1]] });
  if (model.get("beta") !== start.beta) choose(nearestStep(steps, model.get("beta")));               // else the slider would say another number
  frame();
  followTheme(el, signal, (now) => {
    colours = now;
    map.paint({ colours });
    sheet.paint({ colours });
    averageSurface.paint();
    tell(model.get("beta"));
  });
  listen(model, ["beta"], signal, () => {
    changed = true;
    request();
  });
  el.decoded = sheet.decoded;
  el.values = values;
  el.dataset.ready = "true";
  return () => lifetime.abort();
}

export default { render };
