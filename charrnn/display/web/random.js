// Random numbers as NumPy makes them, so that a seed has the same meaning as for `charrnn sample --seed`:
// Generator(PCG64([seed, 2])).random(), where SeedSequence mixes the seed and 2, the purpose "sampling".

const BITS_32 = 0xffffffffn, BITS_64 = (1n << 64n) - 1n, BITS_128 = (1n << 128n) - 1n;

// SeedSequence(entropy).generate_state(8): eight words of 32 bits (O'Neill 2015, "Developing a seed_seq alternative").
function seedSequence(entropy) {
  let constant = 0x43b0d7e5;
  const hash = (value) => {
    value ^= constant;
    constant = Math.imul(constant, 0x931e8875);
    value = Math.imul(value, constant);
    return value ^ (value >>> 16);
  };
  const mix = (x, y) => {
    const value = Math.imul(x, 0xca01f9dd) - Math.imul(y, 0x4973f715);
    return value ^ (value >>> 16);
  };
  const pool = [0, 1, 2, 3].map((k) => hash(entropy[k] ?? 0));
  for (let from = 0; from < 4; from++)
    for (let to = 0; to < 4; to++) if (from !== to) pool[to] = mix(pool[to], hash(pool[from]));
  for (const word of entropy.slice(4)) for (let to = 0; to < 4; to++) pool[to] = mix(pool[to], hash(word));
  constant = 0x8b51f9dd;
  return Array.from({ length: 8 }, (_, k) => {
    let value = pool[k % 4] ^ constant;
    constant = Math.imul(constant, 0x58f38ded);
    value = Math.imul(value, constant);
    return (value ^ (value >>> 16)) >>> 0;
  });
}

// PCG64 (O'Neill 2014): a linear congruential generator of 128 bits, whose halves are combined and rotated.
class Random {
  constructor(seed) {
    const words = []; // of 32 bits, the lowest first
    for (let rest = BigInt(seed); rest || !words.length; rest >>= 32n) words.push(Number(rest & BITS_32));
    const state = seedSequence([...words, 2]).map(BigInt);
    const wide = (k) => (((state[k + 1] << 32n | state[k]) << 64n) | (state[k + 3] << 32n | state[k + 2]));
    this.increment = (wide(4) << 1n | 1n) & BITS_128;
    this.state = this.increment + wide(0) & BITS_128;
    this.uniform();
  }

  // The next number in [0, 1), with 53 random bits.
  uniform() {
    this.state = this.state * 0x2360ed051fc65da44385df649fccf645n + this.increment & BITS_128;
    const bits = (this.state >> 64n ^ this.state) & BITS_64, turn = this.state >> 122n;
    return Number((bits >> turn | bits << (64n - turn) & BITS_64) >> 11n) * 2 ** -53;
  }
}
