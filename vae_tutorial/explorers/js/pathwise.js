// E f(z) under z = μ + σ·ε for f(z) = z²/2 + sin 2z, its exact gradient, and two estimates of it from samples of ε.
import { createGrid, visitGaussian } from "./gaussian.js";

export function objective(z) {
  return z * z / 2 + Math.sin(2 * z);
}

export function slope(z) {
  return z + 2 * Math.cos(2 * z);
}

// In closed form, because E sin(2μ + 2σε) = exp(−2σ²)·sin 2μ: {value, mu, sigma}, the last two its derivatives.
export function exactObjective(mu, sigma) {
  const faded = Math.exp(-2 * sigma * sigma);
  return {
    value: (mu * mu + sigma * sigma) / 2 + faded * Math.sin(2 * mu),
    mu: mu + 2 * faded * Math.cos(2 * mu),
    sigma: sigma - 4 * sigma * faded * Math.sin(2 * mu),
  };
}

// What one ε adds to each estimate. Pathwise: f'(z)·∂z/∂μ and f'(z)·∂z/∂σ. Score function: f(z)·∂ log q(z)/∂μ and …/∂σ.
function contributions(eps, mu, sigma) {
  const z = mu + sigma * eps, value = objective(z), steep = slope(z);
  return { value, pathMu: steep, pathSigma: steep * eps, scoreMu: value * eps / sigma, scoreSigma: value * (eps * eps - 1) / sigma };
}

const NAMES = ["value", "pathMu", "pathSigma", "scoreMu", "scoreSigma"];

// Means over eps[first … first + count − 1].
export function estimate(eps, mu, sigma, first = 0, count = eps.length) {
  const sums = { value: 0, pathMu: 0, pathSigma: 0, scoreMu: 0, scoreSigma: 0 };
  for (let i = first; i < first + count; i++) {
    const one = contributions(eps[i], mu, sigma);
    for (const name of NAMES) sums[name] += one[name] / count;
  }
  return sums;
}

const EPS_GRID = createGrid(-9, 9, 1801);

// Standard deviations of one sample's contributions, by quadrature; those of n samples are smaller by √n.
export function spreadOf(mu, sigma) {
  const first = { value: 0, pathMu: 0, pathSigma: 0, scoreMu: 0, scoreSigma: 0 }, second = { ...first };
  visitGaussian(EPS_GRID, 0, 1, (_, weight, eps) => {
    const one = contributions(eps, mu, sigma);
    for (const name of NAMES) {
      first[name] += weight * one[name];
      second[name] += weight * one[name] ** 2;
    }
  });
  return Object.fromEntries(NAMES.map((name) => [name, Math.sqrt(Math.max(0, second[name] - first[name] ** 2))]));
}
