// log p(x) = K + L for one image and one latent z, by sums over a grid of z.
import { bestGaussian, expectation, klFromGaussian, logNormal, logSumExp } from "./gaussian.js";
import { rateOf } from "./objectives.js";

// What does not depend on q: log p(x), log p(z|x) on the grid. `logLikelihood` is log p(x|z) there.
export function createEvidence(grid, logLikelihood) {
  const logPrior = grid.z.map((z) => logNormal(z, 0, 1));
  const logJoint = grid.z.map((_, i) => logLikelihood[i] + logPrior[i]);
  const logEvidence = logSumExp(logJoint) + Math.log(grid.step);
  const logPosterior = logJoint.map((value) => value - logEvidence);

  // K, L and L_β at q = N(mu, exp(logSigma)²), in nats: K and L by separate sums, so that their sum is a check.
  function measure(mu, logSigma, beta) {
    const sigma = Math.exp(logSigma);
    const rate = rateOf([mu], [2 * logSigma]), logLikelihoodMean = expectation(grid, logLikelihood, mu, sigma);
    return {
      logEvidence, rate, logLikelihoodMean, gap: klFromGaussian(grid, logPosterior, mu, sigma),
      elbo: logLikelihoodMean - rate, elboBeta: logLikelihoodMean - beta * rate,
    };
  }
  // The least upper bound of L_β over every q, Gaussian or not: β log ∫ p(z) p(x|z)^(1/β) dz.
  function highest(beta) {
    if (beta < 1e-9) return logLikelihood.reduce((most, value) => Math.max(most, value), -Infinity);
    return beta * (logSumExp(grid.z.map((_, i) => logPrior[i] + logLikelihood[i] / beta)) + Math.log(grid.step));
  }
  // The next summit of L_β uphill from q.
  function best(start, bounds, beta) {
    return bestGaussian(grid, logPrior.map((value, i) => logLikelihood[i] + beta * value), start, bounds, beta);
  }
  return { logEvidence, logPosterior, measure, highest, best };
}

// The stretch of z that holds p(z|x), with room around it but within ±widest: {low, high} in halves.
export function closeView(grid, logPosterior, widest) {
  let most = -Infinity, low = Infinity, high = -Infinity;
  for (const value of logPosterior) most = Math.max(most, value);
  grid.z.forEach((z, i) => {
    if (logPosterior[i] < most - 6) return;
    low = Math.min(low, z);
    high = Math.max(high, z);
  });
  const room = Math.max(0.5, 0.35 * (high - low));
  return { low: Math.max(-widest, Math.floor(2 * (low - room)) / 2), high: Math.min(widest, Math.ceil(2 * (high + room)) / 2) };
}
