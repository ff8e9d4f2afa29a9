// Reparameterise: z = μ + σ·ε with frozen or fresh ε; the objective it estimates, and two estimates of its gradient.
import { button, clamp, coalesce, createAnnouncer, element, formatNumber, listen, math, parseHash, prepareRoot, setState, stageName } from "./page.js";
import { followTheme } from "./theme.js";
import { createSurface } from "./canvas.js";
import { clipped, createFrame, drawAxis, drawCurve, drawName, drawRules } from "./plot.js";
import { logNormal } from "./gaussian.js";
import { createNormal } from "./random.js";
import { createStrips } from "./gradient_strips.js";
import { GAUSSIAN_KEYS, onDragGaussian } from "./drag_gaussian.js";
import { estimate, exactObjective, objective, slope, spreadOf } from "./pathwise.js";

const BOUNDS = { mu: [-3, 3], sigma: [0.1, 2] }, MOST = 200, REPEATS = 60;  // of the sliders; estimates drawn as thin lines
const LINKS = { z_mu: "mu", z_sigma: "sigma", samples: "samples" };
const VIEW = 5, PLACES = 121;                                        // z from −5 to 5; values of μ behind the estimated curve
const MARGIN_PICTURE = { left: 10, right: 10, top: 6, bottom: 38 }, MARGIN_OBJECTIVE = { left: 34, right: 8, top: 8, bottom: 38 };

function drawBump(context, frame, zs, foot, tall, mu, sigma, style) {
  const height = zs.map((z) => Math.exp(-(((z - mu) / sigma) ** 2) / 2));
  const bump = { ...frame, toY: (y) => foot - tall * y };
  drawCurve(context, bump, zs, height, { fill: 0.13, ...style });
}

