/**
 * A bounded memory of texts, as hashes.
 *
 * Two tables take turns: when one is full, the other is emptied. They are typed arrays, because a `Map` through which
 * events pass keeps its outgrown tables, and all they point to, alive until a full collection.
 */

/** For hashes of another kind of thing. Above 16 bits: a smaller one amounts to another first character. */
export const otherSeed = 0x9e3779b9

/** 53 bits of a text, never 0. https://github.com/bryc/code/blob/master/jshash/experimental/cyrb53.js */
export const hash = (text: string, seed = 0): number => {
  let a = 0xdeadbeef ^ seed
  let b = 0x41c6ce57 ^ seed
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i)
    a = Math.imul(a ^ code, 2654435761)
    b = Math.imul(b ^ code, 1597334677)
  }
  a = Math.imul(a ^ a >>> 16, 2246822507) ^ Math.imul(b ^ b >>> 13, 3266489909)
  b = Math.imul(b ^ b >>> 16, 2246822507) ^ Math.imul(a ^ a >>> 13, 3266489909)
  return 4294967296 * (2097151 & b) + (a >>> 0) || 1
}

class Table {
  private readonly slots: Float64Array
  private readonly mask: number
  count = 0

  constructor(size: number) {
    let length = 16
    while (length < 2 * size) length *= 2
    // Key and value in turn.
    this.slots = new Float64Array(2 * length)
    this.mask = length - 1
  }

  private at(key: number): number {
    let index = key % 4294967296 & this.mask
    while (this.slots[2 * index] !== 0 && this.slots[2 * index] !== key) index = index + 1 & this.mask
    return 2 * index
  }

  get(key: number): number | undefined {
    const at = this.at(key)
    return this.slots[at] === key ? this.slots[at + 1] : undefined
  }

  set(key: number, value: number): void {
    const at = this.at(key)
    if (this.slots[at] !== key) this.count++
    this.slots[at] = key
    this.slots[at + 1] = value
  }
}

/** Remembers a number for each of the last `size` keys at least, and of twice as many at most. */
export class Recent {
  private current: Table | undefined
  private previous: Table | undefined
  private readonly size: number

  constructor(size: number) {
    this.size = size
  }

  get(key: number): number | undefined {
    return this.current?.get(key) ?? this.previous?.get(key)
  }

  has(key: number): boolean {
    return this.get(key) !== undefined
  }

  set(key: number, value = 1): void {
    const current = this.current ??= new Table(this.size)
    current.set(key, value)
    if (current.count < this.size) return
    this.previous = current
    this.current = undefined
  }
}
