// What a map keeps of its codes: neighbours, sizes of classes and distances between them. Points are flat arrays of `size` numbers each.

function squaredDistance(points, size, i, j) {
  let sum = 0;
  for (let k = 0; k < size; k++) sum += (points[i * size + k] - points[j * size + k]) ** 2;
  return sum;
}

// The `wanted` nearest points of point i, nearest first; of two at the same distance the one with the smaller number.
export function nearestPoints(points, size, i, wanted) {
  const found = [], distances = [];
  for (let j = 0; j < points.length / size; j++) {
    if (j === i) continue;
    const distance = squaredDistance(points, size, i, j);
    if (found.length === wanted && distance >= distances[wanted - 1]) continue;
    let place = found.length;
    while (place > 0 && distances[place - 1] > distance) place--;
    found.splice(place, 0, j);
    distances.splice(place, 0, distance);
    if (found.length > wanted) {
      found.pop();
      distances.pop();
    }
  }
  return found;
}

// The nearest points of every point.
export function allNeighbours(points, size, wanted) {
  return Array.from({ length: points.length / size }, (_, i) => nearestPoints(points, size, i, wanted));
}

// How many of a point's neighbours in the one list are also in the other, on average.
export function keptNeighbours(some, others) {
  let kept = 0;
  some.forEach((list, i) => { kept += list.filter((j) => others[i].includes(j)).length; });
  return kept / some.length;
}

function medianOf(values) {
  const sorted = Float64Array.from(values).sort(), middle = sorted.length >> 1;
  return sorted.length % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

// The widest class against the narrowest, and the farthest pair of classes against the nearest. A class's middle is its median, number by
// number, its size the median distance to that. NaN where there are too few classes.
export function classShape(points, size, labels) {
  const middles = [], sizes = [];
  for (let label = 0; label < 10; label++) {
    const own = [];
    labels.forEach((each, i) => { if (each === label) own.push(i); });
    if (!own.length) continue;
    const middle = Array.from({ length: size }, (_, k) => medianOf(own.map((i) => points[i * size + k])));
    middles.push(middle);
    sizes.push(medianOf(own.map((i) => Math.hypot(...middle.map((value, k) => points[i * size + k] - value)))));
  }
  const pairs = [];
  middles.forEach((a, i) => middles.slice(i + 1).forEach((b) => pairs.push(Math.hypot(...a.map((value, k) => value - b[k])))));
  return {
    size: sizes.length > 1 ? Math.max(...sizes) / Math.min(...sizes) : NaN,
    apart: pairs.length > 1 ? Math.max(...pairs) / Math.min(...pairs) : NaN,
  };
}

// Where a perplexity lies among the recorded ones, on a logarithmic scale: between number `lower` and the next, `share` of the way.
export function placeAmong(recorded, perplexity) {
  const last = recorded.length - 2;
  let lower = 0;
  while (lower < last && perplexity >= recorded[lower + 1]) lower++;
  const share = Math.log(perplexity / recorded[lower]) / Math.log(recorded[lower + 1] / recorded[lower]);
  const rounded = Math.round(1e6 * Math.min(1, Math.max(0, share))) / 1e6;      // 2 ** 4.25 comes back as a quarter
  return { lower, share: rounded };
}
