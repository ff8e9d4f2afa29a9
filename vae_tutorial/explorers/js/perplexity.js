// Perplexity: the codes on the left, their t-SNE map on the right, one point and its neighbours marked in both.
import { asBytes, decodeHalf } from "./network.js";
import { button, clamp, coalesce, createAnnouncer, element, followHash, formatNumber, listen, prepareRoot, setState, stageName } from "./page.js";
import { followTheme } from "./theme.js";
import { createAxes, createSurface, onArrows, onDrag } from "./canvas.js";
import { classCentres, createClassMap, createGlyphs, drawCentres, drawCursor, drawPoints } from "./class_map.js";
import { allNeighbours, classShape, keptNeighbours, placeAmong } from "./neighbours.js";

const NEIGHBOURS = 10, MAP_LEVELS = 255, FRAME = 1.06;               // neighbours compared; whole numbers of a map; room around it
const PERPLEXITY_STEP = 2 ** 0.25;

// The clouds' bytes, cut where one ends and the next begins.
function readClouds(model) {
  const codes = decodeHalf(model.get("codes")), labels = asBytes(model.get("labels")), maps = asBytes(model.get("maps"));
  const steps = model.get("perplexities").length, at = { codes: 0, labels: 0, maps: 0 };
  return model.get("clouds").map(({ name, count, d, extent, model: ofModel }) => {
    const take = (array, key, length) => array.subarray(at[key], at[key] += length);
    const own = { name, count, d, extent, ofModel, codes: take(codes, "codes", count * d), labels: Array.from(take(labels, "labels", count)), maps: take(maps, "maps", steps * count * 2) };
    own.plane = Float32Array.from({ length: 2 * count }, (_, i) => own.codes[Math.floor(i / 2) * d + (i % 2)]);
    return own;
  });
}

// Lines from a point to its neighbours, then the point itself.
function drawNeighbours(context, width, height, axes, points, point, neighbours, colours) {
  const at = (i) => axes.toScreen(points[2 * i], points[2 * i + 1]);
  for (const [stroke, line] of [[colours.card, 4], [colours.ink, 1.6]]) {
    context.strokeStyle = stroke;
    context.lineWidth = line;
    context.beginPath();
    for (const j of neighbours) {
      context.moveTo(...at(point));
      context.lineTo(...at(j));
    }
    context.stroke();
  }
  drawCursor(context, width, height, at(point), colours);
}

function nearestOnScreen(axes, points, [x, y]) {
  let best = Infinity, nearest = 0;
  for (let i = 0; i < points.length / 2; i++) {
    const [px, py] = axes.toScreen(points[2 * i], points[2 * i + 1]), distance = (px - x) ** 2 + (py - y) ** 2;
    if (distance < best) [best, nearest] = [distance, i];
  }
  return nearest;
}

