import assert from "node:assert/strict";
import { bestGaussian, createGrid, expectation, klFromGaussian, klToGaussian, logNormal, logSumExp } from "../../vae_tutorial/explorers/js/gaussian.js";
import { logMixture, momentsOf } from "../../vae_tutorial/explorers/js/mixture.js";
import { closeView, createEvidence } from "../../vae_tutorial/explorers/js/evidence.js";
import { columnScale } from "../../vae_tutorial/explorers/js/columns.js";
import { createFrame, tickText, tickValues } from "../../vae_tutorial/explorers/js/plot.js";
import { estimate, exactObjective, objective, slope, spreadOf } from "../../vae_tutorial/explorers/js/pathwise.js";
import { createNormal } from "../../vae_tutorial/explorers/js/random.js";

const near = (a, b, tolerance = 1e-6) => assert.ok(Math.abs(a - b) <= tolerance * Math.max(1, Math.abs(b)), `${a} is not ${b}`);
const closedKl = (m1, s1, m2, s2) => Math.log(s2 / s1) + (s1 * s1 + (m1 - m2) ** 2) / (2 * s2 * s2) - 0.5;
const grid = createGrid(-42, 42, 4201), bounds = { mu: [-5, 5], logSigma: [Math.log(0.2), Math.log(4)] };

// moments of a Gaussian, and KL of two Gaussians both ways, in closed form; the narrowest and the widest q of the sliders
for (const [mu, sigma] of [[0.5, 1], [-5, 0.2], [5, 4]]) {
  near(expectation(grid, grid.z, mu, sigma), mu);
  near(expectation(grid, grid.z.map((z) => z * z), mu, sigma), mu * mu + sigma * sigma);
  const logTarget = grid.z.map((z) => logNormal(z, 1, 0.6));
  near(klFromGaussian(grid, logTarget, mu, sigma), closedKl(mu, sigma, 1, 0.6));
  near(klToGaussian(grid, logTarget, mu, sigma), closedKl(1, 0.6, mu, sigma));
}
near(logSumExp([1000, 1000]), 1000 + Math.log(2));

// without separation the mixture is one hump; otherwise it sums to one and has the moments it says
near(logMixture(0.3, { separation: 0, weight: 0.3, hump: 0.6 }), logNormal(0.3, 0, 0.6));
const target = { separation: 4, weight: 0.7, hump: 0.6 }, p = grid.z.map((z) => Math.exp(logMixture(z, target)));
const moment = (f) => p.reduce((sum, density, i) => sum + density * f(grid.z[i]) * grid.step, 0);
const { mu: mean, sigma: deviation } = momentsOf(target);
near(moment(() => 1), 1);
near(moment((z) => z), mean);
near(moment((z) => (z - mean) ** 2), deviation ** 2);

// the best q for KL(q‖p): the target itself where that is Gaussian, from anywhere
for (const [mu, sigma] of [[-5, 0.2], [4, 4], [0, 1]]) {
  const found = bestGaussian(grid, grid.z.map((z) => logNormal(z, 1, 0.6)), { mu, logSigma: Math.log(sigma) }, bounds);
  near(found.mu, 1, 1e-4);
  near(found.logSigma, Math.log(0.6), 1e-4);
}
// … else a hump, and which one depends on the start; no neighbour is better
const logP = grid.z.map((z) => logMixture(z, target));
const summits = [-3, 3].map((mu) => bestGaussian(grid, logP, { mu, logSigma: 0 }, bounds));
near(summits[0].mu, -2, 0.02);
near(summits[1].mu, 2, 0.02);
for (const { mu, logSigma } of summits) {
  const here = klFromGaussian(grid, logP, mu, Math.exp(logSigma));
  for (const [dx, dy] of [[0.02, 0], [-0.02, 0], [0, 0.02], [0, -0.02]]) assert.ok(klFromGaussian(grid, logP, mu + dx, Math.exp(logSigma + dy)) > here);
}
// from a wide q in the middle: over both humps, a third local minimum and the highest
const logEven = grid.z.map((z) => logMixture(z, { ...target, weight: 0.6 }));
const [left, broad, right] = [[-3, 1], [0, 2], [3, 1]].map(([mu, sigma]) => bestGaussian(grid, logEven, { mu, logSigma: Math.log(sigma) }, bounds));
const klOf = ({ mu, logSigma }) => klFromGaussian(grid, logEven, mu, Math.exp(logSigma));
assert.ok(Math.exp(broad.logSigma) > 1.5 && Math.abs(broad.mu) < 1 && klOf(broad) > klOf(right) && klOf(right) > klOf(left));
near(klOf(left), -Math.log(0.6), 0.01);
near(klOf(right), -Math.log(0.4), 0.01);
// the best q for KL(p‖q): the moments; no neighbour is better
const covered = klToGaussian(grid, logP, mean, deviation);
for (const [dx, factor] of [[0.05, 1], [-0.05, 1], [0, 1.03], [0, 0.97]]) assert.ok(klToGaussian(grid, logP, mean + dx, deviation * factor) > covered);

