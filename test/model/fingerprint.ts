import { Fresh } from "./fresh.js"

/**
 * A state in 64 bits, the same for all states that differ in the names of fresh values or in the order of
 * interchangeable parts alone. Two different states that share 64 bits would be taken for one: with ten million states
 * the odds are one in 300,000.
 */
export interface Fingerprint {
  readonly high: number
  readonly low: number
}

/**
 * A part of a state: a hash of what it is when its fresh values are called 0, 1, 2 as they come, and these values in
 * that order. A whole is made of its parts' digests, so that a part which many states share is read once.
 */
interface Digest extends Fingerprint {
  readonly fresh: ReadonlyArray<Fresh>
}

/** What comes before each kind of value, so that none is taken for one of another kind. */
const marks = { null: 1, undefined: 2, false: 3, true: 4, number: 5, text: 6, fresh: 7, list: 8, record: 9, end: 10 }

/** MurmurHash3's last step: every bit that went in reaches every bit that comes out. */
const finish = (hash: number): number => {
  let h = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b)
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35)
  return (h ^ (h >>> 16)) >>> 0
}

/** Two running hashes, each a MurmurHash3 with constants of its own, and the fresh values met on the way. */
class Hash {
  private high = 0x2f0b4c47
  private low = 0x5d8a9c13
  private readonly fresh: Array<Fresh> = []

  add(unit: number): void {
    let k = Math.imul(unit, 0xcc9e2d51)
    k = Math.imul((k << 15) | (k >>> 17), 0x1b873593)
    this.high ^= k
    this.high = (Math.imul((this.high << 13) | (this.high >>> 19), 5) + 0xe6546b64) | 0
    let l = Math.imul(unit ^ 0x3c6ef372, 0x85ebca6b)
    l = Math.imul((l << 16) | (l >>> 16), 0xc2b2ae35)
    this.low ^= l
    this.low = (Math.imul((this.low << 11) | (this.low >>> 21), 9) + 0x38495ab5) | 0
  }

  private addFresh(value: Fresh): void {
    const name = this.fresh.indexOf(value)
    this.add(name === -1 ? this.fresh.push(value) - 1 : name)
  }

  addDigest({ fresh, high, low }: Digest): void {
    this.add(high)
    this.add(low)
    for (let i = 0; i < fresh.length; i++) this.addFresh(fresh[i] as Fresh)
  }

  addValue(value: unknown): void {
    switch (typeof value) {
      case "string":
        this.add(marks.text)
        return this.add(numberOf(value))
      case "number":
        this.add(marks.number)
        return this.add(value)
      case "boolean":
        return this.add(value ? marks.true : marks.false)
      case "undefined":
        return this.add(marks.undefined)
      case "object":
        if (value === null) return this.add(marks.null)
        if (value instanceof Fresh) {
          this.add(marks.fresh)
          return this.addFresh(value)
        }
        return this.addDigest(digestOf(value))
      default:
        throw new Error(`A state cannot hold a ${typeof value}`)
    }
  }

  /** Where a part stands among others, as far as that can be told before it is added. */
  rank({ fresh, high, low }: Digest): number {
    let rank = high ^ Math.imul(low, 0x9e3779b1)
    for (let i = 0; i < fresh.length; i++) {
      rank = (Math.imul(rank, 31) + this.fresh.indexOf(fresh[i] as Fresh)) | 0
    }
    return rank
  }

  digest(): Digest {
    return {
      high: finish(this.high ^ this.low),
      low: finish(Math.imul(this.low, 0x9e3779b1) ^ this.high),
      fresh: this.fresh
    }
  }
}

/** The numbers that stand for texts and property names. */
const texts = new Map<string, number>()

const numberOf = (text: string): number => {
  let number = texts.get(text)
  if (number === undefined) {
    number = texts.size
    texts.set(text, number)
  }
  return number
}

/**
 * The digests of parts that later states may share. States are looked at in order: what was long ago may be forgotten.
 */
const digests = new Map<object, Digest>()
const maxDigests = 20_000

/**
 * Those that the last fingerprint had to make. Most states have been met before, and their parts are never seen again.
 */
const made: Array<readonly [part: object, digest: Digest]> = []

/** The last state that a fingerprint was made of is new: others will share its parts. */
export const keepDigests = (): void => {
  if (digests.size >= maxDigests) digests.clear()
  for (const [part, digest] of made) digests.set(part, digest)
}

const digestOf = (value: object): Digest => {
  let digest = digests.get(value)
  if (digest === undefined) {
    const hash = new Hash()
    if (Array.isArray(value)) {
      hash.add(marks.list)
      for (const item of value) hash.addValue(item)
    } else {
      hash.add(marks.record)
      for (const name in value) {
        hash.add(numberOf(name))
        hash.addValue((value as Readonly<Record<string, unknown>>)[name])
      }
    }
    hash.add(marks.end)
    digest = hash.digest()
    made.push([value, digest])
  }
  return digest
}

/** Adds a list whose order does not matter. */
const addUnordered = (hash: Hash, items: ReadonlyArray<object>): void => {
  const parts = items.map(digestOf)
  const ranks = parts.map((part) => hash.rank(part))
  const order = parts.map((_, index) => index)
  if (order.length > 1) order.sort((left, right) => (ranks[left] ?? 0) - (ranks[right] ?? 0))
  for (const index of order) hash.addDigest(parts[index] as Digest)
}

/**
 * The fingerprint of a state. The properties that `interchangeable` names hold lists whose items may stand in any
 * order, such as two readers that may both read everything. They are read last, in an order that depends on what they
 * hold and not on where they stand; what the rest of the state shares with them has its name by then. Where two items
 * cannot be told apart that way, one state may get several fingerprints: the search does the work twice, and misses
 * nothing.
 */
export const fingerprint = (
  state: Readonly<Record<string, unknown>>,
  interchangeable: ReadonlyArray<string>
): Fingerprint => {
  made.length = 0
  const hash = new Hash()
  for (const name in state) {
    if (interchangeable.includes(name)) continue
    const value = state[name]
    if (typeof value === "object" && value !== null) {
      // The lists and records of a draft are its own, what is in them is shared.
      for (const key in value) hash.addValue((value as Readonly<Record<string, unknown>>)[key])
      hash.add(marks.end)
    } else {
      hash.addValue(value)
    }
  }
  for (const name of interchangeable) {
    addUnordered(hash, state[name] as ReadonlyArray<object>)
    hash.add(marks.end)
  }
  return hash.digest()
}
