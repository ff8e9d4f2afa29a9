// What the decoder makes of a whole grid of codes: one digit per cell, a few milliseconds' worth in every frame.
import { SIDE, PIXELS, writeDigit } from "./digits.js";
import { sigmoid } from "./network.js";

const BUDGET = 7;                                                    // milliseconds of decoding per frame

// Cells from the middle outwards, so that the part near the prior appears first.
export function cellsFromCentre(count) {
  const middle = (count - 1) / 2;
  const distance = (cell) => Math.hypot((cell % count) - middle, Math.floor(cell / count) - middle);
  return Array.from({ length: count * count }, (_, cell) => cell).sort((a, b) => distance(a) - distance(b));
}

// createManifold(network, signal, onProgress) → show(count, extent, colours) → {canvas, version}, filled in frame by frame.
export function createManifold(network, signal, onProgress) {
  const canvas = document.createElement("canvas");
  const picture = { canvas, version: 0 };
  let frame = 0, key = "";
  signal.addEventListener("abort", () => cancelAnimationFrame(frame));
  return (count, extent, colours) => {
    const wanted = [count, extent, colours.version].join();
    if (wanted === key) return picture;
    key = wanted;
    cancelAnimationFrame(frame);
    canvas.width = canvas.height = count * SIDE;
    picture.version++;
    const context = canvas.getContext("2d");
    context.fillStyle = `rgb(${colours.paper} ${colours.paper} ${colours.paper})`;
    context.fillRect(0, 0, canvas.width, canvas.height);
    const image = context.createImageData(SIDE, SIDE);
    const values = new Float32Array(PIXELS);
    const cells = cellsFromCentre(count);
    let next = 0;
    const work = () => {
      const end = performance.now() + BUDGET;
      while (next < cells.length && performance.now() < end) {
        const column = cells[next] % count, row = Math.floor(cells[next] / count);
        next++;
        const z = [((column + 0.5) / count * 2 - 1) * extent, (1 - (row + 0.5) / count * 2) * extent];
        network.forward(z).forEach((logit, i) => { values[i] = sigmoid(logit); });
        writeDigit(image.data, SIDE, 0, 0, values, colours);
        context.putImageData(image, column * SIDE, row * SIDE);
      }
      picture.version++;
      frame = next < cells.length ? requestAnimationFrame(work) : 0;
      onProgress();
    };
    frame = requestAnimationFrame(work);
    return picture;
  };
}
