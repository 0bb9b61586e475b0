/**
 * The store and the lock as the policy may rely on them: each operation ends within a bound, one that keeps failing is
 * not asked any more, and an invalidation that did not get through is remembered until it does.
 */
import type * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import type * as Scope from "effect/Scope"
import { LRUCache } from "lru-cache"
import { CacheError } from "../CacheError.js"
import type { CacheEvent } from "../CacheEvent.js"
import { make as makeStore } from "../CacheStore.js"
import type {
  CacheStore,
  Invalidation,
  Lookup,
  LookupFunction,
  Ordered,
  TagState,
  UnsafeLookup
} from "../CacheStore.js"
import { make as makeLock } from "../DistributedLock.js"
import type { DistributedLock } from "../DistributedLock.js"
import type { Health } from "../QueryCache.js"
import { makeBreakers } from "./breaker.js"
import { makeDeadlines } from "./deadlines.js"
import type { Deadlines } from "./deadlines.js"
import type { Names } from "./names.js"
import { makeRecovery } from "./recovery.js"
import { sturdyLock, sturdyStore } from "./sturdy.js"
import { makeUndelivered, masked } from "./undelivered.js"
import type { LostEnd } from "./undelivered.js"

/** Of how many writes under way it is remembered that they have begun. */
const maxBegun = 10_000

export interface GuardOptions {
  /** How long reads wait for the store, and how long writes do, in milliseconds. */
  readonly budget: number
  readonly writeBudget: number
  readonly maxUndelivered: number
}

export interface Guarded {
  /** Each operation ends in time. */
  readonly store: CacheStore
  readonly lock: DistributedLock
  readonly health: () => Health
}

