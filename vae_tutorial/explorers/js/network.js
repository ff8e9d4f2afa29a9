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
  const weight = new Float32Array(rows * columns);                     // from(rounded, f) would take ten times as long
  for (let row = 0, at = 0; row < rows; row++) {
    for (const end = at + columns; at < end; at++) weight[at] = rounded[at] * scales[row];
  }
  return { weight, bias: reader.float32(biases) };
}

function readLayer(reader, { in: inputs, out: outputs, activation, gate, transposed }, precision) {
  if (!(activation in ACTIVATIONS)) throw new Error(`network: unknown activation "${activation}"`);
  const layer = { inputs, outputs, activation: ACTIVATIONS[activation], multiply: multiplyOne, multiplyMany };
  if (transposed) {
    const read = (rows, columns, biases) => readWeight(reader, rows, columns, biases, precision);
    return Object.assign(layer, { multiplyMany: oneByOne }, createTransposed(layer, transposed, read));
  }
  Object.assign(layer, readWeight(reader, outputs, inputs, outputs, precision));
  if (gate) layer.gate = { ...gate, table: reader.half(gate.knots * outputs), open: new Float32Array(outputs).fill(NaN) };  // NaN until β is set
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

// sums[to …] = W x + b for the one input at x[from …]; W row-major (outputs × inputs). Zeros are left out: most of a digit's
// pixels are 0. Four rows side by side: the processor adds them at the same time, and each input is read once for all four.
function multiplyOne({ weight, bias, inputs, outputs, places, values }, x, from, sums, to) {
  let count = 0;
  for (let i = 0; i < inputs; i++) {
    const value = x[from + i];
    if (value !== 0) {
      places[count] = i;
      values[count++] = value;
    }
  }
  const whole = outputs - (outputs % 4);
  for (let row = 0; row < whole; row += 4) {
    const start = row * inputs, second = start + inputs, third = second + inputs, fourth = third + inputs;
    let a = bias[row], b = bias[row + 1], c = bias[row + 2], d = bias[row + 3];
    for (let k = 0; k < count; k++) {
      const i = places[k], value = values[k];
      a += weight[start + i] * value;
      b += weight[second + i] * value;
      c += weight[third + i] * value;
      d += weight[fourth + i] * value;
    }
    sums[to + row] = a;
    sums[to + row + 1] = b;
    sums[to + row + 2] = c;
    sums[to + row + 3] = d;
  }
  for (let row = whole; row < outputs; row++) {
    let a = bias[row];
    for (let k = 0; k < count; k++) a += weight[row * inputs + places[k]] * values[k];
    sums[to + row] = a;
  }
}

// The same for `count` inputs, one after another in x: blocks of four inputs by two rows, eight products for six numbers read.
function multiplyMany(layer, x, sums, count) {
  const { weight, bias, inputs, outputs } = layer, whole = count - (count % 4), pairs = outputs - (outputs % 2);
  for (let n = 0; n < whole; n += 4) {
    const x0 = n * inputs, x1 = x0 + inputs, x2 = x1 + inputs, x3 = x2 + inputs;
    const y0 = n * outputs, y1 = y0 + outputs, y2 = y1 + outputs, y3 = y2 + outputs;
    for (let row = 0; row < pairs; row += 2) {
      const upper = row * inputs, lower = upper + inputs;
      let a0 = bias[row], a1 = a0, a2 = a0, a3 = a0, b0 = bias[row + 1], b1 = b0, b2 = b0, b3 = b0;
      for (let i = 0; i < inputs; i++) {
        const u = weight[upper + i], v = weight[lower + i], p = x[x0 + i], q = x[x1 + i], r = x[x2 + i], s = x[x3 + i];
        a0 += u * p;
        a1 += u * q;
        a2 += u * r;
        a3 += u * s;
        b0 += v * p;
        b1 += v * q;
        b2 += v * r;
        b3 += v * s;
      }
      sums[y0 + row] = a0;
      sums[y1 + row] = a1;
      sums[y2 + row] = a2;
      sums[y3 + row] = a3;
      sums[y0 + row + 1] = b0;
      sums[y1 + row + 1] = b1;
      sums[y2 + row + 1] = b2;
      sums[y3 + row + 1] = b3;
    }
    if (pairs < outputs) {
      for (let m = n; m < n + 4; m++) {
        let a = bias[pairs];
        for (let i = 0; i < inputs; i++) a += weight[pairs * inputs + i] * x[m * inputs + i];
        sums[m * outputs + pairs] = a;
      }
    }
  }
  for (let n = whole; n < count; n++) multiplyOne(layer, x, n * inputs, sums, n * outputs);
}

// For a layer that has nothing faster for many inputs.
function oneByOne(layer, x, sums, count) {
  for (let n = 0; n < count; n++) layer.multiply(layer, x, n * layer.inputs, sums, n * layer.outputs);
}

// y = activation(sums), or activation(sums · gate), for `count` rows of sums from the place `from` on; y may be sums itself.
function activate({ outputs, activation, gate }, sums, from, y, count) {
  for (let n = 0, at = 0; n < count; n++) {
    for (let row = 0; row < outputs; row++, at++) y[at] = activation(gate ? sums[from + at] * gate.open[row] : sums[from + at]);
  }
}

// layers: [{in, out, activation, gate, transposed}, …], as networks.layer_specification writes them; returns
// {inputs, outputs, setBeta(β), forward(x) → Float32Array of outputs, createBatch}.
// A gated network wants setBeta before its first forward; β outside the range it was trained on counts as the nearer end.
// `forward` writes into one buffer that the next call reuses: copy what you keep.
export function createNetwork(layers, data, precision) {
  layers.slice(1).forEach((layer, i) => {
    if (layer.in !== layers[i].out) throw new Error(`network: layer ${i + 2} takes ${layer.in} numbers, and layer ${i + 1} gives ${layers[i].out}`);
  });
  const reader = createReader(data);
  const stack = layers.map((layer) => readLayer(reader, layer, precision));
  reader.finish();
  const [first] = stack, { inputs } = first, { outputs } = stack[stack.length - 1];
  const widest = Math.max(...stack.map((layer) => layer.inputs));
  const places = new Int32Array(widest), values = new Float64Array(widest);
  for (const layer of stack) Object.assign(layer, { places, values });
  const buffers = stack.map((layer) => new Float32Array(layer.outputs));
  return {
    inputs,
    outputs,
    setBeta(beta) {
      stack.forEach(({ gate }) => gate && openGates(gate, beta));
    },
    forward(x) {
      if (x.length !== inputs) throw new Error(`network: expected ${inputs} inputs, got ${x.length}`);
      stack.forEach((layer, i) => {
        layer.multiply(layer, i ? buffers[i - 1] : x, 0, buffers[i], 0);
        activate(layer, buffers[i], 0, buffers[i], 1);
      });
      return buffers[buffers.length - 1];
    },
    // xs: many inputs, one after another, to be run at any β. A gate comes after its layer's products, so the first layer's
    // know nothing of β: every input goes through that layer once. Returns run(from, to) → Float32Array of (to − from) × outputs,
    // for at most `most` inputs at once, in one buffer that the next call reuses.
    createBatch(xs, most) {
      const count = xs.length / inputs;
      if (!Number.isInteger(count)) throw new Error(`network: ${xs.length} numbers are no rows of ${inputs} inputs`);
      const kept = new Float32Array(count * first.outputs), known = new Uint8Array(count);
      const rows = stack.map((layer) => new Float32Array(most * layer.outputs));
      return (from, to) => {
        if (!(from >= 0 && to <= count && to - from <= most)) throw new Error(`network: no inputs ${from} … ${to} of ${count}, at most ${most} at once`);
        for (let n = from; n < to; n++) {
          if (!known[n]) first.multiply(first, xs, n * inputs, kept, n * first.outputs);
          known[n] = 1;
        }
        activate(first, kept, from * first.outputs, rows[0], to - from);
        for (let i = 1; i < stack.length; i++) {
          stack[i].multiplyMany(stack[i], rows[i - 1], rows[i], to - from);
          activate(stack[i], rows[i], 0, rows[i], to - from);
        }
        return rows[rows.length - 1];
      };
    },
  };
}
