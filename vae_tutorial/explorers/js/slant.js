// How far the ink of a picture moves to the right for each pixel upwards (image_quality.slant, in the browser).
import { PIXELS, SIDE } from "./digits.js";

// values hold one picture from the place `offset` on; NaN for an empty one.
export function slantOf(values, offset = 0) {
  let total = 0, x = 0, y = 0, xy = 0, yy = 0;
  for (let i = 0; i < PIXELS; i++) {
    const ink = values[offset + i], column = i % SIDE, row = Math.floor(i / SIDE);
    total += ink;
    x += ink * column;
    y += ink * row;
    xy += ink * column * row;
    yy += ink * row * row;
  }
  return -(xy - x * y / total) / (yy - y * y / total);
}
