"use strict";
// The network: the equations of charrnn/nn/equations.py, one symbol at a time.
// H units per layer; a state is a Float64Array per layer. Names with c exist only in the LSTM and the LRU.

const { cos, exp, expm1, sin, sqrt, tanh } = Math;
const EPS = 1e-6; // so that a row of zeros stays one
const sigmoid = (x) => 1 / (1 + exp(-x));

// Each cell: its gates, in the order of their blocks in the weights, which of them are sigmoids, its states, and one
// step of a layer. `a` and `b` are x_t Wx + b and h_{t-1} Wh; `v` has one array (H) per gate and state.
// A linear recurrence has no Wh; the LRU has the vectors nu and theta.
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
  mingru: {
    gates: "zn", sigmoids: "z", states: "h", linear: true,
    step(a, { z, n, h }, H) {
      for (let k = 0; k < H; k++) {
        z[k] = sigmoid(a[k]);
        n[k] = a[H + k];
        h[k] = (1 - z[k]) * h[k] + z[k] * n[k];
      }
    },
  },
  lru: {
    gates: "ri", sigmoids: "", states: "hc", linear: true,
    step(a, { r, i, h, c }, H, nu, theta) {
      for (let k = 0; k < H; k++) {
        r[k] = a[k];
        i[k] = a[H + k];
        const re = exp(-exp(nu[k])) * cos(exp(theta[k]));
        const im = exp(-exp(nu[k])) * sin(exp(theta[k]));
        const gamma = sqrt(-expm1(-2 * exp(nu[k])));
        [h[k], c[k]] = [re * h[k] - im * c[k] + gamma * r[k], im * h[k] + re * c[k] + gamma * i[k]];
      }
    },
  },
};

// y += x W, for a matrix W with a row per input; eight columns at once, for speed.
function addProduct(y, x, W) {
  const n = y.length;
  let j = 0;
  for (; j + 7 < n; j += 8) {
    let a = 0, b = 0, c = 0, d = 0, e = 0, f = 0, g = 0, h = 0;
    for (let i = 0, p = j; i < x.length; i++, p += n) {
      const v = x[i];
      a += v * W[p], b += v * W[p + 1], c += v * W[p + 2], d += v * W[p + 3];
      e += v * W[p + 4], f += v * W[p + 5], g += v * W[p + 6], h += v * W[p + 7];
    }
    y[j] += a, y[j + 1] += b, y[j + 2] += c, y[j + 3] += d;
    y[j + 4] += e, y[j + 5] += f, y[j + 6] += g, y[j + 7] += h;
  }
  for (; j < n; j++) for (let i = 0; i < x.length; i++) y[j] += x[i] * W[i * n + j];
}

// x / rms(x): root mean square normalisation (Zhang & Sennrich 2019).
function normalized(x) {
  const scale = 1 / sqrt(x.reduce((sum, value) => sum + value * value, 0) / x.length + EPS);
  return x.map((value) => value * scale);
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
  // `inputs` is the number of symbols, labels included, and so is that of the logits. `sizes` has the name of each of
  // the weights and how many numbers it has, in the order of `weights`.
  constructor({ cell, layers, hidden, inputs, sizes, type, weights }) {
    const flat = decodeWeights(weights, type), columns = CELLS[cell].gates.length * hidden;
    let place = 0;
    const part = ([name, size]) => [name, flat.subarray(place, (place += size))];
    Object.assign(this, { cell: CELLS[cell], layers, hidden, weights: Object.fromEntries(sizes.map(part)) });
    const arrays = { a: columns, b: columns, out: 2 * hidden, logits: inputs };
    for (const [name, size] of Object.entries(arrays)) this[name] = new Float64Array(size);
    this.reset();
  }

  // The empty state. `y` is the output of the last layer.
  reset() {
    const names = [...this.cell.gates, ...this.cell.states], zeros = (name) => [name, new Float64Array(this.hidden)];
    this.values = Array.from({ length: this.layers }, () => Object.fromEntries(names.map(zeros)));
    this.y = new Float64Array(this.hidden);
  }

  // Row `id` of a matrix with n columns, which is its product with a one-hot vector.
  row(name, id, n) {
    return Float64Array.from(this.weights[name].subarray(id * n, (id + 1) * n));
  }

  // Reads a symbol.
  read(id) {
    const { a, b } = this;
    for (let k = 0; k < this.layers; k++) {
      const W = (name) => this.weights[`l${k}.${name}`], v = this.values[k];
      a.set(W("b"));
      if (k) addProduct(a, this.y, W("Wx"));
      else this.row("l0.Wx", id, a.length).forEach((value, j) => (a[j] += value));
      b.fill(0);
      addProduct(b, v.h, W("Wh"));
      this.cell.step(a, b, v, this.hidden);
      this.y = v.h;
    }
  }

  // The logits of the next symbol: y Wy + by.
  predict(y = this.y) {
    this.logits.set(this.weights.by);
    addProduct(this.logits, y, this.weights.Wy);
    return this.logits;
  }
}

// Layers of a linear recurrence, as in charrnn/nn/linear.py: a normalisation, the cell, a gated output o σ(g), and a
// skip connection.
class LinearNetwork extends Network {
  read(id) {
    const { a, out, cell, hidden: H } = this, y = (this.y = this.row("E", id, H));
    for (let k = 0; k < this.layers; k++) {
      const W = (name) => this.weights[`l${k}.${name}`], v = this.values[k];
      a.set(W("b"));
      addProduct(a, normalized(y), W("Wx"));
      cell.step(a, v, H, W("nu"), W("theta"));
      out.set(W("bo")); // o and g: [h c] Wo + bo
      [...cell.states].forEach((name, s) => addProduct(out, v[name], W("Wo").subarray(s * H * 2 * H)));
      for (let j = 0; j < H; j++) y[j] += out[j] * sigmoid(out[H + j]);
    }
  }

  predict() {
    return super.predict(normalized(this.y));
  }
}

const networkOf = (data) => new (CELLS[data.cell].linear ? LinearNetwork : Network)(data);
