// Two densities: p with two humps, q a Gaussian, and both KL divergences as areas, numbers and bars.
import { button, clamp, coalesce, createAnnouncer, element, followHash, formatNumber, listen, math, prepareRoot, roundUp, setState, stageName } from "./page.js";
import { followTheme } from "./theme.js";
import { createSurface } from "./canvas.js";
import { clipped, createFrame, drawAxis, drawCurve, drawName, drawRules } from "./plot.js";
import { bestGaussian, createGrid, klFromGaussian, klToGaussian, logNormal } from "./gaussian.js";
import { logMixture, momentsOf } from "./mixture.js";
import { GAUSSIAN_KEYS, onDragGaussian } from "./drag_gaussian.js";

const VIEW = 6;                                                      // the picture shows z from −6 to 6
const BOUNDS = { mu: [-5, 5], sigma: [0.2, 4] };                     // of the sliders
const LINKS = { separation: "separation", weight: "weight", kl_mu: "mu", kl_sigma: "sigma" };
const MARGIN_DENSITY = { left: 8, right: 8, top: 8, bottom: 38 }, MARGIN_AREA = { left: 40, right: 8, top: 8, bottom: 38 };
const DIRECTIONS = {
  forward: { name: "KL(p‖q)", integrand: "p(z) · log(p(z)/q(z))", pays: "pays where p has mass and q has little" },
  reverse: { name: "KL(q‖p)", integrand: "q(z) · log(q(z)/p(z))", pays: "pays where q has mass and p has little" },
};

// One direction of KL: its integrand as a signed area, its number and its bar.
function createDirection(key, signal) {
  const { name, integrand, pays } = DIRECTIONS[key];
  const view = { xs: [0, 1], ys: [0, 0], colours: null };
  const canvas = element("canvas", { class: "vae-area", role: "img" });
  const surface = createSurface(canvas, signal, (context, width, height) => {
    const { xs, ys, colours } = view;
    if (!colours) return;
    const most = Math.max(...ys), least = Math.min(...ys);
    const high = roundUp(Math.max(most, 0.1)), low = -roundUp(Math.max(-least, high / 5));
    const frame = createFrame(width, height, MARGIN_AREA, [-VIEW, VIEW], [low, high]);
    drawRules(context, frame, colours);
    clipped(context, frame, () => drawCurve(context, frame, xs, ys, { colour: colours.rate, fill: 0.35 }));
    context.strokeStyle = colours.soft;
    context.lineWidth = 1;
    context.beginPath();
    context.moveTo(frame.left, frame.toY(0));
    context.lineTo(frame.right, frame.toY(0));
    context.stroke();
    drawAxis(context, frame, colours, "z");
  });
  const number = element("b"), fill = element("span", { class: "vae-bar-rate" });
  const node = element("div", {},
    element("p", { class: "vae-kl vae-rate" }, `${name} = `, number, " nats"),
    element("div", { class: "vae-track", "aria-hidden": "true" }, fill),
    element("p", { class: "vae-soft" }, pays, "; the area under ", math(integrand)), canvas);
  return {
    node,
    show(nats, top, xs, ys) {
      Object.assign(view, { xs, ys });
      number.textContent = formatNumber(nats, nats < 10 ? 3 : 1);
      fill.style.width = `${100 * nats / top}%`;
      canvas.setAttribute("aria-label", `Integrand ${integrand}; the area under it, counted negative below zero, is ${name} = ${formatNumber(nats, 3)} nats.`);
    },
    paint(colours) {
      view.colours = colours;
      surface.paint();
    },
  };
}

