// A target with two humps: p(z) = w·N(z; −Δ/2, s²) + (1 − w)·N(z; Δ/2, s²).
import { logNormal, logSumExp } from "./gaussian.js";

export function logMixture(z, { separation, weight, hump }) {
  return logSumExp([Math.log(weight) + logNormal(z, -separation / 2, hump), Math.log(1 - weight) + logNormal(z, separation / 2, hump)]);
}

// Mean and standard deviation: the Gaussian that has them is the best q for KL(p‖q).
export function momentsOf({ separation, weight, hump }) {
  return { mu: (0.5 - weight) * separation, sigma: Math.hypot(hump, separation * Math.sqrt(weight * (1 - weight))) };
}
