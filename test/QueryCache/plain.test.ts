/** Looking in plain code. */
import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as CacheStore from "effect-prisma-cache/CacheStore"
import type { UnsafeLookup } from "effect-prisma-cache/CacheStore"
import type { QueryCache } from "effect-prisma-cache/QueryCache"
import { counted, makeCache, memoryStore, read, settle } from "./support.js"

/** A memory store that looks things up in another way. */
const looking = (unsafe: (own: UnsafeLookup) => UnsafeLookup) => {
  const store = memoryStore()
  const own = store.lookup.unsafe
  if (own === undefined) throw new Error("the memory store needs no fiber")
  const lookup = Object.assign((entry: string, tags: ReadonlyArray<string>) => store.lookup(entry, tags), {
    unsafe: unsafe(own)
  })
  return CacheStore.make({ ...store, lookup })
}

const tellings = (cache: QueryCache, request = read("a")) => {
  const told: Array<string> = []
  cache.unsafeAnswer(request, { hit: () => told.push("hit"), otherwise: () => told.push("otherwise") })
  return told
}

describe("an answer looked for in plain code", () => {
  it.scoped("is told of once, whatever the store does", () =>
    Effect.gen(function*() {
      const thrower = looking((own) => (entry, tags, bound, tell) => {
        own(entry, tags, bound, tell)
        throw new Error("told already")
      })
      const twice = looking((own) => (entry, tags, bound, tell) => {
        own(entry, tags, bound, tell)
        own(entry, tags, bound, tell)
      })
      for (const store of [thrower, twice]) {
        const { cache } = yield* makeCache({ store })
        const { query } = counted()
        yield* settle(cache, cache.fetch(read("a"), query))
        expect(tellings(cache)).toEqual(["hit"])
        expect((yield* cache.stats).hits).toBe(1)
      }
    }))

  it.scoped("is told of once where the store tells again later", () =>
    Effect.gen(function*() {
      let later = () => {}
      const store = looking((own) => (entry, tags, bound, tell) => {
        own(entry, tags, bound, tell)
        later = () => void own(entry, tags, bound, tell)
      })
      const { cache } = yield* makeCache({ store })
      const { query } = counted()
      yield* settle(cache, cache.fetch(read("a"), query))
      const told = tellings(cache)
      later()
      expect(told).toEqual(["hit"])
      expect((yield* cache.stats).hits).toBe(1)
    }))

  it.scoped("is none where the store throws", () =>
    Effect.gen(function*() {
      const store = looking(() => () => {
        throw new Error("no")
      })
      const { cache } = yield* makeCache({ store })
      expect(tellings(cache)).toEqual(["otherwise"])
      expect((yield* cache.stats).errors).toBe(0)
    }))

  it.scoped("is none for a caller whose own functions throw", () =>
    Effect.gen(function*() {
      const { cache } = yield* makeCache()
      const { query } = counted()
      yield* settle(cache, cache.fetch(read("a"), query))
      const accepts = () => {
        throw new Error("no")
      }
      expect(tellings(cache, { ...read("a"), accepts })).toEqual(["otherwise"])
    }))
})
