import assert from "node:assert/strict";
import { drawPixels, shareOutside } from "../../vae_tutorial/explorers/js/mean_and_sample.js";
import { createNormal, createUniform } from "../../vae_tutorial/explorers/js/random.js";

const count = 20000, mean = new Float32Array(count).fill(0.3), sample = new Float32Array(count), noise = new Float32Array(count);
const fill = (next) => { for (let i = 0; i < count; i++) noise[i] = next(); };
const average = (values) => values.reduce((a, b) => a + b) / values.length;

// Bernoulli: a coin for each pixel, ink as often as the mean says; σ plays no part
fill(createUniform(4));
drawPixels("bernoulli", mean, noise, 0.1, sample);
assert.ok(sample.every((value) => value === 0 || value === 1));
assert.ok(Math.abs(average(sample) - 0.3) < 0.02);
assert.equal(shareOutside(sample), 0);
const before = [...sample];
drawPixels("bernoulli", mean, noise, 0.5, sample);
assert.deepEqual([...sample], before);
drawPixels("bernoulli", new Float32Array([0, 1, 0, 1]), new Float32Array([0, 0.999, 0.5, 0.5]), 0.1, sample);
assert.deepEqual([...sample.slice(0, 4)], [0, 1, 0, 1]);

// Gaussian: mean + σ·ε; below 0 as often as a bell at 0.3 with σ = 0.3 is, one standard deviation below its mean
fill(createNormal(4));
drawPixels("gaussian", mean, noise, 0.3, sample);
assert.ok(Math.abs(average(sample) - 0.3) < 0.01);
assert.ok(Math.abs(Math.sqrt(average(sample.map((value) => (value - 0.3) ** 2))) - 0.3) < 0.01);
assert.ok(Math.abs(shareOutside(sample) - (0.1587 + 0.0098)) < 0.01);
