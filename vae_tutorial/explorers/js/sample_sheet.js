// A square sheet of decoded digits; each may be replaced alone.
import { createSurface } from "./canvas.js";
import { PIXELS, SIDE, writeDigit } from "./digits.js";
import { sigmoid } from "./network.js";
import { element } from "./page.js";

// createSampleSheet({side, signal}) → {canvas, decoded, write(cell, logits, from), paint({colours})}; decoded: side² × 784 values 0 … 1.
export function createSampleSheet({ side, signal }) {
  const view = { colours: null };
  const decoded = new Float32Array(side * side * PIXELS);
  const canvas = element("canvas", { class: "vae-square", role: "img" });
  const small = document.createElement("canvas");
  small.width = small.height = side * SIDE;
  const context = small.getContext("2d"), image = context.createImageData(small.width, small.height);
  let changed = true;
  const copy = (cell) => writeDigit(image.data, small.width, (cell % side) * SIDE, Math.floor(cell / side) * SIDE, decoded, view.colours, cell * PIXELS);
  const surface = createSurface(canvas, signal, (target, width, height) => {
    if (!view.colours) return;
    if (changed) context.putImageData(image, 0, 0);
    changed = false;
    target.imageSmoothingQuality = "high";
    target.drawImage(small, 0, 0, width, height);
  });
  return {
    canvas, decoded,
    write(cell, logits, from) {
      const start = cell * PIXELS;
      for (let i = 0; i < PIXELS; i++) decoded[start + i] = sigmoid(logits[from + i]);
      if (view.colours) copy(cell);
      changed = true;
    },
    paint(changes = {}) {
      if (changes.colours) {
        Object.assign(view, changes);
        for (let cell = 0; cell < side * side; cell++) copy(cell);
        changed = true;
      }
      surface.paint();
    },
  };
}
