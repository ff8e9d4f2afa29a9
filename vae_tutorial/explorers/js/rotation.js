// Rotate z: the cloud of codes stands, the axes turn; p(x) stays, MIG and the ELBO of a diagonal q fall.
import { asBytes, createNetwork, decodeFloat, decodeHalf } from "./network.js";
import { button, clamp, coalesce, createAnnouncer, element, followHash, formatNumber, listen, math, prepareRoot, setState, stageName } from "./page.js";
import { followTheme } from "./theme.js";
import { createAxes, createSurface, onArrows, onDrag } from "./canvas.js";
import { createDigitPainter, digitValues, PIXELS } from "./digits.js";
import { gaussianDistortionOf } from "./objectives.js";
import { createFrame, drawAxis, drawCurve, drawName, drawRules } from "./plot.js";
import { createMeasurement, createTurn, matched, migOf } from "./turned.js";
import { drawEllipse, drawTurnedAxes } from "./turned_axes.js";

const LINKS = { turn: "degrees", place: "picture" };              // "picture" is the traversal's, on the same page
const STEPS = [-1.5, -1, -0.5, 0, 0.5, 1, 1.5];                      // of a traversal: added to one unit of the code
const AT_ONCE = 40;                                                  // decodings between two frames
const EXTENT = 2.6;                                                  // of the map
const MARGIN_ANGLE = { left: 46, right: 14, top: 10, bottom: 40 };

