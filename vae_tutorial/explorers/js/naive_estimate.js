// Naive Monte Carlo where the answer is known: z ~ N(0, I), x_k = z_k + σ ε_k for k = 1 … d, so that x ~ N(0, (1 + σ²) I).
// The one x looked at is typical: each of its numbers lies one standard deviation of p(x) from 0.
import { createUniform } from "./random.js";

export const REPETITIONS = 100;

// Closed forms for `information` nats in each dimension, which is ½ log(1 + 1/σ²).
export function closedForm({ d, information }) {
  const sigma = 1 / Math.sqrt(Math.expm1(2 * information));
  const variance = Math.exp(-2 * information);                       // of p(z_k|x); its mean squared is 1 − variance
  return {
    sigma, variance,
    logEvidence: -0.5 * d * (Math.log(2 * Math.PI * (1 + sigma * sigma)) + 1),
    // log(1 + χ²(p(z|x)‖p(z))), where 1 + χ² = ∫ p(z|x)²/p(z) dz
    logSecondMoment: d * ((1 - variance) / (2 - variance) - 0.5 * Math.log(variance * (2 - variance))),
  };
}

// Codes z ~ N(0, I) in d dimensions, of which a weight needs two numbers: z along the mean of p(z|x), and ‖z‖².
// `upTo(count)` draws on until there are `count` codes for every repetition; code s of repetition r has index s·REPETITIONS + r.
export function createDraws(d, seed) {
  const uniform = createUniform(seed), pairs = (d - 1) >> 1, store = { along: new Float64Array(0), squared: new Float64Array(0), count: 0 };
  const grow = (old, length) => {
    const longer = new Float64Array(length);
    longer.set(old);
    return longer;
  };
  return {
    d, seed,
    upTo(count) {
      if (count <= store.count) return store;
      const length = count * REPETITIONS;
      store.along = grow(store.along, length);
      store.squared = grow(store.squared, length);
      for (let n = store.count * REPETITIONS; n < length; n++) {
        const radius = -2 * Math.log(1 - uniform()), z = Math.sqrt(radius) * Math.cos(2 * Math.PI * uniform());   // Box and Muller
        let product = 1;
        for (let pair = 0; pair < pairs; pair++) product *= 1 - uniform();
        store.along[n] = z;
        store.squared[n] = (d % 2 ? z * z : radius) - 2 * Math.log(product);   // d even: the transform's second number, too
      }
      store.count = count;
      return store;
    },
  };
}

// Numbers of samples at which the running average is kept: ten to a decade, the last one S itself.
export function checkpoints(samples) {
  const kept = [];
  for (let k = 0; 10 ** (k / 10) < samples; k++) {
    const s = Math.round(10 ** (k / 10));
    if (s > (kept.at(-1) ?? 0) && s < samples) kept.push(s);
  }
  return [...kept, samples];
}

// log(p̂/p(x)) of every repetition at every checkpoint, (checkpoints × REPETITIONS), and the effective sample sizes at the last.
// Weights w = p(x|z)/p(x) are summed relative to the largest so far: alone they may be too small for a number.
export function runEstimates(draws, { information, samples }) {
  const { d } = draws, { variance } = closedForm({ d, information }), kept = checkpoints(samples);
  const { along, squared } = draws.upTo(samples);
  const mean = Math.sqrt(d * (1 - variance)), constant = d * information - mean * mean / (2 * variance), half = 0.5 - 0.5 / variance;
  const logRatio = new Float64Array(kept.length * REPETITIONS), effective = new Float64Array(REPETITIONS);
  for (let r = 0; r < REPETITIONS; r++) {
    let largest = -Infinity, sum = 0, squares = 0, next = 0;
    for (let s = 0, n = r; s < samples; s++, n += REPETITIONS) {
      const logWeight = constant + half * squared[n] + along[n] * mean / variance;
      if (logWeight > largest) {
        const shrink = Math.exp(largest - logWeight);
        sum = sum * shrink + 1;
        squares = squares * shrink * shrink + 1;
        largest = logWeight;
      } else {
        const weight = Math.exp(logWeight - largest);
        sum += weight;
        squares += weight * weight;
      }
      if (s + 1 === kept[next]) logRatio[next++ * REPETITIONS + r] = largest + Math.log(sum / (s + 1));
    }
    effective[r] = sum * sum / squares;
  }
  return { kept, logRatio, effective };
}

// The value below which a share of the numbers lies, between neighbours by a straight line.
export function quantile(numbers, share) {
  const sorted = Float64Array.from(numbers).sort(), place = share * (sorted.length - 1), below = Math.floor(place);
  return sorted[below] + (place - below) * ((sorted[below + 1] ?? sorted[below]) - sorted[below]);
}

// What the repetitions say together about the estimates with all samples.
export function summarise({ kept, logRatio, effective }, { logSecondMoment }) {
  const last = logRatio.subarray((kept.length - 1) * REPETITIONS), samples = kept.at(-1);
  const average = (values) => values.reduce((total, value) => total + value, 0) / values.length;
  const ratios = last.map(Math.exp), meanRatio = average(ratios);
  return {
    meanRatio,                                                       // of p̂/p(x): 1 but for chance
    standardError: Math.sqrt(average(ratios.map((ratio) => (ratio - meanRatio) ** 2)) / (REPETITIONS - 1)),
    meanLog: average(last),                                          // of log p̂ − log p(x): below 0
    measuredError: Math.sqrt(average(ratios.map((ratio) => (ratio - 1) ** 2))),
    predictedError: Math.sqrt(Math.expm1(logSecondMoment) / samples),
    effective: quantile(effective, 0.5),
  };
}
