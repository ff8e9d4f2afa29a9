import assert from "node:assert/strict";
import { sliderSteps } from "../../vae_tutorial/explorers/js/continuous_beta.js";
import { createFrameWork, createStopwatch, inTurns } from "../../vae_tutorial/explorers/js/frame_work.js";
import { createNetwork } from "../../vae_tutorial/explorers/js/network.js";
import { nearestPlace, nearestStep, threeDigits } from "../../vae_tutorial/explorers/js/rate_distortion.js";
import { createRecordedCurve } from "../../vae_tutorial/explorers/js/recorded_curve.js";

const near = (a, b) => assert.ok(Math.abs(a - b) <= 1e-9 * Math.max(1, Math.abs(b)), `${a} is not ${b}`);

// the slider meets 1, 4, 16 and 32, and ends at 100
const steps = sliderSteps({ low: -5, high: Math.log2(100), step: 1 / 16 });
assert.deepEqual([steps[0], steps[80], steps[112], steps[144], steps[160]], [1 / 32, 1, 4, 16, 32]);
near(steps.at(-1), 100);
assert.ok(steps.every((beta, i) => i === 0 || beta > steps[i - 1]));
assert.equal(sliderSteps({ low: 0, high: 1, step: 0.5 }).length, 3);
assert.deepEqual([3.95, 0.001, 1000, 1.0000001].map((beta) => nearestStep(steps, beta)), [4, 1 / 32, steps.at(-1), 1]);

// a recorded curve: exact at its points, straight over log β between, held at the ends
const points = [1, 4, 16, 64].map((beta, i) => ({ beta, rate: [6, 5, 3, 0.001][i], distortion: [100, 101.5, 107.5, 130][i], rate_per_unit: [[2, 4], [1.5, 3.5], [0.003, 2.997], [0.001, 0]][i] }));
const curve = createRecordedCurve(points);
for (const { beta, rate, distortion, rate_per_unit } of points) {
  const found = curve.at(beta);
  near(found.rate, rate);
  near(found.distortion, distortion);
  near(found.elbo, -rate - distortion);
  assert.deepEqual([...found.units].map((nats) => nats.toFixed(9)), rate_per_unit.map((nats) => nats.toFixed(9)));
}
near(curve.at(2).rate, 5.5);
near(curve.at(4 ** 1.25).distortion, 103);
near(curve.at(0.01).rate, 6);
near(curve.at(1000).distortion, 130);
assert.deepEqual([1, 16, 64].map((beta) => curve.at(beta).active), [2, 1, 0]);
assert.deepEqual(curve.order, [1, 0]);                                // the unit that lasts longest comes first
near(curve.at(8).slope, 3);                                           // −ΔD/ΔR of the line between 4 and 16
assert.ok(Number.isNaN(createRecordedCurve(points.map((point) => ({ ...point, rate: 0 }))).at(2).slope));

// pieces of work: what fits, at least one; the one that waited longest comes next, even while the settings keep changing
let time = 0;
const done = [], pieces = [0, 1, 2, 3, 4].map((piece) => () => {
  done.push(piece);
  time += 4;
});
const work = createFrameWork(pieces, 8, () => time);
assert.equal(work.work(), 3);
work.renew();
assert.equal(work.work(), 3);
assert.deepEqual(done, [0, 1, 2, 3]);
assert.deepEqual([work.work(), work.work(), work.work()], [1, 0, 0]);
assert.deepEqual(done, [0, 1, 2, 3, 4, 0, 1]);
work.renew();                                                         // all at rest: from the most important one again
work.work();
assert.deepEqual(done.slice(-2), [0, 1]);
const slow = createFrameWork(pieces, 0, () => time);
assert.equal(slow.work(), 4);

assert.deepEqual(inTurns([1, 2, 3], ["a"]), [1, "a", 2, 3]);
const watch = createStopwatch(2);
[5, 6, 7].forEach(watch.note);
assert.deepEqual([...watch.durations], [7, 6]);

assert.equal(nearestPlace([0, 10, 20], [0, 0, 9], 12, 1), 1);
assert.deepEqual([0.0302, 4, 31.62, 100, NaN, 0.00329].map(threeDigits), ["0.0302", "4.00", "31.6", "100", "–", "0.0033"]);

// many inputs at once: the same as one by one, whatever the block, and refused where there are none
const layers = [{ in: 5, out: 7, activation: "silu" }, { in: 7, out: 6, activation: "relu" }, { in: 6, out: 3, activation: "none" }];
const bytes = new Uint8Array(2 * (5 * 7 + 7 + 7 * 6 + 6 + 6 * 3 + 3)).map((_, i) => (i % 2 ? [0x38, 0xb8, 0x34, 0x3c, 0xb4][(i >> 1) % 5] : (i * 37) % 256));
const network = createNetwork(layers, bytes, "float16");
const xs = Float32Array.from({ length: 5 * 11 }, (_, i) => (i % 3 ? Math.sin(i) : 0));
for (const most of [1, 3, 4, 11]) {
  const run = network.createBatch(xs, most);
  for (let from = 0; from < 11; from += most) {
    const to = Math.min(from + most, 11), out = run(from, to);
    for (let n = from; n < to; n++) {
      network.forward(xs.subarray(5 * n, 5 * n + 5)).forEach((value, i) => assert.ok(Math.abs(out[3 * (n - from) + i] - value) < 1e-5));
    }
  }
}
assert.throws(() => network.createBatch(xs, 4)(0, 5), /at most 4 at once/);
assert.throws(() => network.createBatch(xs, 4)(9, 12), /no inputs 9 … 12 of 11/);
assert.throws(() => network.createBatch(xs.subarray(1), 4), /no rows of 5 inputs/);
