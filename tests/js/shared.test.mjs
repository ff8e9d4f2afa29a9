import assert from "node:assert/strict";
import { classCentres, drawPoints, nearestLabel, tickStep } from "../../vae_tutorial/explorers/js/class_map.js";
import { createAxes, onDrag, onSliderKeys } from "../../vae_tutorial/explorers/js/canvas.js";
import { writeDigit } from "../../vae_tutorial/explorers/js/digits.js";
import { cellsFromCentre } from "../../vae_tutorial/explorers/js/manifold.js";
import { clamp, formatNumber, parseHash, roundUp } from "../../vae_tutorial/explorers/js/page.js";
import { createNormal } from "../../vae_tutorial/explorers/js/random.js";

// deep links: known names with finite numbers, nothing else
assert.deepEqual(parseHash("#z1=1.2&z2=-0.5&beta=3", ["z1", "z2"]), { z1: 1.2, z2: -0.5 });
assert.deepEqual(parseHash("#the-decoder&z1=&z2=NaN&d=Infinity", ["z1", "z2", "d"]), {});

assert.equal(formatNumber(-1.5), "−1.50");
assert.equal(formatNumber(-0.001), "0.00");
assert.equal(clamp(7, -3, 3), 3);

// the view of the plane: y up, and back again
const axes = createAxes(200, 100, 2, [1, 0]);
assert.deepEqual(axes.toScreen(1, 2), [100, 0]);
assert.deepEqual(axes.toWorld(...axes.toScreen(0.25, -1.5)), [0.25, -1.5]);

// a canvas that listens, and events that it hears
function listener() {
  const heard = new Map();
  const element = {
    addEventListener: (name, callback) => heard.set(name, callback), setPointerCapture() {},
    getBoundingClientRect: () => ({ left: 10, top: 20, width: 100, height: 50 }),
  };
  return { element, tell: (type, event) => heard.get(type)({ type, button: 0, pointerId: 1, preventDefault() {}, stopPropagation() {}, ...event }) };
}

// a slider's keys: single steps, pages, ten times as far with Shift, both ends; keys of the browser are left alone
const slider = listener(), steps = [];
onSliderKeys(slider.element, null, 8, (moved) => steps.push(moved));
for (const key of ["ArrowRight", "ArrowDown", "PageUp", "PageDown", "Home", "End", "Tab"]) slider.tell("keydown", { key });
slider.tell("keydown", { key: "ArrowLeft", shiftKey: true });
slider.tell("keydown", { key: "ArrowLeft", altKey: true });
assert.deepEqual(steps, [1, -1, 8, -8, -Infinity, Infinity, -10]);

// a drag stays inside; where the browser takes the finger to scroll, its last place counts: the event that says so has none
const dragged = listener(), places = [];
onDrag(dragged.element, null, (...place) => places.push(place));
dragged.tell("pointerdown", { clientX: 40, clientY: 30 });
dragged.tell("pointermove", { clientX: 500, clientY: 40 });
dragged.tell("pointercancel", { clientX: 0, clientY: 0 });
assert.deepEqual(places, [[30, 10, "start"], [100, 20, "move"], [100, 20, "end"]]);

// shown twice as large as it was laid out, as on a slide: places are still the canvas's own
const magnified = listener(), own = [];
magnified.element.offsetWidth = 50;
onDrag(magnified.element, null, (x, y) => own.push([x, y]));
magnified.tell("pointerdown", { clientX: 40, clientY: 30 });
magnified.tell("pointermove", { clientX: 500, clientY: 500 });
assert.deepEqual(own, [[15, 5], [50, 25]]);

// the map
const points = [0, 0, 1, 0, 5, 5], labels = [3, 3, 7];
assert.equal(nearestLabel(points, labels, 4, 4), 7);
assert.equal(nearestLabel(points, labels, 0.9, 0.2), 3);
assert.deepEqual(classCentres(points, labels).map(({ label }) => label), [3, 7]);
assert.equal(tickStep(50), 1);
assert.equal(tickStep(10), 5);
const opacities = [];
drawPoints({ globalAlpha: 1, drawImage() { opacities.push(this.globalAlpha); } }, 200, 100, axes, points, labels, { box: 10, pictures: [] });
assert.deepEqual(opacities, [1, 1]);                                  // the third lies outside; the class colours have just the contrast that text needs
assert.deepEqual([0.2, 0.3, 20, 180].map(roundUp), [0.2, 0.5, 20, 200]);
const cells = cellsFromCentre(3);
assert.equal(cells[0], 4);
assert.deepEqual([...cells].sort((a, b) => a - b), [0, 1, 2, 3, 4, 5, 6, 7, 8]);

// digits are grey: all three channels equal, from paper to pen
const pixels = new Uint8ClampedArray(4 * 784), values = new Float32Array(784);
values[1] = 1;
writeDigit(pixels, 28, 0, 0, values, { paper: 255, pen: 16 });
assert.deepEqual([...pixels.slice(0, 8)], [255, 255, 255, 255, 16, 16, 16, 255]);

// ε: the same seed, the same numbers; standard normal
const draw = (seed, count) => Array.from({ length: count }, createNormal(seed));
assert.deepEqual(draw(5, 3), draw(5, 3));
assert.notDeepEqual(draw(5, 3), draw(6, 3));
const many = draw(0, 20000), mean = many.reduce((a, b) => a + b) / many.length;
const variance = many.reduce((sum, value) => sum + (value - mean) ** 2, 0) / many.length;
assert.ok(Math.abs(mean) < 0.03 && Math.abs(variance - 1) < 0.04);