// the evidence of a linear-Gaussian model, x = a·z + b + s·ε: log p(x), p(z|x), K and L in closed form
const fine = createGrid(-12, 12, 2401), [a, b, s, x] = [0.8, 0.3, 0.25, 1.1];
const evidence = createEvidence(fine, Float32Array.from(fine.z, (z) => logNormal(x, a * z + b, s)));
const precision = 1 + a * a / (s * s), m = a * (x - b) / (s * s) / precision, v = 1 / Math.sqrt(precision);
near(evidence.logEvidence, logNormal(x, b, Math.hypot(a, s)), 1e-5);
for (const [mu, logSigma, beta] of [[m, Math.log(v), 1], [0, -0.5, 0.5], [-4, 0.5, 0], [4, -3.5, 3]]) {
  const found = evidence.measure(mu, logSigma, beta), sigma = Math.exp(logSigma);
  near(found.gap, closedKl(mu, sigma, m, v), 1e-4);
  near(found.rate, closedKl(mu, sigma, 0, 1));
  near(found.gap + found.elbo, evidence.logEvidence, 1e-4);
  const expected = logNormal(x, a * mu + b, s) - (a * sigma) ** 2 / (2 * s * s);
  near(found.elboBeta, expected - beta * closedKl(mu, sigma, 0, 1), 1e-4);
  assert.ok(found.elboBeta <= evidence.highest(beta) + 1e-4);
}
// at any β the best q here is Gaussian, so it reaches the highest L_β; below β = 1 that is above log p(x), beyond it below
const free = { mu: [-4, 4], logSigma: [-6, 0.5] };
for (const beta of [0.3, 1, 2.5]) {
  const q = evidence.best({ mu: -1, logSigma: 0 }, free, beta), found = evidence.measure(q.mu, q.logSigma, beta);
  near(found.elboBeta, evidence.highest(beta), 1e-4);
  near(Math.exp(-2 * q.logSigma), 1 + a * a / (s * s * beta), 1e-3);
  assert.equal(Math.sign(Math.round(1000 * (found.elboBeta - evidence.logEvidence))) + 0, Math.sign(1 - beta));  // + 0: −0 is 0
}
near(evidence.highest(0), logNormal(x, x, s), 1e-3);
const view = closeView(fine, evidence.logPosterior, 4.5);
assert.ok(view.low < m - 3 * v && view.high > m + 3 * v && view.high - view.low <= 4);
assert.deepEqual(closeView(fine, evidence.logPosterior, 0.5), { low: -0.5, high: 0.5 });

// columns: the line's place is fixed, what is above and below it fits, the scale goes in steps
assert.equal(columnScale({ logEvidence: -2, elbo: -2, elboBeta: -2, logLikelihoodMean: -1 }), 5);
assert.equal(columnScale({ logEvidence: -2, elbo: -202, elboBeta: -202, logLikelihoodMean: -200 }), 500);

// a plot's ticks and frame
assert.deepEqual(tickValues(-6, 6, 300, 48), [-6, -4, -2, 0, 2, 4, 6]);
assert.deepEqual(tickValues(0.1, 0.9, 100, 48), [0.5]);
assert.equal(tickText(-0.5), "−0.5");
const frame = createFrame(100, 60, { left: 10, right: 10, top: 5, bottom: 5 }, [-1, 1], [0, 2]);
assert.deepEqual([frame.toX(0), frame.toY(2), frame.fromX(frame.toX(0.3)).toFixed(6)], [50, 5, "0.300000"]);

// reparameterisation: the exact gradient by finite differences; both estimates unbiased, with the spread that is told
const h = 1e-5, [mu, sigma] = [1, 0.7], exact = exactObjective(mu, sigma);
near(slope(0.4), (objective(0.4 + h) - objective(0.4 - h)) / (2 * h), 1e-6);
near(exact.mu, (exactObjective(mu + h, sigma).value - exactObjective(mu - h, sigma).value) / (2 * h), 1e-6);
near(exact.sigma, (exactObjective(mu, sigma + h).value - exactObjective(mu, sigma - h).value) / (2 * h), 1e-6);
const eps = Float64Array.from({ length: 200000 }, createNormal(1)), many = estimate(eps, mu, sigma), spread = spreadOf(mu, sigma);
for (const [name, truth] of [["value", exact.value], ["pathMu", exact.mu], ["scoreMu", exact.mu], ["pathSigma", exact.sigma], ["scoreSigma", exact.sigma]]) {
  assert.ok(Math.abs(many[name] - truth) < 4 * spread[name] / Math.sqrt(eps.length), `${name}: ${many[name]} is not ${truth}`);
}
const single = Array.from({ length: 20000 }, (_, i) => estimate(eps, mu, sigma, i, 1));
for (const name of ["pathMu", "scoreMu", "pathSigma", "scoreSigma"]) {
  const average = single.reduce((sum, one) => sum + one[name], 0) / single.length;
  near(Math.sqrt(single.reduce((sum, one) => sum + (one[name] - average) ** 2, 0) / single.length), spread[name], 0.05);
}
assert.deepEqual(estimate(eps, mu, sigma, 5, 3), estimate(eps.slice(5, 8), mu, sigma));
