"use strict";
// The network: the equations of charrnn/nn/equations.py, one symbol at a time.
// H units per layer, V symbols, G gates; a state is a Float64Array per layer. Names with c exist only in the LSTM.

const sigmoid = (x) => 1 / (1 + Math.exp(-x));
const tanh = Math.tanh;

// Each cell: its gates, in the order of their blocks in the weights, which of them are sigmoids, its states, and one
// step of a layer. `a` and `b` are x_t Wx + b and h_{t-1} Wh; `v` has one array (H) per gate and state.
const CELLS = {
  rnn: {
    gates: "h", sigmoids: "", states: "h",
    step(a, b, { h }, H) { for (let k = 0; k < H; k++) h[k] = tanh(a[k] + b[k]); },
  },
  lstm: {
    gates: "ifog", sigmoids: "ifo", states: "hc",
    step(a, b, { i, f, o, g, c, h }, H) {
      for (let k = 0; k < H; k++) {
        i[k] = sigmoid(a[k] + b[k]);
        f[k] = sigmoid(a[H + k] + b[H + k]);
        o[k] = sigmoid(a[2 * H + k] + b[2 * H + k]);
        g[k] = tanh(a[3 * H + k] + b[3 * H + k]);
        c[k] = f[k] * c[k] + i[k] * g[k];
        h[k] = o[k] * tanh(c[k]);
      }
    },
  },
  gru: {
    gates: "rzn", sigmoids: "rz", states: "h",
    step(a, b, { r, z, n, h }, H) {
      for (let k = 0; k < H; k++) {
        r[k] = sigmoid(a[k] + b[k]);
        z[k] = sigmoid(a[H + k] + b[H + k]);
        n[k] = tanh(a[2 * H + k] + r[k] * b[2 * H + k]);
        h[k] = (1 - z[k]) * n[k] + z[k] * h[k];
      }
    },
  },
};

// y += x W, for a matrix W with a row per input that starts at `start` in `flat`; eight columns at once, for speed.
function addProduct(y, x, flat, start) {
  const n = y.length;
  let j = 0;
  for (; j + 7 < n; j += 8) {
    let a = 0, b = 0, c = 0, d = 0, e = 0, f = 0, g = 0, h = 0;
    for (let i = 0, p = start + j; i < x.length; i++, p += n) {
      const v = x[i];
      a += v * flat[p], b += v * flat[p + 1], c += v * flat[p + 2], d += v * flat[p + 3];
      e += v * flat[p + 4], f += v * flat[p + 5], g += v * flat[p + 6], h += v * flat[p + 7];
    }
    y[j] += a, y[j + 1] += b, y[j + 2] += c, y[j + 3] += d;
    y[j + 4] += e, y[j + 5] += f, y[j + 6] += g, y[j + 7] += h;
  }
  for (; j < n; j++) for (let i = 0; i < x.length; i++) y[j] += x[i] * flat[start + i * n + j];
}

// The weights, from base64: little-endian float32 or float16.
function decodeWeights(text, type) {
  const binary = atob(text), bytes = new Uint8Array(binary.length);
  for (let k = 0; k < bytes.length; k++) bytes[k] = binary.charCodeAt(k);
  if (type === "float32") return new Float32Array(bytes.buffer);
  return Float32Array.from(new Uint16Array(bytes.buffer), float16);
}

function float16(bits) {
  const sign = bits >> 15 ? -1 : 1, exponent = (bits >> 10) & 31, fraction = bits & 1023;
  return sign * (exponent ? (1024 + fraction) * 2 ** (exponent - 25) : fraction * 2 ** -24);
}

class Network {
  // `inputs` is the number of symbols, labels included, and so is that of the logits.
  constructor({ cell, layers, hidden, inputs, type, weights }) {
    Object.assign(this, { cell: CELLS[cell], layers, hidden, inputs, flat: decodeWeights(weights, type) });
    const columns = this.cell.gates.length * hidden;
    let place = 0;
    const take = (size) => (place += size) - size;
    this.start = Array.from({ length: layers }, (_, k) => (
      { Wh: take(hidden * columns), Wx: take((k ? hidden : inputs) * columns), b: take(columns) }));
    this.Wy = take(hidden * inputs);
    this.by = take(inputs);
    [this.a, this.b, this.logits] = [columns, columns, inputs].map((size) => new Float64Array(size));
    this.reset();
  }

  // The empty state.
  reset() {
    const names = [...this.cell.gates, ...this.cell.states], zeros = (name) => [name, new Float64Array(this.hidden)];
    this.values = Array.from({ length: this.layers }, () => Object.fromEntries(names.map(zeros)));
  }

  // Reads a symbol. In layer 0 the input is one-hot, and its product with Wx is a row of Wx.
  read(id) {
    const { flat, a, b, hidden: H } = this;
    for (let k = 0; k < this.layers; k++) {
      const { Wh, Wx, b: bias } = this.start[k], v = this.values[k];
      a.set(flat.subarray(bias, bias + a.length));
      if (k) addProduct(a, this.values[k - 1].h, flat, Wx);
      else for (let j = 0, p = Wx + id * a.length; j < a.length; j++) a[j] += flat[p++];
      b.fill(0);
      addProduct(b, v.h, flat, Wh);
      this.cell.step(a, b, v, H);
    }
  }

  // The logits of the next symbol: h Wy + by.
  predict() {
    this.logits.set(this.flat.subarray(this.by, this.by + this.inputs));
    addProduct(this.logits, this.values[this.layers - 1].h, this.flat, this.Wy);
    return this.logits;
  }
}
