import KeyvValkey from "@keyv/valkey"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { describe, expect, it } from "@effect/vitest"
import Keyv from "keyv"
import * as KeyvStore from "../../src/CacheStore/Keyv.js"
import { CacheStore } from "../../src/CacheStore.js"
import { storeConformance } from "../conformance/store.js"
import { uniqueName, valkeyUrl } from "../support/servers.js"

const minute = 60_000

storeConformance({
  name: "a Keyv in memory",
  layer: Layer.unwrapEffect(Effect.sync(() => KeyvStore.layer(new Keyv()))),
  time: "test",
  level: "bestEffort"
})

storeConformance({
  name: "a Map, as a store made for Keyv",
  layer: Layer.unwrapEffect(Effect.sync(() => KeyvStore.layer(new Map<string, string>()))),
  time: "test",
  level: "bestEffort"
})

storeConformance({
  name: "a Keyv on a server",
  layer: Layer.unwrapScoped(Effect.map(
    Effect.acquireRelease(
      Effect.sync(() => new Keyv({ store: new KeyvValkey(valkeyUrl()), namespace: uniqueName("keyv") })),
      (keyv) => Effect.promise(() => keyv.disconnect())
    ),
    KeyvStore.layer
  )),
  time: "real",
  level: "bestEffort"
})

/** A store made for Keyv that breaks at a call, as long as it is told to. */
const breakable = () => {
  const values = new Map<string, string>()
  const broken = new Set<string>()
  const attempt = <A>(call: string, run: () => A) => {
    if (broken.has(call)) throw Object.assign(new Error("secret"), { code: "ECONNRESET" })
    return Promise.resolve(run())
  }
  return {
    broken,
    store: {
      opts: {},
      on: () => {},
      clear: async () => values.clear(),
      get: async (name: string) => attempt("get", () => values.get(name)),
      set: async (name: string, value: string) => attempt("set", () => void values.set(name, value)),
      delete: async (name: string) => attempt("delete", () => values.delete(name))
    }
  }
}

describe("a Keyv that swallows errors", () => {
  for (const emitErrors of [true, false]) {
    const setUp = Effect.gen(function*() {
      const { broken, store: place } = breakable()
      const keyv = new Keyv({ store: place, emitErrors })
      const store = yield* KeyvStore.make(keyv)
      const [stamp] = yield* store.obtain(["tag"], minute)
      const state = Effect.map(store.lookup("entry", ["tag"]), ({ states }) => states[0])
      return { broken, keyv, stamp, state, store }
    })
    const said = emitErrors ? "and says so by an event" : "and does not even emit them"

    it.scoped(`${said}: an invalidation that did not get through fails`, () =>
      Effect.gen(function*() {
        const { broken, stamp, state, store } = yield* setUp
        for (const call of ["delete", "set"]) broken.add(call)
        const error = yield* Effect.flip(store.invalidate([{ _tag: "kill", tag: "tag" }], minute))
        expect(error).toMatchObject({ _tag: "CacheError", reason: "Unavailable" })
        expect(String(error)).not.toContain("secret")
        expect(yield* state).toBe(stamp)
        broken.clear()
        yield* store.invalidate([{ _tag: "kill", tag: "tag" }], minute)
        expect(yield* state).toBeNull()
      }))

    it.scoped(`${said}: an entry that was not stored is not said to be`, () =>
      Effect.gen(function*() {
        const { broken, store } = yield* setUp
        broken.add("set")
        expect(yield* Effect.flip(store.replace("entry", new Uint8Array([1]), minute, null))).toMatchObject({
          reason: "Unavailable"
        })
        expect(yield* Effect.flip(store.obtain(["other"], minute))).toMatchObject({ reason: "Unavailable" })
      }))
  }

  it.effect("is listened to as long as the store is in use", () =>
    Effect.gen(function*() {
      const keyv = new Keyv()
      const before = keyv.listeners("error").length
      yield* Effect.scoped(Effect.flatMap(KeyvStore.make(keyv), () =>
        Effect.sync(() => expect(keyv.listeners("error")).toHaveLength(before + 1))))
      expect(keyv.listeners("error")).toHaveLength(before)
    }))
})

describe("two stores over one Keyv", () => {
  it.effect("take turns in one process, and see each other's stamps, entries and invalidations", () =>
    Effect.gen(function*() {
      const keyv = new Keyv()
      const build = Effect.map(Layer.build(KeyvStore.layer(keyv)), (context) => context)
      yield* Effect.scoped(Effect.gen(function*() {
        const one = yield* Effect.provide(CacheStore, yield* build)
        const two = yield* Effect.provide(CacheStore, yield* build)
        expect(one).not.toBe(two)
        const asked = yield* Effect.all(
          Array.from({ length: 40 }, (_, i) => (i % 2 === 0 ? one : two).obtain(["tag"], minute)),
          { concurrency: "unbounded" }
        )
        expect(new Set(asked.map(String)).size).toBe(1)
        expect(yield* one.replace("entry", new Uint8Array([1, 2]), minute, null)).toBe(true)
        expect(yield* two.replace("entry", new Uint8Array([3]), minute, null)).toBe(false)
        yield* one.invalidate([{ _tag: "kill", tag: "tag" }], minute)
        expect(yield* two.lookup("entry", ["tag"])).toEqual({ entry: new Uint8Array([1, 2]), states: [null] })
      }))
    }))
})
