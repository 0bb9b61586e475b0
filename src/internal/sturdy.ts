/**
 * The services that a cache is made of may be anybody's. Whatever they throw, it is an error of the cache, which a
 * read meets by asking the database, and never one of the query.
 */
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Queue from "effect/Queue"
import { CacheError } from "../CacheError.js"
import { make as makeStore } from "../CacheStore.js"
import type { CacheStore, Lookup, UnsafeLookup } from "../CacheStore.js"
import { make as makeLock } from "../DistributedLock.js"
import type { DistributedLock, News } from "../DistributedLock.js"
import { make as makeSerializer, SerializerError } from "../Serializer.js"
import type { Serializer } from "../Serializer.js"

/** What was thrown is not kept: it may tell what the cache holds. */
const guard = <A>(operation: string, run: () => Effect.Effect<A, CacheError>): Effect.Effect<A, CacheError> =>
  Effect.catchAllDefect(Effect.suspend(run), () => Effect.fail(new CacheError({ reason: "Rejected", operation })))

/** Tells once, and what the one who is told throws is not the store's. */
const sturdyLookup = (unsafe: UnsafeLookup | undefined): UnsafeLookup | undefined =>
  unsafe && ((entry, tags, bound, tell) => {
    let early: Either.Either<Lookup, CacheError> | undefined
    let isEarly = true
    let isTold = false
    const once = (answer: Either.Either<Lookup, CacheError>) => {
      if (isTold) return
      isTold = true
      if (isEarly) early = answer
      else tell(answer)
    }
    try {
      unsafe(entry, tags, bound, once)
    } catch {
      once(Either.left(new CacheError({ reason: "Rejected", operation: "read" })))
    }
    isEarly = false
    if (early !== undefined) tell(early)
  })

/** @internal */
export const sturdyStore = (store: CacheStore): CacheStore =>
  makeStore({
    level: store.level,
    nodeOf: store.nodeOf,
    newStamp: store.newStamp,
    changes: store.changes,
    lookup: Object.assign(
      (entry: string, tags: ReadonlyArray<string>) => guard("read", () => store.lookup(entry, tags)),
      { unsafe: sturdyLookup(store.lookup.unsafe) }
    ),
    obtain: (tags, ttlMillis, probationMillis) => guard("make a stamp", () => store.obtain(tags, ttlMillis, probationMillis)),
    replace: (entry, bytes, ttlMillis, seen, until) => guard("store", () => store.replace(entry, bytes, ttlMillis, seen, until)),
    remove: (entry, seen) => guard("remove", () => store.remove(entry, seen)),
    invalidate: (steps, ttlMillis) => guard("invalidate", () => store.invalidate(steps, ttlMillis)),
    begin: (tags, token, ttlMillis) => guard("begin a write", () => store.begin(tags, token, ttlMillis)),
    end: (tags, token, committed, ttlMillis) => guard("end a write", () => store.end(tags, token, committed, ttlMillis))
  })

/** @internal */
export const sturdyLock = (lock: DistributedLock): DistributedLock =>
  makeLock({
    acquire: (name, token, ttlMillis) => guard("take the lock", () => lock.acquire(name, token, ttlMillis)),
    extend: (name, token, ttlMillis) => guard("keep the lock", () => lock.extend(name, token, ttlMillis)),
    release: (name, token, news) => guard("release the lock", () => lock.release(name, token, news)),
    // A lock that cannot tell never says anything.
    news: (name) => Effect.catchAllDefect(Effect.suspend(() => lock.news(name)), () => Queue.sliding<News>(1))
  })

/** @internal */
export const sturdySerializer = (serializer: Serializer): Serializer => {
  const guardEither = <A>(
    failure: SerializerError,
    run: () => Effect.Effect<A, SerializerError>
  ): Effect.Effect<A, SerializerError> => {
    try {
      const answer = run()
      return Either.isEither(answer) ? answer : Effect.catchAllDefect(answer, () => Effect.fail(failure))
    } catch {
      return Either.left(failure)
    }
  }
  const unsupported = new SerializerError({ reason: "Unsupported", message: "the serializer threw an error" })
  const malformed = new SerializerError({ reason: "Malformed", message: "the serializer threw an error" })
  return makeSerializer({
    id: serializer.id,
    encode: (value, context) => guardEither(unsupported, () => serializer.encode(value, context)),
    decode: (bytes, context) => guardEither(malformed, () => serializer.decode(bytes, context))
  })
}
