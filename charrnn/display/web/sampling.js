// Sampling: the probabilities of the next symbol, the draw from them, and the tasks of a model.

const BEST = 6; // alternatives that are kept of each prediction

const sum = (values) => values.reduce((a, b) => a + b, 0);

// Draws a symbol that is allowed: temperature, then top-p, then the first symbol whose cumulative probability exceeds
// the share `uniform` of the total. -1 if no symbol is allowed.
function draw(logits, allowed, temperature, topP, uniform) {
  const ids = [...logits.keys()].filter((id) => allowed[id]), weights = new Float64Array(logits.length);
  if (!ids.length) return -1;
  const best = ids.reduce((a, b) => (logits[b] > logits[a] ? b : a));
  if (!temperature) return best;
  for (const id of ids) weights[id] = Math.exp((logits[id] - logits[best]) / temperature);
  if (topP < 1) keepTopP(weights, ids, topP);
  const threshold = sum(weights) * uniform, possible = ids.filter((id) => weights[id]);
  let cumulative = 0;
  return possible.find((id) => (cumulative += weights[id]) > threshold) ?? possible.at(-1);
}

// Removes all but the most likely symbols that make up the probability `topP` (Holtzman et al. 2020).
function keepTopP(weights, ids, topP) {
  const total = sum(weights);
  let cumulative = 0, p = 0;
  for (const id of [...ids].sort((a, b) => weights[b] - weights[a])) {
    cumulative += p = weights[id] / total;
    if (cumulative - p >= topP) weights[id] = 0;
  }
}

// Probabilities of these logits (softmax).
function softmax(logits) {
  const largest = logits.reduce((a, b) => Math.max(a, b)), weights = logits.map((logit) => Math.exp(logit - largest));
  const total = sum(weights);
  return weights.map((weight) => weight / total);
}

// A symbol as it was predicted: its probability, and the most likely symbols, best first, as [id, p].
function predicted(logits, id) {
  const p = softmax(logits), left = p.slice(), best = [];
  while (best.length < Math.min(BEST, p.length)) {
    const top = left.reduce((a, value, other) => (value > left[a] ? other : a), 0);
    best.push([top, p[top]]);
    left[top] = -1;
  }
  return { id, p: p[id], best };
}

// A model and its task: "text", "generate" (a text for a label), "classify" or "pairs" (a target for a source).
class Model {
  constructor(data) {
    Object.assign(this, data, { network: networkOf(data), vocab: new Vocabulary(data) });
    this.boundary = this.task === "generate" ? this.vocab.newline : this.vocab.boundary;
  }

  // Reads what precedes a text, from an empty state: a source and a tab; or else the symbol that starts a text, whose
  // place the label (its number) takes.
  open({ source, label }) {
    const { vocab, network } = this;
    network.reset();
    if (this.task === "pairs") {
      const { ids } = vocab.encode(source);
      for (const id of [...(this.reverse ? ids.reverse() : ids), vocab.ids.get(TAB)]) network.read(id);
      return;
    }
    this.first = this.task === "generate" ? vocab.size + label : this.boundary >= 0 ? this.boundary : vocab.newline;
    if (this.first >= 0) network.read(this.first);
  }

  // Reads a symbol; after the end of a text, the next one starts.
  read(id) {
    if (id === this.boundary) this.network.reset();
    this.network.read(id === this.boundary ? this.first : id);
  }

  // The logits of the symbols, without those of labels.
  logits() {
    return this.network.predict().subarray(0, this.vocab.size);
  }

  // Reads a prompt, and yields its characters, then those of a new text: {text, symbols, prompt}, where `symbols` are
  // results of `predicted`. Returns why the text ended: "length", "line" or "stuck" (no symbol is allowed).
  // The target of a source is the most likely symbol at each step, up to a newline.
  *generate(options) {
    const { prompt, temperature, topP, seed } = options, { vocab, boundary, task } = this, random = new Random(seed);
    const notTab = Uint8Array.from(vocab.codes, (code) => code !== TAB);
    let { length } = options, decoder = new Decoder(vocab.unit), unread = [], silent = 0;
    const released = (pieces, prompt) => pieces.map(([text, n]) => {
      const symbols = unread.splice(0, n + silent); // with an end of text that is not written
      silent = 0;
      return { text, symbols, prompt };
    });
    this.open(options);
    for (const id of vocab.encode(prompt).ids) {
      unread.push(predicted(this.logits(), id));
      this.read(id);
      yield* released(decoder.push(vocab.codes[id]), true);
    }
    yield* released(decoder.flush(), true);
    let last = prompt.slice(-1), visible = /\S/.test(prompt.slice(prompt.lastIndexOf("\n") + 1));
    let fresh = boundary >= 0 && (last === "" || (last === "\n" && vocab.endOfText < 0)); // no text is empty
    while (length > 0) {
      let allowed = task === "pairs" ? notTab : vocab.allowed(decoder.held);
      if (fresh) (allowed = allowed.slice())[boundary] = 0;
      const logits = this.logits(), id = draw(logits, allowed, temperature, topP, random.uniform());
      if (id < 0 || (task === "pairs" && id === vocab.newline)) {
        yield* released(decoder.flush(), false);
        return id < 0 ? "stuck" : "line";
      }
      unread.push(predicted(logits, id));
      const ended = id === vocab.endOfText, pieces = ended ? decoder.flush() : decoder.push(vocab.codes[id]);
      if (ended && (pieces.at(-1)?.[0] ?? last) === "\n") silent++;
      else if (ended) pieces.push(["\n", 1]);
      for (const character of released(pieces, false)) {
        if (!length--) return "length";
        yield character;
        last = character.text;
        if (task === "generate" && last === "\n" && visible) return "line"; // an example; white space is none
        visible = last !== "\n" && (visible || /\S/.test(last));
      }
      fresh = id === boundary;
      this.read(id);
    }
    return "length";
  }

  // Reads a generated text again, and yields the activation of a unit after each character.
  *activations(options, characters, { layer, of, unit }) {
    this.open(options);
    for (const { symbols } of characters) {
      for (const { id } of symbols) this.read(id);
      yield this.network.values[layer][of][unit];
    }
  }

  // The probabilities of the labels of a text.
  classify(text) {
    this.network.reset();
    for (const id of [...this.vocab.encode(text).ids, this.vocab.newline]) this.network.read(id);
    return softmax(this.network.predict().subarray(this.vocab.size));
  }
}
