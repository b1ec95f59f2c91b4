import { strict as assert } from 'node:assert';

const KEY_OCTETS = 32;
const WORD_OCTETS = Uint32Array.BYTES_PER_ELEMENT;
/** Entries stand in blocks, so that making room for more does not need memory for all of them twice. */
const BLOCK_ENTRIES = 65_536;
const SLOTS_AT_FIRST = 2048;

/**
 * A number for each recipient key, in a few octets more than the keys have: a million keys of 16 octets take 28 MB.
 * A recipient key is an HMAC in hex, so its first octets are spread as evenly as those of any hash, and nobody who does
 * not know the tenant's secret can choose them to collide.
 */
export class LeadKeys implements Iterable<readonly [string, number]> {
  readonly #keyWords: number;
  /** A key that is written as hex is read as words from here. */
  readonly #octets = Buffer.alloc(KEY_OCTETS);
  readonly #key: Uint32Array;
  /** Entry after entry, each a key and its value. */
  readonly #blocks: Uint32Array[] = [];
  #size = 0;
  /** Which entry stands in a slot, counted from 1; 0 is free. At most every second one is taken. */
  #slots = new Uint32Array(SLOTS_AT_FIRST);

  /** @param octets how many of each key are kept: 16 tell a million people apart, all 32 give the keys back */
  constructor(octets: 16 | 32) {
    this.#keyWords = octets / WORD_OCTETS;
    this.#key = new Uint32Array(this.#octets.buffer, this.#octets.byteOffset, this.#keyWords);
  }

  get size(): number {
    return this.#size;
  }

  get octets(): number {
    return this.#blocks.reduce((sum, block) => sum + block.byteLength, this.#slots.byteLength);
  }

  has(key: string): boolean {
    return this.get(key) !== undefined;
  }

  get(key: string): number | undefined {
    this.#read(key);
    const entry = this.#slots[this.#find()]!;
    return entry === 0 ? undefined : this.#blockOf(entry - 1)[this.#at(entry - 1) + this.#keyWords];
  }

  /** @param value from 0 to 2^32 - 1 */
  set(key: string, value: number): void {
    if (this.#size * 2 >= this.#slots.length) this.#doubleSlots();
    this.#read(key);
    const slot = this.#find();
    if (this.#slots[slot] === 0) this.#slots[slot] = this.#append();
    const entry = this.#slots[slot]! - 1;
    this.#blockOf(entry)[this.#at(entry) + this.#keyWords] = value;
  }

  /** In the order in which they came. Only all octets of a key give it back. */
  *[Symbol.iterator](): Generator<readonly [string, number]> {
    assert.equal(this.#keyWords * WORD_OCTETS, KEY_OCTETS, 'the keys were shortened');
    for (let entry = 0; entry < this.#size; entry++) {
      const block = this.#blockOf(entry);
      const at = this.#at(entry);
      const key = Buffer.from(block.buffer, at * WORD_OCTETS, KEY_OCTETS).toString('hex');
      yield [key, block[at + this.#keyWords]!];
    }
  }

  #blockOf(entry: number): Uint32Array {
    return this.#blocks[Math.floor(entry / BLOCK_ENTRIES)]!;
  }

  /** Where in its block an entry begins. */
  #at(entry: number): number {
    return (entry % BLOCK_ENTRIES) * (this.#keyWords + 1);
  }

  #read(key: string): void {
    const written = this.#octets.write(key, 'hex');
    assert.ok(written === KEY_OCTETS && key.length === 2 * KEY_OCTETS, 'not a recipient key');
  }

  /** The slot of the key that was read, or the free one where it belongs. */
  #find(): number {
    let slot = this.#slotOf(this.#key[0]!);
    while (this.#slots[slot] !== 0 && !this.#standsAt(this.#slots[slot]! - 1)) slot = this.#slotOf(slot + 1);
    return slot;
  }

  #slotOf(word: number): number {
    return word & (this.#slots.length - 1);
  }

  #standsAt(entry: number): boolean {
    const block = this.#blockOf(entry);
    const at = this.#at(entry);
    for (let word = 0; word < this.#keyWords; word++) if (block[at + word] !== this.#key[word]) return false;
    return true;
  }

  /** Keeps the key that was read, and says which entry it is, counted from 1. */
  #append(): number {
    const entry = this.#size++;
    if (entry % BLOCK_ENTRIES === 0) this.#blocks.push(new Uint32Array(BLOCK_ENTRIES * (this.#keyWords + 1)));
    this.#blockOf(entry).set(this.#key, this.#at(entry));
    return entry + 1;
  }

  #doubleSlots(): void {
    this.#slots = new Uint32Array(this.#slots.length * 2);
    for (let entry = 0; entry < this.#size; entry++) {
      let slot = this.#slotOf(this.#blockOf(entry)[this.#at(entry)]!);
      while (this.#slots[slot] !== 0) slot = this.#slotOf(slot + 1);
      this.#slots[slot] = entry + 1;
    }
  }
}
