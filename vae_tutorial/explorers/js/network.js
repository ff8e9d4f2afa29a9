// The forward pass of a network in plain typed arrays, from the bytes that explorers/weights.py packs.
import { createTransposed } from "./convolution.js";

const ACTIVATIONS = {
  none: (v) => v,
  relu: (v) => (v > 0 ? v : 0),
  silu: (v) => v / (1 + Math.exp(-v)),
  tanh: Math.tanh,
};

export function sigmoid(v) {
  return 1 / (1 + Math.exp(-v));
}

// IEEE 754 half precision, one value given by its 16 bits.
export function halfToFloat(bits) {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 0x1f;
  const fraction = bits & 0x3ff;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 31) return fraction ? NaN : sign * Infinity;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}

// Widgets hand bytes over as a DataView; tests as a Uint8Array or an ArrayBuffer. All become a Uint8Array.
export function asBytes(data) {
  if (data instanceof ArrayBuffer) return new Uint8Array(data);
  return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
}

export function decodeHalf(data) {
  const bytes = asBytes(data);
  const values = new Float32Array(bytes.length / 2);
  for (let i = 0; i < values.length; i++) values[i] = halfToFloat(bytes[2 * i] | (bytes[2 * i + 1] << 8));
  return values;
}

export function decodeFloat(data) {
  return new Float32Array(asBytes(data).slice().buffer);               // a copy: the view's offset need not be aligned
}

// Reads the bytes front to back; slices are copied because their offsets need not be aligned.
function createReader(data) {
  const bytes = asBytes(data);
  let offset = 0;
  const take = (count) => {
    if (offset + count > bytes.length) {
      throw new Error(`network: the weights end after ${bytes.length} bytes, but ${offset + count} are needed`);
    }
    offset += count;
    return bytes.slice(offset - count, offset);
  };
  return {
    half: (count) => decodeHalf(take(2 * count)),
    int8: (count) => new Int8Array(take(count).buffer),
    float32: (count) => decodeFloat(take(4 * count)),
    finish() {
      if (offset !== bytes.length) throw new Error(`network: ${bytes.length - offset} bytes of weights are left over`);
    },
  };
}

// A weight of rows × columns and a bias; as int8 each row has a scale of its own.
function readWeight(reader, rows, columns, biases, precision) {
  if (precision === "float16") return { weight: reader.half(rows * columns), bias: reader.half(biases) };
  if (precision !== "int8") throw new Error(`network: unknown precision "${precision}"; use "float16" or "int8"`);
  const rounded = reader.int8(rows * columns), scales = reader.float32(rows);
  return { weight: Float32Array.from(rounded, (w, i) => w * scales[Math.floor(i / columns)]), bias: reader.float32(biases) };
}

function readLayer(reader, { in: inputs, out: outputs, activation, gate, transposed }, precision) {
  if (!(activation in ACTIVATIONS)) throw new Error(`network: unknown activation "${activation}"`);
  const layer = { inputs, outputs, activation: ACTIVATIONS[activation], apply: applyLayer };
  if (transposed) {
    const read = (rows, columns, biases) => readWeight(reader, rows, columns, biases, precision);
    return Object.assign(layer, createTransposed(layer, transposed, read));
  }
  Object.assign(layer, readWeight(reader, outputs, inputs, outputs, precision));
  if (gate) {
    const read = precision === "float16" ? reader.half : reader.float32;
    layer.gate = { ...gate, table: read(gate.knots * outputs), open: new Float32Array(outputs).fill(NaN) };  // NaN until β is set
  }
  return layer;
}

// How far each unit's gate is open at this β: its table read between the two knots beside log β.
function openGates({ knots, range: [low, high], scale, table, open }, beta) {
  const place = Math.min(1, Math.max(0, Math.log(beta / low) / Math.log(high / low))) * (knots - 1);
  const knot = Math.min(knots - 2, Math.floor(place)), share = place - knot;
  for (let unit = 0, at = knot * open.length; unit < open.length; unit++, at++) {
    open[unit] = sigmoid(scale * ((1 - share) * table[at] + share * table[at + open.length]));
  }
}

// y = activation(W x + b), or activation((W x + b) · gate); W row-major (outputs × inputs).
function applyLayer({ weight, bias, inputs, outputs, activation, gate }, x, y) {
  const whole = inputs - (inputs % 4);
  for (let row = 0, start = 0; row < outputs; row++, start += inputs) {
    let a = bias[row], b = 0, c = 0, d = 0;                 // four sums: the processor adds them side by side
    let i = 0;
    for (; i < whole; i += 4) {
      a += weight[start + i] * x[i];
      b += weight[start + i + 1] * x[i + 1];
      c += weight[start + i + 2] * x[i + 2];
      d += weight[start + i + 3] * x[i + 3];
    }
    for (; i < inputs; i++) a += weight[start + i] * x[i];
    y[row] = activation(gate ? (a + b + c + d) * gate.open[row] : a + b + c + d);
  }
}

// layers: [{in, out, activation, gate, transposed}, …], as networks.layer_specification writes them; returns
// {inputs, outputs, setBeta(β), forward(x) → Float32Array of outputs}.
// A gated network wants setBeta before its first forward; β outside the range it was trained on counts as the nearer end.
// `forward` writes into one buffer that the next call reuses: copy what you keep.
export function createNetwork(layers, data, precision) {
  layers.slice(1).forEach((layer, i) => {
    if (layer.in !== layers[i].out) throw new Error(`network: layer ${i + 2} takes ${layer.in} numbers, and layer ${i + 1} gives ${layers[i].out}`);
  });
  const reader = createReader(data);
  const stack = layers.map((layer) => readLayer(reader, layer, precision));
  reader.finish();
  const buffers = stack.map((layer) => new Float32Array(layer.outputs));
  return {
    inputs: stack[0].inputs,
    outputs: stack[stack.length - 1].outputs,
    setBeta(beta) {
      stack.forEach(({ gate }) => gate && openGates(gate, beta));
    },
    forward(x) {
      if (x.length !== stack[0].inputs) throw new Error(`network: expected ${stack[0].inputs} inputs, got ${x.length}`);
      stack.forEach((layer, i) => layer.apply(layer, i ? buffers[i - 1] : x, buffers[i]));
      return buffers[buffers.length - 1];
    },
  };
}
