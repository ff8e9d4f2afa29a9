// log p(x) = K + L as columns: L rises from below to the fixed line log p(x), K fills what is left; beside it L_β.
import { createSurface } from "./canvas.js";
import { element, roundUp } from "./page.js";
import { outlinedText } from "./class_map.js";
import { tickText, tickValues } from "./plot.js";

const LINE_AT = 0.4;                                                 // the line log p(x) stands at this share of the height, always

// Nats per unit of height, in steps of 1, 2, 5, so that all fits and the picture does not breathe with every move.
export function columnScale({ logEvidence, elbo, elboBeta, logLikelihoodMean }) {
  const above = Math.max(elboBeta, logLikelihoodMean) - logEvidence, below = logEvidence - Math.min(elbo, elboBeta);
  return roundUp(Math.max(above / (LINE_AT - 0.08), below / (1 - LINE_AT - 0.14), 2));
}

// A column from `top` down that fades out below: its foot is not zero.
function drawFoot(context, x, wide, top, floor, colour) {
  const fade = context.createLinearGradient(0, floor - 46, 0, floor);
  fade.addColorStop(0, colour);
  fade.addColorStop(1, "transparent");
  context.fillStyle = fade;
  context.globalAlpha = 0.32;
  context.fillRect(x, Math.min(top, floor), wide, Math.max(0, floor - top));
  context.globalAlpha = 1;
}

function drawPiece(context, x, wide, top, bottom, colour, striped) {
  context.fillStyle = context.strokeStyle = colour;
  context.globalAlpha = striped ? 0.25 : 0.85;
  context.fillRect(x, top, wide, bottom - top);
  context.globalAlpha = 1;
  context.lineWidth = 1.5;
  context.strokeRect(x, top, wide, bottom - top);
}

function drawLevel(context, x, wide, y, colour, width = 3) {
  context.strokeStyle = colour;
  context.lineWidth = width;
  context.beginPath();
  context.moveTo(x, y);
  context.lineTo(x + wide, y);
  context.stroke();
}

// createColumns(signal) → {canvas, paint({values, beta, colours})}.
export function createColumns(signal) {
  const view = { values: null, beta: 1, colours: null };
  const canvas = element("canvas", { class: "vae-levels", role: "img" });
  const surface = createSurface(canvas, signal, (context, width, height) => {
    const { values, beta, colours } = view;
    if (!colours) return;
    const { logEvidence, elbo, elboBeta, logLikelihoodMean, highest } = values;
    const nats = columnScale(values), line = LINE_AT * height, floor = height - 24;
    const toY = (value) => line - (value - logEvidence) / nats * height;
    const left = 64, room = width - left - 6, wide = Math.min(64, room * 0.17), first = left + room * 0.02, second = left + room * 0.36;
    const text = (content, x, y, colour) => {                        // "L_β": the β lower and smaller
      const [word, index] = content.split("_");
      context.font = "600 13px system-ui, sans-serif";
      context.textAlign = "left";
      context.textBaseline = "middle";
      context.fillStyle = colour;
      outlinedText(context, word, x, y, colours);
      if (!index) return;
      const wide = context.measureText(word).width;
      context.font = "600 10px system-ui, sans-serif";
      outlinedText(context, index, x + wide, y + 4, colours);
    };
    context.font = "12px system-ui, sans-serif";
    context.textAlign = "right";
    context.textBaseline = "middle";
    const low = logEvidence - (floor - line) / height * nats, high = logEvidence + line / height * nats;
    for (const tick of tickValues(low, high, floor, 40)) {
      const y = toY(tick);
      if (y < 10 || y > floor - 6 || Math.abs(y - line) < 14) continue;  // there stands log p(x)
      drawLevel(context, left, room, y, colours.line, 1);
      context.fillStyle = colours.soft;
      context.fillText(tickText(tick), left - 6, y);
    }
    drawFoot(context, first, wide, toY(elbo), floor, colours.elbo);
    drawPiece(context, first, wide, line, toY(elbo), colours.rate, false);
    drawLevel(context, first, wide, toY(elbo), colours.elbo);
    drawFoot(context, second, wide, toY(elboBeta), floor, colours.elbo);
    drawPiece(context, second, wide, toY(logLikelihoodMean), toY(elboBeta), colours.rate, true);
    drawLevel(context, second, wide, toY(elboBeta), colours.elbo);
    drawLevel(context, second - 6, wide + 12, toY(logLikelihoodMean), colours.distortion, 2);
    drawLevel(context, left, room, line, colours.elbo, 3.2);
    context.font = "700 13px system-ui, sans-serif";
    context.fillStyle = colours.elbo;
    context.fillText("log p(x)", left - 5, line);
    if (toY(highest) > 4) {                                          // a wedge at the highest L_β that any q can reach
      context.fillStyle = colours.ink;
      context.beginPath();
      for (const [dx, dy] of [[-4, 0], [-12, -5], [-12, 5]]) context.lineTo(second + dx, toY(highest) + dy);
      context.fill();
    }
    const beside = first + wide + 6, apart = second + wide + 8;
    const spots = (places) => {                                      // labels in order from the top, 16 px apart at least
      const sorted = places.sort((a, b) => a.y - b.y);
      sorted.forEach((spot, i) => { if (i) spot.y = Math.max(spot.y, sorted[i - 1].y + 16); });
      const over = sorted.at(-1).y - (floor - 8);
      if (over > 0) sorted.forEach((spot) => { spot.y -= over; });
      return sorted;
    };
    const middle = (a, b) => (toY(a) + toY(b)) / 2;
    for (const { content, y, colour } of spots([
      { content: "K", y: Math.max(line + 11, middle(logEvidence, elbo)), colour: colours.rate },
      { content: "L", y: Math.min(floor - 8, toY(elbo) + 12), colour: colours.elbo },
    ])) text(content, beside, y, colour);
    for (const { content, y, colour } of spots([
      { content: "E log p(x|z)", y: Math.max(9, toY(logLikelihoodMean) - 4), colour: colours.distortion },
      { content: "β · KL(q‖p(z))", y: middle(logLikelihoodMean, elboBeta), colour: colours.rate },
      { content: beta === 1 ? "L" : "L_β", y: toY(elboBeta) + 6, colour: colours.elbo },
    ])) text(content, apart, y, colour);
    text("L + K", first + wide / 2 - 18, height - 10, colours.soft);
    text(beta === 1 ? "L" : "L_β", second + wide / 2 - 5, height - 10, colours.soft);
    text("nats", 4, height - 10, colours.soft);
  });
  return {
    canvas,
    paint(changes) {
      Object.assign(view, changes);
      surface.paint();
    },
  };
}
