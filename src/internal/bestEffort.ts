/**
 * A store over a place that keeps bytes by name and has no atomic steps to offer: read, write, remove.
 *
 * Within one process those who change one name take turns. Between processes nobody does, so nothing here may depend
 * on it. Two rules see to that: what is written in a tag's place is always a stamp that was never there before, and
 * every invalidation takes the stamp away. Whichever of two steps comes last, a stamp that is gone stays gone. That
 * leaves no room for intents, for the soft part of a stamp, and for a write that stores its own result.
 */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import { CacheError } from "../CacheError.js"
import { make as makeStore } from "../CacheStore.js"
import type { CacheStore, Ordered, TagState } from "../CacheStore.js"
import { make as makeLock } from "../DistributedLock/Memory.js"
import type { DistributedLock } from "../DistributedLock.js"
import { startsWith } from "./bytes.js"
import { sha256 } from "./hash.js"
import { makeStamp, probationOf } from "./stamp.js"

/**
 * Where bytes are kept. What is written may be gone before its time, and may stay after it.
 *
 * @internal
 */
export interface Place {
  readonly read: (names: ReadonlyArray<string>) => Effect.Effect<ReadonlyArray<Uint8Array | null>, CacheError>
  readonly write: (name: string, bytes: Uint8Array, ttlMillis: number) => Effect.Effect<void, CacheError>
  /** Succeeds only when it is certain that nothing of what was there will be read again. */
  readonly remove: (name: string) => Effect.Effect<void, CacheError>
}

/** What all stores over the same place have in common, in this process. */
interface Shared {
  readonly lock: DistributedLock
  /** Runs the effect when nobody else in this process is at work on the name. */
  readonly inTurn: <A>(name: string, effect: Effect.Effect<A, CacheError>) => Effect.Effect<A, CacheError>
}

const places = new WeakMap<object, Shared>()

const makeShared = (): Shared => {
  const turns = new Map<string, { readonly semaphore: Effect.Semaphore; users: number }>()
  const enter = (name: string) =>
    Effect.sync(() => {
      const turn = turns.get(name) ?? { semaphore: Effect.unsafeMakeSemaphore(1), users: 0 }
      turns.set(name, turn)
      turn.users++
      return turn
    })
  return {
    lock: makeLock(),
    inTurn: (name, effect) =>
      Effect.acquireUseRelease(enter(name), ({ semaphore }) => semaphore.withPermits(1)(effect), (turn) =>
        Effect.sync(() => {
          if (--turn.users === 0) turns.delete(name)
        }))
  }
}

const sharedOf = (owner: object): Shared => {
  const known = places.get(owner)
  if (known !== undefined) return known
  const shared = makeShared()
  places.set(owner, shared)
  return shared
}

/**
 * A lock among all who use the same place in this process.
 *
 * @internal
 */
export const lockOf = (owner: object): DistributedLock => sharedOf(owner).lock

/** How many names are dealt with at once: a file system has only so many handles. */
const concurrency = 32

const { decoder, encoder } = { decoder: new TextDecoder(), encoder: new TextEncoder() }

