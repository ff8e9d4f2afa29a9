// q(z|x) as an ellipse: on the whole map, and close by, where ε moves z.
import { createAxes, createSurface, onArrows, onDrag } from "./canvas.js";
import { createClassMap, drawCursor, drawPrior, outlinedText } from "./class_map.js";
import { clamp, element } from "./page.js";

const CLOSE = 3.6;                                                   // the close view reaches this many σ from μ
const STEP = 0.1;                                                    // one press of an arrow key, in ε

function drawEllipse(context, axes, { mu, sigma }, colours, fill) {
  const [x, y] = axes.toScreen(...mu);
  for (const [multiple, alpha] of [[2, 0.14], [1, 0.22]]) {
    context.beginPath();
    context.ellipse(x, y, multiple * sigma[0] * axes.scale, multiple * sigma[1] * axes.scale, 0, 0, 2 * Math.PI);
    context.fillStyle = context.strokeStyle = colours.q;
    if (fill) {
      context.globalAlpha = alpha;
      context.fill();
      context.globalAlpha = 1;
    }
    context.lineWidth = 1.8;
    context.stroke();
  }
}

function drawNearby(context, width, height, axes, { points, labels }, colours) {
  context.font = "600 12px system-ui, sans-serif";
  context.textAlign = "center";
  context.textBaseline = "middle";
  for (let i = 0; i < labels.length; i++) {
    const [x, y] = axes.toScreen(points[2 * i], points[2 * i + 1]);
    if (x < 0 || y < 0 || x > width || y > height) continue;
    context.fillStyle = colours.classes[labels[i]];
    context.fillText(String(labels[i]), x, y);
  }
}

// From μ, the step σ⊙ε to z.
function drawStep(context, from, to, colours) {
  context.strokeStyle = context.fillStyle = colours.q;
  context.lineWidth = 2.5;
  context.beginPath();
  context.moveTo(...from);
  context.lineTo(...to);
  context.stroke();
  context.beginPath();
  context.arc(...from, 4, 0, 2 * Math.PI);
  context.fill();
}

// createPosteriorMap({points, labels, extent, signal, onEps}): onEps([ε₁, ε₂]) when the close view is dragged or steered by arrow keys.
export function createPosteriorMap({ points, labels, extent, signal, onEps }) {
  const view = { mu: [0, 0], sigma: [1, 1], eps: [0, 0], z: [0, 0], colours: null };
  const wholeCanvas = element("canvas", { class: "vae-square", role: "img", "aria-label": "map of held-out digits with the ellipse of q(z|x) in its place" });
  const closeCanvas = element("canvas", {
    class: "vae-square vae-active", role: "application", tabindex: 0,
    "aria-label": "q(z|x) close by. Arrow keys move ε, with Shift in larger steps, Home sets ε to 0. The ε sliders do the same.",
  });
  const drawClassMap = createClassMap({ points, labels });
  const closeAxes = (width, height) => createAxes(width, height, CLOSE * Math.max(...view.sigma), view.mu);
  const whole = createSurface(wholeCanvas, signal, (context, width, height) => {
    const { colours } = view;
    const axes = drawClassMap(context, width, height, { extent, colours });
    drawEllipse(context, axes, view, colours, true);
    const half = Math.max(7, CLOSE * Math.max(...view.sigma) * axes.scale), [x, y] = axes.toScreen(...view.mu);
    for (const [stroke, line] of [[colours.card, 4], [colours.ink, 1.5]]) {
      context.strokeStyle = stroke;
      context.lineWidth = line;
      context.strokeRect(x - half, y - half, 2 * half, 2 * half);
    }
  });
  const close = createSurface(closeCanvas, signal, (context, width, height) => {
    const { colours } = view;
    const axes = closeAxes(width, height);
    drawNearby(context, width, height, axes, { points, labels }, colours);
    drawPrior(context, axes, colours);
    drawEllipse(context, axes, view, colours, true);
    const [from, to] = [axes.toScreen(...view.mu), axes.toScreen(...view.z)];
    drawStep(context, from, to, colours);
    drawCursor(context, width, height, to, colours);
    context.font = "600 12px system-ui, sans-serif";
    context.fillStyle = colours.q;
    context.textAlign = "center";
    context.textBaseline = "top";
    outlinedText(context, "μ", from[0], from[1] + 7, colours);
    for (const multiple of [1, 2]) outlinedText(context, `${multiple}σ`, from[0], from[1] + multiple * view.sigma[1] * axes.scale + 3, colours);
  });
  onDrag(closeCanvas, signal, (x, y) => {
    const z = closeAxes(closeCanvas.clientWidth, closeCanvas.clientHeight).toWorld(x, y);
    onEps(z.map((value, i) => clamp((value - view.mu[i]) / view.sigma[i], -3, 3)));
  });
  onArrows(closeCanvas, signal, (dx, dy) => onEps([view.eps[0] + dx * STEP, view.eps[1] + dy * STEP].map((value) => clamp(value, -3, 3))), () => onEps([0, 0]));
  return {
    wholeCanvas, closeCanvas,
    // A new ε moves z in the close view only.
    paint(state, moved = "all") {
      Object.assign(view, state);
      if (moved === "all") whole.paint();
      close.paint();
    },
    zoom: () => extent / (CLOSE * Math.max(...view.sigma)),
  };
}
