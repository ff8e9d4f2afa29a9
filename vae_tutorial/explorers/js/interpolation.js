// Interpolation: a path between two digits' codes, decoded along the way, and what its codes and its pictures are worth.
import { asBytes, createNetwork, decodeFloat, decodeHalf } from "./network.js";
import { button, clamp, coalesce, createAnnouncer, element, followHash, formatNumber, listen, math, parseHash, prepareRoot, setState, stageName } from "./page.js";
import { followTheme } from "./theme.js";
import { createSurface } from "./canvas.js";
import { createDigitPainter, digitValues, PIXELS } from "./digits.js";
import { createFilm } from "./film.js";
import { createPathMap } from "./path_map.js";
import { createPathPlot } from "./path_plot.js";
import { createJudge, createWalk, greynessOf, lengthOf, PATHS, placeOf, planeOf, STEPS } from "./walk.js";

const NETWORKS = { vae: "VAE", autoencoder: "autoencoder" };
const ROWS = Object.keys(NETWORKS).flatMap((network) => PATHS.map((path) => ({ network, path, name: `${NETWORKS[network]}, ${path}` })));
const BUDGET = 8;                                                    // milliseconds of decoding per frame
const FRAMES = STEPS / 2 + 1;                                        // pictures of a film strip
const TRAITS = ["start", "end", "t", "path", "network"];

