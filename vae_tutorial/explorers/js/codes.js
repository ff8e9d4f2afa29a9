// Grids of codes: the numbers a decoder takes for one, and what of a picture belongs to a place of it.

// The vectors of a grid's codes, laid out as the decoder takes them: channel by channel, each a whole grid (C, h, w).
export function vectorsOf(codes, codebook, dimension) {
  const values = new Float32Array(codes.length * dimension);
  for (let channel = 0; channel < dimension; channel++) {
    for (let i = 0; i < codes.length; i++) values[channel * codes.length + i] = codebook[codes[i] * dimension + channel];
  }
  return values;
}

// A square of `wide` pixels to a side out of a square picture, around the place (row, column) in pixels.
export function cropAround(values, side, row, column, wide) {
  const cut = new Float32Array(wide * wide), top = Math.round(row - wide / 2), left = Math.round(column - wide / 2);
  for (let i = 0; i < wide * wide; i++) cut[i] = values[(top + Math.floor(i / wide)) * side + left + (i % wide)];
  return cut;
}

// How many pixels of two pictures differ by more than `least`.
export function changedPixels(values, others, least) {
  return values.reduce((count, value, i) => count + (Math.abs(value - others[i]) > least), 0);
}
