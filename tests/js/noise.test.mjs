import assert from "node:assert/strict";
import { corrupt, decibels, drawNoise, medianFilter } from "../../vae_tutorial/explorers/js/noise.js";

const count = 20000, x = new Float32Array(count).fill(0.4), draws = new Float32Array(count), y = new Float32Array(count);
const average = (values) => values.reduce((a, b) => a + b) / values.length, near = (a, b, tolerance) => assert.ok(Math.abs(a - b) < tolerance, `${a} is not ${b}`);

// Gaussian: mean x, standard deviation `level`, not clipped
drawNoise(0, 7, draws);
corrupt(0, x, draws, 0.6, y);
near(average(y), 0.4, 0.02);
near(Math.sqrt(average(y.map((value) => (value - 0.4) ** 2))), 0.6, 0.02);
assert.ok(Math.min(...y) < -0.5 && Math.max(...y) > 1.5);
const strong = [...y];
corrupt(0, x, draws, 0.3, y);
y.forEach((value, i) => near(value - 0.4, (strong[i] - 0.4) / 2, 1e-6));   // the same noise, weaker

// salt and pepper: half of the damage black, half white; masking: all of it black; the rest untouched
drawNoise(1, 7, draws);
corrupt(1, x, draws, 0.5, y);
for (const value of [0, 1]) near(average(y.map((pixel) => Number(pixel === value))), 0.25, 0.015);
near(average(y.map((pixel, i) => Number(pixel === x[i]))), 0.5, 0.015);
corrupt(2, x, draws, 0.3, y);
near(average(y.map((pixel) => Number(pixel === 0))), 0.3, 0.015);
assert.ok(y.every((pixel, i) => pixel === 0 || pixel === x[i]));
corrupt(2, x, draws, 1, y);
assert.ok(y.every((pixel) => pixel === 0));
for (const kind of [0, 1, 2]) {
  corrupt(kind, x, draws, 0, y);
  assert.deepEqual([...y], [...x]);
}

// a seed fixes the draws
const again = new Float32Array(count), other = new Float32Array(count);
drawNoise(1, 7, again);
drawNoise(1, 8, other);
assert.deepEqual([...again], [...draws]);
assert.notDeepEqual([...other], [...draws]);

near(decibels(0.01), 20, 1e-9);
assert.equal(decibels(0), Infinity);

// the median removes a speck and keeps a solid block but for its corners
const side = 7, picture = new Float32Array(side * side), out = new Float32Array(side * side);
picture[8] = 1;
medianFilter(picture, side, out);
assert.ok(out.every((value) => value === 0));
picture[8] = 0;
for (let row = 2; row < 5; row++) for (let column = 2; column < 5; column++) picture[row * side + column] = 1;
medianFilter(picture, side, out);
assert.equal(out[3 * side + 3], 1);
assert.equal(out[2 * side + 2], 0);
