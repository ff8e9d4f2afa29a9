// Latent map: a point on the map of codes, decoded at once; the VAE alone or beside an autoencoder under the same cursor.
import { asBytes, createNetwork, decodeHalf, sigmoid } from "./network.js";
import { button, clamp, coalesce, createAnnouncer, element, formatNumber, listen, math, parseHash, prepareRoot, setState, stageName } from "./page.js";
import { followTheme } from "./theme.js";
import { createAxes, createSurface, onArrows, onDrag } from "./canvas.js";
import { createDigitPainter } from "./digits.js";
import { createClassMap, drawCursor, nearestLabel } from "./class_map.js";
import { createManifold } from "./manifold.js";

const PRIOR_EXTENT = 3.5;                                            // the close view: ±3.5 standard deviations of p(z)
const HIDDEN = 24;                                                   // pixels to an edge of the close view: smaller, a cursor would cover it
const STEP = 0.05;                                                   // one press of an arrow key

// A map and the digit decoded under the cursor, for one of the two models.
function createPane(model, prefix, kind, labels, signal, moveTo, refresh) {
  const network = createNetwork(model.get(`${prefix}_layers`), model.get(`${prefix}_weights`), model.get("precision"));
  const points = decodeHalf(model.get(`${prefix}_points`));
  const count = labels.length.toLocaleString("en");
  const isVae = prefix === "vae";
  const what = isVae ? "means of q(z|x)" : "codes";
  const mapCanvas = element("canvas", {
    class: "vae-square vae-active", tabindex: 0, role: "application", "data-map": prefix,
    "aria-label": `${kind}: map of ${count} held-out digits, ${what}. Arrow keys move z, with Shift in larger steps, Home returns to (0, 0). The z sliders do the same.`,
  });
  const digitCanvas = element("canvas", { class: "vae-square", role: "img", "aria-label": `${kind}: decoded digit` });
  const facts = { z: element("dd"), distance: element("dd"), nearest: element("dd") };
  const fact = (name, value, kind) => element("div", { class: kind }, element("dt", {}, ...name), value);
  const list = element("dl", { class: "vae-facts" },
    fact([math("z")], facts.z, "vae-place"), fact(["‖", math("z"), "‖"], facts.distance, "vae-place"), fact(["nearest"], facts.nearest));
  const root = element("div", { class: "vae-pane", role: "group", "aria-label": kind },
    element("div", {}, stageName(kind, isVae ? "vae-q" : "", `${what}, ${count} digits`), mapCanvas),
    element("div", {}, stageName("Decoder", "vae-decoder", ...(isVae ? [math("p(x|z)")] : [])), element("div", { class: "vae-decoded" }, digitCanvas, list)));

  const drawClassMap = createClassMap({ points, labels });
  const manifold = createManifold(network, signal, refresh);
  const paintDigit = createDigitPainter();
  const decoded = new Float32Array(network.outputs);
  const view = { z: [0, 0], extent: 1, colours: null, grid: false };
  const map = createSurface(mapCanvas, signal, (context, width, height) => {
    const { extent, colours, z } = view;
    const background = view.grid ? manifold(clamp(Math.round(width / 21), 8, 20), extent, colours) : null;
    const axes = drawClassMap(context, width, height, { extent, colours, background });
    const reach = PRIOR_EXTENT * axes.scale;
    drawCursor(context, width, height, axes.toScreen(...z), colours, reach < HIDDEN ? Math.max(reach, 15) : 0);
  });
  const digit = createSurface(digitCanvas, signal, (context, width, height) => paintDigit(context, width, height, decoded, view.colours));
  onDrag(mapCanvas, signal, (x, y) => moveTo(createAxes(mapCanvas.clientWidth, mapCanvas.clientHeight, view.extent).toWorld(x, y)));

  return {
    root, decoded, mapCanvas,
    decode(z) {
      view.z = z;
      network.forward(z).forEach((logit, i) => { decoded[i] = sigmoid(logit); });
      const label = nearestLabel(points, labels, ...z);
      facts.z.textContent = `(${z.map((value) => formatNumber(value)).join(", ")})`;
      facts.distance.textContent = formatNumber(Math.hypot(...z));
      facts.nearest.textContent = `digit ${label}`;
      return `${kind}: nearest held-out digit ${label}`;
    },
    paint(changes) {
      Object.assign(view, changes);
      map.paint();
      digit.paint();
    },
    paintMap: () => map.paint(),
  };
}

