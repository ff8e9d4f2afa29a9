// One unit's traversal: its pictures from −reach to reach side by side, and on a rail beneath them where the unit stands.
import { createSurface } from "./canvas.js";
import { writeDigit } from "./digits.js";
import { element } from "./page.js";

const GAP = 2;                                                       // pixels between the pictures

// createUnitStrip({side, values, reach, signal, onChoose}) → {canvas, write(column), paint(changes)}; `values` holds the
// strip's pictures one after the other, `onChoose(value)` hears where the strip is pressed, at the nearest picture.
export function createUnitStrip({ side, values, reach, signal, onChoose }) {
  const columns = values.length / (side * side), last = columns - 1;
  const small = document.createElement("canvas");
  small.width = columns * side;
  small.height = side;
  const context = small.getContext("2d"), image = context.createImageData(side, side);
  const view = { value: 0, active: true, colours: null };
  let version = -1;
  const canvas = element("canvas", { class: "vae-strip", role: "img" });
  const surface = createSurface(canvas, signal, (target, width, height) => {
    const { value, active, colours } = view;
    if (!colours) return;
    const step = (width + GAP) / columns, cell = step - GAP, middle = (cell + height) / 2;
    const toX = (place) => (place + reach) / (2 * reach) * last * step + cell / 2;
    target.globalAlpha = active ? 1 : 0.45;
    target.strokeStyle = colours.soft;
    target.lineWidth = 1;
    for (let column = 0; column < columns; column++) {
      target.drawImage(small, column * side, 0, side, side, column * step, 0, cell, cell);
      target.strokeRect(column * step + 0.5, 0.5, cell - 1, cell - 1);
    }
    target.globalAlpha = 1;
    target.beginPath();
    target.moveTo(toX(-reach), middle);
    target.lineTo(toX(reach), middle);
    for (let column = 0; column < columns; column++) {
      target.moveTo(column * step + cell / 2, middle - 3);
      target.lineTo(column * step + cell / 2, middle + 3);
    }
    target.stroke();
    target.fillStyle = active ? colours.ink : colours.card;
    target.strokeStyle = colours.ink;
    target.lineWidth = 2;
    target.beginPath();
    target.arc(toX(value), middle, 3.5, 0, 2 * Math.PI);
    target.fill();
    target.stroke();
  });
  canvas.addEventListener("click", ({ clientX }) => {
    const box = canvas.getBoundingClientRect(), column = Math.floor((clientX - box.left) / (box.width + GAP) * columns);
    onChoose((Math.max(0, Math.min(last, column)) / last * 2 - 1) * reach);
  }, { signal });
  const write = (column) => {
    writeDigit(image.data, side, 0, 0, values, view.colours, column * side * side, side);
    context.putImageData(image, column * side, 0);
  };
  return {
    canvas, write,
    paint(changes) {
      Object.assign(view, changes);
      if (view.colours.version !== version) {
        version = view.colours.version;
        for (let column = 0; column < columns; column++) write(column);
      }
      surface.paint();
    },
  };
}
