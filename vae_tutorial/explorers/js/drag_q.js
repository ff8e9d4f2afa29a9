// Drag q: a Gaussian over the true posterior of one latent; K shrinks as L grows, and their sum log p(x) stands still.
import { decodeFloat } from "./network.js";
import { button, clamp, coalesce, createAnnouncer, element, followHash, formatNumber, listen, math, prepareRoot, setState, stageName } from "./page.js";
import { followTheme } from "./theme.js";
import { createSurface } from "./canvas.js";
import { clipped, createFrame, drawAxis, drawCurve, drawName } from "./plot.js";
import { createGrid, logNormal } from "./gaussian.js";
import { closeView, createEvidence } from "./evidence.js";
import { createColumns } from "./columns.js";
import { createPlane } from "./plane.js";
import { GAUSSIAN_KEYS, onDragGaussian } from "./drag_gaussian.js";

const BOUNDS = { mu: [-4, 4], logSigma: [-3.5, 0.5] }, BETAS = [0, 3];  // of the sliders
const LINKS = { x: "point", q_mu: "mu", q_log_sigma: "log_sigma", q_beta: "beta" };
const WIDE = 4.5;                                                    // the picture shows z from −4.5 to 4.5, or less
const MARGIN_CODE = { left: 8, right: 8, top: 8, bottom: 38 };