function render({ model, el }) {
  const lifetime = new AbortController(), { signal } = lifetime, precision = model.get("precision");
  const load = (name) => createNetwork(model.get(`${name}_layers`), model.get(`${name}_weights`), precision);
  const decoders = { vae: load("vae"), autoencoder: load("autoencoder") }, d = decoders.vae.inputs;
  const judge = createJudge(load("judge_encoder"), model.get("judge_layers").length ? load("judge") : decoders.vae, decodeFloat(model.get("eps")));
  const labels = asBytes(model.get("labels")), banks = {}, endCodes = {};
  for (const network of Object.keys(NETWORKS)) {
    banks[network] = decodeHalf(model.get(`${network}_codes`));
    endCodes[network] = decodeFloat(model.get(`${network}_ends`));
  }
  const digits = digitValues(asBytes(model.get("digits"))), digitLabels = asBytes(model.get("digit_labels"));
  const starts = model.get("starts"), ends = digitLabels.length - starts, logNormalizer = -d / 2 * Math.log(2 * Math.PI);
  const original = Object.fromEntries(TRAITS.map((name) => [name, model.get(name)]));
  const rowNow = () => ROWS.findIndex(({ network, path }) => network === model.get("network") && path === model.get("path"));
  const indexNow = () => clamp(Math.round(model.get("t") * STEPS), 0, STEPS);
  const codeOf = (network, place) => Array.from(endCodes[network].subarray(place * d, (place + 1) * d));
  const chooseIndex = (index) => setState(model, { t: clamp(index, 0, STEPS) / STEPS });
  const decoded = new Float32Array(PIXELS);
  let walks = [], planes = {}, colours = null, chosen = "", frame = 0;

  const picks = (first, count, trait, stage) => {
    const nodes = Array.from({ length: count }, (_, place) => {
      const canvas = element("canvas", { "aria-hidden": "true" }), paintDigit = createDigitPainter();
      const surface = createSurface(canvas, signal, (context, width, height) => colours && paintDigit(context, width, height, digits, colours, (first + place) * PIXELS));
      const node = button("", signal, () => setState(model, { [trait]: place }), { "aria-label": `${stage.toLowerCase()} this ${digitLabels[first + place]}` });
      node.classList.replace("vae-button", "vae-sample");
      node.append(canvas);
      return { node, paint: surface.paint };
    });
    const root = element("div", { role: "group", "aria-label": stage }, stageName(stage), element("div", { class: "vae-samples vae-ten" }, ...nodes.map(({ node }) => node)));
    return { root, nodes, trait };
  };
  const choices = [picks(0, starts, "start", "From"), picks(starts, ends, "end", "To")];
  const films = ROWS.map(({ network, path, name }) => {
    const choose = () => setState(model, { network, path });
    const film = createFilm({
      signal, count: FRAMES, label: `pictures along the path: ${name}`,
      onChoose: (share) => setState(model, { network, path, t: clamp(Math.floor(share * FRAMES), 0, FRAMES - 1) / (FRAMES - 1) }),
    });
    return { film, node: button(name, signal, choose), shown: "" };
  });
  const map = createPathMap({
    signal, labels, planar: d === 2, onPlace: chooseIndex, onStep: (step) => chooseIndex(indexNow() + step), onHome: () => setState(model, { t: original.t }),
  });
  const plots = ["prior", "q", "elbo"].map((ink) => createPathPlot({ signal, ink, onChoose: (share) => chooseIndex(Math.round(share * STEPS)) }));
  const outputCanvas = element("canvas", { class: "vae-square", role: "img", "aria-label": "decoded picture" }), paintOutput = createDigitPainter();
  const output = createSurface(outputCanvas, signal, (context, width, height) => colours && paintOutput(context, width, height, decoded, colours));
  const facts = Object.fromEntries(["norm", "prior", "near", "rate", "distortion", "elbo"].map((name) => [name, element("dd")]));
  const fact = (name, value, kind = "") => element("div", { class: kind }, element("dt", {}, ...name), value);
  const mapNote = element("p", { class: "vae-soft" });
  prepareRoot(el, "interpolation");
  el.replaceChildren(
    element("div", { class: "vae-columns vae-ends" }, ...choices.map(({ root }) => root)),
    element("div", { class: "vae-films" }, ...films.flatMap(({ node, film }) => [node, film.canvas])),
    element("div", { class: "vae-walk" },
      element("div", {}, stageName("Map", "vae-q", d === 2 ? "the codes' own plane" : ["the plane through 0 and both codes"]), map.canvas, mapNote),
      element("div", { class: "vae-walk-output" },
        element("div", {}, stageName("Decoded", "vae-decoder"), outputCanvas),
        element("dl", { class: "vae-facts" },
          fact([math("‖z‖")], facts.norm), fact(["log ", math("p(z)")], facts.prior, "vae-prior"), fact(["nearest code"], facts.near, "vae-q"),
          fact(["rate"], facts.rate, "vae-rate"), fact(["distortion"], facts.distortion, "vae-distortion"), fact(["ELBO"], facts.elbo, "vae-elbo")))),
    element("div", { class: "vae-plots" }, ...[["Length", "", "‖z‖"], ["Neighbour", "vae-q", "distance to the nearest code"], ["Picture", "vae-elbo", "its ELBO, nats"]]
      .map(([name, kind, note], i) => element("div", {}, stageName(name, kind, note), plots[i].canvas))),
    element("div", { class: "vae-buttons" }, button("reset", signal, () => setState(model, original))),
    element("p", { class: "vae-hint" }, element("b", {}, "Try: "), "compare the middles of the four strips. Then, from row to row: which of the three curves takes the straight middle for the better one?"));
  const announce = createAnnouncer(el, signal);

  function choose() {
    const wanted = `${model.get("start")}-${model.get("end")}`;
    if (wanted === chosen) return;
    chosen = wanted;
    const [from, to] = [model.get("start"), starts + model.get("end")];
    walks = ROWS.map(({ network, path }) =>
      createWalk({ kind: path, a: codeOf(network, from), b: codeOf(network, to), decoder: decoders[network], codes: banks[network], judge }));
    planes = {};
    for (const network of Object.keys(NETWORKS)) {
      const plane = planeOf(codeOf(network, from), codeOf(network, to)), bank = banks[network], count = bank.length / d;
      const codes = Array.from({ length: count }, (_, n) => bank.subarray(n * d, (n + 1) * d)), lengths = codes.map(lengthOf).sort((a, b) => a - b);
      const points = Float32Array.from(codes.flatMap((z) => placeOf(z, plane, true))), own = walks.filter((_, row) => ROWS[row].network === network);
      const extent = 1.08 * Math.max(lengths[Math.floor(0.98 * (count - 1))], ...own.flatMap((walk) => walk.lengths));
      planes[network] = { points, extent, shell: lengths.reduce((sum, length) => sum + length, 0) / count, places: Object.fromEntries(own.map((walk, i) => [PATHS[i], walk.places.map((z) => placeOf(z, plane))])) };
    }
    films.forEach((film) => { film.shown = ""; });
  }
  // What is still missing: the pictures of the chosen row, of the others, then the ELBOs in the same order.
  function nextTask() {
    const order = [rowNow(), rowNow() ^ 1, ...[0, 1, 2, 3].filter((row) => row >> 1 !== rowNow() >> 1)];
    for (const row of order) for (let i = 0; i <= STEPS; i += 2) if (!walks[row].pictures[i]) return () => walks[row].picture(i);
    for (const row of order) for (let i = 0; i <= STEPS; i++) if (!walks[row].terms[i]) return () => walks[row].judged(i);
    return null;
  }
  function work() {
    const until = performance.now() + BUDGET;
    let task = nextTask();
    for (; task && performance.now() < until; task = nextTask()) task();
    frame = task ? requestAnimationFrame(work) : 0;
    el.dataset.complete = String(!task);
    if (colours) paint();
  }
  signal.addEventListener("abort", () => cancelAnimationFrame(frame));

  function update() {
    choose();
    const row = rowNow(), index = indexNow(), walk = walks[row], isVae = model.get("network") === "vae";
    decoded.set(walk.picture(index));
    const { rate, distortion } = walk.judged(index), greyness = greynessOf(decoded), norm = walk.lengths[index], { distance, index: neighbour } = walk.near[index];
    el.values = { row, index, z: Float32Array.from(walk.places[index]), norm, distance, rate, distortion, greyness, elbo: -(rate + distortion) };
    facts.norm.textContent = `${formatNumber(norm)} (codes: ${formatNumber(planes[model.get("network")].shell)})`;
    facts.prior.textContent = isVae ? `${formatNumber(logNormalizer - norm ** 2 / 2, 1)} nats` : "no prior";
    facts.near.textContent = `${formatNumber(distance)}, a ${labels[neighbour]}`;
    facts.rate.textContent = `${formatNumber(rate, 1)} nats`;
    facts.distortion.textContent = `${formatNumber(greyness, 1)} grey + ${formatNumber(distortion - greyness, 1)} misfit`;
    facts.elbo.textContent = `${formatNumber(-(rate + distortion), 1)} nats`;
    mapNote.textContent = d === 2 ? "" : "Each code stands at its true distance from 0 (+). Dotted: their mean length.";
    for (const { nodes, trait } of choices) nodes.forEach(({ node }, place) => node.setAttribute("aria-pressed", String(place === model.get(trait))));
    films.forEach(({ node }, i) => node.setAttribute("aria-pressed", String(i === row)));
    const said = `${ROWS[row].name}, from a ${digitLabels[model.get("start")]} to a ${digitLabels[starts + model.get("end")]}, t = ${formatNumber(index / STEPS)}: length ${formatNumber(norm)}, `
      + `nearest code ${formatNumber(distance)} away, a ${labels[neighbour]}; ELBO of the picture ${formatNumber(-(rate + distortion), 1)} nats`;
    map.canvas.setAttribute("aria-label", `Map with both paths. ${said}. Arrow keys walk along the path.`);
    outputCanvas.setAttribute("aria-label", `decoded picture at t = ${formatNumber(index / STEPS)}`);
    announce(`${said}.`);
    frame ||= requestAnimationFrame(work);
    if (colours) paint();
  }
  function paint() {
    const row = rowNow(), index = indexNow(), { network, path } = ROWS[row], [straight, spherical] = walks.slice(row & 2, (row & 2) + 2);
    films.forEach((strip, i) => {
      const pictures = walks[i].pictures.filter((_, place) => place % 2 === 0), here = i === row ? Math.round(index / 2) : -1;
      const state = [chosen, pictures.filter(Boolean).length, here, colours.version].join();
      if (state === strip.shown) return;
      strip.shown = state;
      strip.film.paint({ pictures, chosen: here, colours });
    });
    const { points, extent, places, shell } = planes[network];
    map.paint({
      points, extent, places, kind: path, index, key: `${network} ${chosen}`, shell, hasPrior: network === "vae",
      ends: [String(digitLabels[model.get("start")]), String(digitLabels[starts + model.get("end")])], colours,
    });
    const both = (pick) => ({ straight: pick(straight), spherical: pick(spherical) }), common = { kind: path, index, colours };
    plots[0].paint({ curves: both((walk) => walk.lengths), name: "length", decimals: 2, dotted: { value: shell, text: "all codes" }, ...common });
    plots[1].paint({ curves: both((walk) => walk.near.map(({ distance }) => distance)), name: "distance to the nearest code", decimals: 2, dotted: { value: model.get("neighbours")[network], text: "code to code" }, ...common });
    plots[2].paint({ curves: both((walk) => walk.elbos()), name: "ELBO of the picture", decimals: 1, ...common });
    output.paint();
  }
  followHash(model, { from: "start", to: "end", t: "t" }, { start: [0, starts - 1], end: [0, ends - 1], t: [0, 1] }, ["start", "end"]);
  const linked = parseHash(location.hash, ["path", "network"]);
  if (linked.path !== undefined) setState(model, { path: PATHS[Number(linked.path > 0)] });
  if (linked.network !== undefined) setState(model, { network: Object.keys(NETWORKS)[Number(linked.network > 0)] });
  update();
  followTheme(el, signal, (now) => {
    colours = now;
    choices.forEach(({ nodes }) => nodes.forEach(({ paint: paintPick }) => paintPick()));
    paint();
  });
  listen(model, TRAITS, signal, coalesce(signal, update));
  el.decoded = decoded;
  el.dataset.ready = "true";
  return () => lifetime.abort();
}

export default { render };
