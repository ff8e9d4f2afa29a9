// Importance bound: L_k against k as recorded, for one digit or for all, and the number of codes that count.
import { asBytes } from "./network.js";
import { button, clamp, coalesce, createAnnouncer, element, followHash, formatNumber, listen, math, prepareRoot, setState, stageName } from "./page.js";
import { followTheme } from "./theme.js";
import { createSurface, onArrows, onDrag } from "./canvas.js";
import { createDigitPainter, digitValues, PIXELS } from "./digits.js";
import { createFrame, drawCurve, drawRules } from "./plot.js";
import { readAt } from "./over_log.js";

const ALL = -1, STEP = 10 ** 0.05, BOUND_MARGIN = { left: 46, right: 14, top: 14, bottom: 36 };
const TICKS = [1, 10, 100, 1000, 5000];

// Those of the ticks, ascending at the places xs, whose label leaves room for the next one's; the last one always.
export function roomyTicks(ticks, xs, room = 46) {
  return ticks.filter((_, i) => i === ticks.length - 1 || xs[i + 1] - xs[i] >= room);
}

// A count of codes: whole ones without decimals.
export function countText(count, decimals) {
  return formatNumber(count, Math.abs(count - Math.round(count)) < 1e-6 ? 0 : decimals);
}

function drawPowers(context, frame, colours, ticks) {
  context.fillStyle = context.strokeStyle = colours.soft;
  context.lineWidth = 1;
  context.font = "12px system-ui, sans-serif";
  context.textAlign = "center";
  context.textBaseline = "top";
  context.beginPath();
  context.moveTo(frame.left, frame.bottom + 0.5);
  context.lineTo(frame.right, frame.bottom + 0.5);
  context.stroke();
  const place = (tick) => Math.min(frame.toX(Math.log(tick)), frame.right - 10);
  for (const tick of roomyTicks(ticks, ticks.map(place))) context.fillText(tick.toLocaleString("en"), place(tick), frame.bottom + 6);
  context.textAlign = "right";
  context.fillText("codes k →", frame.right, frame.bottom + 20);
}

