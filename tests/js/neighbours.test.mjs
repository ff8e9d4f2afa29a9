import assert from "node:assert/strict";
import { allNeighbours, classShape, keptNeighbours, nearestPoints, placeAmong } from "../../vae_tutorial/explorers/js/neighbours.js";

// on a line: nearest first, the smaller number first where two are equally far
const line = [0, 1, 3, 6, 7];
assert.deepEqual(nearestPoints(line, 1, 1, 2), [0, 2]);
assert.deepEqual(nearestPoints([0, 1, 2], 1, 1, 2), [0, 2]);
assert.deepEqual(nearestPoints([2, 1, 0], 1, 1, 1), [0]);
assert.deepEqual(nearestPoints([0, 0, 3, 4, 1, 1], 2, 0, 2), [2, 1]);
assert.deepEqual(allNeighbours(line, 1, 1), [[1], [0], [1], [4], [3]]);

// a map that keeps everything, whatever its scale, and one that tears two apart
assert.equal(keptNeighbours(allNeighbours(line, 1, 2), allNeighbours(line.map((x) => 50 * x + 3), 1, 2)), 2);
assert.equal(keptNeighbours([[1], [0]], [[1], [2]]), 0.5);

// two classes of size 1 and 3, a third of size 2: medians, so that one stray point does not count
const points = [-1, 0, 1, 7, 10, 13, 98, 100, 102, 100, 500], labels = [0, 0, 0, 4, 4, 4, 9, 9, 9, 9, 9];
const shape = classShape(points, 1, labels);
assert.equal(shape.size, 3 / 1);
assert.equal(shape.apart, 100 / 10);
assert.ok(Number.isNaN(classShape([1, 2], 1, [0, 0]).size));
assert.ok(Number.isNaN(classShape([1, 2], 1, [0, 1]).apart));
assert.equal(classShape([-1, 0, 1, 9, 12, 15], 1, [0, 0, 0, 1, 1, 1]).size, 3);

// perplexities: on the recorded ones, between them, at both ends
const recorded = [2, 4, 8, 16];
assert.deepEqual(placeAmong(recorded, 2), { lower: 0, share: 0 });
assert.deepEqual(placeAmong(recorded, 8), { lower: 2, share: 0 });
assert.deepEqual(placeAmong(recorded, 16), { lower: 2, share: 1 });
assert.deepEqual(placeAmong(recorded, 2 ** 2.25), { lower: 1, share: 0.25 });
assert.deepEqual(placeAmong(recorded, 1), { lower: 0, share: 0 });
