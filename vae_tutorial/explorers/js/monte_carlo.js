// Naive Monte Carlo: running averages against the number of samples, the estimates of all repetitions, and the exact log p(x).
import { createSurface } from "./canvas.js";
import { button, coalesce, createAnnouncer, element, followHash, formatNumber, listen, math, prepareRoot, roundUp, setState, stageName } from "./page.js";
import { followTheme } from "./theme.js";
import { REPETITIONS, closedForm, createDraws, quantile, runEstimates, summarise } from "./naive_estimate.js";

const RANGES = { samples: [10, 10000], d: [1, 50], information: [0.01, 3.2] };  // of the traits
const TRAITS = { S: "samples", d: "d", nats: "information" };
const MARGIN = { left: 50, right: 10, top: 26, bottom: 38 };
const RUNS = 8;                                                      // repetitions drawn as lines

// A positive number to two digits, readable at any size: 0.031, 1, 38, 1,235, 2 · 10¹².
export function shortNumber(value) {
  if (value > 0 && (value < 0.001 || value >= 1e5)) {
    const [digit, power] = value.toExponential(0).split("e");
    return `${digit} · 10${[...power.replace("+", "")].map((sign) => (sign === "-" ? "⁻" : "⁰¹²³⁴⁵⁶⁷⁸⁹"[sign])).join("")}`;
  }
  return value >= 100 ? String(Math.round(value)).replace(/\B(?=(\d{3})+$)/g, ",") : String(Number(value.toPrecision(2)));
}

// A mean with its standard error, to the error's first digit: 1.03 ± 0.03.
export function withError(mean, error) {
  if (!(error > 0.0005 && error < 100)) return `${shortNumber(mean)} ± ${shortNumber(error)}`;
  const decimals = Math.max(0, Math.ceil(-Math.log10(error)));
  return `${mean.toFixed(decimals)} ± ${error.toFixed(decimals)}`;
}

// The range of log p(x) estimates to show: what the later half of the running averages covers, and the exact value.
export function verticalRange(bands) {
  const later = bands.slice(Math.floor(bands.length / 2));
  const low = Math.min(-0.15, ...later.map(({ low }) => low)), high = Math.max(0.15, ...later.map(({ high }) => high));
  const pad = 0.12 * (high - low);
  return { low: low - pad, high: high + pad };
}

function paintPlot(context, width, height, { exact, estimates, summary, colours }) {
  const { kept, logRatio, bands, range } = estimates, samples = kept.at(-1);
  const floor = height - MARGIN.bottom, split = Math.round(MARGIN.left + 0.62 * (width - MARGIN.left - MARGIN.right));
  const toX = (s) => MARGIN.left + (split - MARGIN.left) * Math.log(s) / Math.log(samples);
  const toY = (value) => floor - (floor - MARGIN.top) * (value - range.low) / (range.high - range.low);
  context.font = "12px system-ui, sans-serif";
  context.lineJoin = "round";
  // the axes
  context.textBaseline = "middle";
  context.textAlign = "right";
  context.lineWidth = 1;
  const step = roundUp((range.high - range.low) / 5), decimals = Math.max(0, -Math.floor(Math.log10(step)));
  for (let tick = Math.ceil((exact + range.low) / step) * step; tick <= exact + range.high; tick += step) {
    context.strokeStyle = colours.line;
    context.beginPath();
    context.moveTo(MARGIN.left, toY(tick - exact));
    context.lineTo(width - MARGIN.right, toY(tick - exact));
    context.stroke();
    context.fillStyle = colours.soft;
    context.fillText(formatNumber(tick, decimals), MARGIN.left - 6, toY(tick - exact));
  }
  context.textAlign = "center";
  const wide = (split - MARGIN.left) / Math.log10(samples) > 44;      // else every second power
  for (let power = 0; 10 ** power <= samples; power += wide ? 1 : 2) context.fillText(String(10 ** power), toX(10 ** power), floor + 11);
  context.textBaseline = "bottom";
  context.fillText("samples so far", (MARGIN.left + split) / 2, height - 2);
  context.fillText(`with all ${samples.toLocaleString("en")}`, (split + width) / 2, height - 2);
  context.textAlign = "left";
  context.textBaseline = "top";
  context.fillText("log of the average, nats", 4, 4);
  // the running averages, and the band that holds 90 of 100
  context.save();
  context.beginPath();
  context.rect(MARGIN.left, MARGIN.top, width, floor - MARGIN.top);
  context.clip();
  context.fillStyle = colours.prior;
  context.globalAlpha = 0.22;
  context.beginPath();
  bands.forEach(({ low }, i) => context.lineTo(toX(kept[i]), toY(low)));
  for (let i = bands.length - 1; i >= 0; i--) context.lineTo(toX(kept[i]), toY(bands[i].high));
  context.fill();
  context.globalAlpha = 0.8;
  context.strokeStyle = colours.prior;
  for (let r = 0; r < RUNS; r++) {
    context.lineWidth = r ? 1 : 2.2;
    context.beginPath();
    kept.forEach((s, i) => context.lineTo(toX(s), toY(logRatio[i * REPETITIONS + r])));
    context.stroke();
  }
  context.globalAlpha = 1;
  // the exact value
  context.strokeStyle = colours.ink;
  context.lineWidth = 2.6;
  context.beginPath();
  context.moveTo(MARGIN.left, toY(0));
  context.lineTo(width - MARGIN.right, toY(0));
  context.stroke();
  // the estimates of all repetitions, as dots that pile up to the right
  const size = 5, piles = new Map(), room = width - MARGIN.right - split - 26;
  context.fillStyle = colours.prior;
  for (let r = 0; r < REPETITIONS; r++) {
    const row = Math.round(toY(logRatio[(kept.length - 1) * REPETITIONS + r]) / size), before = piles.get(row) ?? 0;
    piles.set(row, before + 1);
    context.beginPath();
    context.arc(split + 18 + Math.min(before * size, room), row * size, size / 2 - 0.3, 0, 2 * Math.PI);
    context.fill();
  }
  // their mean
  const y = toY(summary.meanLog);
  context.fillStyle = colours.card;
  context.strokeStyle = colours.ink;
  context.lineWidth = 2;
  context.beginPath();
  for (const [dx, dy] of [[0, -6], [6, 0], [0, 6], [-6, 0]]) context.lineTo(split + 6 + dx, y + dy);
  context.closePath();
  context.fill();
  context.stroke();
  context.restore();
  context.fillStyle = colours.ink;
  context.font = "600 12px system-ui, sans-serif";
  context.textAlign = "right";
  context.textBaseline = "top";
  context.fillText(`exact: ${formatNumber(exact, 2)}`, width - MARGIN.right, 4);
}