function render({ model, el }) {
  const lifetime = new AbortController(), { signal } = lifetime;
  const ks = model.get("ks"), logs = ks.map((k) => Math.log(k)), most = ks.at(-1), variants = model.get("variants");
  const digits = digitValues(asBytes(model.get("digits"))), labels = asBytes(model.get("labels"));
  const start = { k: model.get("k"), variant: model.get("variant"), digit: model.get("digit") };
  let colours = null;
  const chosen = () => variants[clamp(model.get("variant"), 0, variants.length - 1)];
  const curvesOf = (variant, digit) => (digit === ALL ? { bound: variant.bound, effective: variant.effective }
    : { bound: variant.each_bound[digit], effective: variant.each_effective[digit] });

  const makePlot = (name, draw) => {
    const canvas = element("canvas", { class: "vae-active vae-curve", "data-plot": name });
    const surface = createSurface(canvas, signal, (context, width, height) => colours && draw(context, width, height));
    const share = (x) => clamp((x - BOUND_MARGIN.left) / (canvas.clientWidth - BOUND_MARGIN.left - BOUND_MARGIN.right), 0, 1);
    const toK = (x) => STEP ** Math.round(share(x) * logs.at(-1) / Math.log(STEP));  // a value that the slider has, too
    onDrag(canvas, signal, (x, y, phase) => { if (phase !== "end") setState(model, { k: clamp(toK(x), 1, most) }); });
    return { canvas, paint: surface.paint };
  };
  const mark = (context, frame, curve, colour) => {
    const x = frame.toX(Math.log(model.get("k"))), y = frame.toY(curve(model.get("k")));
    context.strokeStyle = colours.ink;
    context.lineWidth = 1;
    context.beginPath();
    context.moveTo(x, frame.bottom);
    context.lineTo(x, frame.top);
    context.stroke();
    context.fillStyle = colour;
    context.beginPath();
    context.arc(x, y, 5.5, 0, 2 * Math.PI);
    context.fill();
  };
  const boundPlot = makePlot("bound", (context, width, height) => {
    const variant = chosen(), digit = model.get("digit"), { bound } = curvesOf(variant, digit);
    const drawn = digit === ALL ? variant.each_bound : [bound];
    const low = Math.min(...drawn.flat(), ...bound), high = Math.max(...drawn.flat(), ...bound), spare = 0.08 * (high - low);
    const frame = createFrame(width, height, BOUND_MARGIN, [0, logs.at(-1)], [low - spare, high + spare]);
    drawRules(context, frame, colours);
    drawPowers(context, frame, colours, TICKS);
    if (digit === ALL) for (const each of variant.each_bound) drawCurve(context, frame, logs, each, { colour: colours.soft, width: 1 });
    drawCurve(context, frame, logs, bound, { colour: colours.elbo, width: 3 });
    mark(context, frame, (k) => readAt(logs, bound, k), colours.elbo);
  });
  const effectivePlot = makePlot("effective", (context, width, height) => {
    const { effective } = curvesOf(chosen(), model.get("digit"));
    const frame = createFrame(width, height, BOUND_MARGIN, [0, logs.at(-1)], [0, 1]);
    const shares = effective.map((count, i) => count / ks[i]);
    drawRules(context, frame, colours);
    drawPowers(context, frame, colours, TICKS);
    drawCurve(context, frame, logs, shares, { colour: colours.q, width: 2.6 });
    mark(context, frame, (k) => readAt(logs, shares, k), colours.q);
  });
  boundPlot.canvas.tabIndex = 0;
  boundPlot.canvas.setAttribute("role", "application");
  onArrows(boundPlot.canvas, signal, (dx, dy) => {
    if (dx) setState(model, { k: clamp(model.get("k") * STEP ** dx, 1, most) });
    if (dy) setState(model, { digit: clamp(model.get("digit") + dy, ALL, labels.length - 1) });
  }, () => setState(model, start));

  const picks = Array.from(labels, (label, digit) => {
    const canvas = element("canvas", { "aria-hidden": "true" }), paintDigit = createDigitPainter();
    const surface = createSurface(canvas, signal, (context, width, height) => colours && paintDigit(context, width, height, digits, colours, digit * PIXELS));
    const node = button("", signal, () => setState(model, { digit }), { "aria-label": `only this ${label}` });
    node.classList.replace("vae-button", "vae-sample");
    node.append(canvas);
    return { node, paint: surface.paint };
  });
  const all = button("all digits", signal, () => setState(model, { digit: ALL }));
  const facts = { k: element("dd"), bound: element("dd"), gap: element("dd"), effective: element("dd"), spread: element("dd") };
  const fact = (name, value, kind = "") => element("div", { class: kind }, element("dt", {}, ...name), value);
  const whose = element("span");
  const boundStage = stageName("Bound", "vae-elbo", "nats");
  boundStage.append(whose);
  prepareRoot(el, "importance-bound");
  el.replaceChildren(
    element("div", { class: "vae-buttons" }, all, button("reset", signal, () => setState(model, start))),
    element("div", { class: "vae-samples vae-ten" }, ...picks.map(({ node }) => node)),
    element("dl", { class: "vae-facts vae-wide" },
      fact(["codes ", math("k")], facts.k), fact(["bound ", math("L"), " at this ", math("k")], facts.bound, "vae-elbo"),
      fact([`below the bound at ${most.toLocaleString("en")} by`], facts.gap), fact(["codes that count"], facts.effective, "vae-q"),
      fact(["80 % of all digits lie in"], facts.spread)),
    element("div", { class: "vae-columns" },
      element("div", {}, boundStage, boundPlot.canvas),
      element("div", {}, stageName("Effective codes", "vae-q", "share of k"), effectivePlot.canvas)),
    element("p", { class: "vae-hint" }, element("b", {}, "Try: "), "pull ", math("k"), " from 1 to the end. Where does the bound still climb when nearly no code counts? Then choose the other model, and single digits."));
  const announce = createAnnouncer(el, signal);

  function update() {
    const variant = chosen(), digit = model.get("digit"), k = clamp(model.get("k"), 1, most), curves = curvesOf(variant, digit);
    const bound = readAt(logs, curves.bound, k), effective = readAt(logs, curves.effective, k), gap = curves.bound.at(-1) - bound;
    const [low, high] = [variant.low, variant.high].map((values) => readAt(logs, values, k));
    const recorded = ks.some((each) => Math.abs(each / k - 1) < 1e-6);
    facts.k.textContent = `${countText(k, k < 10 ? 1 : 0)}${recorded ? "" : " (interpolated)"}`;
    facts.bound.textContent = `${formatNumber(bound, 2)} nats`;
    facts.gap.textContent = `${formatNumber(gap, 2)} nats`;
    facts.effective.textContent = `${countText(effective, 1)} of ${countText(k, k < 10 ? 1 : 0)}`;
    facts.spread.textContent = `${formatNumber(low, 0)} … ${formatNumber(high, 0)} nats`;
    whose.textContent = digit === ALL ? "all digits heavy, ten of them thin" : `one held-out ${labels[digit]}`;
    picks.forEach(({ node }, index) => node.setAttribute("aria-pressed", String(index === digit)));
    all.setAttribute("aria-pressed", String(digit === ALL));
    const text = `${variant.label}, ${digit === ALL ? "all digits" : `one ${labels[digit]}`}, k = ${countText(k, k < 10 ? 1 : 0)}: bound ${formatNumber(bound, 2)} nats, ${countText(effective, 1)} codes count.`;
    boundPlot.canvas.setAttribute("aria-label", `${text} Left and right arrow keys change k, up and down the digit, Home resets.`);
    effectivePlot.canvas.setAttribute("aria-label", `Share of codes that count: ${formatNumber(100 * effective / k, 1)} %`);
    effectivePlot.canvas.setAttribute("role", "img");
    announce(text);
    el.values = { k, variant: variants.indexOf(variant), digit, bound, gap, effective, low, high };
    if (colours) paint();
  }
  function paint() {
    boundPlot.paint();
    effectivePlot.paint();
  }
  followHash(model, { k: "k", model: "variant", digit: "digit" }, { k: [1, most], variant: [0, variants.length - 1], digit: [ALL, labels.length - 1] }, ["variant", "digit"]);
  update();
  followTheme(el, signal, (now) => {
    colours = now;
    picks.forEach((pick) => pick.paint());
    paint();
  });
  listen(model, ["k", "variant", "digit"], signal, coalesce(signal, update));
  el.dataset.ready = "true";
  return () => lifetime.abort();
}

export default { render };
