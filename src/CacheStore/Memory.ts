/**
 * A store in the memory of one process. Time is read from Effect's `Clock`, so that `TestClock.adjust` expires
 * entries without waiting.
 *
 * @module
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Layer from "effect/Layer"
import { LRUCache } from "lru-cache"
import { CacheStore, make as makeStore } from "../CacheStore.js"
import type { ChangeListener, Ending, Invalidation, Lookup, Ordered, TagState, UnsafeLookup } from "../CacheStore.js"
import { startsWith } from "../internal/bytes.js"
import * as intent from "../internal/intent.js"
import { namespaceTagOf } from "../internal/names.js"
import { isStamp, makeStamp, probationOf, withNewSoft } from "../internal/stamp.js"

/**
 * Bounds of a memory store. At a bound the least recently used goes first: an entry lost is a miss, a stamp lost is
 * an invalidation, and neither is ever a wrong answer.
 *
 * @since 0.1.0
 * @category models
 */
export interface Options {
  /** Bytes of all entries together, payload and header. Default 64 MiB. */
  readonly maxBytes?: number | undefined
  /** Number of entries. Default 100,000. */
  readonly maxEntries?: number | undefined
  /** Number of tags that have a stamp. Default 200,000. */
  readonly maxTags?: number | undefined
}

interface Expiring<A> {
  readonly value: A
  expiresAt: number
}

/**
 * A memory store, empty.
 *
 * @since 0.1.0
 * @category constructors
 */
export const make = (options: Options = {}): CacheStore => {
  const entries = new LRUCache<string, Expiring<Uint8Array>>({
    max: options.maxEntries ?? 100_000,
    maxSize: options.maxBytes ?? 64 * 1024 * 1024,
    sizeCalculation: ({ value }, name) => value.length + name.length
  })
  const tags = new LRUCache<string, Expiring<string>>({ max: options.maxTags ?? 200_000 })

  const current = <A>(map: LRUCache<string, Expiring<A>>, name: string, now: number): Expiring<A> | undefined => {
    const found = map.get(name)
    if (found === undefined || found.expiresAt > now) return found
    map.delete(name)
    return undefined
  }
  const stateOf = (tag: string, now: number): TagState => current(tags, tag, now)?.value ?? null

  const obtain = (tag: string, now: number, ttlMillis: number, probationMillis: number): TagState => {
    const found = current(tags, tag, now)
    const isOver = found !== undefined && (probationOf(found.value) ?? Infinity) <= now
    if (found !== undefined && !isOver) {
      if (isStamp(found.value)) found.expiresAt = Math.max(found.expiresAt, now + ttlMillis)
      return found.value
    }
    const value = makeStamp({ until: isOver || probationMillis === 0 ? undefined : now + probationMillis })
    tags.set(tag, { value, expiresAt: now + ttlMillis })
    return value
  }

  const invalidate = (step: Invalidation, now: number, ttlMillis: number): boolean => {
    const found = current(tags, step.tag, now)
    if (found === undefined) return false
    const marked = intent.marked(found.value)
    if (marked !== undefined) {
      tags.set(step.tag, { value: marked, expiresAt: found.expiresAt })
      return false
    }
    switch (step._tag) {
      case "kill": {
        tags.delete(step.tag)
        return false
      }
      case "expire": {
        tags.set(step.tag, { value: withNewSoft(found.value), expiresAt: found.expiresAt })
        return false
      }
      case "swap": {
        if (found.value === step.next) return true
        if (found.value === step.expected) {
          tags.set(step.tag, { value: step.next, expiresAt: now + ttlMillis })
          return true
        }
        tags.delete(step.tag)
        return false
      }
    }
  }

  const begin = ({ tag }: Ordered, token: string, now: number, ttlMillis: number): void => {
    const found = current(tags, tag, now)?.value ?? null
    tags.set(tag, intent.begin(found, token, now, ttlMillis))
  }

  const end = ({ next, tag }: Ending, token: string, committed: boolean, now: number, ttlMillis: number): boolean => {
    const found = current(tags, tag, now)?.value ?? null
    const { mayStore, place } = intent.end(found, token, committed, next, now, ttlMillis)
    if (place === null) tags.delete(tag)
    else if (place !== "keep") tags.set(tag, { ...place })
    return mayStore
  }

  const lookup = (entry: string, asked: ReadonlyArray<string>, now: number): Lookup => ({
    entry: current(entries, entry, now)?.value ?? null,
    states: asked.map((tag) => stateOf(tag, now))
  })

  const listeners = new Map<string, Set<ChangeListener>>()
  const tell = (tag: string) => {
    if (listeners.size > 0) listeners.get(namespaceTagOf(tag))?.forEach(({ changed }) => changed(tag))
  }

  /** Each primitive is one synchronous step, which is what makes it atomic here. */
  const step = <A>(body: (now: number) => A): Effect.Effect<A> =>
    Effect.clockWith((clock) => Effect.sync(() => body(clock.unsafeCurrentTimeMillis())))

  return makeStore({
    changes: (namespaceTag, listener) =>
      Effect.asVoid(Effect.acquireRelease(
        Effect.sync(() => {
          const heard = listeners.get(namespaceTag) ?? new Set()
          listeners.set(namespaceTag, heard.add(listener))
          listener.on()
        }),
        () =>
          Effect.sync(() => {
            const heard = listeners.get(namespaceTag)
            heard?.delete(listener)
            if (heard?.size === 0) listeners.delete(namespaceTag)
          })
      )),
    lookup: Object.assign((entry: string, asked: ReadonlyArray<string>) => step((now) => lookup(entry, asked, now)), {
      unsafe: ((entry, asked, { clock }, tell) =>
        tell(Either.right(lookup(entry, asked, clock.unsafeCurrentTimeMillis())))) satisfies UnsafeLookup
    }),
    obtain: (asked, ttlMillis, probationMillis = 0) =>
      step((now) => asked.map((tag) => obtain(tag, now, ttlMillis, probationMillis))),
    replace: (entry, bytes, ttlMillis, seen, until = Infinity) =>
      step((now) => {
        const found = current(entries, entry, now)
        const same = found === undefined ? seen === null : seen !== null && startsWith(found.value, seen)
        if (!same || until <= now) return false
        entries.set(entry, { value: bytes, expiresAt: Math.min(now + ttlMillis, until) })
        return true
      }),
    remove: (entry, seen) =>
      step((now) => {
        const found = current(entries, entry, now)
        if (found !== undefined && startsWith(found.value, seen)) entries.delete(entry)
      }),
    invalidate: (steps, ttlMillis) =>
      step((now) =>
        steps.map((one) => {
          const inPlace = invalidate(one, now, ttlMillis)
          tell(one.tag)
          return inPlace
        })),
    begin: (asked, token, ttlMillis) =>
      step((now) =>
        asked.forEach((one) => {
          begin(one, token, now, ttlMillis)
          tell(one.tag)
        })),
    end: (asked, token, committed, ttlMillis) =>
      step((now) =>
        asked.map((one) => {
          const inPlace = end(one, token, committed, now, ttlMillis)
          if (committed) tell(one.tag)
          return inPlace
        }))
  })
}

/**
 * A memory store as a layer: a new, empty one each time the layer is built.
 *
 * @since 0.1.0
 * @category layers
 */
export const layer = (options?: Options): Layer.Layer<CacheStore> => Layer.sync(CacheStore, () => make(options))
