// The data's plane: the decoder's curve, the points to choose from, and where on the curve p(z|x) and q put their codes.
import { createAxes, createSurface, onDrag } from "./canvas.js";
import { outlinedText } from "./class_map.js";
import { element } from "./page.js";

const LONGEST = 4.5;                                                 // the curve runs through the codes −4.5 … 4.5

// createPlane({images, curve, noise, signal, onPick}): images and curve hold pairs of numbers; onPick(index).
export function createPlane({ images, curve, noise, signal, onPick }) {
  const view = { index: 0, shares: [], colours: null };
  const canvas = element("canvas", { class: "vae-square vae-active vae-plane", role: "img" });
  const pieces = curve.length / 2;
  const bounds = [0, 1].map((axis) => {
    let low = Infinity, high = -Infinity;
    for (const values of [images, curve]) {
      for (let i = axis; i < values.length; i += 2) [low, high] = [Math.min(low, values[i]), Math.max(high, values[i])];
    }
    return [low, high];
  });
  const centre = bounds.map(([low, high]) => (low + high) / 2), extent = 0.56 * Math.max(...bounds.map(([low, high]) => high - low)) + 2 * noise;
  const axesOf = (width, height) => createAxes(width, height, extent, centre);
  const surface = createSurface(canvas, signal, (context, width, height) => {
    const { index, shares, colours } = view;
    if (!colours) return;
    const axes = axesOf(width, height), at = (values, i) => axes.toScreen(values[2 * i], values[2 * i + 1]);
    const ends = {};
    context.lineCap = "round";
    context.lineJoin = "round";
    context.strokeStyle = colours.decoder;
    context.lineWidth = 1.4;
    context.beginPath();
    for (let i = 0; i < pieces; i++) context.lineTo(...at(curve, i));
    context.stroke();
    for (const { colour, thick, dash, mass } of shares) {            // thicker where more of the mass lies
      const most = Math.max(...mass);
      context.strokeStyle = colours[colour];
      for (let i = 0; i + 1 < pieces; i++) {
        const share = (mass[i] + mass[i + 1]) / (2 * most);
        if (share < 0.03 || (dash && i % 3 === 2)) continue;
        context.globalAlpha = 0.25 + 0.65 * share;
        context.lineWidth = thick * (0.35 + 0.65 * share);
        context.beginPath();
        context.moveTo(...at(curve, i));
        context.lineTo(...at(curve, i + 1));
        context.stroke();
      }
    }
    context.globalAlpha = 1;
    for (let i = 0; i < images.length / 2; i++) {
      const [x, y] = at(images, i);
      if (i === index && noise) {
        context.strokeStyle = colours.decoder;
        context.lineWidth = 1.3;
        for (const multiple of [1, 2]) {
          context.setLineDash([1.5, 4]);
          context.beginPath();
          context.arc(x, y, multiple * noise * axes.scale, 0, 2 * Math.PI);
          context.stroke();
        }
        context.setLineDash([]);
      }
      context.beginPath();
      context.arc(x, y, i === index ? 6 : 4.5, 0, 2 * Math.PI);
      context.fillStyle = i === index ? colours.ink : colours.card;
      context.fill();
      context.strokeStyle = colours.ink;
      context.lineWidth = 1.5;
      context.stroke();
      ends[i] = [x, y];
    }
    context.fillStyle = colours.ink;
    context.textAlign = "left";
    context.textBaseline = "bottom";
    for (const [i, [x, y]] of Object.entries(ends)) {
      context.font = `${Number(i) === index ? "700" : "400"} 13px system-ui, sans-serif`;
      outlinedText(context, String(Number(i) + 1), x + 7, y - 4, colours);
    }
  });
  onDrag(canvas, signal, (x, y, phase) => {
    if (phase === "end") return;
    const axes = axesOf(canvas.clientWidth, canvas.clientHeight);
    let nearest = 0, least = Infinity;
    for (let i = 0; i < images.length / 2; i++) {
      const distance = Math.hypot(...axes.toScreen(images[2 * i], images[2 * i + 1]).map((value, axis) => value - [x, y][axis]));
      if (distance < least) [nearest, least] = [i, distance];
    }
    onPick(nearest);
  });
  return {
    canvas,
    codes: Float64Array.from({ length: pieces }, (_, i) => LONGEST * (2 * i / (pieces - 1) - 1)),
    paint(changes) {
      Object.assign(view, changes);
      surface.paint();
    },
  };
}
