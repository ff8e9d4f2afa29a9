// A transposed convolution with 4×4 weights that doubles height and width (stride 2, padding 1), on images (C, H, W) laid flat.

const KERNEL = 4;
const TAPS = KERNEL * KERNEL;

// `read(rows, columns, biases)` gives the weight (in, out, 4, 4) and the bias (out); what is returned completes a layer.
export function createTransposed({ inputs, outputs }, { channels: [from, to], size: [height, width] }, read) {
  if (inputs !== from * height * width || outputs !== 4 * to * height * width) {
    throw new Error(`network: a transposed convolution from ${from} × ${height} × ${width} to ${to} channels takes ${from * height * width} `
      + `numbers and gives ${4 * to * height * width}, not ${inputs} and ${outputs}`);
  }
  const { weight, bias } = read(from, to * TAPS, to);
  const taps = new Float32Array(weight.length);                      // (out, 4, 4, in): what is multiplied lies side by side
  for (let channel = 0, at = 0; channel < from; channel++) {
    for (let tap = 0; tap < to * TAPS; tap++, at++) taps[tap * from + channel] = weight[at];
  }
  return { weight: taps, bias, from, to, height, width, pixel: new Float32Array(from), multiply: multiplyTransposed };
}

// sums[goal …] = the output before its activation, for the one input at x[origin …]. Every pixel of it spreads over 4×4 pixels of
// the output, two rows and columns away from its neighbour's.
function multiplyTransposed({ weight, bias, from, to, height, width, pixel }, x, origin, sums, goal) {
  const area = height * width, wide = 2 * width, high = 2 * height, whole = from - (from % 4);
  for (let channel = 0; channel < to; channel++) sums.fill(bias[channel], goal + channel * 4 * area, goal + (channel + 1) * 4 * area);
  for (let row = 0; row < height; row++) {
    for (let column = 0; column < width; column++) {
      for (let channel = 0; channel < from; channel++) pixel[channel] = x[origin + channel * area + row * width + column];
      const first = Math.max(0, 1 - 2 * row), last = Math.min(KERNEL, high + 1 - 2 * row);        // of the 4×4, what lies inside
      const left = Math.max(0, 1 - 2 * column), right = Math.min(KERNEL, wide + 1 - 2 * column);
      for (let channel = 0; channel < to; channel++) {
        for (let down = first; down < last; down++) {
          const target = goal + (channel * high + 2 * row - 1 + down) * wide + 2 * column - 1;
          for (let across = left; across < right; across++) {
            const start = ((channel * KERNEL + down) * KERNEL + across) * from;
            let a = 0, b = 0, c = 0, d = 0, i = 0;                   // four sums: the processor adds them side by side
            for (; i < whole; i += 4) {
              a += weight[start + i] * pixel[i];
              b += weight[start + i + 1] * pixel[i + 1];
              c += weight[start + i + 2] * pixel[i + 2];
              d += weight[start + i + 3] * pixel[i + 3];
            }
            for (; i < from; i++) a += weight[start + i] * pixel[i];
            sums[target + across] += a + b + c + d;
          }
        }
      }
    }
  }
}