function render({ model, el }) {
  const lifetime = new AbortController(), { signal } = lifetime;
  const wide = model.get("extent");
  const both = model.get("autoencoder_layers").length > 0;
  const labels = asBytes(model.get("labels"));
  const start = { z1: model.get("z1"), z2: model.get("z2") };
  const moveTo = ([z1, z2]) => setState(model, { z1: round(clamp(z1, -wide, wide)), z2: round(clamp(z2, -wide, wide)) });
  const round = (value) => Math.round(value * 100) / 100;
  const repaintMaps = coalesce(signal, () => panes.forEach((pane) => pane.paintMap()));
  const panes = [["vae", "VAE"], ...(both ? [["autoencoder", "Autoencoder"]] : [])]
    .map(([prefix, kind]) => createPane(model, prefix, kind, labels, signal, moveTo, repaintMaps));

  const view = { extent: wide, grid: false };
  const press = (node, pressed) => node.setAttribute("aria-pressed", String(pressed));
  const gridButton = button("decoded grid", signal, () => {
    view.grid = !view.grid;
    press(gridButton, view.grid);
    paint();
  }, { "aria-pressed": "false", title: "what the decoder makes of every place on the map" });
  const closeButton = button("zoom to the prior", signal, () => {
    view.extent = view.extent === wide ? PRIOR_EXTENT : wide;
    press(closeButton, view.extent !== wide);
    paint();
  }, { "aria-pressed": "false", title: `show ±${PRIOR_EXTENT} only` });
  const buttons = element("div", { class: "vae-buttons" }, gridButton);
  if (wide > 1.3 * PRIOR_EXTENT) buttons.append(closeButton);
  buttons.append(button("reset", signal, () => {
    Object.assign(view, { extent: wide, grid: false });
    press(gridButton, false);
    press(closeButton, false);
    setState(model, start);
    paint();
  }));
  const hint = element("p", { class: "vae-hint" }, element("b", {}, "Try: "), both
    ? "zoom to the prior. Where p(z) puts its samples the VAE keeps all its digits; the autoencoder keeps there only what training happened to leave."
    : "drag across a border between two classes. Then leave the outer circle: few codes were ever there.");
  prepareRoot(el, "latent-map");
  el.replaceChildren(buttons, element("div", { class: both ? "vae-panes vae-two" : "vae-panes" }, ...panes.map((pane) => pane.root)), hint);
  const announce = createAnnouncer(el, signal);

  let colours = null;
  const paint = () => panes.forEach((pane) => pane.paint({ ...view, colours }));
  const update = () => {
    const z = [model.get("z1"), model.get("z2")];
    const sentences = panes.map((pane) => pane.decode(z));
    announce(`z is ${z.map((value) => formatNumber(value)).join(", ")}. ${sentences.join(". ")}.`);
    if (colours) paint();
  };
  for (const { mapCanvas } of panes) {
    onArrows(mapCanvas, signal, (dx, dy) => moveTo([model.get("z1") + dx * STEP, model.get("z2") + dy * STEP]), () => setState(model, start));
  }
  const linked = parseHash(location.hash, ["z1", "z2"]);
  if (Object.keys(linked).length) moveTo([linked.z1 ?? start.z1, linked.z2 ?? start.z2]);
  update();
  followTheme(el, signal, (now) => {
    colours = now;
    paint();
  });
  listen(model, ["z1", "z2"], signal, coalesce(signal, update));
  el.decoded = panes[0].decoded;
  if (both) el.decodedAutoencoder = panes[1].decoded;
  el.dataset.ready = "true";
  return () => lifetime.abort();
}

export default { render };
