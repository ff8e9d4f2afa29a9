// From pen strokes to a 28 × 28 digit that looks like MNIST's: fitted into 20 × 20 pixels, then centred by mass.
import { PIXELS, SIDE } from "./digits.js";

const BOX = 20;                                                      // MNIST's digits fill 20 × 20 of the 28 × 28 pixels
const RADIUS = 1.4;                                                  // half a stroke's width, in pixels of the 28 × 28
const SOFT = 1.1;                                                    // width of a stroke's grey edge
const LARGEST_SCALE = 80;                                            // pixels per pad width: a dot stays a dot

function boundsOf(points) {
  const xs = points.map((point) => point[0]), ys = points.map((point) => point[1]);
  return { left: Math.min(...xs), right: Math.max(...xs), top: Math.min(...ys), bottom: Math.max(...ys) };
}

function distanceToSegment(x, y, [ax, ay], [bx, by]) {
  const dx = bx - ax, dy = by - ay, length = dx * dx + dy * dy;
  const t = length ? Math.max(0, Math.min(1, ((x - ax) * dx + (y - ay) * dy) / length)) : 0;
  return Math.hypot(x - ax - t * dx, y - ay - t * dy);
}

// Strokes in pixels of the 28 × 28 → grey values 0 … 1; overlapping strokes don't get darker.
function rasterise(strokes) {
  const values = new Float32Array(PIXELS);
  const reach = RADIUS + SOFT;
  for (const stroke of strokes) {
    for (let i = 0; i < stroke.length; i++) {
      const a = stroke[Math.max(0, i - 1)], b = stroke[i];
      const { left, right, top, bottom } = boundsOf([a, b]);
      for (let row = Math.max(0, Math.floor(top - reach)); row <= Math.min(SIDE - 1, bottom + reach); row++) {
        for (let column = Math.max(0, Math.floor(left - reach)); column <= Math.min(SIDE - 1, right + reach); column++) {
          const inside = (RADIUS + SOFT / 2 - distanceToSegment(column + 0.5, row + 0.5, a, b)) / SOFT;
          const at = row * SIDE + column;
          values[at] = Math.max(values[at], Math.min(1, inside));
        }
      }
    }
  }
  return values;
}

export function centreOfMass(values) {
  let mass = 0, x = 0, y = 0;
  values.forEach((value, i) => {
    mass += value;
    x += value * ((i % SIDE) + 0.5);
    y += value * (Math.floor(i / SIDE) + 0.5);
  });
  return mass ? [x / mass, y / mass] : [SIDE / 2, SIDE / 2];
}

// Strokes as lists of [x, y] on a pad of width and height 1 → the digit that the encoder is given (blank without strokes).
export function digitFromStrokes(strokes) {
  const points = strokes.flat();
  if (!points.length) return new Float32Array(PIXELS);
  const { left, right, top, bottom } = boundsOf(points);
  const scale = Math.min((BOX - 2 * RADIUS) / Math.max(right - left, bottom - top, 1e-6), LARGEST_SCALE);
  const move = (dx, dy, factor) => (stroke) => stroke.map(([x, y]) => [x * factor + dx, y * factor + dy]);
  const middle = SIDE / 2;
  const fitted = strokes.map(move(middle - scale * (left + right) / 2, middle - scale * (top + bottom) / 2, scale));
  const [x, y] = centreOfMass(rasterise(fitted));
  return rasterise(fitted.map(move(middle - x, middle - y, 1)));
}
