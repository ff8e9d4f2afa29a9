// Estimates of one derivative as two strips over one axis: pathwise above, score function below, the exact value a line through both.
import { createSurface } from "./canvas.js";
import { element, roundUp } from "./page.js";
import { outlinedText } from "./class_map.js";
import { createFrame, drawAxis } from "./plot.js";

const STRIP_MARGIN = { left: 10, right: 10, top: 4, bottom: 38 };

// createStrips(symbol, signal) → {canvas, paint({exact, rows, colours})}, rows = [{name, glyph, colour, here, spread, others}].
export function createStrips(symbol, signal) {
  const view = { exact: 0, rows: [], colours: null };
  const canvas = element("canvas", { class: "vae-strips", role: "img" });
  const surface = createSurface(canvas, signal, (context, width, height) => {
    const { exact, rows, colours } = view;
    if (!colours) return;
    const reach = roundUp(2.6 * Math.max(...rows.map(({ spread }) => spread), 0.05));
    const frame = createFrame(width, height, STRIP_MARGIN, [exact - reach, exact + reach], [0, 1]);
    const tall = (frame.bottom - frame.top) / rows.length;
    rows.forEach(({ name, glyph, colour, here, spread, others }, place) => {
      const top = frame.top + place * tall, middle = top + 0.62 * tall;
      context.fillStyle = context.strokeStyle = colours[colour];
      context.globalAlpha = 0.16;
      context.fillRect(frame.toX(exact - spread), middle - 0.3 * tall, frame.toX(exact + spread) - frame.toX(exact - spread), 0.6 * tall);
      context.globalAlpha = 0.5;
      context.lineWidth = 1;
      context.beginPath();
      for (const other of others) {
        context.moveTo(frame.toX(other), middle - 0.18 * tall);
        context.lineTo(frame.toX(other), middle + 0.18 * tall);
      }
      context.stroke();
      context.globalAlpha = 1;
      context.font = "600 13px system-ui, sans-serif";
      context.textAlign = "left";
      context.textBaseline = "top";
      outlinedText(context, name, frame.left, top + 1, colours);
      context.lineWidth = 2;
      context.fillStyle = glyph === "disc" ? colours[colour] : colours.card;
      const x = Math.max(frame.left, Math.min(frame.right, frame.toX(here)));
      context.beginPath();
      if (glyph === "disc") context.arc(x, middle, 6, 0, 2 * Math.PI);
      else for (const [dx, dy] of [[0, -7], [7, 0], [0, 7], [-7, 0], [0, -7]]) context.lineTo(x + dx, middle + dy);
      context.fill();
      context.stroke();
    });
    context.strokeStyle = colours.elbo;
    context.lineWidth = 2.4;
    context.beginPath();
    context.moveTo(frame.toX(exact), frame.top);
    context.lineTo(frame.toX(exact), frame.bottom);
    context.stroke();
    drawAxis(context, frame, colours, symbol);
  });
  return {
    canvas,
    paint(changes) {
      Object.assign(view, changes);
      surface.paint();
    },
  };
}
