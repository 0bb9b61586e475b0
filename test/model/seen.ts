import type { Fingerprint } from "./fingerprint.js"

/**
 * The states that a search has met, by fingerprint: an open-addressing table of plain integers, nine bytes a slot,
 * where a `Set` of texts would take ten times as much for the millions of them.
 */
export class Seen {
  private high = new Uint32Array(1 << 16)
  private low = new Uint32Array(1 << 16)
  private taken = new Uint8Array(1 << 16)
  size = 0

  /** Whether the state is new. */
  add({ high, low }: Fingerprint): boolean {
    if (this.size * 2 > this.taken.length) this.grow()
    return this.put(high, low)
  }

  private put(high: number, low: number): boolean {
    const last = this.taken.length - 1
    let slot = low & last
    while (this.taken[slot] === 1) {
      if (this.high[slot] === high && this.low[slot] === low) return false
      slot = (slot + 1) & last
    }
    this.high[slot] = high
    this.low[slot] = low
    this.taken[slot] = 1
    this.size++
    return true
  }

  private grow(): void {
    const { high, low, taken } = this
    const length = taken.length * 2
    this.high = new Uint32Array(length)
    this.low = new Uint32Array(length)
    this.taken = new Uint8Array(length)
    this.size = 0
    for (let slot = 0; slot < taken.length; slot++) {
      if (taken[slot] === 1) this.put(high[slot] ?? 0, low[slot] ?? 0)
    }
  }
}

/** A list of integers that grows. */
export class Integers {
  private items = new Int32Array(1 << 16)
  length = 0

  push(item: number): void {
    if (this.length === this.items.length) {
      const larger = new Int32Array(this.length * 2)
      larger.set(this.items)
      this.items = larger
    }
    this.items[this.length++] = item
  }

  at(index: number): number {
    return this.items[index] ?? -1
  }
}
