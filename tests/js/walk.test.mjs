import assert from "node:assert/strict";
import { createWalk, greynessOf, lengthOf, nearestOf, pathAt, PATHS, placeOf, planeOf, STEPS } from "../../vae_tutorial/explorers/js/walk.js";

const near = (found, wanted, tolerance = 1e-9) => {
  assert.equal(found.length, wanted.length);
  found.forEach((value, i) => assert.ok(Math.abs(value - wanted[i]) < tolerance, `${found} is not ${wanted}`));
};

// a quarter turn in the plane; a straight midpoint is shorter, a spherical one is not
near(pathAt("spherical", [2, 0], [0, 2], 0.5), [Math.SQRT2, Math.SQRT2]);
near(pathAt("straight", [2, 0], [0, 2], 0.5), [1, 1]);
near(pathAt("spherical", [2, 0], [0, 2], 1 / 3), [2 * Math.cos(Math.PI / 6), 1]);
// unequal lengths: the length goes evenly
assert.ok(Math.abs(lengthOf(pathAt("spherical", [1, 0, 0], [0, 0, 3], 0.25)) - 1.5) < 1e-12);
// both paths begin and end where they should, in any dimension; also between equal, parallel and opposite codes
for (const [a, b] of [[[1, 2, 3], [-2, 0.5, 1]], [[1, 1], [1, 1]], [[1, 0, 2], [2, 0, 4]], [[1, 0], [-2, 0]]]) {
  for (const kind of PATHS) {
    near(pathAt(kind, a, b, 0), a);
    near(pathAt(kind, a, b, 1), b);
    assert.ok(pathAt(kind, a, b, 0.5).every(Number.isFinite));
  }
}
// the plane: two dimensions keep their own axes; else the axes are orthonormal and hold both codes
assert.deepEqual(planeOf([3, 1], [2, 2]), { right: [1, 0], up: [0, 1] });
for (const [a, b] of [[[1, 2, 3], [-2, 0.5, 1]], [[1, 0, 2], [2, 0, 4]], [[1, 0, 2], [-2, 0, -4]]]) {
  const plane = planeOf(a, b), dot = (u, v) => u.reduce((sum, value, i) => sum + value * v[i], 0);
  near([dot(plane.up, plane.up), dot(plane.right, plane.right), dot(plane.up, plane.right)], [1, 1, 0]);
  for (const z of [a, b]) assert.ok(Math.abs(Math.hypot(...placeOf(z, plane)) - lengthOf(z)) < 1e-9, "a code of the path is not in its plane");
}
const [left] = placeOf([1, 2, 3], planeOf([1, 2, 3], [-2, 0.5, 1])), [right] = placeOf([-2, 0.5, 1], planeOf([1, 2, 3], [-2, 0.5, 1]));
assert.ok(left < 0 && right > 0, "from is left, to is right");
// what points out of the plane is folded into it: the distance from 0 is the true one
const folded = placeOf([0.5, -1, 4], { right: [1, 0, 0], up: [0, 1, 0] }, true);
assert.ok(Math.abs(Math.hypot(...folded) - lengthOf([0.5, -1, 4])) < 1e-9);
assert.ok(folded[0] > 0 && folded[1] < 0);
near(placeOf([0, 0, 4], { right: [1, 0, 0], up: [0, 1, 0] }, true), [0, 0]);
// nearest
const found = nearestOf([0, 0], Float32Array.from([3, 4, 1, 1, 0, -2]));
assert.equal(found.index, 1);
assert.ok(Math.abs(found.distance - Math.SQRT2) < 1e-9);
// nothing is decoded or judged twice, nor before it is asked for
const calls = { decoded: 0, judged: 0 };
const walk = createWalk({
  kind: "straight", a: [1, 0], b: [0, 1], codes: Float32Array.from([1, 0]),
  decoder: { forward: () => { calls.decoded++; return Float32Array.from([0, 100]); } },
  judge: () => { calls.judged++; return { rate: 1, distortion: 2 }; },
});
assert.deepEqual(calls, { decoded: 0, judged: 0 });
assert.ok(walk.elbos().every(Number.isNaN));
walk.judged(3);
walk.judged(3);
near([...walk.picture(3)], [0.5, 1]);
assert.deepEqual(calls, { decoded: 1, judged: 1 });
assert.equal(walk.elbos()[3], -3);
assert.equal(walk.places.length, STEPS + 1);
// greyness: log 2 for each undecided pixel, nothing for black and white
assert.ok(Math.abs(greynessOf(Float32Array.from([0, 1, 0.5, 0.5])) - 2 * Math.LN2) < 1e-6);
