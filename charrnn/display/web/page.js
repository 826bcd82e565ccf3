// The page: controls, the text as it is generated, and its colours. Text is only ever set as text, never as markup.

const SLICE = 100; // ms of computation between two updates of the page
const LEVELS = 10, BITS = 10; // levels of a colour; the surprise in bits from which it is the strongest

const $ = (id) => document.getElementById(id);
const percent = (p) => (p >= 0.001 ? `${(100 * p).toFixed(1)} %` : "below 0.1 %");
const clamp = (value, low, high) => Math.min(high, Math.max(low, value));
const level = (value, low, high) => clamp(Math.floor((LEVELS * (value - low)) / (high - low)), 0, LEVELS - 1);

function element(tag, text = "", className = "") {
  return Object.assign(document.createElement(tag), { textContent: text, className });
}

// Uses the values of a generator, with pauses in which the page reacts, until it ends or is not `wanted` any more.
async function inSlices(values, use, wanted) {
  for (let until = performance.now() + SLICE; wanted(); until = performance.now() + SLICE) {
    while (performance.now() < until) {
      const { value, done } = values.next();
      if (done) return value;
      use(value);
    }
    await new Promise((resolve) => setTimeout(resolve));
  }
}

class Page {
  constructor(model) {
    this.model = model;
    this.texts = []; // what was generated: the options of each text, and its characters
    this.characters = []; // of all texts: {text, symbols, prompt, span}
    this.selected = -1;
    this.run = this.painting = null; // the present computations; when replaced, the earlier ones end
    $("description").textContent = model.description;
    for (const part of document.querySelectorAll("[data-task]"))
      part.hidden = !part.dataset.task.split(" ").includes(model.task);
    for (const label of model.labels) $("label").append(element("option", label));
    $("layer").max = $("layer").value = model.layers - 1;
    $("unit").max = model.hidden - 1;
    const { states, gates } = model.network.cell;
    for (const name of new Set(states + gates)) $("of").append(element("option", name));
    const on = (id, event, react) => $(id).addEventListener(event, react);
    on("form", "submit", (event) => (event.preventDefault(), this.start()));
    on("stop", "click", () => (this.run = null));
    for (const id of ["view", "layer", "of", "unit"]) on(id, "input", () => this.colour());
    for (const id of ["temperature", "topP"])
      on(id, "input", () => ($(`${id}-value`).textContent = Number($(id).value).toFixed(2)));
    on("text", "input", () => this.classify());
    on("output", "click", ({ target }) => this.select(this.characters.findIndex(({ span }) => span === target)));
    on("output", "keydown", (event) => this.move(event));
    this.colour();
    if (model.task === "classify") this.classify();
    $("form").hidden = false;
  }

  // Generates as the controls say; the seeds of several examples follow each other.
  async start() {
    const { model } = this, { task, vocab } = model, run = (this.run = {}), pairs = task === "pairs";
    const number = (id) => Number($(id).value), count = task === "generate" ? number("count") : 1;
    const seed = BigInt($("seed").value || crypto.getRandomValues(new Uint32Array(1))[0] >>> 1);
    const options = {
      prompt: pairs ? "" : $("prompt").value, source: $("source").value, label: $("label").selectedIndex,
      length: { text: number("length"), generate: 10000, pairs: 1000 }[task], // of examples, at most
      temperature: pairs ? 0 : number("temperature"), topP: number("topP"),
    };
    [this.texts, this.characters, this.painting] = [[], [], null];
    this.select(-1);
    $("output").replaceChildren();
    $("form").classList.add("running");
    $("status").textContent = "Generating…";
    let began = performance.now(), end;
    for (let k = 0; k < count && this.run === run; k++) {
      const text = { options: { ...options, seed: seed + BigInt(k) }, characters: [] };
      this.texts.push(text);
      end = await inSlices(model.generate(text.options), (one) => this.show(one, text), () => this.run === run);
    }
    if (this.run && this.run !== run) return; // a newer text is being generated
    this.run = null;
    if (document.activeElement === $("stop")) $("generate").focus(); // the focus is lost with a hidden button
    $("form").classList.remove("running");
    const parts = [`${this.characters.length} characters in ${((performance.now() - began) / 1000).toFixed(2)} s`];
    parts.push(...(pairs ? [] : [`seed ${seed}`]), ...(end === "stuck" ? ["no further symbol is possible"] : []));
    $("status").textContent = `${parts.join(", ")}. ${this.skipped(pairs ? options.source : options.prompt)}`;
    this.colour();
  }

  // What a text contains that the model does not know.
  skipped(text) {
    const { length } = this.model.vocab.encode(text).unknown;
    return length ? `Skipped symbols that the model does not know: ${length}.` : "";
  }

