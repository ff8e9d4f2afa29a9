// A Gaussian taken by the hand: sideways moves μ, up makes it narrower and taller, down wider.
import { onArrows, onDrag } from "./canvas.js";

const WIDEN = 110;                                                   // pixels of upward or downward way for a factor e of σ
const STEP_MU = 0.05, STEP_LOG_SIGMA = 0.05;                         // one press of an arrow key

export const GAUSSIAN_KEYS = "Arrow keys left and right move μ, up makes q narrower, down wider, with Shift in larger steps, Home resets. The sliders do the same.";

// get() → {mu, logSigma}; set({mu, logSigma}); fromX(pixel) → z.
export function onDragGaussian(canvas, signal, { get, set, fromX, reset }) {
  let grip = null;
  onDrag(canvas, signal, (x, y, phase) => {
    if (phase === "start") grip = { ...get(), x, y };
    else if (phase === "move") set({ mu: grip.mu + fromX(x) - fromX(grip.x), logSigma: grip.logSigma + (y - grip.y) / WIDEN });
  });
  onArrows(canvas, signal, (dx, dy) => {
    const { mu, logSigma } = get();
    set({ mu: mu + dx * STEP_MU, logSigma: logSigma - dy * STEP_LOG_SIGMA });
  }, reset);
}
