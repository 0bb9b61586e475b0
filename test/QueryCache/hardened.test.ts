import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Scope from "effect/Scope"
import * as TestClock from "effect/TestClock"
import * as MemoryLock from "effect-prisma-cache/DistributedLock/Memory"
import * as MemoryStore from "effect-prisma-cache/CacheStore/Memory"
import { entryOf, makeCache, read, readKey, settle } from "./support.js"

const intentTtl = 60_000

/** A store with room for so few tags that whoever asks for others makes it forget. */
const forgetful = () => {
  const store = MemoryStore.make({ maxTags: 20 })
  let tags = 0
  const forget = Effect.suspend(() => store.obtain(Array.from({ length: 20 }, () => `other ${++tags}`), 1_000))
  return { store, forget }
}

/**
 * A writer whose intent the store forgets, and which is killed when it has committed: a reader has stored what was
 * there before the commit, under a stamp that the intent did not keep away. Answers what is read then, every ten
 * seconds.
 */
const readsAfterward = (hardened: boolean) =>
  Effect.gen(function*() {
    const { forget, store } = forgetful()
    const lock = MemoryLock.make()
    const options = { store, lock, consistency: "strict" as const, intentTtl, hardened }
    const { cache } = yield* makeCache(options)
    let value = "old"
    const ask = settle(cache, cache.fetch(read<string>("a", { ttl: "1 hour" }, { dependencies: ["row"] }), Effect.sync(() => value)))
    yield* ask
    const scope = yield* Scope.make()
    const { cache: doomed } = yield* Scope.extend(makeCache(options), scope)
    yield* doomed.openWrite().touch({ first: ["row"] })
    yield* forget
    yield* ask
    value = "new"
    yield* Scope.close(scope, Exit.void)
    const seen: Array<string> = []
    for (let millis = 0; millis < 3 * intentTtl; millis += 10_000) {
      seen.push(yield* ask)
      yield* TestClock.adjust(10_000)
    }
    return seen
  })

describe("an intent that is evicted, and its writer killed", () => {
  it.scoped("leaves something stale for as long as an entry lives", () =>
    Effect.gen(function*() {
      expect(new Set(yield* readsAfterward(false))).toEqual(new Set(["old"]))
    }))

  it.scoped("leaves nothing stale later than twice the intent's ttl, hardened", () =>
    Effect.gen(function*() {
      const seen = yield* readsAfterward(true)
      expect(seen.slice(0, 6)).toEqual(Array.from({ length: 6 }, () => "old"))
      expect(new Set(seen.slice(6))).toEqual(new Set(["new"]))
    }))

  it.scoped("nor by way of a guard on probation that stood for late stamps which are younger than the query", () =>
    Effect.gen(function*() {
      const inner = MemoryStore.make()
      const began: Array<readonly [tag: string, token: string]> = []
      const store: typeof inner = {
        ...inner,
        begin: (tags, token, ttl) => {
          tags.forEach(({ tag }) => began.push([tag, token]))
          return inner.begin(tags, token, ttl)
        }
      }
      const options = { store, lock: MemoryLock.make(), consistency: "strict" as const, intentTtl, hardened: true }
      const { cache } = yield* makeCache(options)
      let value = "old"
      const request = (name: string) => read<string>(name, { ttl: "1 hour" }, {
        dependencies: ["email"],
        guards: { dependencies: ["M"] },
        late: () => ({ keys: [], dependencies: ["id"], entries: [] })
      })
      const now = Effect.sync(() => value)
      yield* settle(cache, cache.fetch(request("a"), now))
      // After that every stamp is a lasting one.
      yield* TestClock.adjust(intentTtl)
      yield* settle(cache, cache.fetch(request("a"), now))
      const scope = yield* Scope.make()
      const { cache: doomed } = yield* Scope.extend(makeCache(options), scope)
      yield* doomed.openWrite().touch({ first: ["M"], rest: ["id"] })
      const model = began.find(([tag]) => tag.endsWith("M"))
      if (model === undefined) throw new Error("no intent")
      // Leaves nothing there, as an eviction would.
      yield* inner.end([{ tag: model[0] }], model[1], true, 1_000)
      const slow = yield* Effect.fork(
        settle(cache, cache.fetch(request("b"), Effect.zipLeft(now, Effect.sleep(3 * intentTtl))))
      )
      yield* TestClock.adjust(1_000)
      value = "new"
      yield* Scope.close(scope, Exit.void)
      yield* TestClock.adjust(3 * intentTtl)
      yield* Fiber.join(slow)
      expect((yield* cache.answer(request("b"), now)).value).toBe("new")
    }))
})

describe("hardened", () => {
  it.scoped("answers are kept as long as otherwise, once the stamps that they depend on are past their probation", () =>
    Effect.gen(function*() {
      const { cache } = yield* makeCache({ hardened: true, intentTtl })
      let queries = 0
      const ask = settle(cache, cache.fetch(read("a", { ttl: "1 hour" }), Effect.sync(() => ++queries)))
      yield* ask
      expect(yield* ask).toBe(1)
      yield* TestClock.adjust(intentTtl)
      expect(yield* ask).toBe(2)
      yield* TestClock.adjust("50 minutes")
      expect(yield* ask).toBe(2)
    }))

  it.scoped("writes do not store their results", () =>
    Effect.gen(function*() {
      const { cache } = yield* makeCache({ hardened: true })
      const key = { key: "k" }
      const own = { key, strategy: { ttl: "1 hour" as const }, entry: entryOf }
      yield* cache.write({ label: "write", touches: {}, own }, Effect.succeed(1))
      expect(yield* settle(cache, cache.fetch(readKey("k"), Effect.succeed(2)))).toBe(2)
    }))
})