function render({ model, el }) {
  const lifetime = new AbortController(), { signal } = lifetime;
  const encoder = { mu: model.get("encoder_mu"), logSigma: model.get("encoder_log_sigma") }, count = encoder.mu.length;
  const logLikelihoods = decodeFloat(model.get("log_likelihoods")), points = logLikelihoods.length / count;
  const grid = createGrid(-model.get("extent"), model.get("extent"), points);
  const evidences = encoder.mu.map((_, i) => createEvidence(grid, logLikelihoods.subarray(i * points, (i + 1) * points)));
  const posteriors = evidences.map(({ logPosterior }) => logPosterior.map(Math.exp)), peaks = posteriors.map((p) => p.reduce((a, b) => Math.max(a, b)));
  const close = evidences.map(({ logPosterior }) => closeView(grid, logPosterior, WIDE));
  const prior = grid.z.map((z) => Math.exp(logNormal(z, 0, 1))), q = new Float64Array(points);
  const traits = Object.values(LINKS), start = Object.fromEntries(traits.map((name) => [name, model.get(name)]));
  const round = (value) => Math.round(value * 100) / 100, chosen = () => model.get("point") - 1;
  const current = () => ({ mu: model.get("mu"), logSigma: model.get("log_sigma") });
  const place = ({ mu, logSigma }) => setState(model, { mu: round(clamp(mu, ...BOUNDS.mu)), log_sigma: round(clamp(logSigma, ...BOUNDS.logSigma)) });
  let colours = null, zoomed = false;

  const canvas = element("canvas", { class: "vae-active vae-density", tabindex: 0, role: "application" });
  const frameOf = (width, height) => {
    const { low, high } = zoomed ? close[chosen()] : { low: -WIDE, high: WIDE };
    const top = 1.22 * Math.max(peaks[chosen()], Math.exp(logNormal(0, 0, Math.exp(model.get("log_sigma")))));
    return createFrame(width, height, MARGIN_CODE, [low, high], [0, top]);
  };
  const surface = createSurface(canvas, signal, (context, width, height) => {
    if (!colours) return;
    const frame = frameOf(width, height), { mu, logSigma } = current(), posterior = posteriors[chosen()];
    clipped(context, frame, () => {
      drawCurve(context, frame, grid.z, prior, { colour: colours.prior, line: "dotted", width: 2 });
      drawCurve(context, frame, grid.z, posterior, { colour: colours.posterior, line: "dashed", fill: 0.16 });
      drawCurve(context, frame, grid.z, q, { colour: colours.q, fill: 0.18 });
    });
    drawAxis(context, frame, colours, "z");
    const summit = posterior.indexOf(peaks[chosen()]), atP = frame.toX(grid.z[summit]), atQ = frame.toX(mu), side = atP < atQ ? -1 : 1;
    const near = Math.abs(atP - atQ) < 70;
    drawName(context, frame, colours, "p(z)", frame.left + 4, frame.toY(Math.exp(logNormal(frame.x0 + 0.08 * (frame.x1 - frame.x0), 0, 1))) - 8, colours.prior, "left");
    drawName(context, frame, colours, "p(z|x)", atP + (near ? side * 8 : 0), frame.toY(peaks[chosen()]) - 6, colours.posterior, near ? (side < 0 ? "right" : "left") : "center");
    const outside = atQ < frame.left ? "← q(z|x)" : atQ > frame.right ? "q(z|x) →" : "q(z|x)";
    drawName(context, frame, colours, outside, atQ - (near ? side * 8 : 0), frame.toY(Math.exp(logNormal(0, 0, Math.exp(logSigma)))) - 6, colours.q, near ? (side < 0 ? "left" : "right") : "center");
  });
  onDragGaussian(canvas, signal, {
    get: current, set: place, reset: () => setState(model, { mu: start.mu, log_sigma: start.log_sigma }),
    fromX: (x) => frameOf(canvas.clientWidth, canvas.clientHeight).fromX(x),
  });

  const images = decodeFloat(model.get("images")), curve = decodeFloat(model.get("curve"));
  const plane = images.length ? createPlane({ images, curve, noise: model.get("noise"), signal, onPick: (index) => setState(model, { point: index + 1 }) }) : null;
  const columns = createColumns(signal);
  const zoom = button("zoom to p(z|x)", signal, () => {
    zoomed = !zoomed;
    zoom.setAttribute("aria-pressed", String(zoomed));
    paint();
  }, { "aria-pressed": "false" });
  const sum = element("p", { class: "vae-sentence" }), boundLine = element("p", { class: "vae-sentence" }), verdict = element("p", { class: "vae-soft" });
  prepareRoot(el, "drag-q");
  el.replaceChildren(
    element("div", { class: "vae-buttons" },
      button("best q", signal, () => place(evidences[chosen()].best(current(), BOUNDS, model.get("beta")))),
      button("encoder's q", signal, () => place({ mu: encoder.mu[chosen()], logSigma: encoder.logSigma[chosen()] })),
      zoom,
      button("reset", signal, () => {
        zoomed = false;
        zoom.setAttribute("aria-pressed", "false");
        setState(model, start);
        paint();
      })),
    stageName("Latent", "vae-q", "drag q: sideways moves μ, up and down changes σ"), canvas,
    element("div", { class: "vae-columns" },
      ...(plane ? [element("div", {}, stageName("Data", "vae-decoder", count > 1 ? "the decoder's curve; press a point to make it x" : "the decoder's curve"), plane.canvas)] : []),
      element("div", {}, stageName("Evidence", "vae-elbo", "of this x, in nats"), columns.canvas)),
    sum, boundLine, verdict,
    element("p", { class: "vae-hint" }, element("b", {}, "Try: "), "make ", math("K"), " as small as you can by hand, then press ", element("i", {}, "best q"),
      " and ", element("i", {}, "encoder's q"), ". Then set ", math("β"), " to 0.5 and press ", element("i", {}, "best q"), ": which line does ", math("L"), element("sub", {}, "β"), " cross?"));
  const announce = createAnnouncer(el, signal);

  function update() {
    const index = chosen(), { mu, logSigma } = current(), beta = model.get("beta"), sigma = Math.exp(logSigma);
    grid.z.forEach((z, i) => { q[i] = Math.exp(logNormal(z, mu, sigma)); });
    el.values = { ...evidences[index].measure(mu, logSigma, beta), highest: evidences[index].highest(beta) };
    const { logEvidence, gap, elbo, elboBeta, rate, logLikelihoodMean, highest } = el.values, nats = (value) => formatNumber(value, 2);
    const signed = (value) => (value < 0 ? `(${nats(value)})` : nats(value));
    const name = (text, kind) => element("span", { class: `vae-${kind}` }, text);
    sum.replaceChildren(name("log p(x)", "elbo"), " = ", name("K", "rate"), " + ", name("L", "elbo"), ": ",
      element("b", {}, nats(logEvidence)), " = ", name(nats(gap), "rate"), " + ", name(signed(elbo), "elbo"));
    boundLine.replaceChildren(name("L", "elbo"), element("sub", {}, "β"), " = ", name("E log p(x|z)", "distortion"), " − β·", name("KL(q‖p(z))", "rate"), ": ",
      element("b", {}, nats(elboBeta)), " = ", name(nats(logLikelihoodMean), "distortion"), ` − ${nats(beta)}·`, name(nats(rate), "rate"));
    verdict.replaceChildren("L", element("sub", {}, "β"), elboBeta > logEvidence
      ? ` stands ${nats(elboBeta - logEvidence)} nats above log p(x): with β < 1 it is no bound. No q lifts it above ${nats(highest)} (the wedge).`
      : ` stands ${nats(logEvidence - elboBeta)} nats below log p(x). No q of any shape lifts it above ${nats(highest)} (the wedge)${beta === 1 ? ", which is log p(x) itself" : ""}.`);
    const said = `K is ${nats(gap)}, L is ${nats(elbo)}, their sum log p(x) is ${nats(logEvidence)} nats`;
    canvas.setAttribute("aria-label", `Over z: the true posterior of x number ${index + 1}, the prior, and q, a Gaussian with mean ${nats(mu)} and log σ ${nats(logSigma)}. ${said}. ${GAUSSIAN_KEYS}`);
    columns.canvas.setAttribute("aria-label", `${said}. At β = ${nats(beta)}, L_β is ${nats(elboBeta)} nats, ${elboBeta > logEvidence ? "above" : "at or below"} log p(x).`);
    plane?.canvas.setAttribute("aria-label", `The plane of the data with the decoder's curve; x is point ${index + 1} of ${count}, at ${nats(images[2 * index])}, ${nats(images[2 * index + 1])}. The slider x chooses too.`);
    announce(`${said}; L_β is ${nats(elboBeta)}.`);
    if (colours) paint();
  }
  function paint() {
    surface.paint();
    columns.paint({ values: el.values, beta: model.get("beta"), colours });
    if (!plane) return;
    const { mu, logSigma } = current(), near = (z) => clamp(Math.round((z - grid.z[0]) / grid.step), 0, points - 1);
    plane.paint({ index: chosen(), colours, shares: [
      { colour: "posterior", thick: 13, dash: true, mass: Array.from(plane.codes, (z) => posteriors[chosen()][near(z)]) },
      { colour: "q", thick: 6, dash: false, mass: Array.from(plane.codes, (z) => Math.exp(logNormal(z, mu, Math.exp(logSigma)))) },
    ] });
  }
  followHash(model, LINKS, { point: [1, count], mu: BOUNDS.mu, log_sigma: BOUNDS.logSigma, beta: BETAS }, ["point"]);
  update();
  followTheme(el, signal, (now) => {
    colours = now;
    paint();
  });
  listen(model, traits, signal, coalesce(signal, update));
  el.dataset.ready = "true";
  return () => lifetime.abort();
}

export default { render };