export const makeGuarded = (
  given: CacheStore,
  givenLock: DistributedLock,
  own: Names,
  options: GuardOptions,
  emit: (event: CacheEvent) => void,
  scope: Scope.Scope
): Effect.Effect<Guarded> =>
  Effect.gen(function*() {
    const raw = sturdyStore(given)
    const rawLock = sturdyLock(givenLock)
    const { nodeOf } = raw
    const inBudget = makeDeadlines(options.budget, scope)
    const inPatience = makeDeadlines(Math.max(options.budget, options.writeBudget), scope)
    const undelivered = makeUndelivered(options.maxUndelivered, own.namespaceTag)
    const clock = yield* Effect.clock
    const breakers = makeBreakers(options.budget / 2, () => clock.unsafeCurrentTimeMillis(), (node) => {
      emit({ _tag: "BreakerOpened", node })
      recovery.start()
    })
    const recovery = yield* makeRecovery(raw, own, { breakers, undelivered }, { inBudget, inPatience }, options, emit, scope)

    const everyNode = [""]
    const nodesOf: (names: () => ReadonlyArray<string>) => ReadonlyArray<string> = nodeOf === undefined
      ? () => everyNode
      : (names) => Array.from(new Set(names().map(nodeOf)))

    const suspended = (operation: string) => new CacheError({ reason: "Suspended", operation })

    const ask = <A>(
      bound: Deadlines,
      operation: string,
      names: () => ReadonlyArray<string>,
      run: Effect.Effect<A, CacheError>
    ): Effect.Effect<A, CacheError> =>
      Effect.suspend(() => {
        const nodes = nodesOf(names)
        if (!nodes.every(breakers.admits)) return Effect.fail(suspended(operation))
        return Effect.matchEffect(bound.within(run, () => new CacheError({ reason: "Timeout", operation })), {
          onSuccess: (answer) => {
            nodes.forEach(breakers.succeeded)
            return Effect.succeed(answer)
          },
          onFailure: (error) => {
            nodes.forEach((node) => breakers.failed(node, error))
            return Effect.fail(error)
          }
        })
      })

    /** What was to be invalidated and may not have been is as good as being written. */
    const mask = (tags: ReadonlyArray<string>, states: ReadonlyArray<TagState>): ReadonlyArray<TagState> =>
      undelivered.size() === 0 ? states : states.map((state, i) => undelivered.has(tags[i] ?? "") ? masked : state)

    const lose = (steps: ReadonlyArray<Invalidation>, end?: LostEnd) =>
      Effect.sync(() => {
        const rotated = undelivered.add(steps, end)
        emit({ _tag: "Undelivered", tags: steps.length })
        if (rotated) emit({ _tag: "EpochRotated" })
        recovery.start()
      })

    const namesIn = (steps: ReadonlyArray<Ordered>) => () => steps.map(({ tag }) => tag)

    /** Tokens whose beginning may have reached the store, and whose end has not. */
    const begun = new LRUCache<string, true>({ max: maxBegun })

    const maskFound = (tags: ReadonlyArray<string>, found: Lookup): Lookup =>
      undelivered.size() === 0 ? found : { entry: found.entry, states: mask(tags, found.states) }

    /** As `ask`, of a store that looks after its time itself. */
    const plainly = (unsafe: UnsafeLookup): LookupFunction => {
      const guarded: UnsafeLookup = (entry, tags, { clock, millis }, tell) => {
        const nodes = nodesOf(() => [entry, ...tags])
        if (!nodes.every(breakers.admits)) return tell(Either.left(suspended("read")))
        unsafe(entry, tags, { clock, millis: Math.min(millis, options.budget) }, (answer) => {
          if (Either.isLeft(answer)) nodes.forEach((node) => breakers.failed(node, answer.left))
          else nodes.forEach(breakers.succeeded)
          tell(Either.map(answer, (found) => maskFound(tags, found)))
        })
      }
      const bound = (clock: Clock.Clock) => ({ clock, millis: Infinity })
      return Object.assign(
        (entry: string, tags: ReadonlyArray<string>) =>
          Effect.clockWith((clock) =>
            Effect.async<Lookup, CacheError>((resume) => guarded(entry, tags, bound(clock), resume))),
        { unsafe: guarded }
      )
    }

    const lookup: LookupFunction = raw.lookup.unsafe !== undefined
      ? plainly(raw.lookup.unsafe)
      : (entry, tags) =>
        Effect.map(ask(inBudget, "read", () => [entry, ...tags], raw.lookup(entry, tags)), (found) =>
          maskFound(tags, found))

    const store = makeStore({
      level: raw.level,
      nodeOf,
      newStamp: raw.newStamp,
      lookup,
      obtain: (tags, ttlMillis, probationMillis) =>
        Effect.map(ask(inBudget, "make stamps", () => tags, raw.obtain(tags, ttlMillis, probationMillis)), (states) =>
          mask(tags, states)),
      // Nobody waits for what is stored, and it may be large.
      replace: (entry, bytes, ttlMillis, seen, until) =>
        ask(inPatience, "store", () => [entry], raw.replace(entry, bytes, ttlMillis, seen, until)),
      remove: (entry, seen) => ask(inBudget, "remove", () => [entry], raw.remove(entry, seen)),
      invalidate: (steps, ttlMillis) =>
        Effect.tapError(ask(inPatience, "invalidate", namesIn(steps), raw.invalidate(steps, ttlMillis)), (error) =>
          Effect.zipRight(lose(steps), error.reason === "Suspended" ? tellTheRest(steps, ttlMillis) : Effect.void)),
      begin: (tags, token, ttlMillis) =>
        ask(inPatience, "begin a write", namesIn(tags), Effect.suspend(() => {
          begun.set(token, true)
          return raw.begin(tags, token, ttlMillis)
        })),
      end: (tags, token, committed, ttlMillis) =>
        Effect.suspend(() => {
          const mayHaveBegun = begun.delete(token)
          return Effect.tapError(
            ask(inPatience, "end a write", namesIn(tags), raw.end(tags, token, committed, ttlMillis)),
            () => {
              if (!committed && !mayHaveBegun) return Effect.void
              const steps = tags.map(({ first, tag }): Invalidation => ({ _tag: "kill", tag, first }))
              return lose(steps, mayHaveBegun ? { token, tags } : undefined)
            }
          )
        })
    })

    /** The nodes that still answer need not wait for those that do not; all is said again, in order, later. */
    const tellTheRest = (steps: ReadonlyArray<Invalidation>, ttlMillis: number) => {
      const reachable = nodeOf === undefined ? [] : steps.filter(({ tag }) => breakers.admits(nodeOf(tag)))
      return reachable.length === 0
        ? Effect.void
        : Effect.ignore(ask(inPatience, "invalidate", namesIn(reachable), raw.invalidate(reachable, ttlMillis)))
    }

    const lock: DistributedLock = makeLock({
      acquire: (name, token, ttlMillis) =>
        Effect.tapError(ask(inBudget, "take the lock", () => [name], rawLock.acquire(name, token, ttlMillis)), ({ reason }) =>
          // Who got no answer may yet be given the lock, and would keep it from everybody without knowing.
          reason === "Timeout"
            ? Effect.forkIn(Effect.ignore(inPatience.within(rawLock.release(name, token, "failed"), () => suspended(""))), scope)
            : Effect.void),
      extend: (name, token, ttlMillis) =>
        ask(inPatience, "keep the lock", () => [name], rawLock.extend(name, token, ttlMillis)),
      release: (name, token, news) => ask(inPatience, "release the lock", () => [name], rawLock.release(name, token, news)),
      news: rawLock.news
    })

    const health = (): Health => {
      const nodes = breakers.open()
      const isDown = nodes.length > 0 && nodeOf === undefined
      return {
        status: isDown ? "down" : nodes.length > 0 || undelivered.size() > 0 ? "degraded" : "ok",
        suspended: nodes,
        undelivered: undelivered.size()
      }
    }

    return { store, lock, health }
  })
