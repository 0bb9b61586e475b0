import { AnyNull, DbNull, Decimal, JsonNull } from "@prisma/client/runtime/client"

/** `n` written in a base, as that many digits. */
const digitsOf = (n: number, base: number, count: number): ReadonlyArray<number> =>
  Array.from({ length: count }, (_, i) => Math.floor(n / base ** i) % base)

const permutation = <A>(n: number, of: ReadonlyArray<A>): ReadonlyArray<A> => {
  const left = of.slice()
  const result: Array<A> = []
  for (let rest = n; left.length > 0;) {
    const size = left.length
    result.push(...left.splice(rest % size, 1))
    rest = Math.floor(rest / size)
  }
  return result
}

const bytesOf = (n: number): Uint8Array => Uint8Array.of(n, n >> 8, n >> 16)

/** Values that stand for `n` in one place, no two of which are the same to a database. */
const valuesOf = (n: number, fieldRef: (name: string) => unknown): ReadonlyArray<unknown> => [
  n,
  String(n),
  BigInt(n),
  new Decimal(n),
  new Date(n),
  bytesOf(n),
  n + 0.5,
  [n],
  [String(n)],
  [[n]],
  { equals: n },
  { equals: String(n) },
  { not: n },
  fieldRef(`field${n}`),
  // as the encoding writes the first ones
  `n${n};`,
  `i${n};`,
  `s${String(n).length}:${n}`,
  `[n${n};]`
]

const kinds: ReadonlyArray<unknown> = [null, JsonNull, DbNull, AnyNull, "JsonNull", "DbNull", {}, [], "", false]

/**
 * More than a million arguments, one after the other, that all ask for something else. The families differ in shape;
 * within a family the number can be read from the arguments again.
 */
export function* distinctArguments(fieldRef: (name: string) => unknown): Generator<Record<string, unknown>> {
  // one condition, with a value of every type
  for (let n = 0; n < 27_000; n++) for (const value of valuesOf(n, fieldRef)) yield { where: { id: value } }
  // two numbers, among them the two pairs that a 32-bit hash confuses
  for (let id = 0; id < 400; id++) for (let userId = 0; userId < 400; userId++) yield { where: { id, userId } }
  // one text cut in two, written in the encoding's own characters
  const letters = "s1:}"
  for (let n = 0; n < letters.length ** 7; n++) {
    const text = digitsOf(n, letters.length, 7)
      .map((digit) => letters[digit])
      .join("")
    for (let cut = 0; cut <= 7; cut++) yield { where: { a: text.slice(0, cut), b: text.slice(cut) } }
  }
  // one list of elements in every grouping
  for (let n = 0; n < 2 ** 15; n++) {
    const groups: Array<Array<number>> = [[0]]
    digitsOf(n, 2, 15).forEach((cut, i) => (cut === 1 ? groups.push([i]) : groups.at(-1)!.push(i)))
    yield { where: { list: { equals: groups } } }
  }
  // selections in every order, which is the order of the result's keys
  const columns = ["a", "b", "c", "d", "e", "f", "g", "h"]
  for (let n = 0; n < 40_320; n++) {
    yield { select: Object.fromEntries(permutation(n, columns).map((column) => [column, true])) }
  }
  // JSON in every order
  for (let n = 0; n < 5_040; n++) {
    yield {
      where: { meta: { equals: Object.fromEntries(permutation(n, columns.slice(1)).map((key) => [key, n % 2])) } }
    }
  }
  // the ways to say nothing
  for (let n = 0; n < 10 ** 5; n++) {
    yield { where: Object.fromEntries(digitsOf(n, 10, 5).map((digit, i) => [`column${i}`, kinds[digit]])) }
  }
  // the same numbers in other places
  for (let n = 0; n < 10_000; n++) {
    yield { take: n }
    yield { skip: n }
    yield { take: n, skip: n }
    yield { cursor: { id: n } }
    yield { having: { id: n } }
  }
}
