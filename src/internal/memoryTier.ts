/**
 * A memory in front of the store: answers that this process has seen lately, as long as nothing says that they are no
 * longer those of the store.
 *
 * The store tells of every change. What is kept here was learnt from the store at a certain moment, and is of worth as
 * long as no change of its tags was heard since then; of all that was learnt before a time in which changes may have
 * gone unheard nothing is. So nothing has to be found and taken away when a tag changes, however many entries carry it,
 * and what is still on its way from the store when the change is heard will be of no worth either.
 */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Scope from "effect/Scope"
import { LRUCache } from "lru-cache"
import type { CacheEntry } from "../CacheEntry.js"
import type { CacheStore, ChangeListener } from "../CacheStore.js"
import type { MemoryOptions, Options } from "../QueryCache.js"
import type { ValueTypes } from "../Serializer.js"
import { makeCopier } from "./copier.js"
import type { Copier } from "./copier.js"
import type { Names } from "./names.js"
import { pack } from "./text.js"
import type { Packed } from "./text.js"

/** What there is to be said of an answer that was found, and how much was read. */
export interface Life extends Pick<CacheEntry, "createdAt" | "ttlMillis" | "queryMillis"> {
  readonly bytes: number
}

/** Bounds of the memory. */
export interface Bounds {
  readonly maxBytes: number
  readonly maxEntries: number
  readonly maxAgeMillis: number
}

/** Of so many tags the latest change is remembered. What was learnt before the oldest of those is of no worth. */
const maxChanges = 10_000

/** What an entry takes beside its answer: its names, and its place among the others. About, in bytes. */
const overhead = 400

/** A whole number of some days in milliseconds takes no memory of its own if it is made as one. */
const compact = (millis: number): number => {
  const whole = millis | 0
  return whole === millis ? whole : millis
}

interface Times {
  readonly tags: ReadonlyArray<string>
  /** Times are milliseconds from the tier's own beginning, which makes small numbers of them. */
  readonly createdAt: number
  readonly ttlMillis: number
  readonly queryMillis: number
  /** Of the form of the store. */
  readonly bytes: number
  /** When it is not to be served any more, by the clock of those who ask. */
  readonly until: number
  /** The change up to which it is known to be of worth. */
  checked: number
}

/**
 * An answer that is kept: as the store has it, until it is asked for the first time; then the value that the copier
 * makes copies of. There may be many: every field counts.
 */
export type Held = Times & (
  | { readonly copier: undefined; readonly form: Packed }
  | { readonly copier: Copier; readonly form: unknown }
)

/** A moment: what is learnt from now on. Negative: it is not to be kept. */
export type Since = number

export const never: Since = -1

export interface MemoryTier extends ChangeListener {
  readonly since: () => Since
  /** What is kept under a digest and of worth now. */
  readonly recall: (digest: string, now: number) => Held | undefined
  /** Keeps what was learnt from the store, unless it may have changed since it was asked for. */
  readonly keep: (digest: string, entry: CacheEntry, since: Since, now: number) => Held | undefined
  /** Keeps a copy of the value that it is, of which further copies are made. */
  readonly keepValue: (digest: string, held: Held, value: unknown, types: ValueTypes) => void
  /** What there is to be said of it. */
  readonly lifeOf: (held: Held) => Life
  readonly forget: (digest: string) => void
}

