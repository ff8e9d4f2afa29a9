// Noise of three kinds, as vae_tutorial/corruptions.py has it, from seeded draws; a median filter; errors in decibels.
import { createNormal, createUniform } from "./random.js";

export const NOISES = ["Gaussian noise", "salt and pepper", "masking"];

// One draw per pixel: standard normal for Gaussian noise, else uniform. The same draws serve every level.
export function drawNoise(kind, seed, draws) {
  const next = kind === 0 ? createNormal(seed) : createUniform(seed);
  for (let i = 0; i < draws.length; i++) draws[i] = next();
}

// x → y: x + level·ε, not clipped; or a share `level` of the pixels made black or white, half and half; or made black.
export function corrupt(kind, x, draws, level, y) {
  for (let i = 0; i < x.length; i++) {
    if (kind === 0) y[i] = x[i] + level * draws[i];
    else if (draws[i] >= level) y[i] = x[i];
    else y[i] = kind === 1 && draws[i] < level / 2 ? 1 : 0;
  }
}

// Every pixel becomes the median of the 3 × 3 around it; outside is black.
export function medianFilter(values, side, out) {
  const around = new Float32Array(9);
  for (let row = 0; row < side; row++) {
    for (let column = 0; column < side; column++) {
      for (let k = 0; k < 9; k++) {
        const r = row + Math.floor(k / 3) - 1, c = column + (k % 3) - 1;
        around[k] = r >= 0 && r < side && c >= 0 && c < side ? values[r * side + c] : 0;
      }
      out[row * side + column] = around.sort()[4];
    }
  }
}

// 10·log₁₀(1/MSE), decibels; Infinity where nothing differs.
export function decibels(meanSquaredError) {
  return -10 * Math.log10(meanSquaredError);
}
