import assert from "node:assert/strict";
import { deflateSync } from "node:zlib";
import { addFrames, inflate, nearestFrame, rangeOf } from "../../vae_tutorial/explorers/js/training_replay.js";

// zlib's bytes come back, also from a view into a larger buffer as widgets hand them over
const bytes = Uint8Array.from({ length: 5000 }, (_, i) => (i * i) % 251), packed = deflateSync(bytes);
const around = new Uint8Array(packed.length + 7);
around.set(packed, 5);
assert.deepEqual(await inflate(new DataView(around.buffer, 5, packed.length)), bytes);
await assert.rejects(inflate(bytes));

// frames are told by their differences, modulo 256
assert.deepEqual([...addFrames(Uint8Array.from([250, 1, 10, 255, 0, 2]), 2)], [250, 1, 4, 0, 4, 2]);

// any epoch leads to a recorded one; of two that are equally near, the earlier
const epochs = [0, 1, 2, 4, 10];
assert.deepEqual([0, 0.6, 3, 6, 8, 99].map((epoch) => nearestFrame(epochs, epoch)), [0, 1, 2, 3, 4, 4]);

// what comes before epoch 2 may lie outside the range, nothing else
const [low, high] = rangeOf([[900, 500, 20, 10], [7, 7, 12]]);
assert.ok(low < 10 && high > 20 && high < 30);
