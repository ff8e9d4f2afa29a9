import assert from "node:assert/strict";
import { readable } from "../../vae_tutorial/explorers/js/beta_calculator.js";
import { effectiveBeta, impliedSigma } from "../../vae_tutorial/explorers/js/effective_beta.js";

const elbo = { beta: 1, pixels: 784, latents: 20, batch: 128, pixelReduction: "sum", latentReduction: "sum", batchReduction: "mean", likelihood: "bernoulli", sigma: 1 };
const near = (a, b) => assert.ok(Math.abs(a - b) <= 1e-12 * Math.abs(b), `${a} is not ${b}`);

assert.deepEqual(effectiveBeta(elbo), { betaEffective: 1, lossScale: 1 });
near(effectiveBeta({ ...elbo, pixelReduction: "mean" }).betaEffective, 784);
near(effectiveBeta({ ...elbo, latentReduction: "mean" }).betaEffective, 1 / 20);
near(effectiveBeta({ ...elbo, beta: 4, pixelReduction: "mean", latentReduction: "mean" }).betaEffective, 4 * 784 / 20);

// summing over the batch: another scale, the same β
assert.deepEqual(effectiveBeta({ ...elbo, batchReduction: "sum" }), { betaEffective: 1, lossScale: 128 });

// bare squared error, checked against the loss itself: SE + KL = scale · (SE / (2σ²) + β · KL)
const { betaEffective, lossScale } = effectiveBeta({ ...elbo, likelihood: "squared error", sigma: 0.3 });
near(lossScale * (50 / (2 * 0.3 ** 2) + betaEffective * 7), 50 + 7);
// at the σ it implies, that loss has β = 1
const sigma = impliedSigma(betaEffective, 0.3);
near(sigma, Math.sqrt(0.5));
near(effectiveBeta({ ...elbo, likelihood: "squared error", sigma }).betaEffective, 1);

assert.deepEqual([0.00128, 0.5, 39.2, 784, 12345.6, 2e7, 2e-6].map(readable), ["0.00128", "0.5", "39.2", "784", "12,346", "2.00 · 10^7", "2.00 · 10^−6"]);