/** Not every place takes long names, or other characters. */
const plainName = /^[\w:=#/{}%.-]{1,160}$/

const nameIn = (name: string): string => plainName.test(name) ? name : `epc1:#${sha256(name)}`

/**
 * A stamp cannot be given more time here, and all entries under it are lost when another one takes its place: it lives
 * longer than was asked for, up to four weeks.
 */
const lifeOf = (ttlMillis: number): number => Math.max(ttlMillis, Math.min(14 * ttlMillis, 28 * 24 * 60 * 60 * 1000))

/** As a stamp is written here. A place may give back the beginning of what somebody is just writing. */
const stampForm = /^s:[\w-]{22}(~\d+)?\.0$/

/** How many bytes say until when the rest may be read, in milliseconds since 1970, as a float64. */
const headLength = 8

const pack = (bytes: Uint8Array, expiresAt: number): Uint8Array => {
  const packed = new Uint8Array(headLength + bytes.length)
  new DataView(packed.buffer).setFloat64(0, expiresAt)
  packed.set(bytes, headLength)
  return packed
}

interface Kept {
  readonly bytes: Uint8Array
  readonly expiresAt: number
}

const unpack = (packed: Uint8Array | null, now: number): Kept | undefined => {
  if (packed === null || packed.length < headLength) return undefined
  const expiresAt = new DataView(packed.buffer, packed.byteOffset, headLength).getFloat64(0)
  return expiresAt > now ? { bytes: packed.subarray(headLength), expiresAt } : undefined
}

const stampIn = (kept: Kept | undefined): string | undefined => {
  if (kept === undefined) return undefined
  const text = decoder.decode(kept.bytes)
  return stampForm.test(text) ? text : undefined
}

/**
 * A store over a place. Stores of one owner, whoever makes them, take turns in this process.
 *
 * @internal
 */
export const makeBestEffort = (owner: object, place: Place): CacheStore => {
  const { inTurn } = sharedOf(owner)

  const read = (names: ReadonlyArray<string>, now: number) =>
    Effect.map(place.read(names.map(nameIn)), (found) => names.map((_, i) => unpack(found[i] ?? null, now)))

  const readOne = (name: string, now: number) => Effect.map(read([name], now), ([kept]) => kept)

  const write = (name: string, bytes: Uint8Array, now: number, expiresAt: number) =>
    place.write(nameIn(name), pack(bytes, expiresAt), Math.max(1, Math.ceil(expiresAt - now)))

  /**
   * A stamp that will do, if there is one: what lives half as long as was asked for outlives the entries under it. It is
   * never given more time, since to write it again could bring back what somebody else has just taken away.
   */
  const lasting = (kept: Kept | undefined, now: number, ttlMillis: number): string | undefined => {
    const stamp = stampIn(kept)
    if (kept === undefined || stamp === undefined) return undefined
    return kept.expiresAt - now >= ttlMillis / 2 && (probationOf(stamp) ?? Infinity) > now ? stamp : undefined
  }

  const obtainOne = (tag: string, now: number, ttlMillis: number, probationMillis: number) =>
    inTurn(tag, Effect.flatMap(readOne(tag, now), (kept): Effect.Effect<string, CacheError> => {
      const there = lasting(kept, now, ttlMillis)
      if (there !== undefined) return Effect.succeed(there)
      const isTried = (probationOf(stampIn(kept) ?? "") ?? Infinity) <= now
      const stamp = makeStamp({ until: isTried || probationMillis === 0 ? undefined : now + probationMillis })
      return Effect.as(write(tag, encoder.encode(stamp), now, now + lifeOf(ttlMillis)), stamp)
    }))

  const removeAll = (steps: ReadonlyArray<Ordered>, isFirst: boolean) => {
    const names = steps.filter(({ first }) => (first === true) === isFirst).map(({ tag }) => tag)
    // One that fails is no reason to leave out the others.
    return Effect.forEach(names, (tag) => Effect.either(inTurn(tag, place.remove(nameIn(tag)))), { concurrency }).pipe(
      Effect.flatMap((done) => done.find(Either.isLeft) ?? Effect.void)
    )
  }

  const removeTags = (steps: ReadonlyArray<Ordered>) =>
    Effect.as(Effect.zipRight(removeAll(steps, true), removeAll(steps, false)), steps.map(() => false))

  return makeStore({
    level: "bestEffort",
    lookup: (entry, tags) =>
      Effect.flatMap(Clock.currentTimeMillis, (now) =>
        Effect.map(read([entry, ...tags], now), ([found, ...kept]) => ({
          entry: found?.bytes ?? null,
          states: kept.map((one): TagState => stampIn(one) ?? null)
        }))),
    obtain: (tags, ttlMillis, probationMillis = 0) =>
      tags.length === 0 ? Effect.succeed([]) : Effect.flatMap(Clock.currentTimeMillis, (now) =>
        Effect.flatMap(read(tags, now), (kept) =>
          Effect.forEach(tags, (tag, i) => {
            const there = lasting(kept[i], now, ttlMillis)
            return there === undefined ? obtainOne(tag, now, ttlMillis, probationMillis) : Effect.succeed(there)
          }, { concurrency }))),
    replace: (entry, bytes, ttlMillis, seen, until = Infinity) =>
      inTurn(entry, Effect.flatMap(Clock.currentTimeMillis, (now) =>
        Effect.flatMap(readOne(entry, now), (found) => {
          const same = found === undefined ? seen === null : seen !== null && startsWith(found.bytes, seen)
          if (!same || until <= now) return Effect.succeed(false)
          return Effect.as(write(entry, bytes, now, Math.min(now + ttlMillis, until)), true)
        }))),
    remove: (entry, seen) =>
      inTurn(entry, Effect.flatMap(Clock.currentTimeMillis, (now) =>
        Effect.flatMap(readOne(entry, now), (found) =>
          found !== undefined && startsWith(found.bytes, seen) ? place.remove(nameIn(entry)) : Effect.void))),
    invalidate: (steps) => removeTags(steps),
    begin: () => Effect.fail(new CacheError({ reason: "Rejected", operation: "begin a write" })),
    end: (tags, _, committed) => committed ? removeTags(tags) : Effect.succeed(tags.map(() => false))
  })
}
