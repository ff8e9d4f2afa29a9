// Reparameterise: z = μ + σ·ε with frozen or fresh ε; the objective it estimates, and two estimates of its gradient.
import { button, clamp, coalesce, createAnnouncer, element, followHash, formatNumber, listen, math, prepareRoot, setState, stageName } from "./page.js";
import { followTheme } from "./theme.js";
import { createSurface } from "./canvas.js";
import { clipped, createFrame, drawAxis, drawCurve, drawRules } from "./plot.js";
import { createNormal } from "./random.js";
import { createStrips } from "./gradient_strips.js";
import { createSamplesPicture } from "./samples_picture.js";
import { GAUSSIAN_KEYS, onDragGaussian } from "./drag_gaussian.js";
import { estimate, exactObjective, objective, spreadOf } from "./pathwise.js";

const BOUNDS = { mu: [-3, 3], sigma: [0.1, 2] }, MOST = 200, REPEATS = 60;  // of the sliders; estimates drawn as thin lines
const LINKS = { z_mu: "mu", z_sigma: "sigma", samples: "samples" };
const PLACES = 121;                                                  // values of μ behind the estimated curve
const MARGIN_OBJECTIVE = { left: 34, right: 8, top: 8, bottom: 38 };

function render({ model, el }) {
  const lifetime = new AbortController(), { signal } = lifetime;
  const traits = Object.values(LINKS), start = Object.fromEntries(traits.map((name) => [name, model.get(name)]));
  const round = (value) => Math.round(value * 100) / 100;
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

  const samples = createSamplesPicture(signal), { canvas } = samples;
  onDragGaussian(canvas, signal, {
    get: current, set: place, reset: () => setState(model, { mu: start.mu, sigma: start.sigma }),
    fromX: samples.fromX,
  });

  const objectiveCanvas = element("canvas", { class: "vae-objective", role: "img" });
  const objectivePlot = createSurface(objectiveCanvas, signal, (context, width, height) => {
    if (!colours) return;
    const frame = createFrame(width, height, MARGIN_OBJECTIVE, [-3, 3], [-1, 7]), { mu, exactCurve, estimated, values } = state;
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
  const modes = [false, true].map((fresh) => button(fresh ? "fresh ε" : "frozen ε", signal, () => setState(model, { fresh }), { "data-fresh": String(fresh) }));
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
    stageName("Samples", "vae-q", "f(z) = z²/2 + sin 2z; drag: sideways moves μ, up and down changes σ"), canvas,
    element("div", { class: "vae-columns" },
      element("div", {}, stageName("Objective", "", "E f(z) as μ varies: exact (heavy), estimated (thin)"), objectiveCanvas, numbers),
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
    samples.paint({ eps, mu: state.mu, sigma: state.sigma, colours });
    objectivePlot.paint();
    for (const name of ["mu", "sigma"]) strips[name].paint({ ...state.strips[name], colours });
  }
  followHash(model, LINKS, { ...BOUNDS, samples: [1, MOST] }, ["samples"]);
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
