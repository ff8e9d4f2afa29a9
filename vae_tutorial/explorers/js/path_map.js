// The two paths on a map: the plane of z itself in two dimensions, else the plane through 0 and both codes.
import { createAxes, createLayer, createSurface, onArrows, onDrag, pixelDensity } from "./canvas.js";
import { createGlyphs, drawCursor, drawPoints, drawPrior, outlinedText } from "./class_map.js";
import { element } from "./page.js";
import { PATHS } from "./walk.js";

const WIDTHS = { chosen: 3.5, other: 1.6 };

// createPathMap({signal, labels, planar, onPlace, onStep, onHome}) → {canvas, paint(changes)}. Changes: points (Float32Array, 2 each),
// key (a new one redraws them), places {straight, spherical} [[x, y], …], kind, index, extent, shell (a radius), hasPrior, ends, colours.
export function createPathMap({ signal, labels, planar, onPlace, onStep, onHome }) {
  const view = { points: null, key: "", places: null, kind: PATHS[0], index: 0, extent: 1, shell: 0, hasPrior: false, ends: ["", ""], colours: null };
  const canvas = element("canvas", { class: "vae-square vae-active", tabindex: 0, role: "application", "aria-label": "map with both paths" });
  let kept = null, keptKey = "";
  const background = (width, height, axes) => {
    const wanted = [width, height, pixelDensity(), view.colours.version, view.key].join();
    if (wanted === keptKey) return kept.canvas;
    keptKey = wanted;
    kept = createLayer(width, height);
    drawPoints(kept.context, width, height, axes, view.points, labels, createGlyphs(width, view.colours));
    if (!planar) drawShell(kept.context, axes, view.shell, view.colours);
    else if (view.hasPrior) drawPrior(kept.context, axes, view.colours);
    return kept.canvas;
  };
  const surface = createSurface(canvas, signal, (context, width, height) => {
    const { colours, places, extent, kind, index, ends } = view;
    if (!colours || !places) return;
    const axes = createAxes(width, height, extent);
    context.drawImage(background(width, height, axes), 0, 0, width, height);
    drawOrigin(context, axes, colours);
    for (const name of PATHS) {
      for (const [stroke, extra] of [[colours.card, 3], [colours.ink, 0]]) {
        context.strokeStyle = stroke;
        context.lineWidth = (name === kind ? WIDTHS.chosen : WIDTHS.other) + extra;
        context.setLineDash(name === "spherical" && !extra ? [7, 4] : []);
        context.beginPath();
        for (const [x, y] of places[name]) context.lineTo(...axes.toScreen(x, y));
        context.stroke();
      }
    }
    context.setLineDash([]);
    drawCursor(context, width, height, axes.toScreen(...places[kind][index]), colours);
    context.font = "700 20px system-ui, sans-serif";
    context.fillStyle = colours.ink;
    context.textAlign = "center";
    context.textBaseline = "bottom";
    [places[kind][0], places[kind].at(-1)].forEach(([x, y], i) => outlinedText(context, ends[i], ...axes.toScreen(x, y), colours));
  });
  onDrag(canvas, signal, (x, y) => {
    if (!view.places) return;
    const [wantedX, wantedY] = createAxes(canvas.clientWidth, canvas.clientHeight, view.extent).toWorld(x, y);
    const away = view.places[view.kind].map(([placeX, placeY]) => Math.hypot(placeX - wantedX, placeY - wantedY));
    onPlace(away.indexOf(Math.min(...away)));
  });
  onArrows(canvas, signal, (dx, dy) => onStep(dx || dy), onHome);
  return {
    canvas,
    paint(changes) {
      Object.assign(view, changes);
      surface.paint();
    },
  };
}

function drawOrigin(context, axes, colours) {
  const [x, y] = axes.toScreen(0, 0);
  context.strokeStyle = colours.soft;
  context.lineWidth = 1.5;
  context.beginPath();
  context.moveTo(x - 5, y);
  context.lineTo(x + 5, y);
  context.moveTo(x, y - 5);
  context.lineTo(x, y + 5);
  context.stroke();
}

// The mean length of the codes, as a circle around 0.
function drawShell(context, axes, radius, colours) {
  const [x, y] = axes.toScreen(0, 0);
  context.strokeStyle = context.fillStyle = colours.prior;
  context.lineWidth = 2;
  context.lineCap = "round";
  context.setLineDash([1.5, 5]);
  context.beginPath();
  context.arc(x, y, radius * axes.scale, 0, 2 * Math.PI);
  context.stroke();
  context.setLineDash([]);
  context.lineCap = "butt";
  context.font = "600 12px system-ui, sans-serif";
  context.textAlign = "center";
  context.textBaseline = "bottom";
  outlinedText(context, "mean length", x, y + radius * axes.scale + 16, colours);
}
