// A plot of curves over one axis: frame, ticks, lines in the palette's styles.
import { outlinedText } from "./class_map.js";
import { roundUp } from "./page.js";

const DASHES = { solid: [], dashed: [7, 4], dotted: [1.5, 4] };

// The plot's box inside margins {left, right, top, bottom}, and the way from its units to pixels and back.
export function createFrame(width, height, margin, [x0, x1], [y0, y1]) {
  const left = margin.left, right = width - margin.right, top = margin.top, bottom = height - margin.bottom;
  return {
    left, right, top, bottom, x0, x1, y0, y1,
    toX: (x) => left + (x - x0) / (x1 - x0) * (right - left),
    toY: (y) => bottom - (y - y0) / (y1 - y0) * (bottom - top),
    fromX: (pixel) => x0 + (pixel - left) / (right - left) * (x1 - x0),
  };
}

// Round values between low and high, at least `room` pixels apart where `pixels` lie between the two.
export function tickValues(low, high, pixels, room = 48) {
  const step = roundUp((high - low) * room / Math.max(pixels, 1)), values = [];
  for (let i = Math.ceil(low / step - 1e-9); i * step <= high + 1e-9 * step; i++) values.push(Number((i * step).toPrecision(12)));
  return values;
}

export function tickText(value) {
  return String(Number(value.toPrecision(6))).replace("-", "−");
}

// The lower axis with ticks and its name at the right end.
export function drawAxis(context, frame, colours, name, ticks = tickValues(frame.x0, frame.x1, frame.right - frame.left)) {
  context.strokeStyle = colours.soft;
  context.fillStyle = colours.soft;
  context.lineWidth = 1;
  context.font = "12px system-ui, sans-serif";
  context.textBaseline = "top";
  context.textAlign = "center";
  context.beginPath();
  context.moveTo(frame.left, frame.bottom + 0.5);
  context.lineTo(frame.right, frame.bottom + 0.5);
  for (const tick of ticks) {
    context.moveTo(frame.toX(tick), frame.bottom);
    context.lineTo(frame.toX(tick), frame.bottom + 4);
  }
  context.stroke();
  for (const tick of ticks) context.fillText(tickText(tick), frame.toX(tick), frame.bottom + 6);
  context.textAlign = "right";
  context.fillText(name, frame.right, frame.bottom + 20);
}

// Rules and numbers of the vertical axis.
export function drawRules(context, frame, colours, room = 34) {
  context.strokeStyle = colours.line;
  context.fillStyle = colours.soft;
  context.lineWidth = 1;
  context.font = "12px system-ui, sans-serif";
  context.textBaseline = "middle";
  context.textAlign = "right";
  for (const tick of tickValues(frame.y0, frame.y1, frame.bottom - frame.top, room)) {
    context.beginPath();
    context.moveTo(frame.left, frame.toY(tick));
    context.lineTo(frame.right, frame.toY(tick));
    context.stroke();
    context.fillText(tickText(tick), frame.left - 5, frame.toY(tick));
  }
}

export function clipped(context, frame, draw) {
  context.save();
  context.beginPath();
  context.rect(frame.left, frame.top - 2, frame.right - frame.left, frame.bottom - frame.top + 4);
  context.clip();
  draw();
  context.restore();
}

// A curve through (xs[i], ys[i]); `fill` is the opacity of the area between it and the height `base`.
export function drawCurve(context, frame, xs, ys, { colour, line = "solid", width = 2.2, fill = 0, base = 0 }) {
  let first = 0, last = xs.length - 1;
  while (first < last && xs[first + 1] < frame.x0) first++;
  while (last > first && xs[last - 1] > frame.x1) last--;
  const trace = () => {
    context.beginPath();
    for (let i = first; i <= last; i++) context.lineTo(frame.toX(xs[i]), frame.toY(ys[i]));
  };
  context.strokeStyle = context.fillStyle = colour;
  if (fill) {
    trace();
    context.lineTo(frame.toX(xs[last]), frame.toY(base));
    context.lineTo(frame.toX(xs[first]), frame.toY(base));
    context.globalAlpha = fill;
    context.fill();
    context.globalAlpha = 1;
  }
  trace();
  context.lineWidth = width;
  context.lineJoin = "round";
  context.lineCap = line === "dotted" ? "round" : "butt";
  context.setLineDash(DASHES[line]);
  context.stroke();
  context.setLineDash([]);
}

// A curve's name, in its colour, on a rim of the card's; kept inside the frame.
export function drawName(context, frame, colours, text, x, y, colour, align = "center") {
  context.font = "italic 600 14px Georgia, 'Times New Roman', serif";
  context.textAlign = "left";
  context.textBaseline = "alphabetic";
  context.fillStyle = colour;
  const wide = context.measureText(text).width, start = x - (align === "center" ? wide / 2 : align === "right" ? wide : 0);
  outlinedText(context, text, Math.max(frame.left + 2, Math.min(frame.right - wide - 2, start)), Math.max(y, 14), colours);
}
