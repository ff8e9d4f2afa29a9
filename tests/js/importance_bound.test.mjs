// What the importance-bound explorer writes beside its curve: labels that do not run together, whole counts without decimals.
import assert from "node:assert/strict";
import test from "node:test";
import { countText, roomyTicks } from "../../vae_tutorial/explorers/js/importance_bound.js";

test("labels that would run together are left out, the last one is kept", () => {
  assert.deepEqual(roomyTicks([1, 10, 100, 1000, 5000], [46, 108, 170, 233, 266]), [1, 10, 100, 5000]);
  assert.deepEqual(roomyTicks([1, 10, 100, 1000, 5000], [46, 135, 224, 313, 365]), [1, 10, 100, 1000, 5000]);
  assert.deepEqual(roomyTicks([1, 10], [5, 6]), [10]);
});

test("whole counts have no decimals", () => {
  assert.deepEqual([1, 2, 1.122, 1.995].map((count) => countText(count, 1)), ["1", "2", "1.1", "2.0"]);
});
