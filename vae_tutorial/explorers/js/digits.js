// Digits, and other square pictures, as grey levels, white on black or black on white.

export const SIDE = 28;
export const PIXELS = SIDE * SIDE;

// Writes one digit (values 0 … 1) into RGBA bytes whose rows are `stride` pixels long, at column and row.
export function writeDigit(bytes, stride, column, row, values, colours, offset = 0, side = SIDE) {
  const { paper, pen } = colours;
  for (let i = 0; i < side * side; i++) {
    const grey = paper + (pen - paper) * values[offset + i];
    const at = 4 * ((row + Math.floor(i / side)) * stride + column + (i % side));
    bytes[at] = bytes[at + 1] = bytes[at + 2] = grey;
    bytes[at + 3] = 255;
  }
}

// A digit of 28 × 28 sharp pixels that fills the canvas; `values` may hold several, `offset` says where this one starts.
export function createDigitPainter(side = SIDE) {
  const small = document.createElement("canvas");
  small.width = small.height = side;
  const context = small.getContext("2d");
  const image = context.createImageData(side, side);
  return (target, width, height, values, colours, offset = 0) => {
    writeDigit(image.data, side, 0, 0, values, colours, offset, side);
    context.putImageData(image, 0, 0);
    target.imageSmoothingEnabled = false;
    target.drawImage(small, 0, 0, width, height);
  };
}

// Grey levels 0 … 255 as values 0 … 1.
export function digitValues(bytes) {
  const values = new Float32Array(bytes.length);                     // from(bytes, f) would take ten times as long
  for (let i = 0; i < values.length; i++) values[i] = bytes[i] / 255;
  return values;
}
