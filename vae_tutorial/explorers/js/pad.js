// The input: a pad to draw on, the 28 × 28 digit that the encoder sees, and sample digits to pick.
import { createSurface, onDrag } from "./canvas.js";
import { createDigitPainter, PIXELS } from "./digits.js";
import { button, element } from "./page.js";
import { digitFromStrokes } from "./strokes.js";

const PEN = 0.075;                                                   // stroke width as a share of the pad

function drawStrokes(context, size, strokes, colours) {
  const grey = (level) => `rgb(${level} ${level} ${level})`;
  context.fillStyle = grey(colours.paper);
  context.fillRect(0, 0, size, size);
  context.strokeStyle = grey(colours.pen);
  context.lineWidth = PEN * size;
  context.lineCap = context.lineJoin = "round";
  for (const stroke of strokes) {
    context.beginPath();
    context.moveTo(stroke[0][0] * size, stroke[0][1] * size);
    for (const [x, y] of stroke) context.lineTo(x * size, y * size);
    context.stroke();
  }
  if (strokes.length) return;
  context.fillStyle = colours.soft;
  context.font = "14px system-ui, sans-serif";
  context.textAlign = "center";
  context.fillText("draw a digit here", size / 2, size / 2);
}

// createPad({samples, labels, signal, onDrawn, onPicked}): onDrawn() after every piece of a stroke, onPicked(index).
export function createPad({ samples, labels, signal, onDrawn, onPicked }) {
  const strokes = [];
  let input = new Float32Array(PIXELS), picked = -1, colours = null;
  const canvas = element("canvas", {
    class: "vae-square vae-active", role: "img",
    "aria-label": "Drawing pad: draw a digit with mouse, finger or pen. Without one, pick a sample digit above.",
  });
  const seen = element("canvas", { class: "vae-square vae-seen", role: "img", "aria-label": "the 28 by 28 digit that the encoder sees" });
  const paintDigit = createDigitPainter();
  const pad = createSurface(canvas, signal, (context, width, height) => {
    if (picked >= 0) paintDigit(context, width, height, input, colours);
    else drawStrokes(context, width, strokes, colours);
  });
  const preview = createSurface(seen, signal, (context, width, height) => paintDigit(context, width, height, input, colours));
  onDrag(canvas, signal, (x, y, phase) => {
    const point = [x / canvas.clientWidth, y / canvas.clientHeight];
    if (phase === "start") {
      if (picked >= 0) strokes.length = 0;                           // the first stroke replaces a picked sample
      strokes.push([point]);
    } else strokes[strokes.length - 1].push(point);
    onDrawn();
  });
  const thumbnails = Array.from(labels, (label, index) => {
    const picture = element("canvas", { "aria-hidden": "true" });
    const node = button("", signal, () => onPicked(index), { "aria-label": `sample ${index}: digit ${label}`, "aria-pressed": "false" });
    node.classList.replace("vae-button", "vae-sample");
    node.append(picture);
    const surface = createSurface(picture, signal, (context, width, height) => {
      if (colours) paintDigit(context, width, height, samples, colours, index * PIXELS);
    });
    return { node, surface };
  });
  return {
    canvas, seen,
    samples: element("div", { class: "vae-samples", role: "group", "aria-label": "sample digits" }, ...thumbnails.map(({ node }) => node)),
    drawnDigit: () => digitFromStrokes(strokes),
    clear() {
      strokes.length = 0;
      onDrawn();
    },
    show(values, index) {
      [input, picked] = [values, index];
      if (index >= 0) strokes.length = 0;
      thumbnails.forEach(({ node }, i) => node.setAttribute("aria-pressed", String(i === index)));
    },
    paint(now) {
      if (colours !== now) {
        colours = now;
        thumbnails.forEach(({ surface }) => surface.paint());
      }
      pad.paint();
      preview.paint();
    },
  };
}
