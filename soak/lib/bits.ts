/**
 * A set of small whole numbers, one bit each: millions of events are told apart in a megabyte.
 */
export class Bits {
  private bytes = new Uint8Array(1024)
  size = 0

  add(index: number): void {
    const at = index >> 3
    if (at >= this.bytes.length) {
      const larger = new Uint8Array(Math.max(at + 1, this.bytes.length * 2))
      larger.set(this.bytes)
      this.bytes = larger
    }
    const byte = this.bytes[at] ?? 0
    const bit = 1 << (index & 7)
    if ((byte & bit) !== 0) return
    this.bytes[at] = byte | bit
    this.size++
  }

  has(index: number): boolean {
    return ((this.bytes[index >> 3] ?? 0) & (1 << (index & 7))) !== 0
  }

  /** How many of these are not in the other. */
  without(other: Bits): number {
    let count = 0
    for (const [at, byte] of this.bytes.entries()) {
      for (let rest = byte & ~(other.bytes[at] ?? 0); rest !== 0; rest &= rest - 1) count++
    }
    return count
  }

  toText(): string {
    return Buffer.from(this.bytes).toString("base64")
  }

  static fromText(text: string): Bits {
    const bits = new Bits()
    for (const [at, byte] of Buffer.from(text, "base64").entries()) {
      for (let bit = 0; bit < 8; bit++) if ((byte & (1 << bit)) !== 0) bits.add(at * 8 + bit)
    }
    return bits
  }
}
