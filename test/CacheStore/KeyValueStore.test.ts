import * as KeyValueStore from "@effect/platform/KeyValueStore"
import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as TestClock from "effect/TestClock"
import * as Store from "../../src/CacheStore/KeyValueStore.js"
import { storeConformance } from "../conformance/store.js"
import { filesLayer } from "../support/files.js"

const minute = 60_000

storeConformance({
  name: "a KeyValueStore in memory",
  layer: Store.layer.pipe(Layer.provide(KeyValueStore.layerMemory)),
  time: "test",
  level: "bestEffort"
})

storeConformance({
  name: "a KeyValueStore in files",
  layer: Store.layer.pipe(Layer.provide(filesLayer)),
  time: "real",
  level: "bestEffort"
})

/** The storage of a browser: text only. */
const storage = () => {
  const values = new Map<string, string>()
  return {
    get length() {
      return values.size
    },
    clear: () => values.clear(),
    key: (i: number) => Array.from(values.keys())[i] ?? null,
    getItem: (name: string) => values.get(name) ?? null,
    setItem: (name: string, value: string) => void values.set(name, value),
    removeItem: (name: string) => void values.delete(name)
  }
}

storeConformance({
  name: "a KeyValueStore in the storage of a browser",
  layer: Store.layer.pipe(Layer.provide(KeyValueStore.layerStorage(storage))),
  time: "test",
  level: "bestEffort"
})

describe("what lies in a KeyValueStore", () => {
  const setUp = Effect.gen(function*() {
    const values = yield* KeyValueStore.KeyValueStore
    return { values, store: Store.make(values) }
  })

  it.effect("is under names that every place takes", () =>
    Effect.gen(function*() {
      const { store, values } = yield* setUp
      const odd = ["a".repeat(5_000), "\u{1F600}", "\ud800", "", ".", "..", "a/../b c"]
      yield* store.obtain(odd, minute)
      expect(new Set((yield* store.lookup("entry", odd)).states).size).toBe(odd.length)
      expect(yield* values.size).toBe(odd.length)
    }).pipe(Effect.provide(KeyValueStore.layerMemory)))

  it.effect("is nothing, if it is damaged or somebody else's", () =>
    Effect.gen(function*() {
      const { store, values } = yield* setUp
      const bytes = new Uint8Array(20).fill(7)
      yield* store.replace("entry", bytes, minute, null)
      const [stamp] = yield* store.obtain(["tag"], minute)
      const whole = (yield* Effect.flatten(values.getUint8Array("tag"))).slice()
      for (const damaged of ["", "text", whole.slice(0, 7), whole.slice(0, 20), new Uint8Array([...whole, 1])]) {
        yield* values.set("tag", damaged)
        expect((yield* store.lookup("entry", ["tag"])).states).toEqual([null])
      }
      expect(yield* store.obtain(["tag"], minute)).not.toEqual([stamp])
    }).pipe(Effect.provide(KeyValueStore.layerMemory)))

  it.effect("is not read when its time is over, though it is still there", () =>
    Effect.gen(function*() {
      const { store, values } = yield* setUp
      yield* store.replace("entry", new Uint8Array([1]), minute, null)
      yield* TestClock.adjust(minute)
      expect(yield* values.size).toBe(1)
      expect(yield* store.lookup("entry", [])).toEqual({ entry: null, states: [] })
      expect(yield* store.replace("entry", new Uint8Array([2]), minute, null)).toBe(true)
    }).pipe(Effect.provide(KeyValueStore.layerMemory)))
})
