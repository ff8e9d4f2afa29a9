// A map of codes that move: digits at the means of q(z|x), the ellipses of a few of these q's, the prior's circles.
import { createAxes, createLayer, createSurface, pixelDensity } from "./canvas.js";
import { createGlyphs, drawGrid, drawPoints, drawPrior } from "./class_map.js";
import { element } from "./page.js";

const LEAST_RADIUS = 1.5;                                            // pixels: so narrow a q is still seen

// createMovingMap({points, sigmas, labels, chosen, extent, signal}) → {canvas, paint({colours})}. points and sigmas, (x, y)
// after (x, y), are read anew at every painting, NaN where there is no code yet; chosen: whose ellipses are drawn.
export function createMovingMap({ points, sigmas, labels, chosen, extent, signal }) {
  const view = { colours: null };
  const canvas = element("canvas", { class: "vae-square", role: "img" });
  let still = null, key = "";

  function drawStill(width, height, colours) {
    const axes = createAxes(width, height, extent), under = createLayer(width, height), over = createLayer(width, height);
    drawGrid(under.context, width, height, axes, extent, colours, ["z₁", "z₂"]);
    drawPrior(over.context, axes, colours);
    return { axes, under: under.canvas, over: over.canvas, glyphs: createGlyphs(width, colours) };
  }

  const surface = createSurface(canvas, signal, (context, width, height) => {
    const { colours } = view;
    if (!colours) return;
    const wanted = [width, height, pixelDensity(), colours.version].join();
    if (wanted !== key) [still, key] = [drawStill(width, height, colours), wanted];
    const { axes, under, over, glyphs } = still;
    context.drawImage(under, 0, 0, width, height);
    drawPoints(context, width, height, axes, points, labels, glyphs);
    context.drawImage(over, 0, 0, width, height);
    context.strokeStyle = context.fillStyle = colours.q;
    context.lineWidth = 1.6;
    for (const i of chosen) {
      if (!(sigmas[2 * i] > 0)) continue;
      const [x, y] = axes.toScreen(points[2 * i], points[2 * i + 1]);
      const [wide, tall] = [0, 1].map((axis) => Math.max(LEAST_RADIUS, sigmas[2 * i + axis] * axes.scale));
      context.beginPath();
      context.ellipse(x, y, wide, tall, 0, 0, 2 * Math.PI);
      context.globalAlpha = 0.1;
      context.fill();
      context.globalAlpha = 1;
      context.stroke();
    }
  });
  return {
    canvas,
    paint(changes) {
      Object.assign(view, changes);
      surface.paint();
    },
  };
}
