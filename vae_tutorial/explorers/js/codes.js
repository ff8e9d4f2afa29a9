// Grids of codes: the numbers a decoder takes for one, and what a change of it does to the picture.

// The vectors of a grid's codes, laid out as the decoder takes them: channel by channel, each a whole grid (C, h, w).
export function vectorsOf(codes, codebook, dimension) {
  const values = new Float32Array(codes.length * dimension);
  for (let channel = 0; channel < dimension; channel++) {
    for (let i = 0; i < codes.length; i++) values[channel * codes.length + i] = codebook[codes[i] * dimension + channel];
  }
  return values;
}

// How many pixels of two pictures differ by more than `least`.
export function changedPixels(values, others, least) {
  return values.reduce((count, value, i) => count + (Math.abs(value - others[i]) > least), 0);
}