function render({ model, el }) {
  const lifetime = new AbortController(), { signal } = lifetime;
  const traits = Object.values(LINKS), start = Object.fromEntries(traits.map((name) => [name, model.get(name)]));
  const round = (value) => Math.round(value * 100) / 100;
  const zs = Float64Array.from({ length: 241 }, (_, i) => -6 + i / 20), heights = zs.map(objective);
  const mus = Float64Array.from({ length: PLACES }, (_, i) => -3 + 6 * i / (PLACES - 1));
  const place = ({ mu, logSigma }) => setState(model, { mu: round(clamp(mu, ...BOUNDS.mu)), sigma: round(clamp(Math.exp(logSigma), ...BOUNDS.sigma)) });
  const current = () => ({ mu: model.get("mu"), logSigma: Math.log(model.get("sigma")) });
  const draw = (normal, count) => Float64Array.from({ length: count }, normal);
  let normal, frozen, repeats, eps, state = null, colours = null;
  const restart = () => {                                            // the same ε after every reset
    normal = createNormal(model.get("seed"));
    frozen = draw(normal, MOST);
    repeats = draw(createNormal(model.get("seed") + 1), REPEATS * MOST);
  };
  restart();

  const canvas = element("canvas", { class: "vae-active vae-samples-picture", tabindex: 0, role: "application" });
  const frameOf = (width, height) => createFrame(width, height, MARGIN_PICTURE, [-VIEW, VIEW], [0, 1]);
  const picture = createSurface(canvas, signal, (context, width, height) => {
    if (!colours) return;
    const frame = frameOf(width, height), { mu, sigma } = state, tall = frame.bottom - frame.top;
    const rowEps = frame.top + 0.17 * tall, rowZ = frame.top + 0.5 * tall, lift = 0.13 * tall;
    const curve = { ...frame, toY: (y) => frame.bottom - (y + 1.2) / 9 * 0.42 * tall };
    drawBump(context, frame, zs, rowEps, lift, 0, 1, { colour: colours.prior, line: "dotted" });
    drawBump(context, frame, zs, rowZ, lift, mu, sigma, { colour: colours.q });
    context.lineWidth = 1;
    context.globalAlpha = eps.length > 60 ? 0.3 : 0.6;
    context.strokeStyle = colours.q;
    context.beginPath();
    for (const e of eps) {
      context.moveTo(frame.toX(e), rowEps);
      context.lineTo(frame.toX(mu + sigma * e), rowZ);
    }
    context.stroke();
    context.globalAlpha = 1;
    clipped(context, frame, () => drawCurve(context, curve, zs, heights, { colour: colours.ink, width: 1.8 }));
    const dots = (points, colour, radius, open) => {
      context.strokeStyle = colour;
      context.fillStyle = open ? colours.card : colour;
      context.lineWidth = 1.5;
      for (const [x, y] of points) {
        context.beginPath();
        context.arc(x, y, radius, 0, 2 * Math.PI);
        context.fill();
        context.stroke();
      }
    };
    const radius = eps.length > 60 ? 2 : 3.5, shown = Array.from(eps, (e) => mu + sigma * e);
    dots(Array.from(eps, (e) => [frame.toX(e), rowEps]), colours.prior, radius, true);
    dots(shown.map((z) => [frame.toX(z), rowZ]), colours.q, radius, false);
    if (eps.length <= 60) {
      context.strokeStyle = colours.q;
      context.lineWidth = 2;
      context.beginPath();
      for (const z of shown) {                                       // the slope f'(z): what each sample says to the pathwise gradient
        const x = curve.toX(z), y = curve.toY(objective(z)), [dx, dy] = [1, slope(z) * (curve.toY(1) - curve.toY(0)) / (curve.toX(1) - curve.toX(0))];
        const length = 13 / Math.hypot(dx, dy);
        context.moveTo(x - dx * length, y - dy * length);
        context.lineTo(x + dx * length, y + dy * length);
      }
      context.stroke();
    }
    dots(shown.map((z) => [curve.toX(z), curve.toY(objective(z))]), colours.q, Math.min(radius, 3), false);
    drawAxis(context, frame, colours, "ε above, z below");
    drawName(context, frame, colours, "ε ~ N(0, 1)", frame.left, rowEps - 5, colours.prior, "left");
    drawName(context, frame, colours, "z = μ + σ·ε", frame.left, rowZ - 5, colours.q, "left");
    drawName(context, frame, colours, "f(z)", frame.left + 4, curve.toY(objective(-VIEW)) + 26, colours.ink, "left");
  });
  onDragGaussian(canvas, signal, {
    get: current, set: place, reset: () => setState(model, { mu: start.mu, sigma: start.sigma }),
    fromX: (x) => frameOf(canvas.clientWidth, canvas.clientHeight).fromX(x),
  });

  const objectiveCanvas = element("canvas", { class: "vae-objective", role: "img" });
  const objectivePlot = createSurface(objectiveCanvas, signal, (context, width, height) => {
    if (!colours) return;
    const frame = createFrame(width, height, MARGIN_OBJECTIVE, [-3, 3], [-2, 5]), { mu, exactCurve, estimated, values } = state;
    drawRules(context, frame, colours);
    clipped(context, frame, () => {
      drawCurve(context, frame, mus, exactCurve, { colour: colours.elbo, width: 3 });
      drawCurve(context, frame, mus, estimated, { colour: colours.q, width: 1.8 });
      context.fillStyle = colours.q;
      context.beginPath();
      context.arc(frame.toX(mu), frame.toY(values.estimate), 5, 0, 2 * Math.PI);
      context.fill();
    });
    drawAxis(context, frame, colours, "μ");
  });
  const strips = { mu: createStrips("∂/∂μ", signal), sigma: createStrips("∂/∂σ", signal) };
  const modes = [false, true].map((fresh) => button(fresh ? "fresh ε" : "frozen ε", signal, () => setState(model, { fresh }), { "data-fresh": fresh }));
  const numbers = element("p", { class: "vae-sentence" }), table = element("table", { class: "vae-table" });
  prepareRoot(el, "reparameterise");
  el.replaceChildren(
    element("div", { class: "vae-buttons" }, element("div", { class: "vae-choice", role: "group", "aria-label": "noise" }, ...modes),
      button("draw ε", signal, () => {
        frozen = draw(normal, MOST);
        update();
      }),
      button("reset", signal, () => {
        restart();
        setState(model, { ...start, fresh: false });
        update();
      })),
    stageName("Samples", "vae-q", "drag: sideways moves μ, up and down changes σ"), canvas,
    element("div", { class: "vae-columns" },
      element("div", {}, stageName("Objective", "", "E f(z) as μ varies: exact (heavy) and estimated"), objectiveCanvas, numbers),
      element("div", {}, stageName("Gradient", "", `the line is exact; thin marks, ${REPEATS} more estimates; shaded, ± one standard deviation`), strips.mu.canvas, strips.sigma.canvas)),
    table,
    element("p", { class: "vae-hint" }, element("b", {}, "Try: "), "move ", math("μ"), " with frozen ", math("ε"), ", then with fresh ", math("ε"),
      ". How many samples does the score function need to be as sure as the path is with 12?"));
  const announce = createAnnouncer(el, signal);

  function update() {
    const mu = model.get("mu"), sigma = model.get("sigma"), count = model.get("samples"), fresh = model.get("fresh");
    eps = fresh ? draw(normal, count) : frozen.slice(0, count);
    const exact = exactObjective(mu, sigma), here = estimate(eps, mu, sigma), single = spreadOf(mu, sigma), root = Math.sqrt(count);
    const others = Array.from({ length: REPEATS }, (_, i) => estimate(repeats, mu, sigma, i * MOST, count));
    const estimated = mus.map((m) => {
      const own = fresh ? draw(normal, count) : eps;
      return own.reduce((sum, e) => sum + objective(m + sigma * e), 0) / count;
    });
    if (fresh) estimated[Math.round((mu + 3) / 6 * (PLACES - 1))] = here.value;
    el.values = {
      eps, exact: exact.value, estimate: here.value, exactMu: exact.mu, exactSigma: exact.sigma,
      pathMu: here.pathMu, pathSigma: here.pathSigma, scoreMu: here.scoreMu, scoreSigma: here.scoreSigma,
      spreadPathMu: single.pathMu / root, spreadPathSigma: single.pathSigma / root,
      spreadScoreMu: single.scoreMu / root, spreadScoreSigma: single.scoreSigma / root,
    };
    state = { mu, sigma, values: el.values, estimated, exactCurve: mus.map((m) => exactObjective(m, sigma).value), strips: {
      mu: { exact: exact.mu, rows: rowsOf("Mu", others) }, sigma: { exact: exact.sigma, rows: rowsOf("Sigma", others) } } };
    show(count, fresh);
    if (colours) paint();
  }
  function rowsOf(by, others) {
    const row = (key, name, glyph, colour) => ({ name, glyph, colour, here: el.values[key + by], spread: el.values[`spread${key[0].toUpperCase()}${key.slice(1)}${by}`], others: others.map((one) => one[key + by]) });
    return [row("path", "pathwise", "disc", "q"), row("score", "score function", "diamond", "soft")];
  }
  function show(count, fresh) {
    const { values } = state, two = (value) => formatNumber(value, 2);
    modes.forEach((node) => node.setAttribute("aria-pressed", String((node.dataset.fresh === "true") === fresh)));
    numbers.replaceChildren("E f(z) = ", element("b", {}, formatNumber(values.exact, 3)), `, estimated from ${count} sample${count === 1 ? "" : "s"}: `, element("b", { class: "vae-q" }, formatNumber(values.estimate, 3)));
    const cell = (value, spread) => element("td", {}, `${two(value)} ± ${two(spread)}`);
    const heading = (text) => element("th", { scope: "col" }, text);
    table.replaceChildren(
      element("thead", {}, element("tr", {}, element("td", {}), heading("exact"), heading("pathwise"), heading("score function"))),
      element("tbody", {}, ...[["∂/∂μ", "Mu"], ["∂/∂σ", "Sigma"]].map(([symbol, by]) => element("tr", {}, element("th", { scope: "row" }, symbol),
        element("td", {}, two(values[`exact${by}`])), cell(values[`path${by}`], values[`spreadPath${by}`]), cell(values[`score${by}`], values[`spreadScore${by}`])))));
    const { mu, sigma } = state;
    canvas.setAttribute("aria-label", `${count} samples of z = μ + σ·ε, μ = ${two(mu)}, σ = ${two(sigma)}, ε ${fresh ? "fresh at every change" : "frozen"}, over the curve f(z). ${GAUSSIAN_KEYS.replace("q narrower", "σ smaller").replace("wider", "larger")}`);
    objectiveCanvas.setAttribute("aria-label", `Objective against μ at σ = ${two(sigma)}: exact ${two(values.exact)}, estimated ${two(values.estimate)} here; the estimated curve is ${fresh ? "jagged" : "smooth"}.`);
    for (const [name, by] of [["mu", "Mu"], ["sigma", "Sigma"]]) {
      strips[name].canvas.setAttribute("aria-label", `Derivative by ${name}: exact ${two(values[`exact${by}`])}; pathwise ${two(values[`path${by}`])} with standard deviation ${two(values[`spreadPath${by}`])}; `
        + `score function ${two(values[`score${by}`])} with standard deviation ${two(values[`spreadScore${by}`])}.`);
    }
    announce(`μ = ${two(mu)}, σ = ${two(sigma)}: E f is ${two(values.exact)}, estimated ${two(values.estimate)}; by μ, pathwise ${two(values.pathMu)}, score function ${two(values.scoreMu)}, exact ${two(values.exactMu)}.`);
  }
  function paint() {
    picture.paint();
    objectivePlot.paint();
    for (const name of ["mu", "sigma"]) strips[name].paint({ ...state.strips[name], colours });
  }
  const ranges = { ...BOUNDS, samples: [1, MOST] }, linked = parseHash(location.hash, Object.keys(LINKS));
  const told = Object.fromEntries(Object.entries(linked).map(([name, value]) => [LINKS[name], clamp(value, ...ranges[LINKS[name]])]));
  if ("samples" in told) told.samples = Math.round(told.samples);
  if (Object.keys(told).length) setState(model, told);
  update();
  followTheme(el, signal, (now) => {
    colours = now;
    paint();
  });
  listen(model, [...traits, "fresh"], signal, coalesce(signal, update));
  el.dataset.ready = "true";
  return () => lifetime.abort();
}

export default { render };
