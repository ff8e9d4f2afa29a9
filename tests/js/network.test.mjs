import assert from "node:assert/strict";
import { asBytes, createNetwork, decodeFloat, decodeHalf, halfToFloat } from "../../vae_tutorial/explorers/js/network.js";

// half precision: known values of IEEE 754
for (const [bits, value] of [[0x0000, 0], [0x3c00, 1], [0xc000, -2], [0x7bff, 65504], [0x0001, 2 ** -24], [0x3555, 0.333251953125], [0x7c00, Infinity]]) {
  assert.equal(halfToFloat(bits), value);
}
assert.ok(Number.isNaN(halfToFloat(0x7e00)));

// a widget's bytes are a view at any offset of a larger buffer
const buffer = new Uint8Array([9, 0x00, 0x3c, 0x00, 0xc0]).buffer;
assert.deepEqual([...decodeHalf(new DataView(buffer, 1))], [1, -2]);
assert.deepEqual([...decodeFloat(new DataView(new Uint8Array([9, 0, 0, 128, 63]).buffer, 1))], [1]);
assert.equal(asBytes(buffer).length, 5);

// y = relu(2·x₁ − 1·x₂ + 1) by hand
const bytes = new Uint8Array(new Uint16Array([0x4000, 0xbc00, 0x3c00]).buffer);
const layers = [{ in: 2, out: 1, activation: "relu" }];
const network = createNetwork(layers, bytes, "float16");
assert.equal(network.forward([3, 2])[0], 5);
assert.equal(network.forward([0, 2])[0], 0);

assert.throws(() => network.forward([1]), /expected 2 inputs, got 1/);
assert.throws(() => createNetwork(layers, bytes.slice(2), "float16"), /weights end after 4 bytes/);
assert.throws(() => createNetwork(layers, new Uint8Array(8), "float16"), /2 bytes of weights are left over/);
assert.throws(() => createNetwork(layers, bytes, "float64"), /unknown precision/);
assert.throws(() => createNetwork([{ in: 2, out: 1, activation: "gelu" }], bytes, "float16"), /unknown activation "gelu"/);
