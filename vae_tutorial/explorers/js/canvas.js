// A sharp canvas at any size and pixel density, its pointer and its keyboard.
import { clamp } from "./page.js";

// How much larger a canvas is shown than it was laid out: on a projector's page explorers are enlarged, in the deck whole slides.
const magnification = (canvas) => canvas.getBoundingClientRect().width / canvas.offsetWidth || 1;

let density = 1;                                                     // device pixels in a pixel of the canvas that is drawn just now
export const pixelDensity = () => density;

// Calls draw(context, width, height) in CSS pixels whenever the canvas changes size; `paint` draws again.
export function createSurface(canvas, signal, draw) {
  const context = canvas.getContext("2d");
  const paint = () => {
    const width = canvas.clientWidth, height = canvas.clientHeight;
    if (!width || !height) return;                                   // hidden: the observer calls again
    density = (globalThis.devicePixelRatio || 1) * magnification(canvas);
    const columns = Math.round(width * density), rows = Math.round(height * density);
    if (canvas.width !== columns || canvas.height !== rows) {
      canvas.width = columns;
      canvas.height = rows;
    }
    context.setTransform(density, 0, 0, density, 0, 0);
    context.clearRect(0, 0, width, height);
    draw(context, width, height);
  };
  const observer = new ResizeObserver(paint);
  observer.observe(canvas);
  signal.addEventListener("abort", () => observer.disconnect());
  return { paint };
}

// A second canvas of the same density, for what is drawn once and copied often.
export function createLayer(width, height) {
  const canvas = document.createElement("canvas");
  canvas.width = Math.round(width * density);
  canvas.height = Math.round(height * density);
  const context = canvas.getContext("2d");
  context.setTransform(density, 0, 0, density, 0, 0);
  return { canvas, context };
}

// A square view of the plane, `extent` to either side of `centre`; world y points up, screen y down.
export function createAxes(width, height, extent, centre = [0, 0]) {
  const scale = Math.min(width, height) / (2 * extent);              // pixels per unit
  return {
    scale,
    toScreen: (x, y) => [width / 2 + (x - centre[0]) * scale, height / 2 - (y - centre[1]) * scale],
    toWorld: (x, y) => [centre[0] + (x - width / 2) / scale, centre[1] - (y - height / 2) / scale],
  };
}

// onMove(x, y, phase) in CSS pixels with phase "start", "move" or "end"; the pointer stays ours until it is lifted.
// Capturing needs `touch-action: none` on the canvas, or `pan-y` where only x counts; the page still scrolls from everywhere else.
export function onDrag(canvas, signal, onMove) {
  let active = null, place = [0, 0];
  const report = (event, phase) => {
    const box = canvas.getBoundingClientRect(), larger = magnification(canvas);
    const within = (place, from, length) => clamp(place - from, 0, length) / larger;
    if (event.type !== "pointercancel") place = [within(event.clientX, box.left, box.width), within(event.clientY, box.top, box.height)];
    onMove(...place, phase);                                         // a cancelled pointer, as when a finger scrolls, tells no place
  };
  canvas.addEventListener("pointerdown", (event) => {
    if (active !== null || event.button !== 0) return;
    active = event.pointerId;
    canvas.setPointerCapture(active);
    report(event, "start");
  }, { signal });
  canvas.addEventListener("pointermove", (event) => {
    if (event.pointerId !== active) return;
    const steps = event.getCoalescedEvents ? event.getCoalescedEvents() : [];
    for (const step of steps.length ? steps : [event]) report(step, "move");
  }, { signal });
  for (const name of ["pointerup", "pointercancel"]) {
    canvas.addEventListener(name, (event) => {
      if (event.pointerId !== active) return;
      active = null;
      report(event, "end");
    }, { signal });
  }
}

const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowDown: [0, -1], ArrowUp: [0, 1] };

// onStep(dx, dy) in units of ±1, ±10 with Shift; Home or 0 calls onHome.
export function onArrows(canvas, signal, onStep, onHome) {
  canvas.addEventListener("keydown", (event) => {
    if (event.altKey || event.ctrlKey || event.metaKey) return;
    const arrow = ARROWS[event.key];
    if (arrow) onStep(...arrow.map((step) => step * (event.shiftKey ? 10 : 1)));
    else if (onHome && (event.key === "Home" || event.key === "0")) onHome();
    else return;
    event.preventDefault();
    event.stopPropagation();                                         // notebooks and slides have arrow keys of their own
  }, { signal });
}

// The keys of a canvas with the role of a slider: onMove(steps), ±1 for arrows, ±page for page keys, ten times as far with Shift, ±Infinity to an end.
export function onSliderKeys(canvas, signal, page, onMove) {
  const moves = { ArrowRight: 1, ArrowUp: 1, ArrowLeft: -1, ArrowDown: -1, PageUp: page, PageDown: -page, Home: -Infinity, End: Infinity };
  canvas.addEventListener("keydown", (event) => {
    if (!(event.key in moves) || event.altKey || event.ctrlKey || event.metaKey) return;
    onMove(moves[event.key] * (event.shiftKey ? 10 : 1));
    event.preventDefault();
    event.stopPropagation();
  }, { signal });
}
