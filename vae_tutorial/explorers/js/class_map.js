// The map of latent codes: each digit of the data a glyph in its class's colour, the prior's circles dotted around 0.
import { createAxes, createLayer, pixelDensity } from "./canvas.js";

// The smallest round step whose labels stand at least 36 pixels apart.
export function tickStep(scale) {
  return [0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100, 200].find((step) => step * scale >= 36) ?? 500;
}

export function drawGrid(context, width, height, axes, extent, colours, names) {
  const step = tickStep(axes.scale), decimals = step < 1 ? 1 : 0;
  context.lineWidth = 1;
  context.font = "11px system-ui, sans-serif";
  for (let value = -Math.floor(extent / step) * step; value <= extent; value += step) {
    const tick = Math.abs(value) < step / 2 ? 0 : value;
    const [x, y] = axes.toScreen(tick, tick);
    context.strokeStyle = colours.line;
    context.beginPath();
    context.moveTo(x, 0);
    context.lineTo(x, height);
    context.moveTo(0, y);
    context.lineTo(width, y);
    context.stroke();
    const text = tick.toFixed(decimals).replace("-", "−");
    context.fillStyle = colours.soft;
    context.textAlign = "center";
    context.textBaseline = "bottom";
    if (x > 22 && x < width - 22) context.fillText(text, x, height - 3);
    context.textAlign = "left";
    context.textBaseline = "middle";
    if (y > 22 && y < height - 22) context.fillText(text, 4, y);
  }
  context.font = "italic 13px Georgia, 'Times New Roman', serif";
  context.textAlign = "right";
  context.textBaseline = "bottom";
  context.fillText(names[0], width - 4, height - 3);
  context.textAlign = "left";
  context.textBaseline = "top";
  context.fillText(names[1], 4, 4);
}

// Circles of one and two standard deviations of p(z).
export function drawPrior(context, axes, colours) {
  context.strokeStyle = context.fillStyle = colours.prior;
  context.lineWidth = 1.6;
  context.font = "600 11px system-ui, sans-serif";
  context.textAlign = "center";
  context.textBaseline = "bottom";
  for (const radius of [1, 2]) {
    const [x, y] = axes.toScreen(0, 0);
    context.setLineDash([1.5, 4]);
    context.lineCap = "round";
    context.beginPath();
    context.arc(x, y, radius * axes.scale, 0, 2 * Math.PI);
    context.stroke();
    context.setLineDash([]);
    if (axes.scale > 18) outlinedText(context, `${radius}σ`, x, y - radius * axes.scale - 2, colours);
  }
}

// Text on a rim of the card's colour, legible on anything.
export function outlinedText(context, text, x, y, colours) {
  context.lineJoin = "round";
  context.save();
  context.strokeStyle = colours.card;
  context.lineWidth = 4;
  context.strokeText(text, x, y);
  context.restore();
  context.fillText(text, x, y);
}

// A small picture of every class's digit in its colour, for a map of this width: drawn once, copied for every point.
export function createGlyphs(width, colours) {
  const size = Math.max(8, Math.min(11, width / 40));
  const box = Math.ceil(size * 1.4);
  const pictures = colours.classes.map((colour, label) => {
    const layer = createLayer(box, box);
    layer.context.font = `600 ${size}px system-ui, sans-serif`;
    layer.context.textAlign = "center";
    layer.context.textBaseline = "middle";
    layer.context.fillStyle = colour;
    layer.context.fillText(String(label), box / 2, box / 2);
    return layer.canvas;
  });
  return { box, pictures };
}

// points: (x, y) after (x, y), with the label of each.
export function drawPoints(context, width, height, axes, points, labels, { box, pictures }) {
  for (let i = 0; i < labels.length; i++) {
    const [x, y] = axes.toScreen(points[2 * i], points[2 * i + 1]);
    if (x > -box && y > -box && x < width + box && y < height + box) context.drawImage(pictures[labels[i]], x - box / 2, y - box / 2, box, box);
  }
}

// The median code of every class: where a large label says which digit lives there.
export function classCentres(points, labels) {
  const median = (values) => values.sort((a, b) => a - b)[Math.floor(values.length / 2)];
  const centres = [];
  for (let label = 0; label < 10; label++) {
    const own = [];
    for (let i = 0; i < labels.length; i++) if (labels[i] === label) own.push(i);
    if (own.length) centres.push({ label, x: median(own.map((i) => points[2 * i])), y: median(own.map((i) => points[2 * i + 1])) });
  }
  return centres;
}

export function drawCentres(context, axes, centres, colours, size) {
  context.font = `700 ${size}px system-ui, sans-serif`;
  context.textAlign = "center";
  context.textBaseline = "middle";
  for (const { label, x, y } of centres) {
    context.fillStyle = colours.classes[label];
    outlinedText(context, String(label), ...axes.toScreen(x, y), colours);
  }
}

// The nearest code's class, for those who can't see the picture; -1 without codes.
export function nearestLabel(points, labels, x, y) {
  let best = Infinity, label = -1;
  for (let i = 0; i < labels.length; i++) {
    const distance = (points[2 * i] - x) ** 2 + (points[2 * i + 1] - y) ** 2;
    if (distance < best) [best, label] = [distance, labels[i]];
  }
  return label;
}

// createClassMap({points, labels, names, prior}) → draw(context, width, height, {extent, colours, background}) → axes; `names` are the axes',
// and `prior` says whether p(z)'s circles are drawn.
// Everything that doesn't move is kept in a layer until size, range, colours or background change.
export function createClassMap({ points, labels, names = ["z₁", "z₂"], prior = true }) {
  const centres = classCentres(points, labels);
  const spread = Math.max(...centres.map(({ x, y }) => Math.hypot(x, y)));
  let kept = null, key = "";
  return (context, width, height, { extent, colours, background = null }) => {
    const axes = createAxes(width, height, extent);
    const wanted = [width, height, pixelDensity(), extent, colours.version, background?.version ?? ""].join();
    if (wanted !== key) {
      key = wanted;
      kept = createLayer(width, height);
      if (background) {
        kept.context.imageSmoothingQuality = "high";
        kept.context.drawImage(background.canvas, 0, 0, width, height);
      } else {
        drawGrid(kept.context, width, height, axes, extent, colours, names);
        drawPoints(kept.context, width, height, axes, points, labels, createGlyphs(width, colours));
        if (spread * axes.scale > 60) drawCentres(kept.context, axes, centres, colours, Math.max(13, Math.min(24, width / 17)));
      }
      if (prior) drawPrior(kept.context, axes, colours);
    }
    context.drawImage(kept.canvas, 0, 0, width, height);
    return axes;
  };
}

// A ring with cross hairs at z; with a gap the cross hairs alone, as many pixels away from z.
export function drawCursor(context, width, height, [x, y], colours, gap = 0) {
  const from = gap || 8, arm = gap ? 10 : 7;
  for (const [stroke, line] of [[colours.card, 5], [colours.ink, 2]]) {
    context.strokeStyle = stroke;
    context.lineWidth = line;
    context.beginPath();
    if (!gap) context.arc(x, y, from, 0, 2 * Math.PI);
    for (const [dx, dy] of [[1, 0], [-1, 0], [0, 1], [0, -1]]) {
      context.moveTo(x + from * dx, y + from * dy);
      context.lineTo(x + (from + arm) * dx, y + (from + arm) * dy);
    }
    context.stroke();
  }
}