function render({ model, el }) {
  const lifetime = new AbortController(), { signal } = lifetime;
  const decoder = createNetwork(model.get("decoder_layers"), model.get("decoder_weights"), model.get("precision"));
  const across = model.get("across"), count = across * across, noise = model.get("noise"), curves = model.get("curves");
  const images = digitValues(asBytes(model.get("pictures"))), moments = decodeFloat(model.get("posteriors"));
  const codes = decodeHalf(model.get("codes")), side = model.get("side"), classes = model.get("classes");
  const classOf = (place) => Math.floor(place * classes / side);
  const factors = [Uint8Array.from({ length: side * side }, (_, i) => classOf(i % side)), Uint8Array.from({ length: side * side }, (_, i) => classOf(Math.floor(i / side)))];
  const start = { degrees: model.get("degrees"), picture: model.get("picture") };
  const chosen = () => model.get("picture") - 1;
  const posteriorOf = (i) => {
    const [mu1, mu2, sigma1, sigma2, mean1, mean2, xx, xy, yy] = moments.subarray(9 * i, 9 * i + 9);
    return { mu: [mu1, mu2], sigma: [sigma1, sigma2], mean: [mean1, mean2], covariance: [xx, xy, yy] };
  };
  const decoded = new Float32Array(2 * STEPS.length * PIXELS);
  const logLikelihood = (z1, z2) => -gaussianDistortionOf(decoder.forward([z1, z2]), images, noise, chosen() * PIXELS);
  let colours = null, task = 0;

  const map = element("canvas", { class: "vae-square vae-active", tabindex: 0, role: "application" });
  const mapSurface = createSurface(map, signal, (context, width, height) => {
    if (!colours) return;
    const axes = createAxes(width, height, EXTENT), at = (i) => axes.toScreen(moments[9 * i], moments[9 * i + 1]);
    context.lineJoin = "round";
    for (const [down, colour, dash] of [[false, colours.decoder, []], [true, colours.distortion, [5, 3]]]) {  // lines of one factor's value
      context.strokeStyle = colour;
      context.lineWidth = 1.4;
      context.setLineDash(dash);
      for (let line = 0; line < across; line++) {
        context.beginPath();
        for (let step = 0; step < across; step++) context.lineTo(...at(down ? step * across + line : line * across + step));
        context.stroke();
      }
    }
    context.setLineDash([]);
    drawTurnedAxes(context, width, height, createTurn(model.get("degrees")), axes.toScreen(0, 0), colours, ["z′₁", "z′₂"]);
    const [x, y] = at(chosen());
    context.beginPath();
    context.arc(x, y, 6, 0, 2 * Math.PI);
    context.fillStyle = colours.ink;
    context.fill();
    context.lineWidth = 2;
    context.strokeStyle = colours.card;
    context.stroke();
  });
  onDrag(map, signal, (x, y, phase) => {
    if (phase === "end") return;
    const [z1, z2] = createAxes(map.clientWidth, map.clientHeight, EXTENT).toWorld(x, y);
    let nearest = 0;
    const away = (i) => Math.hypot(moments[9 * i] - z1, moments[9 * i + 1] - z2);
    for (let i = 1; i < count; i++) if (away(i) < away(nearest)) nearest = i;
    setState(model, { picture: nearest + 1 });
  });
  onArrows(map, signal, (dx, dy) => {
    const column = clamp(chosen() % across + dx, 0, across - 1), row = clamp(Math.floor(chosen() / across) - dy, 0, across - 1);
    setState(model, { picture: row * across + column + 1 });
  }, () => setState(model, { picture: start.picture }));

  const near = element("canvas", { class: "vae-square", role: "img" });
  const nearSurface = createSurface(near, signal, (context, width, height) => {
    if (!colours) return;
    const { mu, sigma, mean, covariance } = posteriorOf(chosen()), turn = createTurn(model.get("degrees")), q = matched(sigma, model.get("degrees"));
    const axes = createAxes(width, height, 3 * Math.max(...sigma), mu);
    drawTurnedAxes(context, width, height, turn, axes.toScreen(...mu), colours, ["", ""]);
    for (const multiple of [1, 2]) {
      drawEllipse(context, axes, mean, covariance, multiple, { colour: colours.posterior, dash: [7, 4], fill: multiple === 1 ? 0.14 : 0 });
      const [a, b] = q.sigma.map((deviation) => deviation ** 2), { c, s } = turn;
      drawEllipse(context, axes, mu, [c * c * a + s * s * b, c * s * (a - b), s * s * a + c * c * b], multiple, { colour: colours.q, dash: [], fill: multiple === 1 ? 0.2 : 0 });
    }
  });
  const paintInput = createDigitPainter(), input = element("canvas", { class: "vae-square", role: "img" });
  const inputSurface = createSurface(input, signal, (context, width, height) => colours && paintInput(context, width, height, images, colours, chosen() * PIXELS));

  const tiles = Array.from({ length: 2 * STEPS.length }, (_, i) => {
    const canvas = element("canvas", { class: "vae-square", "aria-hidden": "true" }), paintTile = createDigitPainter();
    return { canvas, paint: createSurface(canvas, signal, (context, width, height) => colours && paintTile(context, width, height, decoded, colours, i * PIXELS)).paint };
  });
  const row = (unit) => element("div", { class: "vae-row", role: "img", "aria-label": `traversal of unit ${unit + 1}`, style: `grid-template-columns: repeat(${STEPS.length}, minmax(0, 1fr))` },
    ...tiles.slice(unit * STEPS.length, (unit + 1) * STEPS.length).map(({ canvas }) => canvas));

  const nats = element("canvas", { class: "vae-active vae-area", role: "img" }), gap = element("canvas", { class: "vae-active vae-area", role: "img" });
  const between = (values) => {
    const place = clamp(model.get("degrees") / (curves.degrees[1] - curves.degrees[0]), 0, values.length - 1), i = Math.min(values.length - 2, Math.floor(place));
    return values[i] + (place - i) * (values[i + 1] - values[i]);
  };
  const last = curves.degrees[curves.degrees.length - 1];
  const plot = (canvas, [low, high], lines, name) => {
    const surface = createSurface(canvas, signal, (context, width, height) => {
      if (!colours) return;
      const frame = createFrame(width, height, MARGIN_ANGLE, [0, last], [low, high]);
      drawRules(context, frame, colours);
      drawAxis(context, frame, colours, name, [0, 15, 30, 45, 60, 75, 90]);
      for (const { values, colour, width: thick, text, at, now } of lines) {
        drawCurve(context, frame, curves.degrees, values, { colour: colours[colour], width: thick });
        const x = frame.toX(model.get("degrees")), y = frame.toY(now());
        context.beginPath();
        context.arc(x, y, 5.5, 0, 2 * Math.PI);
        context.fillStyle = colours[colour];
        context.fill();
        context.strokeStyle = colours.card;
        context.lineWidth = 1.5;
        context.stroke();
        drawName(context, frame, colours, text, (frame.left + frame.right) / 2, at(frame), colours[colour]);
      }
    });
    onDrag(canvas, signal, (x) => {
      const frame = createFrame(canvas.clientWidth, canvas.clientHeight, MARGIN_ANGLE, [0, last], [low, high]);
      setState(model, { degrees: clamp(Math.round(frame.fromX(x)), 0, last) });
    });
    return surface.paint;
  };
  const top = Math.max(...curves.log_evidence), bottom = Math.min(...curves.elbo), room = 0.3 * (top - bottom);
  const paintNats = plot(nats, [bottom - room, top + room], [
    { values: curves.log_evidence, colour: "elbo", width: 3.4, text: "log p(x)", at: ({ toY }) => toY(top) - 8, now: () => between(curves.log_evidence) },
    { values: curves.elbo, colour: "q", width: 2.2, text: "ELBO of the best diagonal q", at: (frame) => frame.bottom - 7, now: () => between(curves.elbo) },
  ], "angle, degrees");
  const paintGap = plot(gap, [0, 1], [{ values: curves.mig, colour: "rate", width: 2.4, text: "MIG", at: (frame) => frame.top + 18, now: () => el.values.mig }], "angle, degrees");

  const evidenceLine = element("p", { class: "vae-sentence" }), migLine = element("p", { class: "vae-sentence" });
  prepareRoot(el, "rotation");
  el.replaceChildren(
    element("div", { class: "vae-buttons" },
      ...[0, 45, 90].map((degrees) => button(`${degrees}°`, signal, () => setState(model, { degrees }))),
      button("reset", signal, () => setState(model, start))),
    element("div", { class: "vae-columns" },
      element("div", {}, stageName("Latent", "vae-q", "all codes; the axes turn, the cloud stands. Press one to choose x"), map),
      element("div", {}, stageName("Close-up", "vae-q", "at the chosen x: ", element("span", { class: "vae-posterior" }, "p(z|x), dashed"), " and the best diagonal q"),
        element("div", { class: "vae-pair" }, near, input), evidenceLine, migLine)),
    element("div", { class: "vae-traversals" },
      stageName("Output", "vae-decoder", "from this code, only ", math("z′₁"), " moves"), row(0),
      stageName("Output", "vae-decoder", "from this code, only ", math("z′₂"), " moves"), row(1)),
    element("div", { class: "vae-columns" },
      element("div", {}, stageName("Evidence", "vae-elbo", "mean over pictures, nats"), nats),
      element("div", {}, stageName("MIG", "vae-rate", "does each unit serve one factor?"), gap)),
    element("p", { class: "vae-hint" }, element("b", {}, "Try: "), "turn to 45°. What does each unit move now, and which curve noticed? Turn on to 90°. Then, at 45°, press codes at the middle and at the corners of the map."));
  const announce = createAnnouncer(el, signal);

  function traverse() {
    const turn = createTurn(model.get("degrees")), here = turn.there(...posteriorOf(chosen()).mu);
    for (let i = 0; i < 2 * STEPS.length; i++) {
      const z = [...here];
      z[Math.floor(i / STEPS.length)] += STEPS[i % STEPS.length];
      decoded.set(decoder.forward(turn.back(...z)), i * PIXELS);
    }
  }
  function say() {
    const { degrees, mig, logEvidence, elbo, sigma } = el.values, number = (value) => (Number.isNaN(value) ? "…" : formatNumber(value, 3));
    evidenceLine.replaceChildren("This x, with the decoder as it is turned now: ", element("span", { class: "vae-elbo" }, `log p(x) = ${number(logEvidence)}`),
      ", ", element("span", { class: "vae-q" }, `ELBO = ${number(elbo)}`), `, K = ${number(logEvidence - elbo)} nats (σ′ = ${formatNumber(sigma[0], 3)}, ${formatNumber(sigma[1], 3)}).`);
    migLine.replaceChildren("All codes at ", `${formatNumber(degrees, 0)}°: `, element("span", { class: "vae-rate" }, `MIG = ${formatNumber(mig, 3)}`), ".");
    const said = `angle ${formatNumber(degrees, 0)} degrees: MIG ${formatNumber(mig, 2)}, mean log p(x) ${formatNumber(between(curves.log_evidence), 2)}, mean ELBO ${formatNumber(between(curves.elbo), 2)} nats`;
    map.setAttribute("aria-label", `The codes of all pictures as a net, and two axes turned by ${formatNumber(degrees, 0)} degrees; picture ${chosen() + 1} of ${count} is chosen. Arrow keys choose another.`);
    near.setAttribute("aria-label", `Ellipses around the code of picture ${chosen() + 1}: the true posterior, and the best Gaussian along the turned axes, σ′ ${formatNumber(sigma[0], 3)} and ${formatNumber(sigma[1], 3)}.`);
    input.setAttribute("aria-label", `picture ${chosen() + 1}: the chosen x`);
    nats.setAttribute("aria-label", `Over the angle, log p(x) is level, the ELBO sags to its lowest about halfway. ${said}`);
    gap.setAttribute("aria-label", `Over the angle, MIG falls to its lowest about halfway and comes back at 90 degrees. ${said}`);
    return said;
  }
  function update() {
    const degrees = model.get("degrees"), { mu, sigma } = posteriorOf(chosen());
    const { mig } = migOf(codes, factors, classes, degrees);
    el.values = { degrees, mig, sigma: matched(sigma, degrees).sigma, logEvidence: NaN, elbo: NaN };
    traverse();
    announce(say());
    if (colours) paint();
    const measurement = createMeasurement({ mu, sigma, degrees, logLikelihood });
    cancelAnimationFrame(task);                                      // what an earlier angle began
    const goOn = () => {
      const found = measurement.advance(AT_ONCE);
      if (!found) task = requestAnimationFrame(goOn);
      else {
        Object.assign(el.values, found);
        say();
      }
    };
    task = requestAnimationFrame(goOn);
  }
  signal.addEventListener("abort", () => cancelAnimationFrame(task));
  function paint() {
    for (const surface of [mapSurface, nearSurface, inputSurface, ...tiles]) surface.paint();
    paintNats();
    paintGap();
  }
  followHash(model, LINKS, { degrees: [0, last], picture: [1, count] }, ["picture"]);
  el.decoded = decoded;
  update();
  followTheme(el, signal, (now) => {
    colours = now;
    paint();
  });
  listen(model, Object.values(LINKS), signal, coalesce(signal, update));
  el.dataset.ready = "true";
  return () => lifetime.abort();
}

export default { render };
