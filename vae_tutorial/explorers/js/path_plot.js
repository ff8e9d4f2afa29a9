// A number along both paths, straight solid and spherical dashed; the chosen path heavy, the chosen place a dot.
import { createSurface, onDrag } from "./canvas.js";
import { clipped, createFrame, drawAxis, drawCurve, drawName, drawRules } from "./plot.js";
import { clamp, element, formatNumber } from "./page.js";
import { PATHS } from "./walk.js";

const AROUND = { left: 44, right: 12, top: 12, bottom: 36 };
const LINES = { straight: "solid", spherical: "dashed" };

// createPathPlot({signal, ink, onChoose}) → {canvas, paint({curves: {straight, spherical}, kind, index, dotted, name, decimals, colours})}.
// Values that are not known yet are NaN. `dotted` is {value, text}, a line to compare with.
export function createPathPlot({ signal, ink, onChoose }) {
  const view = { curves: null, kind: PATHS[0], index: 0, dotted: null, name: "", decimals: 1, colours: null };
  const canvas = element("canvas", { class: "vae-active vae-path-plot", role: "img", "aria-label": "" });
  const frameOf = (width, height) => {
    const known = [...PATHS.flatMap((kind) => [...view.curves[kind]]), ...(view.dotted ? [view.dotted.value] : [])].filter(Number.isFinite);
    const low = Math.min(...known), high = Math.max(...known), room = Math.max(0.08 * (high - low), 1e-3 * Math.abs(high), 1e-6);
    return createFrame(width, height, AROUND, [0, 1], [low - room, high + 2 * room]);
  };
  const surface = createSurface(canvas, signal, (context, width, height) => {
    const { curves, kind, index, dotted, colours, decimals } = view;
    if (!colours || !curves) return;
    const frame = frameOf(width, height), colour = colours[ink];
    drawRules(context, frame, colours);
    clipped(context, frame, () => {
      if (dotted) drawCurve(context, frame, [0, 1], [dotted.value, dotted.value], { colour: colours.prior, line: "dotted", width: 2 });
      for (const name of PATHS) {
        const known = curves[name].map((value, i) => [i / (curves[name].length - 1), value]).filter(([, value]) => Number.isFinite(value));
        if (known.length < 2) continue;
        drawCurve(context, frame, known.map(([t]) => t), known.map(([, value]) => value), { colour, line: LINES[name], width: name === kind ? 3 : 1.4 });
      }
    });
    if (dotted) drawName(context, frame, colours, dotted.text, frame.left + 4, frame.toY(dotted.value) - 5, colours.prior, "left");
    drawAxis(context, frame, colours, "t", [0, 0.5, 1]);
    const value = curves[kind][index], t = index / (curves[kind].length - 1);
    if (!Number.isFinite(value)) return;
    context.fillStyle = colour;
    context.beginPath();
    context.arc(frame.toX(t), frame.toY(value), 5, 0, 2 * Math.PI);
    context.fill();
    drawName(context, frame, colours, formatNumber(value, decimals), frame.toX(t), frame.toY(value) - 9, colours.ink);
  });
  onDrag(canvas, signal, (x) => onChoose(clamp((x - AROUND.left) / (canvas.clientWidth - AROUND.left - AROUND.right), 0, 1)));
  return {
    canvas,
    paint(changes) {
      Object.assign(view, changes);
      canvas.setAttribute("aria-label", `${view.name} along the path: ${PATHS.map((kind) => `${kind} ${inWords(view.curves[kind], view.decimals)}`).join("; ")}`);
      surface.paint();
    },
  };
}

// A curve in words: its ends and its middle.
function inWords(values, decimals) {
  const told = [values[0], values[(values.length - 1) / 2], values.at(-1)];
  return told.every(Number.isFinite) ? told.map((value) => formatNumber(value, decimals)).join(", ") : "not yet known";
}
