// A film strip: the pictures along a path, every second one; the chosen one framed.
import { createSurface, onDrag } from "./canvas.js";
import { createDigitPainter } from "./digits.js";
import { clamp, element } from "./page.js";

// createFilm({signal, count, label, onChoose}) → {canvas, paint({pictures, chosen, colours})}; `count` pictures, null where one is missing.
export function createFilm({ signal, count, label, onChoose }) {
  const view = { pictures: [], chosen: -1, colours: null };
  const paintFrame = createDigitPainter();
  const canvas = element("canvas", { class: "vae-active vae-film", role: "img", "aria-label": label, style: `aspect-ratio: ${count}` });
  const surface = createSurface(canvas, signal, (context, width, height) => {
    const { pictures, chosen, colours } = view, side = width / count;
    if (!colours) return;
    pictures.forEach((values, i) => {
      if (!values) return;
      context.save();
      context.translate(i * side, 0);
      paintFrame(context, side - 1, side - 1, values, colours);
      context.restore();
    });
    if (chosen < 0) return;
    context.strokeStyle = colours.decoder;
    context.lineWidth = 3;
    context.strokeRect(clamp(chosen, 0, count - 1) * side + 1.5, 1.5, side - 4, height - 3);
  });
  onDrag(canvas, signal, (x) => onChoose(x / canvas.clientWidth));
  return {
    canvas,
    paint(changes) {
      Object.assign(view, changes);
      surface.paint();
    },
  };
}
