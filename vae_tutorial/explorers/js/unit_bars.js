// KL by unit, for several networks side by side: a bar each, an empty stump where a unit has died.
import { createLayer, createSurface, pixelDensity } from "./canvas.js";
import { element, formatNumber } from "./page.js";
import { createFrame, drawRules } from "./plot.js";
import { ACTIVE } from "./recorded_curve.js";

const BARS_MARGIN = { left: 30, right: 4, top: 26, bottom: 38 };

// createUnitBars({curves, signal}) → {canvas, paint({found, colours})}; found[i] = curves[i].at(β).
export function createUnitBars({ curves, signal }) {
  const view = { found: [], colours: null };
  const canvas = element("canvas", { class: "vae-trade", role: "img" });
  const top = 1.08 * Math.max(...curves.map(({ highestUnit }) => highestUnit));
  const cells = curves.reduce((sum, { size }) => sum + size, 0) + curves.length - 1;                // a gap between two networks
  let kept = null, key = "";

  function drawStill(width, height, frame, colours) {
    const layer = createLayer(width, height), cell = (frame.right - frame.left) / cells;
    drawRules(layer.context, frame, colours);
    layer.context.font = "600 13px system-ui, sans-serif";
    layer.context.textBaseline = "top";
    layer.context.textAlign = "left";
    layer.context.fillStyle = colours.rate;
    layer.context.fillText("↑ KL by unit, nats", 2, 4);
    layer.context.fillStyle = colours.soft;
    layer.context.font = "12px system-ui, sans-serif";
    layer.context.textBaseline = "bottom";
    layer.context.textAlign = "center";
    let left = frame.left;
    for (const { size } of curves) {
      layer.context.fillText(size > 4 ? `network with d = ${size}` : `d = ${size}`, left + size * cell / 2, height - 2);
      left += (size + 1) * cell;
    }
    return layer.canvas;
  }

  const surface = createSurface(canvas, signal, (context, width, height) => {
    const { found, colours } = view;
    if (!colours) return;
    const frame = createFrame(width, height, BARS_MARGIN, [0, cells], [0, top]), wanted = [width, height, pixelDensity(), colours.version].join();
    if (wanted !== key) [kept, key] = [drawStill(width, height, frame, colours), wanted];
    context.drawImage(kept, 0, 0, width, height);
    const cell = (frame.right - frame.left) / cells, wide = Math.min(30, cell * 0.72), size = Math.min(12, 0.7 * cell);
    context.textAlign = "center";
    context.textBaseline = "top";
    context.strokeStyle = colours.soft;
    context.lineWidth = 1;
    let place = frame.left + cell / 2;
    curves.forEach(({ order }, network) => {
      for (const unit of order) {
        const nats = found[network].units[unit], alive = nats > ACTIVE, y = frame.toY(Math.max(nats, 0));
        context.fillStyle = colours.rate;
        if (alive) context.fillRect(place - wide / 2, Math.min(y, frame.bottom - 1.5), wide, Math.max(frame.bottom - y, 1.5));
        else context.strokeRect(place - wide / 2 + 0.5, frame.bottom - 3.5, wide - 1, 3);
        context.fillStyle = alive ? colours.ink : colours.soft;
        context.font = `${alive ? "600 " : ""}${size}px system-ui, sans-serif`;                       // two digits are as wide as a cell
        context.fillText(alive ? String(unit + 1) : "×", place, frame.bottom + 4);
        place += cell;
      }
      place += cell;
    });
  });
  return {
    canvas,
    paint(changes) {
      Object.assign(view, changes);
      const sentences = view.found.map(({ units, active }, network) => `network with ${units.length} units: ${active} active, `
        + `${curves[network].order.map((unit) => `${formatNumber(Math.max(units[unit], 0), 2)}`).join(", ")} nats`);
      canvas.setAttribute("aria-label", `KL by unit. ${sentences.join("; ")}`);
      surface.paint();
    },
  };
}