function render({ model, el }) {
  const lifetime = new AbortController(), { signal } = lifetime;
  const traits = Object.values(LINKS), read = () => Object.fromEntries([...traits, "hump"].map((name) => [name, model.get(name)]));
  const start = Object.fromEntries(traits.map((name) => [name, model.get(name)]));
  const grid = createGrid(-42, 42, 4201);                            // nine times the widest σ on either side of any μ
  const logP = new Float64Array(grid.z.length), p = new Float64Array(grid.z.length), q = new Float64Array(grid.z.length);
  const areas = { forward: new Float64Array(grid.z.length), reverse: new Float64Array(grid.z.length) };
  const round = (value) => Math.round(value * 100) / 100;
  const place = ({ mu, logSigma }) => setState(model, { mu: round(clamp(mu, ...BOUNDS.mu)), sigma: round(clamp(Math.exp(logSigma), ...BOUNDS.sigma)) });
  const current = () => ({ mu: model.get("mu"), logSigma: Math.log(model.get("sigma")) });
  let colours = null;

  const canvas = element("canvas", { class: "vae-active vae-density", tabindex: 0, role: "application" });
  const frameOf = (width, height) => {
    const { separation, weight, hump, sigma } = read();
    const peaks = [logMixture(-separation / 2, { separation, weight, hump }), logMixture(separation / 2, { separation, weight, hump }), logMixture(0, { separation, weight, hump })];
    const top = 1.25 * Math.max(...peaks.map(Math.exp), Math.min(Math.exp(logNormal(0, 0, sigma)), 2));
    return createFrame(width, height, MARGIN_DENSITY, [-VIEW, VIEW], [0, top]);
  };
  const surface = createSurface(canvas, signal, (context, width, height) => {
    if (!colours) return;
    const frame = frameOf(width, height), { mu, separation, weight, hump } = read();
    clipped(context, frame, () => {
      drawCurve(context, frame, grid.z, p, { colour: colours.posterior, line: "dashed", fill: 0.13 });
      drawCurve(context, frame, grid.z, q, { colour: colours.q, fill: 0.16 });
    });
    drawAxis(context, frame, colours, "z");
    const side = weight >= 0.5 ? -1 : 1, peak = side * separation / 2;
    const crowded = Math.abs(frame.toX(mu) - frame.toX(peak)) < 40;
    const atP = crowded ? peak + side * 1.4 * hump : peak;
    drawName(context, frame, colours, "p(z)", frame.toX(atP) + (crowded ? side * 18 : 0), frame.toY(Math.exp(logMixture(atP, { separation, weight, hump }))) - 7, colours.posterior);
    drawName(context, frame, colours, "q(z)", frame.toX(mu), frame.toY(Math.exp(logNormal(0, 0, model.get("sigma")))) - 7, colours.q);
  });
  onDragGaussian(canvas, signal, {
    get: current, set: place, reset: () => setState(model, start),
    fromX: (x) => frameOf(canvas.clientWidth, canvas.clientHeight).fromX(x),
  });

  const directions = { forward: createDirection("forward", signal), reverse: createDirection("reverse", signal) };
  const formula = element("p", { class: "vae-soft" }), scale = element("p", { class: "vae-soft" });
  const seek = () => place(bestGaussian(grid, logP, current(), { mu: BOUNDS.mu, logSigma: BOUNDS.sigma.map(Math.log) }));
  const cover = () => {
    const { mu, sigma } = momentsOf(read());
    place({ mu, logSigma: Math.log(sigma) });
  };
  prepareRoot(el, "two-densities");
  el.replaceChildren(
    element("div", { class: "vae-buttons" }, button("best q for KL(q‖p)", signal, seek), button("best q for KL(p‖q)", signal, cover),
      button("reset", signal, () => setState(model, start))),
    stageName("Densities", "", "drag q: sideways moves μ, up and down changes σ"), canvas, formula,
    element("div", { class: "vae-columns" }, directions.forward.node, directions.reverse.node), scale,
    element("p", { class: "vae-hint" }, element("b", {}, "Try: "), "drag q to the left hump and press ", element("i", {}, "best q for KL(q‖p)"),
      "; then the same from the right, and from a wide q in the middle: each is a local minimum. Which is the lowest? Does ", element("i", {}, "best q for KL(p‖q)"), " care where q starts?"));
  const announce = createAnnouncer(el, signal);

  function update() {
    const state = read(), { mu, sigma, separation, weight, hump } = state;
    grid.z.forEach((z, i) => {
      logP[i] = logMixture(z, state);
      const logQ = logNormal(z, mu, sigma);
      p[i] = Math.exp(logP[i]);
      q[i] = Math.exp(logQ);
      areas.forward[i] = p[i] * (logP[i] - logQ);
      areas.reverse[i] = q[i] * (logQ - logP[i]);
    });
    el.values = { forward: klToGaussian(grid, logP, mu, sigma), reverse: klFromGaussian(grid, logP, mu, sigma) };
    const { forward, reverse } = el.values, top = Math.max(1, roundUp(Math.max(forward, reverse)));
    directions.forward.show(forward, top, grid.z, areas.forward);
    directions.reverse.show(reverse, top, grid.z, areas.reverse);
    const signed = (value) => formatNumber(value, 2);
    formula.replaceChildren(element("span", { class: "vae-posterior" }, math("p(z)"), ` = ${signed(weight)}·N(${signed(-separation / 2)}, ${hump}²) + ${signed(1 - weight)}·N(${signed(separation / 2)}, ${hump}²)`), "; ",
      element("span", { class: "vae-q" }, math("q(z)"), ` = N(${signed(mu)}, ${signed(sigma)}²)`));
    scale.textContent = `Both bars end at ${formatNumber(top, 0)} nat${top === 1 ? "" : "s"}.`;
    const said = `KL(p‖q) is ${formatNumber(forward, 3)} nats, KL(q‖p) is ${formatNumber(reverse, 3)} nats`;
    canvas.setAttribute("aria-label", `Density p with humps at ${signed(-separation / 2)} and ${signed(separation / 2)}, ${Math.round(100 * weight)} % of it in the left one; q is a Gaussian with mean ${signed(mu)} and standard deviation ${signed(sigma)}. ${said}. ${GAUSSIAN_KEYS}`);
    announce(`${said}; q has mean ${signed(mu)}, standard deviation ${signed(sigma)}.`);
    if (colours) paint();
  }
  function paint() {
    surface.paint();
    for (const direction of Object.values(directions)) direction.paint(colours);
  }
  followHash(model, LINKS, { separation: [0, 6], weight: [0.05, 0.95], ...BOUNDS });
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
