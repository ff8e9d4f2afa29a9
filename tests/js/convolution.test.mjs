import assert from "node:assert/strict";
import { createNetwork } from "../../vae_tutorial/explorers/js/network.js";

// one pixel of 3 becomes the middle of its 4×4 weights, whose rim (7) lies outside: y = 3·w + bias, for two channels, by hand
const half = { 0: 0x0000, 1: 0x3c00, 2: 0x4000, 3: 0x4200, 4: 0x4400, 5: 0x4500, 6: 0x4600, 7: 0x4700 };
const packed = (...values) => new Uint8Array(new Uint16Array(values.map((value) => half[value])).buffer);
const rim = [7, 7, 7, 7];
const taps = [...rim, 7, 1, 2, 7, 7, 3, 4, 7, ...rim, ...rim, 7, 5, 6, 7, 7, 7, 0, 7, ...rim];
const single = { in: 1, out: 8, activation: "none", transposed: { channels: [1, 2], size: [1, 1] } };
assert.deepEqual([...createNetwork([single], packed(...taps, 1, 2), "float16").forward([3])], [4, 7, 10, 13, 17, 20, 23, 2]);

// the same as eight bits: the weights times one scale for the channel that comes in
const view = new DataView(new ArrayBuffer(32 + 4 + 8));
taps.forEach((value, i) => view.setInt8(i, value));
[0.5, 1, 2].forEach((value, i) => view.setFloat32(32 + 4 * i, value, true));
assert.deepEqual([...createNetwork([single], view, "int8").forward([3])], [2.5, 4, 5.5, 7, 9.5, 11, 12.5, 2]);

// two forwards give the same: nothing is left over from the first; what is negative is cut off by a relu
const relu = createNetwork([{ ...single, activation: "relu" }], packed(...taps, 1, 2), "float16");
assert.deepEqual([...relu.forward([-1])], [0, 0, 0, 0, 0, 0, 0, 2]);
assert.deepEqual([...relu.forward([3])].slice(0, 2), [4, 7]);

// many at once, at the end of a network and as its first layer: the same as one by one
const dense = { in: 2, out: 1, activation: "relu" };
for (const [layers, bytes] of [[[single], packed(...taps, 1, 2)], [[dense, single], packed(2, 3, 1, ...taps, 1, 2)]]) {
  const network = createNetwork(layers, bytes, "float16"), xs = Float32Array.from({ length: 5 * network.inputs }, (_, i) => i - 3);
  const run = network.createBatch(xs, 3);
  for (const [from, to] of [[0, 3], [3, 5], [1, 2]]) {
    const rows = [...run(from, to).subarray(0, 8 * (to - from))], x = (n) => xs.subarray(n * network.inputs, (n + 1) * network.inputs);
    assert.deepEqual(rows, Array.from({ length: to - from }, (_, i) => [...network.forward(x(from + i))]).flat());
  }
}

const refused = (layer, message) => assert.throws(() => createNetwork([{ ...single, ...layer }], packed(...taps, 1, 2), "float16"), message);
refused({ in: 2 }, /from 1 × 1 × 1 to 2 channels takes 1 numbers and gives 8, not 2 and 8/);
refused({ out: 4 }, /gives 8, not 1 and 4/);
refused({ transposed: { channels: [1, 2], size: [1, 2] }, in: 2, out: 8 }, /takes 2 numbers and gives 16, not 2 and 8/);
refused({ transposed: { channels: [1, 3], size: [1, 1] }, out: 12 }, /weights end after 68 bytes, but 96 are needed/);
assert.throws(() => createNetwork([single, { in: 4, out: 1, activation: "none" }], packed(...taps, 1, 2), "float16"), /layer 2 takes 4 numbers, and layer 1 gives 8/);
