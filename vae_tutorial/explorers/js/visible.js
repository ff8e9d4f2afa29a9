// The posterior of a code given the visible pixels of an image, on a square grid of codes (inpainting.py, in the browser).
import { PIXELS, SIDE } from "./digits.js";

// Which pixels are seen when `covered` rows or columns are hidden from a side: 0 left, 1 right, 2 top, 3 bottom.
export function visiblePixels(side, covered) {
  const seen = [];
  for (let i = 0; i < PIXELS; i++) {
    const place = side < 2 ? i % SIDE : Math.floor(i / SIDE);
    if (side % 2 ? place < SIDE - covered : place >= covered) seen.push(i);
  }
  return Int32Array.from(seen);
}

// The codes of the grid's cells, as in a picture: row by row from the top, z₂ falling.
export function gridCodes(points, extent) {
  const codes = new Float32Array(2 * points * points), middle = (i) => extent * ((2 * i + 1) / points - 1);
  for (let i = 0; i < points * points; i++) {
    codes[2 * i] = middle(i % points);
    codes[2 * i + 1] = -middle(Math.floor(i / points));
  }
  return codes;
}

// log p(x_j, j visible | z) at every cell: logits and their softplus (cells × pixels), x from the place `offset` on.
export function visibleLogLikelihood(logits, softplus, cells, x, offset, seen) {
  const found = new Float64Array(cells);
  for (let cell = 0; cell < cells; cell++) {
    let sum = 0;
    const at = cell * PIXELS;
    for (let k = 0; k < seen.length; k++) sum += x[offset + seen[k]] * logits[at + seen[k]] - softplus[at + seen[k]];
    found[cell] = sum;
  }
  return found;
}

// The mass of every cell under p(z|visible): prior times likelihood, normalised; cells not decoded yet hold −∞.
export function cellMasses(logLikelihood, codes) {
  const mass = Float64Array.from(logLikelihood, (value, cell) => value - (codes[2 * cell] ** 2 + codes[2 * cell + 1] ** 2) / 2);
  let most = -Infinity, total = 0;
  for (const value of mass) most = Math.max(most, value);
  for (let i = 0; i < mass.length; i++) total += mass[i] = Math.exp(mass[i] - most);
  return mass.map((value) => value / total);
}

// The summits: every cell climbs to the highest of its eight neighbours. [{index, mass}, …], the heaviest first.
export function findModes(mass, points, least) {
  const uphill = Int32Array.from(mass, (_, cell) => {
    const row = Math.floor(cell / points), column = cell % points;
    let best = -1;
    for (let r = Math.max(0, row - 1); r <= Math.min(points - 1, row + 1); r++) {
      for (let c = Math.max(0, column - 1); c <= Math.min(points - 1, column + 1); c++) {
        if (best < 0 || mass[r * points + c] > mass[best]) best = r * points + c;
      }
    }
    return best;
  });
  const sums = new Map();
  for (let cell = 0; cell < mass.length; cell++) {
    let top = cell;
    while (uphill[top] !== top) top = uphill[top];
    sums.set(top, (sums.get(top) ?? 0) + mass[cell]);
  }
  return [...sums].map(([index, share]) => ({ index, mass: share })).filter(({ mass: share }) => share >= least).sort((a, b) => b.mass - a.mass);
}

// The cell in which a uniform number falls when the cells' masses are laid end to end.
export function drawCell(mass, uniform) {
  let left = uniform;
  for (let cell = 0; cell < mass.length; cell++) {
    left -= mass[cell];
    if (left < 0) return cell;
  }
  return mass.indexOf(Math.max(...mass));
}