  // Appends a character to a text.
  show(character, text) {
    character.span = element("span", character.text);
    for (const list of [text.characters, this.characters]) list.push(character);
    this.paint(character);
    $("output").append(character.span);
  }

  // The colour of a character: by its surprise, or by `value`, the activation of a unit.
  paint({ span, symbols, prompt }, value = null, low = 0, high = 1) {
    const bits = -symbols.reduce((sum, { p }) => sum + Math.log2(p), 0), names = prompt ? ["prompt"] : [];
    if (span.classList.contains("selected")) names.push("selected");
    if ($("view").value === "probability") names.push("bits", `v${level(bits, 0, BITS)}`);
    if (value !== null) names.push(low ? "signed" : "positive", `v${level(value, low, high)}`);
    span.className = names.join(" ");
  }

  // Colours the whole text anew, as the controls say; activations are computed by reading it again.
  async colour() {
    const { model, texts, characters } = this, view = $("view").value, painting = (this.painting = {}), values = [];
    const which = { layer: Number($("layer").value), of: $("of").value, unit: Number($("unit").value) };
    $("units").hidden = $("units").disabled = view !== "unit"; // what is disabled is not validated
    if (view !== "unit") {
      this.legend(view === "probability" ? ["bits", "certain", `${BITS} bits: p below 0.1 %`] : []);
      return characters.forEach((character) => this.paint(character));
    }
    if (!$("layer").reportValidity() || !$("unit").reportValidity() || this.run) return;
    for (const text of texts) {
      const activations = model.activations(text.options, text.characters, which);
      await inSlices(activations, (value) => values.push(value), () => this.painting === painting);
    }
    if (this.painting !== painting) return;
    const { sigmoids, linear } = model.network.cell, positive = sigmoids.includes(which.of);
    const unbounded = which.of === "c" || (linear && !positive);
    const strongest = unbounded ? values.reduce((a, b) => Math.max(a, Math.abs(b)), 0) : 1;
    const largest = Number(strongest.toPrecision(2)) || 1, low = positive ? 0 : -largest;
    characters.forEach((character, k) => this.paint(character, values[k], low, largest));
    this.legend([low ? "signed" : "positive", low, largest]);
  }

  legend([scale, low, high]) {
    const swatches = Array.from({ length: LEVELS }, (_, k) => element("span", "  ", `${scale} v${k}`));
    $("legend").replaceChildren(...(scale ? [`${low} `, ...swatches, ` ${high}`] : []));
  }

  // Selects a character, and shows its probability and the alternatives.
  select(place) {
    this.characters[this.selected]?.span.classList.remove("selected");
    this.selected = place;
    for (const id of ["alternatives", "chosen"]) $(id).replaceChildren();
    if (place < 0) return;
    const { span, symbols } = this.characters[place], { vocab } = this.model;
    const p = symbols.reduce((product, symbol) => product * symbol.p, 1);
    const names = symbols.map(({ id }) => vocab.nameOf(id));
    span.classList.add("selected");
    span.scrollIntoView({ block: "nearest" });
    const name = symbols.length > 1 ? `${span.textContent} (${names.join(", ")})` : names[0];
    $("chosen").textContent = `Character ${place + 1}: ${name}, ${percent(p)}. The most likely:`;
    for (const { id, best } of symbols) {
      const list = element("ol"), style = (other) => (other === id ? "selected" : "");
      list.append(...best.map(([other, p]) => element("li", `${vocab.nameOf(other)} ${percent(p)}`, style(other))));
      $("alternatives").append(list);
    }
  }

  // The arrow keys, Home and End move the selection.
  move(event) {
    const { length } = this.characters, place = this.selected;
    const places = { ArrowLeft: place - 1, ArrowRight: place + 1, Home: 0, End: length };
    if (!(event.key in places) || !length || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    this.select(clamp(places[event.key], 0, length - 1));
  }

  // The labels of the text, the most likely first.
  classify() {
    const { model } = this, text = $("text").value, p = text ? model.classify(text) : [];
    const ranked = [...p.keys()].sort((a, b) => p[b] - p[a]).slice(0, 10);
    $("labels").replaceChildren(...ranked.map((k) => {
      const line = element("li", `${model.labels[k]} ${percent(p[k])}`);
      line.prepend(Object.assign(element("meter"), { value: p[k], ariaHidden: "true" }), " ");
      return line;
    }));
    $("status").textContent = text ? this.skipped(text) : "Type a text to classify.";
  }
}

if (typeof document !== "undefined") new Page(new Model(JSON.parse($("model").textContent)));
