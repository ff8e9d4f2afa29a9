// A curve over d on a logarithmic axis, with the current d marked; dragging it or pressing arrow keys chooses d.
import { createSurface, onDrag, onSliderKeys } from "./canvas.js";
import { clamp, element, formatNumber, roundUp } from "./page.js";

const MARGIN = { left: 40, right: 14, top: 16, bottom: 34 };

// createCurve({signal, onChoose}) → {canvas, paint({values, d, unit, colours})}; values[i] belongs to d = i + 1.
export function createCurve({ signal, onChoose }) {
  const view = { values: [1, 1], d: 1, unit: "", colours: null };
  const canvas = element("canvas", { class: "vae-active vae-curve", tabindex: 0, role: "slider", "aria-label": "d, on the curve of errors", "aria-valuemin": 1 });
  const toX = (d, width) => MARGIN.left + (width - MARGIN.left - MARGIN.right) * Math.log(d) / Math.log(view.values.length);
  const surface = createSurface(canvas, signal, (context, width, height) => {
    const { values, d, unit, colours } = view;
    const step = roundUp(Math.max(...values) / 5), top = step * Math.ceil(Math.max(...values) / step);
    const floor = height - MARGIN.bottom;
    const toY = (value) => floor - (floor - MARGIN.top) * value / top;
    context.font = "12px system-ui, sans-serif";
    context.fillStyle = colours.soft;
    context.strokeStyle = colours.line;
    context.lineWidth = 1;
    context.textBaseline = "middle";
    context.textAlign = "right";
    for (let value = 0; value <= top + step / 2; value += step) {
      context.beginPath();
      context.moveTo(MARGIN.left, toY(value));
      context.lineTo(width - MARGIN.right, toY(value));
      context.stroke();
      context.fillText(String(Number(value.toPrecision(3))), MARGIN.left - 6, toY(value));
    }
    context.textAlign = "center";
    for (let tick = 1; tick <= values.length; tick *= 2) context.fillText(String(tick), toX(tick, width), floor + 11);
    context.textBaseline = "bottom";
    context.fillText("d, units of the code", (MARGIN.left + width - MARGIN.right) / 2, height - 1);
    context.strokeStyle = colours.distortion;
    context.lineWidth = 2.5;
    context.lineJoin = "round";
    context.beginPath();
    values.forEach((value, i) => context.lineTo(toX(i + 1, width), toY(value)));
    context.stroke();
    const x = toX(d, width), y = toY(values[d - 1]);
    context.strokeStyle = colours.ink;
    context.lineWidth = 1;
    context.beginPath();
    context.moveTo(x, floor);
    context.lineTo(x, y);
    context.stroke();
    context.fillStyle = colours.ink;
    context.beginPath();
    context.arc(x, y, 5, 0, 2 * Math.PI);
    context.fill();
    const text = `d = ${d}: ${formatNumber(values[d - 1], 1)}${unit}`;
    context.font = "600 13px system-ui, sans-serif";
    context.textAlign = "left";
    const wide = context.measureText(text).width;
    context.fillText(text, Math.min(x + 8, width - MARGIN.right - wide), Math.max(y - 6, 15));
  });
  const choose = (d) => onChoose(clamp(Math.round(d), 1, view.values.length));
  onDrag(canvas, signal, (x) => {
    const share = (x - MARGIN.left) / (canvas.clientWidth - MARGIN.left - MARGIN.right);
    choose(view.values.length ** clamp(share, 0, 1));
  });
  onSliderKeys(canvas, signal, 8, (steps) => choose(view.d + steps));
  return {
    canvas,
    paint(changes) {
      Object.assign(view, changes);
      canvas.setAttribute("aria-valuemax", view.values.length);
      canvas.setAttribute("aria-valuenow", view.d);
      canvas.setAttribute("aria-valuetext", `d = ${view.d}, error ${formatNumber(view.values[view.d - 1], 1)}${view.unit}`);
      surface.paint();
    },
  };
}
