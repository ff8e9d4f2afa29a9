import assert from "node:assert/strict";
import { knowledge, staleRows, unitName } from "../../vae_tutorial/explorers/js/traversal.js";

// units are counted from 1, as in the text
assert.deepEqual([0, 8, 9].map(unitName), ["z₁", "z₉", "z₁₀"]);

// a unit that moves alone leaves its own strip as it is, and no other
assert.deepEqual(staleRows([1, 2, 3], [1, 2, 3]), [false, false, false]);
assert.deepEqual(staleRows([1, 2, 3], [1, 0, 3]), [true, false, true]);
assert.deepEqual(staleRows([1, 2, 3], [0, 0, 3]), [true, true, true]);
assert.deepEqual(staleRows([NaN, NaN], [0, 0]), [true, true]);

assert.equal(knowledge({ active: true, factor: "position x", nats: 1.934 }), "position x: 1.93 nats");
assert.equal(knowledge({ active: false, factor: "shape", nats: 0.01 }), "inactive");
assert.equal(knowledge({ active: true }), "");
