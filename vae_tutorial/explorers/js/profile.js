// One row of a picture as a profile: the original, the mean of p(x|z) with its noise, and one sample, column by column.
import { createSurface } from "./canvas.js";
import { SIDE } from "./digits.js";
import { element } from "./page.js";

const LOW = -0.6, HIGH = 1.6;                                        // pixel values shown; samples beyond are drawn at the rim
const MARGIN = { left: 40, right: 10, top: 26, bottom: 32 };

function drawAxes(context, width, height, toX, toY, colours) {
  context.font = "12px system-ui, sans-serif";
  context.lineWidth = 1;
  context.fillStyle = colours.soft;
  context.textAlign = "right";
  context.textBaseline = "middle";
  for (const value of [-0.5, 0, 0.5, 1, 1.5]) {
    context.strokeStyle = value === 0 || value === 1 ? colours.soft : colours.line;
    context.beginPath();
    context.moveTo(MARGIN.left, toY(value));
    context.lineTo(width - MARGIN.right, toY(value));
    context.stroke();
    context.fillText(String(value).replace("-", "−"), MARGIN.left - 6, toY(value));
  }
  context.textAlign = "center";
  context.textBaseline = "bottom";
  context.fillText("column of the picture", (MARGIN.left + width - MARGIN.right) / 2, height - 1);
  context.textBaseline = "top";
  for (let column = 0; column < SIDE; column += 9) context.fillText(String(column), toX(column), height - MARGIN.bottom + 4);
}

// createProfile({signal}) → {canvas, paint({original, mean, sample, sigma, row, colours})}; sigma 0 leaves out the band.
export function createProfile({ signal }) {
  const view = { original: null, mean: null, sample: null, sigma: 0, row: 14, colours: null };
  const canvas = element("canvas", { class: "vae-curve", role: "img", "aria-label": "profile of one row of pixels" });
  const surface = createSurface(canvas, signal, (context, width, height) => {
    const { original, mean, sample, sigma, row, colours } = view, start = row * SIDE;
    const toX = (column) => MARGIN.left + 8 + (width - MARGIN.left - MARGIN.right - 16) * column / (SIDE - 1);
    const toY = (value) => MARGIN.top + (height - MARGIN.top - MARGIN.bottom) * (HIGH - Math.min(HIGH, Math.max(LOW, value))) / (HIGH - LOW);
    drawAxes(context, width, height, toX, toY, colours);
    const line = (values, shift = 0) => {
      context.beginPath();
      for (let column = 0; column < SIDE; column++) context.lineTo(toX(column), toY(values[start + column] + shift));
    };
    context.lineJoin = "round";
    if (sigma) {                                                     // two standard deviations to either side of the mean
      line(mean, 2 * sigma);
      for (let column = SIDE - 1; column >= 0; column--) context.lineTo(toX(column), toY(mean[start + column] - 2 * sigma));
      context.fillStyle = colours.decoder;
      context.globalAlpha = 0.18;
      context.fill();
      context.globalAlpha = 1;
    }
    line(original);
    context.strokeStyle = colours.ink;
    context.lineWidth = 1.5;
    context.setLineDash([5, 4]);
    context.stroke();
    context.setLineDash([]);
    line(mean);
    context.strokeStyle = context.fillStyle = colours.decoder;
    context.lineWidth = 2.5;
    context.stroke();
    for (let column = 0; column < SIDE; column++) {
      context.beginPath();
      context.arc(toX(column), toY(sample[start + column]), 3.2, 0, 2 * Math.PI);
      context.fill();
    }
    drawKey(context, width, sigma > 0, colours);
  });
  return {
    canvas,
    paint(changes) {
      Object.assign(view, changes);
      canvas.setAttribute("aria-label", `profile of row ${view.row}: the original dashed, the mean a line, the sample as dots`);
      surface.paint();
    },
  };
}

// What is what, in one line above the profile.
function drawKey(context, width, hasBand, colours) {
  context.font = "12px system-ui, sans-serif";
  context.textAlign = "left";
  context.textBaseline = "middle";
  context.lineWidth = 2.5;
  let x = MARGIN.left;
  const y = 10, entries = [["original", "dashed"], [hasBand ? "mean ± 2σ" : "mean", "line"], ["sample", "dot"]];
  for (const [text, kind] of entries) {
    context.strokeStyle = context.fillStyle = kind === "dashed" ? colours.ink : colours.decoder;
    context.setLineDash(kind === "dashed" ? [5, 4] : []);
    context.beginPath();
    if (kind === "dot") {
      context.arc(x + 9, y, 3.2, 0, 2 * Math.PI);
      context.fill();
    } else {
      context.moveTo(x, y);
      context.lineTo(x + 18, y);
      context.stroke();
    }
    context.setLineDash([]);
    context.fillStyle = colours.ink;
    context.fillText(text, x + 23, y);
    x += 23 + context.measureText(text).width + 16;
  }
}
