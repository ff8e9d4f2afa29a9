// Axes turned about a point, and ellipses of Gaussians, in a view of the plane.
import { outlinedText } from "./class_map.js";

// Both axes through `origin` (pixels), from rim to rim, their names at the positive ends.
export function drawTurnedAxes(context, width, height, { c, s }, [x0, y0], colours, names) {
  const reach = Math.min(width, height) / 2 - 16;
  context.lineWidth = 1.6;
  context.strokeStyle = context.fillStyle = colours.ink;
  context.font = "italic 15px Georgia, 'Times New Roman', serif";
  context.textAlign = "center";
  context.textBaseline = "middle";
  [[c, s], [-s, c]].forEach(([dx, dy], axis) => {                    // world y points up
    const end = [x0 + reach * dx, y0 - reach * dy];
    context.beginPath();
    context.moveTo(x0 - reach * dx, y0 + reach * dy);
    context.lineTo(...end);
    for (const turn of [2.6, -2.6]) {                                // the arrow's barbs
      const [u, v] = [dx * Math.cos(turn) - dy * Math.sin(turn), dx * Math.sin(turn) + dy * Math.cos(turn)];
      context.moveTo(...end);
      context.lineTo(end[0] + 8 * u, end[1] - 8 * v);
    }
    context.stroke();
    if (names[axis]) outlinedText(context, names[axis], end[0] - 14 * dx - 13 * dy, end[1] + 14 * dy - 13 * dx, colours);
  });
}

// `multiple` standard deviations of the Gaussian with this mean and covariance [xx, xy, yy].
export function drawEllipse(context, axes, mean, [xx, xy, yy], multiple, { colour, dash, fill }) {
  const middle = (xx + yy) / 2, half = Math.hypot((xx - yy) / 2, xy), angle = Math.atan2(2 * xy, xx - yy) / 2;
  const [x, y] = axes.toScreen(...mean);
  context.beginPath();
  context.ellipse(x, y, multiple * axes.scale * Math.sqrt(middle + half), multiple * axes.scale * Math.sqrt(Math.max(0, middle - half)), -angle, 0, 2 * Math.PI);
  context.strokeStyle = context.fillStyle = colour;
  if (fill) {
    context.globalAlpha = fill;
    context.fill();
    context.globalAlpha = 1;
  }
  context.setLineDash(dash);
  context.lineWidth = 2;
  context.stroke();
  context.setLineDash([]);
}