export const makeMemoryTier = (bounds: Bounds): MemoryTier => {
  const entries = new LRUCache<string, Held>({ max: bounds.maxEntries, maxSize: bounds.maxBytes })
  /** The latest change of each tag, the oldest first. */
  const changes = new Map<string, number>()
  let latest = 0
  /** What was learnt before is of no worth. */
  let floor = 0
  let isOn = false
  /** Until when changes are heard for certain. */
  let assured = Infinity
  let origin: number | undefined

  const isOfWorth = (tags: ReadonlyArray<string>, since: Since): boolean => {
    if (since < floor) return false
    for (const tag of tags) if ((changes.get(tag) ?? 0) > since) return false
    return true
  }

  const startAnew = (on: boolean) => {
    isOn = on
    assured = Infinity
    floor = ++latest
    changes.clear()
    entries.clear()
  }

  /** Names that many entries carry are one text. */
  const names = new LRUCache<string, string>({ max: 1_000 })
  const interned = (name: string): string => {
    const known = names.get(name)
    if (known === undefined) names.set(name, name)
    return known ?? name
  }

  return {
    on: () => startAnew(true),
    off: () => startAnew(false),
    assured: (until) => {
      assured = until
    },
    changed: (tag) => {
      if (!isOn) return
      changes.delete(tag)
      changes.set(tag, ++latest)
      if (changes.size <= maxChanges) return
      for (const [oldest, at] of changes) {
        changes.delete(oldest)
        floor = at
        break
      }
    },
    since: () => isOn ? latest : never,
    recall: (digest, now) => {
      const held = entries.get(digest)
      if (held === undefined || (assured !== Infinity && performance.now() > assured)) return undefined
      if (now - (origin ?? 0) < held.until && (held.checked === latest || isOfWorth(held.tags, held.checked))) {
        held.checked = latest
        return held
      }
      entries.delete(digest)
      return undefined
    },
    keep: (digest, { createdAt, keptMillis, payload, queryMillis, tags, ttlMillis }, since, now) => {
      if (!isOn || since === never || !isOfWorth(tags, since)) return undefined
      const until = Math.min(now + bounds.maxAgeMillis, now + Math.min(ttlMillis, keptMillis), createdAt + ttlMillis)
      if (until <= now) return undefined
      const bytes = payload.length
      origin ??= now
      const held: Held = {
        tags: tags.map(interned),
        createdAt: compact(createdAt - origin),
        ttlMillis: compact(ttlMillis),
        queryMillis: compact(queryMillis),
        bytes,
        until: compact(until - origin),
        checked: latest,
        form: pack(payload),
        copier: undefined
      }
      entries.set(digest, held, { size: bytes + overhead })
      return held
    },
    keepValue: (digest, held, value, types) => {
      const made = makeCopier(value, types)
      if (made === undefined) return
      const { bytes, copier } = made
      entries.set(digest, { ...held, form: copier.copy(value), copier }, { size: bytes + overhead })
    },
    lifeOf: ({ bytes, createdAt, queryMillis, ttlMillis }) => ({
      createdAt: createdAt + (origin ?? 0),
      ttlMillis,
      queryMillis,
      bytes
    }),
    forget: (digest) => void entries.delete(digest)
  }
}

const defaults = { maxBytes: 32 * 1024 * 1024, maxEntries: 10_000, maxAgeMillis: 60_000 }

const boundsOf = ({ maxAge, maxBytes, maxEntries }: MemoryOptions): Bounds => ({
  maxBytes: maxBytes ?? defaults.maxBytes,
  maxEntries: maxEntries ?? defaults.maxEntries,
  maxAgeMillis: maxAge === undefined ? defaults.maxAgeMillis : Duration.toMillis(maxAge)
})

/**
 * The memory in front of a store, if there is to be one. Where the store cannot tell of changes it is the caller's word
 * for how old answers may become.
 */
export const openMemory = (
  store: CacheStore,
  own: Names,
  { memory }: Pick<Options, "memory">,
  scope: Scope.Scope
): Effect.Effect<MemoryTier | undefined> => {
  if (memory === undefined || memory === false) return Effect.succeed(undefined)
  const tier = makeMemoryTier(boundsOf(memory === true ? {} : memory))
  // A store that throws where it should listen is one that is not heard.
  const hearing = Effect.catchAllDefect(
    Effect.suspend(() => store.changes === undefined ? Effect.sync(tier.on) : store.changes(own.namespaceTag, tier)),
    () => Effect.sync(tier.off)
  )
  return Effect.acquireRelease(Effect.succeed(tier), () => Effect.sync(tier.off)).pipe(
    Effect.tap(() => hearing),
    Scope.extend(scope)
  )
}
