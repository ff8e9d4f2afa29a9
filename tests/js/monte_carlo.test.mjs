import assert from "node:assert/strict";
import { shortNumber, verticalRange, withError } from "../../vae_tutorial/explorers/js/monte_carlo.js";
import { REPETITIONS, checkpoints, createDraws, quantile, runEstimates } from "../../vae_tutorial/explorers/js/naive_estimate.js";

assert.deepEqual(checkpoints(10), [1, 2, 3, 4, 5, 6, 8, 10]);
for (const samples of [10, 11, 100, 316, 10000]) {
  const kept = checkpoints(samples);
  assert.equal(kept.at(-1), samples);
  assert.ok(kept.every((s, i) => i === 0 || s > kept[i - 1]));
}
assert.equal(quantile([3, 1, 2], 0.5), 2);
assert.equal(quantile([0, 10], 0.05), 0.5);
assert.equal(quantile([4], 0.95), 4);

// drawing on, bit by bit, gives what drawing at once gives; another seed or d gives something else
const whole = createDraws(5, 3).upTo(40), parts = createDraws(5, 3);
parts.upTo(7);
parts.upTo(7);
assert.deepEqual(parts.upTo(40).squared, whole.squared);
assert.deepEqual(parts.upTo(10).along, whole.along);
assert.notDeepEqual(createDraws(5, 4).upTo(40).along, whole.along);
assert.equal(whole.along.length, 40 * REPETITIONS);

// a running average with S samples is the start of that with more
const few = runEstimates(createDraws(3, 0), { information: 1, samples: 10 }), more = runEstimates(createDraws(3, 0), { information: 1, samples: 100 });
const tenth = more.kept.indexOf(10);
assert.deepEqual(few.logRatio.subarray((few.kept.length - 1) * REPETITIONS), more.logRatio.subarray(tenth * REPETITIONS, (tenth + 1) * REPETITIONS));

// axes and words
assert.deepEqual([0, 1.0377, 0.0312, 38.4, 1234.5, 2.3e12, 1e-7].map(shortNumber), ["0", "1", "0.031", "38", "1,235", "2 · 10¹²", "1 · 10⁻⁷"]);
assert.deepEqual([[1.0294, 0.031], [0.578, 0.2], [3.75e-8, 2.8e-8], [12.4, 3.1]].map((pair) => withError(...pair)), ["1.03 ± 0.03", "0.6 ± 0.2", "4 · 10⁻⁸ ± 3 · 10⁻⁸", "12 ± 3"]);
const range = verticalRange([{ low: -90, high: 5 }, { low: -3, high: 1 }]);
assert.ok(range.low < -3 && range.low > -5 && range.high > 1 && range.high < 2);
