// Text: characters to ids and back, and which symbols may come next so that only whole characters are written.
// A model writes characters ("char"), bytes of UTF-8 ("byte"), or characters with Hangul syllables as letters ("jamo").

const NEWLINE = 10, TAB = 9, REPLACEMENT = 0xfffd; // the code of the unknown symbol, which is never written

// L, V or T for leading letters, vowels and trailing letters of modern syllables, else "".
function jamoKind(code) {
  if (code >= 0x1100 && code <= 0x1112) return "L";
  if (code >= 0x1161 && code <= 0x1175) return "V";
  return code >= 0x11a8 && code <= 0x11c2 ? "T" : "";
}

// The character that these bytes encode, "" for the start of one, null for anything else.
function utf8(bytes) {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(Uint8Array.from(bytes), { stream: true });
  } catch {
    return null;
  }
}

class Vocabulary {
  constructor({ unit, codes, rare, boundary }) {
    Object.assign(this, { unit, codes, size: codes.length });
    this.ids = new Map(codes.map((code, id) => [code, id]));
    this.replacement = rare.length ? this.ids.get(REPLACEMENT) : -1;
    for (const code of rare) this.ids.set(code, this.replacement);
    this.endCode = unit === "byte" ? 256 : 0x110000; // of the symbol that ends a text and is not a character
    this.newline = this.ids.get(NEWLINE) ?? -1;
    this.boundary = boundary === null ? -1 : this.ids.get(boundary);
    this.endOfText = boundary === this.endCode ? this.boundary : -1;
    this.masks = new Map();
  }

  codesOf(text) {
    if (this.unit === "byte") return [...new TextEncoder().encode(text)];
    const spelled = this.unit === "jamo" ? text.replace(/[가-힣]/g, (one) => one.normalize("NFD")) : text;
    return Array.from(spelled, (one) => one.codePointAt(0));
  }

  // The ids of a text, in the normal form of which most is known, and the symbols that are skipped as unknown.
  encode(text) {
    const forms = [text, text.normalize("NFC"), text.normalize("NFD")].map((form) => {
      const codes = this.codesOf(form), unknown = codes.filter((code) => !this.ids.has(code));
      return { ids: codes.filter((code) => this.ids.has(code)).map((code) => this.ids.get(code)), unknown };
    });
    return forms.reduce((best, form) => (form.unknown.length < best.unknown.length ? form : best));
  }

  // A symbol as it is named to the reader.
  nameOf(id) {
    const code = this.codes[id], hex = code.toString(16).toUpperCase();
    if (code === this.endCode) return "end of text";
    if (this.unit === "byte" && code > 127) return `byte ${hex}`;
    const text = String.fromCodePoint(code), names = { "\n": "newline", "\t": "tab", " ": "space" };
    if (/\p{M}/u.test(text)) return `◌${text}`;
    return names[text] ?? (/[\p{C}\p{Z}]/u.test(text) ? `U+${hex}` : text);
  }

  // Which symbols may follow the codes `held` of an incomplete character: one byte per symbol.
  allowed(held) {
    const key = held.join();
    const may = (code, id) => id !== this.replacement && this.mayFollow(held, code);
    if (!this.masks.has(key)) this.masks.set(key, Uint8Array.from(this.codes, may));
    return this.masks.get(key);
  }

  mayFollow(held, code) {
    if (this.unit === "char") return true;
    if (this.unit === "byte") return code === this.endCode ? !held.length : this.spells([...held, code]);
    const kind = jamoKind(code);
    if (held.length === 1) return kind === "V";
    if (held.length === 2 && kind === "T") return true;
    return kind === "L" ? this.codes.some((other) => jamoKind(other) === "V") : !kind;
  }

  // Whether these bytes are a character, or the start of one that the vocabulary can complete.
  spells(bytes) {
    const character = utf8(bytes);
    if (character !== "") return character !== null;
    return this.codes.some((code) => code >> 6 === 2 && this.spells([...bytes, code]));
  }
}

// Turns codes into characters, each as soon as no later code can change it: pairs of a character and its codes' number.
class Decoder {
  constructor(unit) {
    Object.assign(this, { unit, held: [] });
  }

  push(code) {
    if (this.unit === "char") return [[String.fromCodePoint(code), 1]];
    if (this.unit === "byte") {
      const done = utf8([...this.held, code]) === null ? this.flush() : [];
      this.held.push(code);
      return utf8(this.held) === "" ? done : [...done, ...this.flush()];
    }
    const kind = jamoKind(code), n = this.held.length;
    if ((kind === "V" && n === 1) || (kind === "T" && n === 2)) {
      this.held.push(code);
      return kind === "T" ? this.flush() : [];
    }
    const done = this.flush();
    if (kind === "L") this.held.push(code);
    else done.push([String.fromCodePoint(code), 1]);
    return done;
  }

  // The incomplete character, as it is.
  flush() {
    const held = this.held.splice(0), letters = String.fromCodePoint(...held).normalize("NFC");
    const text = this.unit === "byte" ? new TextDecoder().decode(Uint8Array.from(held)) : letters;
    return held.length ? [[text, held.length]] : [];
  }
}
