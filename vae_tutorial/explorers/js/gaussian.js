// Gaussians over one latent z and the integrals that a grid of z gives: expectations, KL, the best q for a target.
import { clamp } from "./page.js";

const LOG_2PI = Math.log(2 * Math.PI);
const REACH = 9;                                                     // standard deviations beyond which a Gaussian is nothing

// Points low … high, evenly spaced, and their step.
export function createGrid(low, high, count) {
  const step = (high - low) / (count - 1);
  return { z: Float64Array.from({ length: count }, (_, i) => low + i * step), step };
}

export function logNormal(z, mu, sigma) {
  const eps = (z - mu) / sigma;
  return -(eps * eps + LOG_2PI) / 2 - Math.log(sigma);
}

export function logSumExp(values) {
  let most = -Infinity, sum = 0;
  for (const value of values) most = Math.max(most, value);
  for (const value of values) sum += Math.exp(value - most);
  return most + Math.log(sum);
}

// Calls visit(i, q(z_i)·step, ε_i) where q = N(mu, sigma²) has mass. The trapezium rule: between two tails of a Gaussian
// it errs by less than 1e-8 as soon as sigma is as wide as a step.
export function visitGaussian({ z, step }, mu, sigma, visit) {
  const first = Math.max(0, Math.ceil((mu - REACH * sigma - z[0]) / step)), scale = step / (sigma * Math.sqrt(2 * Math.PI));
  for (let i = first; i < z.length; i++) {
    const eps = (z[i] - mu) / sigma;
    if (eps > REACH) break;
    visit(i, scale * Math.exp(-eps * eps / 2), eps);
  }
}

// E_q f for values f(z_i) on the grid.
export function expectation(grid, values, mu, sigma) {
  let sum = 0;
  visitGaussian(grid, mu, sigma, (i, weight) => { sum += weight * values[i]; });
  return sum;
}

// KL(q‖p) in nats for q = N(mu, sigma²) and log p given on the grid.
export function klFromGaussian(grid, logTarget, mu, sigma) {
  let sum = 0;
  visitGaussian(grid, mu, sigma, (i, weight) => { sum += weight * (logNormal(grid.z[i], mu, sigma) - logTarget[i]); });
  return sum;
}

// KL(p‖q) in nats, the other way round.
export function klToGaussian({ z, step }, logTarget, mu, sigma) {
  let sum = 0;
  for (let i = 0; i < z.length; i++) sum += step * Math.exp(logTarget[i]) * (logTarget[i] - logNormal(z[i], mu, sigma));
  return sum;
}

// Climbs E_q[logTarget(z)] + entropy·log σ from `start` to the next summit: natural gradients, halved until they climb.
// With entropy 1 the summit is a local minimum of KL(q‖p). Bounds: {mu: [low, high], logSigma: [low, high]}.
export function bestGaussian(grid, logTarget, start, bounds, entropy = 1) {
  const measure = (mu, logSigma) => {
    let value = entropy * logSigma, byMu = 0, byLogSigma = entropy;
    visitGaussian(grid, mu, Math.exp(logSigma), (i, weight, eps) => {
      value += weight * logTarget[i];
      byMu += weight * logTarget[i] * eps;                           // σ · ∂/∂μ
      byLogSigma += weight * logTarget[i] * (eps * eps - 1);
    });
    return { mu, logSigma, value, byMu, byLogSigma };
  };
  const within = (value, [low, high]) => clamp(value, low, high);
  let here = measure(within(start.mu, bounds.mu), within(start.logSigma, bounds.logSigma));
  for (let turn = 0; turn < 1000; turn++) {
    const sigma = Math.exp(here.logSigma), pace = 1 / Math.max(entropy, 0.1);
    const stepMu = sigma * clamp(pace * here.byMu, -1, 1), stepLogSigma = clamp(pace * here.byLogSigma / 2, -0.5, 0.5);
    let next = null;
    for (let size = 1; size > 1e-6 && !next; size /= 2) {
      const trial = measure(within(here.mu + size * stepMu, bounds.mu), within(here.logSigma + size * stepLogSigma, bounds.logSigma));
      if (trial.value > here.value + 1e-12 * Math.abs(here.value)) next = trial;
    }
    if (!next) break;
    here = next;
  }
  return { mu: here.mu, logSigma: here.logSigma };
}