function render({ model, el }) {
  const lifetime = new AbortController(), { signal } = lifetime;
  const clouds = readClouds(model), recorded = model.get("perplexities");
  const low = recorded[0], high = recorded.at(-1);
  const start = { cloud: model.get("cloud"), perplexity: model.get("perplexity"), point: model.get("point") };
  const view = { colours: null, cloud: null, point: 0, positions: new Float64Array(0), neighbours: [], drawCodes: null, codeShape: null };
  const codeAxes = (width, height) => createAxes(width, height, view.cloud.extent);
  const mapAxes = (width, height) => createAxes(width, height, FRAME * MAP_LEVELS / 2, [MAP_LEVELS / 2, MAP_LEVELS / 2]);

  const makePane = (pane, axesOf, pointsOf, draw) => {
    const canvas = element("canvas", { class: "vae-square vae-active", tabindex: 0, role: "application", "data-map": pane });
    const surface = createSurface(canvas, signal, (context, width, height) => {
      if (!view.colours) return;
      const axes = axesOf(width, height);
      draw(context, width, height, axes);
      drawNeighbours(context, width, height, axes, pointsOf(), view.point, view.neighbours[view.point], view.colours);
    });
    onDrag(canvas, signal, (x, y, phase) => {
      if (phase !== "end") setState(model, { point: 1 + nearestOnScreen(axesOf(canvas.clientWidth, canvas.clientHeight), pointsOf(), [x, y]) });
    });
    onArrows(canvas, signal, (dx, dy) => {
      if (dx) setState(model, { point: clamp(model.get("point") + dx, 1, view.cloud.count) });
      if (dy) setState(model, { perplexity: clamp(model.get("perplexity") * PERPLEXITY_STEP ** dy, low, high) });
    }, () => setState(model, start));
    return { canvas, paint: surface.paint };
  };
  const codePane = makePane("codes", codeAxes, () => view.cloud.plane, (context, width, height) => {
    view.drawCodes(context, width, height, { extent: view.cloud.extent, colours: view.colours });
  });
  const mapPane = makePane("tsne", mapAxes, () => view.positions, (context, width, height, axes) => {
    drawPoints(context, width, height, axes, view.positions, view.cloud.labels, createGlyphs(width, view.colours));
    const centres = classCentres(view.positions, view.cloud.labels);
    if (centres.length > 1) drawCentres(context, axes, centres, view.colours, Math.max(13, Math.min(24, width / 17)));
  });

  const codeStage = element("span"), mapStage = element("span"), mapNote = element("p", { class: "vae-soft" });
  const stages = [stageName("Codes", "vae-q"), stageName("t-SNE map")];
  stages[0].append(codeStage);
  stages[1].append(mapStage);
  const cells = Object.fromEntries(["sizeCodes", "sizeMap", "apartCodes", "apartMap", "keptCodes", "keptMap"].map((name) => [name, element("td")]));
  const row = (name, left, right) => element("tr", {}, element("th", { scope: "row" }, name), left, right);
  const table = element("table", { class: "vae-table vae-kept" },
    element("thead", {}, element("tr", {}, element("th", { scope: "col" }, "compare"), element("th", { scope: "col" }, "codes"), element("th", { scope: "col" }, "map"))),
    element("tbody", {},
      row("widest class ÷ narrowest", cells.sizeCodes, cells.sizeMap),
      row("farthest two classes ÷ nearest", cells.apartCodes, cells.apartMap),
      row(`of ${NEIGHBOURS} nearest codes, kept`, cells.keptCodes, cells.keptMap)));
  prepareRoot(el, "perplexity");
  el.replaceChildren(
    element("div", { class: "vae-buttons" }, button("reset", signal, () => setState(model, start))),
    element("div", { class: "vae-panes vae-two" },
      element("div", { class: "vae-pane", role: "group", "aria-label": "codes" }, element("div", {}, stages[0], codePane.canvas)),
      element("div", { class: "vae-pane", role: "group", "aria-label": "t-SNE map" }, element("div", {}, stages[1], mapPane.canvas))),
    mapNote, table,
    element("p", { class: "vae-hint" }, element("b", {}, "Try: "),
      "three blobs. Which is the wide one, and which is far away? Ask the map. Then one Gaussian at perplexity 2: how many clusters do you count?"));
  const announce = createAnnouncer(el, signal);

  const ratio = (value) => (Number.isNaN(value) ? "–" : formatNumber(value, value < 10 ? 1 : 0));
  const known = (value) => (Number.isNaN(value) ? 1 : value);
  function choose(cloud) {
    view.cloud = cloud;
    view.neighbours = allNeighbours(cloud.codes, cloud.d, NEIGHBOURS);
    view.codeShape = classShape(cloud.codes, cloud.d, cloud.labels);
    const names = cloud.d > 2 ? ["widest", "second"] : ["z₁", "z₂"];
    view.drawCodes = createClassMap({ points: cloud.plane, labels: cloud.labels, names, prior: cloud.ofModel });
    codeStage.textContent = cloud.d > 2 ? `${cloud.d} numbers: the two widest directions` : "two numbers, as they are";
  }
  function update() {
    const cloud = clouds[clamp(model.get("cloud"), 0, clouds.length - 1)], perplexity = clamp(model.get("perplexity"), low, high);
    if (cloud !== view.cloud) choose(cloud);
    view.point = clamp(model.get("point"), 1, cloud.count) - 1;
    const { lower, share } = placeAmong(recorded, perplexity), size = 2 * cloud.count;
    view.positions = Float64Array.from({ length: size }, (_, i) => (1 - share) * cloud.maps[lower * size + i] + share * cloud.maps[(lower + 1) * size + i]);
    const shape = classShape(view.positions, 2, cloud.labels), kept = keptNeighbours(view.neighbours, allNeighbours(view.positions, 2, NEIGHBOURS));
    const between = share > 0 && share < 1;
    mapStage.textContent = `perplexity ${formatNumber(perplexity, perplexity < 10 ? 1 : 0)}`;
    mapNote.textContent = between ? `Between two recorded maps, ${recorded[lower]} and ${recorded[lower + 1]}: positions are interpolated.` : "A recorded map.";
    cells.sizeCodes.textContent = ratio(view.codeShape.size);
    cells.sizeMap.textContent = ratio(shape.size);
    cells.apartCodes.textContent = ratio(view.codeShape.apart);
    cells.apartMap.textContent = ratio(shape.apart);
    cells.keptCodes.textContent = String(NEIGHBOURS);
    cells.keptMap.textContent = formatNumber(kept, 1);
    const where = `${cloud.name}, ${cloud.count} points. Point ${view.point + 1}, of class ${cloud.labels[view.point]}, is marked with its ${NEIGHBOURS} nearest codes.`;
    const keys = "Left and right arrow keys choose the point, up and down the perplexity, Home resets.";
    codePane.canvas.setAttribute("aria-label", `Codes: ${where} ${keys}`);
    mapPane.canvas.setAttribute("aria-label", `t-SNE map at perplexity ${formatNumber(perplexity, 1)}: ${where} ${keys}`);
    announce(`${cloud.name}, perplexity ${formatNumber(perplexity, 1)}: ${formatNumber(kept, 1)} of ${NEIGHBOURS} neighbours kept; widest class to narrowest ${ratio(view.codeShape.size)} in the codes, ${ratio(shape.size)} on the map.`);
    el.values = {
      cloud: clouds.indexOf(cloud), point: view.point + 1, perplexity, positions: Float32Array.from(view.positions), kept,
      sizeCodes: known(view.codeShape.size), sizeMap: known(shape.size), apartCodes: known(view.codeShape.apart), apartMap: known(shape.apart),
    };
    if (view.colours) paint();
  }
  function paint() {
    codePane.paint();
    mapPane.paint();
  }
  followHash(model, { codes: "cloud", perplexity: "perplexity", point: "point" },
    { cloud: [0, clouds.length - 1], perplexity: [low, high], point: [1, Math.min(...clouds.map(({ count }) => count))] }, ["cloud", "point"]);
  update();
  followTheme(el, signal, (now) => {
    view.colours = now;
    paint();
  });
  listen(model, ["cloud", "perplexity", "point"], signal, coalesce(signal, update));
  el.dataset.ready = "true";
  return () => lifetime.abort();
}

export default { render };
