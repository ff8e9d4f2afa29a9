import assert from "node:assert/strict";
import { centreOfMass, digitFromStrokes } from "../../vae_tutorial/explorers/js/strokes.js";

const inkBox = (values) => {
  const at = [...values.keys()].filter((i) => values[i] > 0.5);
  const rows = at.map((i) => Math.floor(i / 28)), columns = at.map((i) => i % 28);
  return { height: Math.max(...rows) - Math.min(...rows) + 1, width: Math.max(...columns) - Math.min(...columns) + 1 };
};
const seven = [[[0.1, 0.1], [0.3, 0.1], [0.15, 0.4]]];
const digit = digitFromStrokes(seven);

// values in [0, 1], 20 pixels on the longer side, the centre of mass in the middle, as MNIST's own digits
assert.equal(digit.length, 784);
assert.ok(digit.every((value) => value >= 0 && value <= 1));
assert.ok(Math.abs(inkBox(digit).height - 20) <= 1);
assert.ok(inkBox(digit).width < 20);
for (const coordinate of centreOfMass(digit)) assert.ok(Math.abs(coordinate - 14) < 0.05);

// size and place on the pad make no difference
const elsewhere = digitFromStrokes(seven.map((stroke) => stroke.map(([x, y]) => [0.2 + 1.7 * x, 0.1 + 1.7 * y])));
elsewhere.forEach((value, i) => assert.ok(Math.abs(value - digit[i]) < 1e-3));

// a blank pad is a blank digit; a dot stays a dot in the middle
assert.ok(digitFromStrokes([]).every((value) => value === 0));
const dot = digitFromStrokes([[[0.9, 0.2]]]);
assert.ok(inkBox(dot).width <= 4 && dot[14 * 28 + 14] === 1);
