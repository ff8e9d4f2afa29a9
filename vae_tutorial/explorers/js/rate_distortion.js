// The rate–distortion plane: the recorded curve, the point of the current β, and through it the line of slope −β.
import { createLayer, createSurface, onDrag, onSliderKeys, pixelDensity } from "./canvas.js";
import { outlinedText } from "./class_map.js";
import { clamp, element, formatNumber } from "./page.js";
import { clipped, createFrame, drawAxis, drawCurve, drawRules } from "./plot.js";

const PLANE_MARGIN = { left: 36, right: 12, top: 26, bottom: 38 };

// The index of the place on a curve (xs, ys in pixels) that is nearest to (x, y).
export function nearestPlace(xs, ys, x, y) {
  let best = 0;
  for (let i = 1; i < xs.length; i++) if (Math.hypot(xs[i] - x, ys[i] - y) < Math.hypot(xs[best] - x, ys[best] - y)) best = i;
  return best;
}

// The step that is nearest to β, by their ratio.
export function nearestStep(steps, beta) {
  return steps.reduce((best, step) => (Math.abs(Math.log(step / beta)) < Math.abs(Math.log(best / beta)) ? step : best));
}

// Three digits, whatever the size: 0.0302, 4.00, 31.6, 100.
export function threeDigits(value) {
  return Number.isFinite(value) ? formatNumber(value, clamp(2 - Math.floor(Math.log10(Math.max(Math.abs(value), 0.0001))), 0, 4)) : "–";
}

// createRateDistortion({curve, steps, signal, onChoose}) → {canvas, paint({beta, colours})}; steps: the β's to choose from, ascending.
export function createRateDistortion({ curve, steps, signal, onChoose }) {
  const view = { beta: 1, colours: null }, [low, high] = curve.range;
  const canvas = element("canvas", { class: "vae-active vae-trade", tabindex: 0, role: "slider", "aria-label": "β, on the rate–distortion curve", "aria-valuemin": low, "aria-valuemax": high });
  const found = steps.map((beta) => curve.at(beta));
  const floor = Math.min(...curve.distortions), ceiling = Math.max(...curve.distortions), spare = 0.07 * (ceiling - floor);
  const frameOf = (width, height) => createFrame(width, height, PLANE_MARGIN, [0, 1.05 * Math.max(...curve.rates)], [floor - spare, ceiling + spare]);
  let kept = null, key = "";

  function drawStill(width, height, frame, colours) {
    const layer = createLayer(width, height);
    drawRules(layer.context, frame, colours);
    drawAxis(layer.context, frame, colours, "");
    layer.context.font = "600 13px system-ui, sans-serif";
    layer.context.textBaseline = "bottom";
    layer.context.textAlign = "right";
    layer.context.fillStyle = colours.rate;
    layer.context.fillText("rate R, nats →", frame.right, height - 2);
    layer.context.textAlign = "left";
    layer.context.textBaseline = "top";
    layer.context.fillStyle = colours.distortion;
    layer.context.fillText("↑ distortion D, nats", 2, 4);
    drawCurve(layer.context, frame, [...curve.rates].reverse(), [...curve.distortions].reverse(), { colour: colours.ink, width: 2.6 });
    return layer.canvas;
  }

  const surface = createSurface(canvas, signal, (context, width, height) => {
    const { beta, colours } = view;
    if (!colours) return;
    const frame = frameOf(width, height), wanted = [width, height, pixelDensity(), colours.version].join();
    if (wanted !== key) [kept, key] = [drawStill(width, height, frame, colours), wanted];
    context.drawImage(kept, 0, 0, width, height);
    const { rate, distortion } = curve.at(beta), x = frame.toX(rate), y = frame.toY(distortion);
    context.lineWidth = 1.5;
    context.setLineDash([3, 3]);
    for (const [colour, toX, toY] of [[colours.rate, x, frame.bottom], [colours.distortion, frame.left, y]]) {
      context.strokeStyle = colour;
      context.beginPath();
      context.moveTo(x, y);
      context.lineTo(toX, toY);
      context.stroke();
    }
    context.setLineDash([]);
    clipped(context, frame, () => {                                  // all (R, D) of the same D + βR as here
      context.strokeStyle = colours.elbo;
      context.lineWidth = 1.8;
      context.setLineDash([8, 5]);
      context.beginPath();
      context.moveTo(frame.toX(frame.x0), frame.toY(distortion + beta * (rate - frame.x0)));
      context.lineTo(frame.toX(frame.x1), frame.toY(distortion + beta * (rate - frame.x1)));
      context.stroke();
      context.setLineDash([]);
    });
    context.fillStyle = colours.ink;
    context.strokeStyle = colours.card;
    context.lineWidth = 2;
    context.beginPath();
    context.arc(x, y, 6, 0, 2 * Math.PI);
    context.fill();
    context.stroke();
    context.font = "600 13px system-ui, sans-serif";
    context.textAlign = "right";
    context.textBaseline = "top";
    context.fillStyle = colours.elbo;
    outlinedText(context, `slope −β = −${threeDigits(beta)}`, frame.right - 2, frame.top + 2, colours);
  });

  onDrag(canvas, signal, (x, y) => {
    const frame = frameOf(canvas.clientWidth, canvas.clientHeight);
    onChoose(steps[nearestPlace(found.map(({ rate }) => frame.toX(rate)), found.map(({ distortion }) => frame.toY(distortion)), x, y)]);
  });
  onSliderKeys(canvas, signal, 10, (moved) => onChoose(steps[clamp(steps.indexOf(nearestStep(steps, view.beta)) + moved, 0, steps.length - 1)]));
  return {
    canvas,
    paint(changes) {
      Object.assign(view, changes);
      const { rate, distortion } = curve.at(view.beta);
      canvas.setAttribute("aria-valuenow", view.beta);
      canvas.setAttribute("aria-valuetext", `β = ${threeDigits(view.beta)}: rate ${formatNumber(rate, 2)}, distortion ${formatNumber(distortion, 1)} nats`);
      surface.paint();
    },
  };
}