function render({ model, el }) {
  const lifetime = new AbortController(), { signal } = lifetime;
  const start = Object.fromEntries([...Object.values(TRAITS), "seed"].map((trait) => [trait, model.get(trait)]));
  const view = { colours: null }, canvas = element("canvas", { class: "vae-estimates", role: "img" });
  const value = () => element("dd");
  const facts = { sigma: value(), information: value(), ratio: value(), bias: value(), error: value(), effective: value() };
  const fact = (name, node) => element("div", {}, element("dt", {}, ...name), node);
  prepareRoot(el, "monte-carlo");
  el.replaceChildren(
    element("div", { class: "vae-buttons" },
      button("new draws", signal, () => setState(model, { seed: model.get("seed") + 1 })), button("reset", signal, () => setState(model, start))),
    stageName("Average, and repeat", "", `S codes from the prior, ${REPETITIONS} times`), canvas,
    element("dl", { class: "vae-facts vae-outcome" },
      fact(["noise ", math("σ")], facts.sigma), fact(["information in x"], facts.information),
      fact(["mean of ", math("p̂"), " ∕ ", math("p(x)")], facts.ratio), fact(["bias of log ", math("p̂")], facts.bias),
      fact(["relative error of ", math("p̂")], facts.error), fact(["samples that count"], facts.effective)),
    element("p", { class: "vae-soft" }, `Heavy line: the exact log p(x). Thin lines: the running averages of ${RUNS} repetitions; shaded: 90 of ${REPETITIONS}. Dots: where each repetition ends; diamond: their mean.`),
    element("p", { class: "vae-hint" }, element("b", {}, "Try: "), "1 nat in all, once as d = 1 with 1 nat, once as d = 50 with 0.02 nats in each. Then stay at d = 50 and raise the nats. What ruins the estimate?"));
  const announce = createAnnouncer(el, signal);
  const surface = createSurface(canvas, signal, (context, width, height) => {
    if (view.estimates && view.colours) paintPlot(context, width, height, view);
  });
  let draws = null;

  function update() {
    const d = model.get("d"), information = model.get("information"), seed = model.get("seed"), samples = Math.round(model.get("samples"));
    if (!draws || draws.d !== d || draws.seed !== seed) draws = createDraws(d, seed);
    const exact = closedForm({ d, information }), estimates = runEstimates(draws, { information, samples });
    estimates.bands = estimates.kept.map((_, i) => {
      const at = estimates.logRatio.subarray(i * REPETITIONS, (i + 1) * REPETITIONS);
      return { low: quantile(at, 0.05), high: quantile(at, 0.95) };
    });
    estimates.range = verticalRange(estimates.bands);
    const summary = summarise(estimates, exact);
    Object.assign(view, { exact: exact.logEvidence, estimates, summary });
    const { kept, logRatio } = estimates, last = logRatio.subarray((kept.length - 1) * REPETITIONS);
    el.values = {
      samples, d, nats: information, sigma: exact.sigma, logEvidence: exact.logEvidence, logSecondMoment: exact.logSecondMoment,
      logEstimates: last.map((ratio) => exact.logEvidence + ratio), ...summary,
    };
    facts.sigma.textContent = shortNumber(exact.sigma);
    facts.information.textContent = `${d} × ${shortNumber(information)} = ${shortNumber(d * information)} nats`;
    facts.ratio.textContent = `${withError(summary.meanRatio, summary.standardError)} (expected: 1)`;
    facts.bias.textContent = `${formatNumber(summary.meanLog, Math.abs(summary.meanLog) < 0.1 ? 3 : 2)} nats (expected: below 0)`;
    facts.error.textContent = `√(χ²/S) = ${shortNumber(summary.predictedError)}; measured ${shortNumber(summary.measuredError)}`;
    facts.effective.textContent = `${shortNumber(summary.effective)} of ${samples.toLocaleString("en")}`;
    const said = `Exact log p(x) ${formatNumber(exact.logEvidence, 2)}, mean estimate ${formatNumber(exact.logEvidence + summary.meanLog, 2)} nats`;
    canvas.setAttribute("aria-label", `${said}, with ${samples} samples, d = ${d} and ${shortNumber(information)} nats in each dimension`);
    announce(`${said}; relative error predicted ${shortNumber(summary.predictedError)}.`);
    surface.paint();
  }
  followHash(model, TRAITS, RANGES, ["samples", "d"]);
  followTheme(el, signal, (colours) => {
    view.colours = colours;
    surface.paint();
  });
  update();
  listen(model, [...Object.values(TRAITS), "seed"], signal, coalesce(signal, update));
  el.dataset.ready = "true";
  return () => lifetime.abort();
}

export default { render };
