// Samples on their way: ε in the upper row, z = μ + σ·ε in the lower one, and beneath it each f(z) with its slope.
import { createSurface } from "./canvas.js";
import { element } from "./page.js";
import { objective, slope } from "./pathwise.js";
import { clipped, createFrame, drawAxis, drawCurve, drawName } from "./plot.js";

const VIEW = 5, FEW = 60;                                            // the picture shows −5 … 5; beyond 60 samples, smaller dots and no slopes
const MARGIN_PICTURE = { left: 10, right: 10, top: 6, bottom: 38 };
const ZS = Float64Array.from({ length: 241 }, (_, i) => -6 + i / 20);

// A Gaussian bump that stands on `foot` and is `tall` pixels high, whatever its σ.
function drawBump(context, frame, foot, tall, mu, sigma, style) {
  const heights = ZS.map((z) => Math.exp(-(((z - mu) / sigma) ** 2) / 2));
  drawCurve(context, { ...frame, toY: (y) => foot - tall * y }, ZS, heights, { fill: 0.13, ...style });
}

function drawDots(context, points, colour, radius, inside) {
  context.strokeStyle = colour;
  context.fillStyle = inside;
  context.lineWidth = 1.5;
  for (const [x, y] of points) {
    context.beginPath();
    context.arc(x, y, radius, 0, 2 * Math.PI);
    context.fill();
    context.stroke();
  }
}

// Tangents of f at the samples: what each of them says to the pathwise gradient.
function drawSlopes(context, curve, zs) {
  const units = (curve.toY(1) - curve.toY(0)) / (curve.toX(1) - curve.toX(0));
  context.lineWidth = 2;
  context.beginPath();
  for (const z of zs) {
    const x = curve.toX(z), y = curve.toY(objective(z)), rise = slope(z) * units, half = 13 / Math.hypot(1, rise);
    context.moveTo(x - half, y - rise * half);
    context.lineTo(x + half, y + rise * half);
  }
  context.stroke();
}

// createSamplesPicture(signal) → {canvas, fromX(pixel), paint({eps, mu, sigma, colours})}.
export function createSamplesPicture(signal) {
  const view = { eps: [], mu: 0, sigma: 1, colours: null };
  const canvas = element("canvas", { class: "vae-active vae-samples-picture", tabindex: 0, role: "application" });
  const frameOf = (width, height) => createFrame(width, height, MARGIN_PICTURE, [-VIEW, VIEW], [0, 1]);
  const surface = createSurface(canvas, signal, (context, width, height) => {
    const { eps, mu, sigma, colours } = view;
    if (!colours) return;
    const frame = frameOf(width, height), tall = frame.bottom - frame.top, few = eps.length <= FEW;
    const rowEps = frame.top + 0.17 * tall, rowZ = frame.top + 0.5 * tall, lift = 0.13 * tall;
    const curve = { ...frame, toY: (y) => frame.bottom - (y + 1.2) / 15 * 0.42 * tall };
    const zs = Array.from(eps, (value) => mu + sigma * value);
    clipped(context, frame, () => {
      drawBump(context, frame, rowEps, lift, 0, 1, { colour: colours.prior, line: "dotted" });
      drawBump(context, frame, rowZ, lift, mu, sigma, { colour: colours.q });
      context.lineWidth = 1;
      context.globalAlpha = few ? 0.6 : 0.3;
      context.strokeStyle = colours.q;
      context.beginPath();
      eps.forEach((value, i) => {
        context.moveTo(frame.toX(value), rowEps);
        context.lineTo(frame.toX(zs[i]), rowZ);
      });
      context.stroke();
      context.globalAlpha = 1;
      drawCurve(context, curve, ZS, ZS.map(objective), { colour: colours.ink, width: 1.8 });
      context.strokeStyle = colours.q;
      if (few) drawSlopes(context, curve, zs);
      const radius = few ? 3.5 : 2;
      drawDots(context, Array.from(eps, (value) => [frame.toX(value), rowEps]), colours.prior, radius, colours.card);
      drawDots(context, zs.map((z) => [frame.toX(z), rowZ]), colours.q, radius, colours.q);
      drawDots(context, zs.map((z) => [curve.toX(z), curve.toY(objective(z))]), colours.q, Math.min(radius, 3), colours.q);
    });
    drawAxis(context, frame, colours, "ε above, z below");
    drawName(context, frame, colours, "ε ~ N(0, 1)", frame.left, rowEps - 5, colours.prior, "left");
    drawName(context, frame, colours, "z = μ + σ·ε", frame.left, rowZ - 5, colours.q, "left");
    drawName(context, frame, colours, "f(z)", frame.left + 4, curve.toY(objective(-VIEW)) + 26, colours.ink, "left");
  });
  return {
    canvas,
    fromX: (x) => frameOf(canvas.clientWidth, canvas.clientHeight).fromX(x),
    paint(changes) {
      Object.assign(view, changes);
      surface.paint();
    },
  };
}
