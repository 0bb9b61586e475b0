/** What serializers cost and save, median µs of a value: `npx tsx test/Serializer/measure.ts`. */
import { Decimal } from "@prisma/client/runtime/client"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Redacted from "effect/Redacted"
import { exact } from "../../src/Serializer.js"
import type { Context, Serializer } from "../../src/Serializer.js"
import * as Compressed from "../../src/Serializer/Compressed.js"
import * as Encrypted from "../../src/Serializer/Encrypted.js"
import { decimalType } from "../conformance/values.js"

const context: Context = {
  digest: "ungWv48Bz-pBQUDeXa4iI7ADYaOWF3qctBD_YfIAFa0",
  types: [decimalType]
}

const row = (id: number) => ({
  id,
  email: `user${id}@example.org`,
  name: `User number ${id}`,
  bio: `Writes about the ${id % 7} wonders of the world, and lives in town ${id * 31 % 97}.`,
  createdAt: new Date(1_700_000_000_000 + id * 86_400_000),
  balance: new Decimal(id).times("1.25"),
  active: id % 3 === 0,
  role: "USER",
  score: id / 7
})

const median = (times: ReadonlyArray<number>): number => times.toSorted((a, b) => a - b)[times.length >> 1] ?? NaN

/** All in turn, round by round, so that what else the machine does hits each of them. */
const micros = async (runs: ReadonlyArray<() => unknown>): Promise<ReadonlyArray<number>> => {
  const times = runs.map((): Array<number> => [])
  for (let round = 0; round < 40; round++) {
    for (const [i, run] of runs.entries()) {
      const started = performance.now()
      for (let n = 0; n < 20; n++) {
        const answer = run()
        if (answer instanceof Promise) await answer
      }
      if (round >= 15) times[i]?.push((performance.now() - started) * 1_000 / 20)
    }
  }
  return times.map(median)
}

const now = <A, E>(answer: Effect.Effect<A, E>): unknown => Either.isEither(answer) ? answer : Effect.runPromise(answer)

const keys: Encrypted.Options = { current: "k", keys: { k: Redacted.make(new Uint8Array(32).fill(1)) } }
const withoutBuiltins = async (build: () => Promise<Serializer>): Promise<Serializer> => {
  const { getBuiltinModule } = process
  process.getBuiltinModule = () => undefined
  try {
    return await build()
  } finally {
    process.getBuiltinModule = getBuiltinModule
  }
}

const compressed = (inner: Serializer) => Either.getOrThrow(Compressed.make(inner))
const encrypted = (inner: Serializer) => Effect.runPromise(Encrypted.make(inner, keys))
const contestants: ReadonlyArray<readonly [string, Serializer]> = [
  ["exact", exact],
  ["compressed", compressed(exact)],
  ["encrypted", await encrypted(exact)],
  ["compressed, then encrypted", await encrypted(compressed(exact))],
  ["compressed, by CompressionStream", await withoutBuiltins(async () => compressed(exact))],
  ["encrypted, by crypto.subtle", await withoutBuiltins(() => encrypted(exact))]
]

for (const count of [1, 100]) {
  const value = count === 1 ? row(1) : Array.from({ length: count }, (_, i) => row(i))
  const all = await Promise.all(contestants.map(async ([name, serializer]) => ({
    name,
    serializer,
    bytes: await Effect.runPromise(serializer.encode(value, context))
  })))
  const writes = await micros(all.map(({ serializer }) => () => now(serializer.encode(value, context))))
  const reads = await micros(all.map(({ bytes, serializer }) => () => now(serializer.decode(bytes, context))))
  for (const [i, { bytes, name }] of all.entries()) {
    const [write, read] = [writes[i], reads[i]].map((found) => found?.toFixed(0))
    console.log(`${count === 1 ? "1 row" : `${count} rows`}, ${name}: ${write} µs to write, ${read} µs to read, ${bytes.length} bytes`)
  }
}
