/**
 * What every store must do, whatever it keeps things in. What a best effort store promises, it promises to those who
 * use it in one process: that is the whole suite but for what only atomic steps can give, and there it says what is
 * to come instead.
 */
import { describe, expect, layer } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type * as Layer from "effect/Layer"
import * as Runtime from "effect/Runtime"
import * as Scope from "effect/Scope"
import { CacheStore } from "../../src/CacheStore.js"
import type { Invalidation, Level } from "../../src/CacheStore.js"
import { makeNames } from "../../src/internal/names.js"
import { makeStamp } from "../../src/internal/stamp.js"
import { uniqueName } from "../support/servers.js"
import { Backdoor } from "./backdoor.js"
import { afterwards } from "./time.js"
import type { Time } from "./time.js"

const minute = 60_000
const short = 60

/** Bytes that no text can hold, beginning as an entry does: with what tells it from every other. */
const makeEntry = (length = 300): Uint8Array => {
  const bytes = new Uint8Array(length).map((_, i) => i % 251)
  globalThis.crypto.getRandomValues(bytes.subarray(0, 17))
  bytes.set([0, 0xff, 0x0d, 0x0a, 0x80].slice(0, length), Math.max(0, Math.min(12, length - 5)))
  return bytes
}
const identity = (bytes: Uint8Array) => bytes.subarray(0, 17)

/** Names are taken as they are, whatever they are made of. */
const entryName = () => uniqueName("e:{digest}:\u00e9\u{1F600} \r\n:")
const tagName = () => uniqueName("t:\u00fc :")

/** What of a stamp is changed by nothing but an end to all that carries it. */
const hardPart = (stamp: string | null): string => String(stamp).split(".", 1).join()

const stampForm = /^s:[^.:~!]{22}(![^.:~!]{3,8})?\.[^.:]+$/
const youngForm = /^s:[^.:~!]{22}(![^.:~!]{3,8})?~\d+\.0$/

const kill = (tag: string): Invalidation => ({ _tag: "kill", tag })
const expire = (tag: string): Invalidation => ({ _tag: "expire", tag })
const swap = (tag: string, expected: string, next: string): Invalidation => ({ _tag: "swap", tag, expected, next })

/** A stamp that the store may be given for a tag. */
const stampFor = (store: CacheStore, tag: string): string => store.newStamp?.(tag) ?? makeStamp()

export interface Options<E> {
  /** How the test report calls it. */
  readonly name: string
  /** A store, empty or not. With `backdoor` it comes with a `Backdoor` to the same place. */
  readonly layer: Layer.Layer<CacheStore, E>
  readonly time: Time
  readonly backdoor?: boolean
  /** Default `atomic`. */
  readonly level?: Level
  /** Whether the store tells of changes. */
  readonly tells?: boolean
}

type Test = (name: string, test: () => Effect.Effect<void, unknown, CacheStore>, timeout?: number) => void

export const storeConformance = <E>(options: Options<E>): void => {
  // Two types, of whose difference no test makes use.
  if (options.time === "test") layer(options.layer)(options.name, (it) => suite(it.effect, options))
  else {
    layer(options.layer, { excludeTestServices: true, timeout: "60 seconds" })(
      options.name,
      (it) => suite(it.effect, options)
    )
  }
}

const suite = <E>(it: Test, { backdoor, level = "atomic", tells = false, time }: Options<E>): void => {
  const test = (name: string, body: (store: CacheStore) => Effect.Effect<void, unknown>) =>
    it(name, () => Effect.flatMap(CacheStore, body))
  const atomic: typeof test = (name, body) => level === "atomic" ? test(name, body) : undefined
  const bestEffort: typeof test = (name, body) => level === "bestEffort" ? test(name, body) : undefined
  const behind = (name: string, body: (store: CacheStore, door: Backdoor) => Effect.Effect<void, unknown>) => {
    if (backdoor !== true) return
    test(name, (store) => Effect.flatMap(Effect.flatten(Effect.serviceOption(Backdoor)), (door) => body(store, door)))
  }
  const stampOf = (store: CacheStore, tag: string) =>
    Effect.map(store.obtain([tag], minute), ([state]) => {
      expect(state).toMatch(stampForm)
      return String(state)
    })
  const stateOf = (store: CacheStore, tag: string) =>
    Effect.map(store.lookup(entryName(), [tag]), ({ states }) => states[0] ?? null)
  const entryOf = (store: CacheStore, entry: string) => Effect.map(store.lookup(entry, []), (found) => found.entry)

  test(`says that it is ${level}`, (store) => Effect.sync(() => expect(store.level ?? "atomic").toBe(level)))

  test(`${tells ? "tells" : "does not tell"} of changes`, (store) =>
    Effect.sync(() => expect(store.changes !== undefined).toBe(tells)))

  describe("lookup", () => {
    test("answers null for what is not there", (store) =>
      Effect.gen(function*() {
        expect(yield* store.lookup(entryName(), [])).toEqual({ entry: null, states: [] })
        expect(yield* store.lookup(entryName(), [tagName(), tagName()])).toEqual({ entry: null, states: [null, null] })
      }))

    test("answers the tags in the order asked, each as often as asked", (store) =>
      Effect.gen(function*() {
        const [a, b, absent] = [tagName(), tagName(), tagName()]
        const [ofA, ofB] = yield* store.obtain([a, b], minute)
        expect(ofA).not.toBe(ofB)
        const { states } = yield* store.lookup(entryName(), [b, absent, a, b, a])
        expect(states).toEqual([ofB, null, ofA, ofB, ofA])
      }))

    test("gives an entry back byte for byte, whatever its bytes and its size", (store) =>
      Effect.gen(function*() {
        for (const bytes of [makeEntry(1), makeEntry(), makeEntry(100_000), new TextEncoder().encode("s:text.0")]) {
          const name = entryName()
          expect(yield* store.replace(name, bytes, minute, null)).toBe(true)
          const found = yield* entryOf(store, name)
          expect(Buffer.from(found ?? []).equals(bytes)).toBe(true)
        }
      }))

    test("answers each of many at once with its own", (store) =>
      Effect.gen(function*() {
        const names = Array.from({ length: 700 }, entryName)
        const tags = names.map(tagName)
        const stamps = yield* store.obtain(tags, minute)
        const entries = names.map(() => makeEntry(40))
        yield* Effect.forEach(names, (name, i) => store.replace(name, entries[i] ?? makeEntry(), minute, null), {
          concurrency: "unbounded"
        })
        const found = yield* Effect.forEach(names, (name, i) => store.lookup(name, [tags[i] ?? "", tags[0] ?? ""]), {
          concurrency: "unbounded"
        })
        expect(found.map(({ entry }) => Buffer.from(entry ?? []).toString("hex"))).toEqual(
          entries.map((entry) => Buffer.from(entry).toString("hex"))
        )
        expect(found.map(({ states }) => states)).toEqual(stamps.map((stamp) => [stamp, stamps[0]]))
      }))
  })

  describe("obtain", () => {
    test("makes a stamp where there is none, once, and in the order asked", (store) =>
      Effect.gen(function*() {
        const [a, b] = [tagName(), tagName()]
        const first = yield* store.obtain([a, b], minute)
        expect(first).toEqual([expect.stringMatching(stampForm), expect.stringMatching(stampForm)])
        expect(yield* store.obtain([b, a], minute)).toEqual([first[1], first[0]])
        expect((yield* store.lookup(entryName(), [a, b])).states).toEqual(first)
      }))

    test("agrees on one stamp among a hundred who ask at once", (store) =>
      Effect.gen(function*() {
        const tags = [tagName(), tagName()]
        const answers = yield* Effect.all(Array.from({ length: 100 }, () => store.obtain(tags, minute)), {
          concurrency: "unbounded"
        })
        expect(new Set(answers.map((states) => states.join())).size).toBe(1)
      }))

    test("answers nothing to nobody", (store) =>
      Effect.gen(function*() {
        expect(yield* store.obtain([], minute)).toEqual([])
      }))

    test("makes a stamp on probation where there is none and one is asked for", (store) =>
      Effect.gen(function*() {
        const [tag, known] = [tagName(), tagName()]
        const lasting = yield* stampOf(store, known)
        const [young, same] = yield* store.obtain([tag, known], minute, minute)
        expect(young).toMatch(youngForm)
        expect(same).toBe(lasting)
        expect(yield* store.obtain([tag], minute, minute)).toEqual([young])
        expect(yield* store.obtain([tag], minute)).toEqual([young])
      }))

    test("makes a lasting stamp where a probation is over", (store) =>
      Effect.gen(function*() {
        const tag = tagName()
        const [young] = yield* store.obtain([tag], minute, short)
        expect(young).toMatch(youngForm)
        yield* afterwards(time, short, "the probation is over", Effect.map(store.obtain([tag], minute, short), ([state]) => state !== young))
        expect(yield* stateOf(store, tag)).toMatch(stampForm)
      }))

    test("makes a stamp that ends, and another one afterwards", (store) =>
      Effect.gen(function*() {
        const tag = tagName()
        const [first] = yield* store.obtain([tag], short)
        yield* afterwards(time, level === "atomic" ? short : 20 * short, "the stamp is gone", Effect.map(stateOf(store, tag), (state) => state === null))
        expect(yield* stampOf(store, tag)).not.toBe(first)
      }))

    behind("prolongs a stamp's life and never shortens it", (store, door) =>
      Effect.gen(function*() {
        const tag = tagName()
        const [stamp] = yield* store.obtain([tag], minute)
        expect(yield* door.ttl(tag)).toBeLessThanOrEqual(minute)
        expect(yield* store.obtain([tag], 5 * minute)).toEqual([stamp])
        expect(yield* door.ttl(tag)).toBeGreaterThan(4 * minute)
        expect(yield* store.obtain([tag], minute)).toEqual([stamp])
        expect(yield* door.ttl(tag)).toBeGreaterThan(4 * minute)
      }))

    behind("neither replaces nor prolongs a write under way", (store, door) =>
      Effect.gen(function*() {
        const [tag, other] = [tagName(), tagName()]
        const intent = "w:previous.0:solo:token@1"
        yield* door.set(tag, intent, minute)
        const [state, stamp] = yield* store.obtain([tag, other], 5 * minute)
        expect([state, stamp]).toEqual([intent, expect.stringMatching(stampForm)])
        expect(yield* stateOf(store, tag)).toBe(intent)
        expect(yield* door.ttl(tag)).toBeLessThanOrEqual(minute)
      }))

    bestEffort("gives a stamp that lives as long as the entries under it, the same one or another", (store) =>
      Effect.gen(function*() {
        const tag = tagName()
        const [brief] = yield* store.obtain([tag], minute)
        expect(yield* store.obtain([tag], 2 * minute)).toEqual([brief])
        const [long] = yield* store.obtain([tag], 100 * minute)
        expect(long).toMatch(stampForm)
        expect(long).not.toBe(brief)
        expect(yield* store.obtain([tag], minute)).toEqual([long])
        expect(yield* stateOf(store, tag)).toBe(long)
      }))

    if (time === "test") {
      atomic("prolongs a stamp's life", (store) =>
        Effect.gen(function*() {
          const tag = tagName()
          const [stamp] = yield* store.obtain([tag], minute)
          yield* store.obtain([tag], 5 * minute)
          yield* store.obtain([tag], minute)
          yield* afterwards(time, 4 * minute, "it lives", Effect.map(stateOf(store, tag), (state) => state === stamp))
          yield* afterwards(time, minute, "it is gone", Effect.map(stateOf(store, tag), (state) => state === null))
        }))
    }
  })

  describe("replace", () => {
    test("stores where nothing is, for as long as it is told", (store) =>
      Effect.gen(function*() {
        const [name, bytes] = [entryName(), makeEntry()]
        expect(yield* store.replace(name, bytes, short, null)).toBe(true)
        yield* afterwards(time, short, "the entry is gone", Effect.map(entryOf(store, name), (found) => found === null))
      }))

    test("stores over what was seen", (store) =>
      Effect.gen(function*() {
        const [name, first, second] = [entryName(), makeEntry(), makeEntry(50)]
        yield* store.replace(name, first, minute, null)
        expect(yield* store.replace(name, second, minute, identity(first))).toBe(true)
        expect(yield* entryOf(store, name)).toEqual(second)
      }))

    test("changes nothing when another one came first", (store) =>
      Effect.gen(function*() {
        const [name, seen, first, late] = [entryName(), makeEntry(), makeEntry(), makeEntry()]
        yield* store.replace(name, seen, minute, null)
        yield* store.replace(name, first, minute, identity(seen))
        expect(yield* store.replace(name, late, minute, identity(seen))).toBe(false)
        expect(yield* store.replace(name, late, minute, null)).toBe(false)
        expect(yield* entryOf(store, name)).toEqual(first)
      }))

    test("stores nothing over an entry that was seen and is gone", (store) =>
      Effect.gen(function*() {
        const [name, seen] = [entryName(), makeEntry()]
        expect(yield* store.replace(name, makeEntry(), minute, identity(seen))).toBe(false)
        expect(yield* entryOf(store, name)).toBeNull()
      }))

    test("lets one win of a hundred at once", (store) =>
      Effect.gen(function*() {
        const name = entryName()
        const entries = Array.from({ length: 100 }, () => makeEntry(60))
        const won = yield* Effect.forEach(entries, (bytes) => store.replace(name, bytes, minute, null), {
          concurrency: "unbounded"
        })
        expect(won.filter(Boolean)).toHaveLength(1)
        expect(yield* entryOf(store, name)).toEqual(entries[won.indexOf(true)])
      }))

    test("does not mix up entries whose beginnings another kind of comparison would take for equal", (store) =>
      Effect.gen(function*() {
        const name = entryName()
        yield* store.replace(name, Uint8Array.of(0x61, 0x00, 0x80, 1), minute, null)
        expect(yield* store.replace(name, makeEntry(), minute, Uint8Array.of(0x61, 0x00, 0x81))).toBe(false)
        expect(yield* store.replace(name, makeEntry(), minute, Uint8Array.of(0x61, 0x00, 0x80, 1, 1))).toBe(false)
        expect(yield* store.replace(name, makeEntry(), minute, Uint8Array.of(0x61, 0x00, 0x80))).toBe(true)
      }))
  })

  describe("an entry that may live until some time only", () => {
    const untilOf = (store: CacheStore, probation: number) =>
      Effect.map(store.obtain([tagName()], minute, probation), ([young]) => Number(/~(\d+)/.exec(young ?? "")?.[1]))

    test("is stored until then", (store) =>
      Effect.gen(function*() {
        const name = entryName()
        expect(yield* store.replace(name, makeEntry(), minute, null, yield* untilOf(store, minute))).toBe(true)
        expect(yield* entryOf(store, name)).not.toBeNull()
      }))

    test("is gone then, and is not stored afterwards", (store) =>
      Effect.gen(function*() {
        const name = entryName()
        const until = yield* untilOf(store, short)
        yield* store.replace(name, makeEntry(), minute, null, until)
        yield* afterwards(time, short, "the entry is gone", Effect.map(entryOf(store, name), (entry) => entry === null))
        expect(yield* store.replace(name, makeEntry(), minute, null, until)).toBe(false)
        expect(yield* entryOf(store, name)).toBeNull()
      }))
  })

  describe("remove", () => {
    test("removes what was seen", (store) =>
      Effect.gen(function*() {
        const [name, bytes] = [entryName(), makeEntry()]
        yield* store.replace(name, bytes, minute, null)
        yield* store.remove(name, identity(bytes))
        expect(yield* entryOf(store, name)).toBeNull()
        yield* store.remove(name, identity(bytes))
      }))

    test("leaves what came after it", (store) =>
      Effect.gen(function*() {
        const [name, seen, bytes] = [entryName(), makeEntry(), makeEntry()]
        yield* store.replace(name, bytes, minute, null)
        yield* store.remove(name, identity(seen))
        expect(yield* entryOf(store, name)).toEqual(bytes)
      }))
  })

  describe("invalidate", () => {
    test("kill: the stamp is gone, and never comes back", (store) =>
      Effect.gen(function*() {
        const tag = tagName()
        const stamp = yield* stampOf(store, tag)
        expect(yield* store.invalidate([kill(tag)], minute)).toEqual([false])
        expect(yield* stateOf(store, tag)).toBeNull()
        expect(yield* store.invalidate([kill(tag)], minute)).toEqual([false])
        expect(hardPart(yield* stampOf(store, tag))).not.toBe(hardPart(stamp))
      }))

    atomic("expire: only the soft part changes, each time", (store) =>
      Effect.gen(function*() {
        const tag = tagName()
        const first = yield* stampOf(store, tag)
        expect(yield* store.invalidate([expire(tag)], minute)).toEqual([false])
        const second = yield* stateOf(store, tag)
        yield* store.invalidate([expire(tag)], minute)
        const third = yield* stateOf(store, tag)
        expect(new Set([first, second, third]).size).toBe(3)
        expect([first, second, third].map(hardPart)).toEqual(Array.from({ length: 3 }, () => hardPart(first)))
        expect(third).toMatch(stampForm)
      }))

    test("expire: where nothing is, nothing comes of it", (store) =>
      Effect.gen(function*() {
        const tag = tagName()
        expect(yield* store.invalidate([expire(tag)], minute)).toEqual([false])
        expect(yield* stateOf(store, tag)).toBeNull()
      }))

    atomic("swap: the new stamp takes the place of the expected one, however often it is told", (store) =>
      Effect.gen(function*() {
        const tag = tagName()
        const next = stampFor(store, tag)
        const stamp = yield* stampOf(store, tag)
        expect(yield* store.invalidate([swap(tag, stamp, next)], minute)).toEqual([true])
        expect(yield* stateOf(store, tag)).toBe(next)
        expect(yield* store.invalidate([swap(tag, stamp, next)], minute)).toEqual([true])
        expect(yield* stateOf(store, tag)).toBe(next)
      }))

    test("swap: any other stamp is gone, and the new one is not in place", (store) =>
      Effect.gen(function*() {
        const tag = tagName()
        const stamp = yield* stampOf(store, tag)
        yield* store.invalidate([expire(tag)], minute)
        expect(yield* store.invalidate([swap(tag, stamp, makeStamp())], minute)).toEqual([false])
        expect(yield* stateOf(store, tag)).toBeNull()
        expect(yield* store.invalidate([swap(tag, stamp, makeStamp())], minute)).toEqual([false])
        expect(yield* stateOf(store, tag)).toBeNull()
      }))

    atomic("answers each step in its place, those that are to be first among them", (store) =>
      Effect.gen(function*() {
        const [a, b, c] = [tagName(), tagName(), tagName()]
        const [ofA = "", , ofC = ""] = (yield* store.obtain([a, b, c], minute)).map(String)
        const [nextA, nextC] = [stampFor(store, a), stampFor(store, c)]
        const steps = [swap(a, ofA, nextA), { ...kill(b), first: true }, { ...swap(c, ofC, nextC), first: true }]
        expect(yield* store.invalidate(steps, minute)).toEqual([true, false, true])
        expect((yield* store.lookup(entryName(), [a, b, c])).states).toEqual([nextA, null, nextC])
        expect(yield* store.invalidate([], minute)).toEqual([])
      }))

    bestEffort("whatever it says, the stamp is gone, and no other is in its place", (store) =>
      Effect.gen(function*() {
        for (const isFirst of [true, false]) {
          const tags = [tagName(), tagName(), tagName(), tagName()] as const
          const [a, b, c] = tags
          const [ofA = "", , , left] = yield* store.obtain(tags, minute)
          const steps = [swap(a, String(ofA), makeStamp()), { ...expire(b), first: isFirst }, kill(c)]
          expect(yield* store.invalidate(steps, minute)).toEqual([false, false, false])
          expect((yield* store.lookup(entryName(), tags)).states).toEqual([null, null, null, left])
          expect(yield* store.invalidate(steps, minute)).toEqual([false, false, false])
          expect(yield* store.invalidate([], minute)).toEqual([])
        }
      }))

    test("leaves every other tag and every entry alone", (store) =>
      Effect.gen(function*() {
        const [tag, other, name, bytes] = [tagName(), tagName(), entryName(), makeEntry()]
        const stamps = yield* store.obtain([tag, other], minute)
        yield* store.replace(name, bytes, minute, null)
        yield* store.invalidate([kill(tag)], minute)
        expect(yield* store.lookup(name, [tag, other])).toEqual({ entry: bytes, states: [null, stamps[1]] })
      }))

    behind("expire: a stamp's life is neither prolonged nor shortened", (store, door) =>
      Effect.gen(function*() {
        const tag = tagName()
        yield* store.obtain([tag], 2 * minute)
        yield* store.invalidate([expire(tag)], 5 * minute)
        expect(yield* door.ttl(tag)).toBeGreaterThan(minute)
        expect(yield* door.ttl(tag)).toBeLessThanOrEqual(2 * minute)
      }))

    behind("marks a write under way and does not remove it: neither its stamp comes back nor is it alone", (store, door) =>
      Effect.gen(function*() {
        for (const step of [kill, expire, (tag: string) => swap(tag, "w:a.0:b:c@1,d@2", makeStamp())]) {
          const tag = tagName()
          yield* door.set(tag, "w:a.0:b:c@1,d@2", minute)
          expect(yield* store.invalidate([step(tag)], 5 * minute)).toEqual([false])
          expect(yield* stateOf(store, tag)).toBe("w:-:-:c@1,d@2")
          expect(yield* door.ttl(tag)).toBeGreaterThan(0)
          expect(yield* door.ttl(tag)).toBeLessThanOrEqual(minute)
        }
      }))

    behind("removes what is neither a stamp nor a write under way", (store, door) =>
      Effect.gen(function*() {
        for (const step of [kill, expire, (tag: string) => swap(tag, "s:a.0", makeStamp())]) {
          const tag = tagName()
          yield* door.set(tag, "something else", minute)
          expect(yield* stateOf(store, tag)).toBe("something else")
          yield* store.invalidate([step(tag)], minute)
          expect(yield* stateOf(store, tag)).toBeNull()
        }
      }))
  })

  if (tells) {
    describe("changes", () => {
      /** The names of a namespace. One slot on a cluster, whose nodes' words have no order among each other. */
      const namesOf = () => {
        const names = makeNames(uniqueName("changes"), "format")
        return { namespaceTag: names.namespaceTag, tag: () => names.tag(uniqueName("{tag}")) }
      }
      /** Hears all from now on, after those who listened before. `before` changes a tag: what was heard till then? */
      const listen = (store: CacheStore, namespaceTag: string, changed: (tag: string) => void = () => {}) =>
        Effect.gen(function*() {
          let isOn = false
          const heard: Array<string> = []
          const listener = {
            on: () => void (isOn = true),
            off: () => {},
            assured: () => {},
            changed: (tag: string) => {
              changed(tag)
              heard.push(tag)
            }
          }
          yield* store.changes?.(namespaceTag, listener) ?? Effect.void
          yield* afterwards(time, 0, "it listens", Effect.sync(() => isOn))
          const before = (tag: string) =>
            Effect.gen(function*() {
              yield* store.invalidate([kill(tag)], minute)
              yield* afterwards(time, 0, "the last change is told", Effect.sync(() => heard.includes(tag)))
              return heard.splice(0, heard.indexOf(tag) + 1).slice(0, -1)
            })
          return { before, heard }
        })
      const ends = { "a committed write, and of its end": true, "a write rolled back, and of nothing more": false }
      const kinds = { kill, expire, swap: (tag: string) => swap(tag, "s:another.0", makeStamp()) }

      for (const [kind, step] of Object.entries(kinds)) {
        test(`are told of an invalidation, whatever was there: ${kind}`, (store) =>
          Effect.scoped(Effect.gen(function*() {
            const { namespaceTag, tag } = namesOf()
            const { before } = yield* listen(store, namespaceTag)
            const [absent, stamped, written] = [tag(), tag(), tag()]
            yield* store.obtain([stamped], minute)
            yield* store.begin([{ tag: written }], "token", minute)
            expect(yield* before(tag())).toEqual([written])
            yield* store.invalidate([step(absent), step(stamped), step(written)], minute)
            expect(yield* before(tag())).toEqual([absent, stamped, written])
          })))
      }

      for (const [how, committed] of Object.entries(ends)) {
        test(`are told of the beginning of ${how}`, (store) =>
          Effect.scoped(Effect.gen(function*() {
            const { namespaceTag, tag } = namesOf()
            const { before } = yield* listen(store, namespaceTag)
            const [absent, stamped, unknown] = [tag(), tag(), tag()]
            const tags = [{ tag: absent }, { tag: stamped }]
            yield* store.obtain([stamped], minute)
            expect(yield* before(tag())).toEqual([])
            yield* store.begin(tags, "token", minute)
            expect(yield* before(tag())).toEqual([absent, stamped])
            yield* store.end([...tags, { tag: unknown }], "token", committed, minute)
            expect(yield* before(tag())).toEqual(committed ? [absent, stamped, unknown] : [])
          })))
      }

      test("are not told of what is read, stored or made, nor of another namespace", (store) =>
        Effect.scoped(Effect.gen(function*() {
          const { namespaceTag, tag } = namesOf()
          const other = namesOf()
          const { before } = yield* listen(store, namespaceTag)
          const [name, bytes, known] = [entryName(), makeEntry(), tag()]
          yield* store.obtain([known], minute)
          yield* store.replace(name, bytes, minute, null)
          yield* store.lookup(name, [known])
          yield* store.remove(name, identity(bytes))
          const tags = [{ tag: other.tag() }, { tag: other.namespaceTag }]
          yield* store.begin(tags, "token", minute)
          yield* store.end(tags, "token", true, minute)
          yield* store.invalidate([kill(other.tag())], minute)
          expect(yield* before(namespaceTag)).toEqual([])
        })))

      test("can be read by the time they are told", (store) =>
        Effect.scoped(Effect.gen(function*() {
          const { namespaceTag, tag } = namesOf()
          const changed = tag()
          const run = Runtime.runFork(yield* Effect.runtime<never>())
          const seen = yield* Deferred.make<string | null, unknown>()
          const look = Effect.intoDeferred(stateOf(store, changed), seen)
          const { before } = yield* listen(store, namespaceTag, (tag) => void (tag === changed && run(look)))
          yield* store.obtain([changed], minute)
          expect(yield* before(changed)).toEqual([])
          expect(yield* Deferred.await(seen)).toBeNull()
        })))

      test("are told to all who listen, each until its scope closes", (store) =>
        Effect.scoped(Effect.gen(function*() {
          const { namespaceTag, tag } = namesOf()
          const scope = yield* Scope.make()
          const first = yield* Scope.extend(listen(store, namespaceTag), scope)
          const second = yield* listen(store, namespaceTag)
          const [one, end, late] = [tag(), tag(), tag()]
          yield* store.invalidate([kill(one)], minute)
          expect(yield* first.before(end)).toEqual([one])
          expect(yield* second.before(tag())).toEqual([one, end])
          yield* Scope.close(scope, Exit.void)
          yield* store.invalidate([kill(late)], minute)
          expect(yield* second.before(tag())).toEqual([late])
          expect(first.heard).not.toContain(late)
        })))
    })
  }

  if (level === "bestEffort") {
    describe("a write", () => {
      test("cannot announce itself, and ends by invalidating, unless it was rolled back", (store) =>
        Effect.gen(function*() {
          const tag = tagName()
          const stamp = yield* stampOf(store, tag)
          const refusal = yield* Effect.flip(store.begin([{ tag }], "token", minute))
          expect(refusal).toMatchObject({ reason: "Rejected", operation: "begin a write" })
          expect(yield* store.end([{ tag, next: makeStamp() }], "token", false, minute)).toEqual([false])
          expect(yield* stateOf(store, tag)).toBe(stamp)
          expect(yield* store.end([{ tag, next: makeStamp() }], "token", true, minute)).toEqual([false])
          expect(yield* stateOf(store, tag)).toBeNull()
        }))
    })
    return
  }

  describe("a write: begin and end", () => {
    /** A tag that has a stamp, and two writes to come. */
    const setUp = (store: CacheStore) =>
      Effect.gen(function*() {
        const tag = tagName()
        const stamp = yield* stampOf(store, tag)
        const write = (token = uniqueName("token")) => ({
          begin: (ttlMillis = minute) => store.begin([{ tag }], token, ttlMillis),
          commit: (next?: string) => Effect.map(store.end([{ tag, next }], token, true, minute), ([stored]) => stored),
          rollback: Effect.map(store.end([{ tag }], token, false, minute), ([stored]) => stored)
        })
        return { tag, stamp, state: stateOf(store, tag), write, one: write(), two: write() }
      })
    const isStamp = (state: string | null) => state !== null && stampForm.test(state)

    test("while it is under way nobody is served or stores anything under the tag", (store) =>
      Effect.gen(function*() {
        const { one, state, tag } = yield* setUp(store)
        yield* one.begin()
        const intent = yield* state
        expect(intent).not.toBeNull()
        expect(isStamp(intent)).toBe(false)
        expect(yield* store.obtain([tag], 5 * minute)).toEqual([intent])
        expect(yield* state).toBe(intent)
      }))

    test("committed: what was stored before it is dead", (store) =>
      Effect.gen(function*() {
        const { one, stamp, state, tag } = yield* setUp(store)
        yield* one.begin()
        expect(yield* one.commit()).toBe(false)
        expect(yield* state).toBeNull()
        expect(hardPart(yield* stampOf(store, tag))).not.toBe(hardPart(stamp))
      }))

    test("rolled back: nothing has happened", (store) =>
      Effect.gen(function*() {
        const { one, stamp, state } = yield* setUp(store)
        yield* one.begin()
        expect(yield* one.rollback).toBe(false)
        expect(yield* state).toBe(stamp)
        expect(yield* one.rollback).toBe(false)
        expect(yield* state).toBe(stamp)
      }))

    test("rolled back where nothing was: nothing is there", (store) =>
      Effect.gen(function*() {
        const tag = tagName()
        yield* store.begin([{ tag }], "token", minute)
        yield* store.end([{ tag }], "token", false, minute)
        expect(yield* stateOf(store, tag)).toBeNull()
      }))

    test("committed alone: its own stamp is in place, however often it is told", (store) =>
      Effect.gen(function*() {
        const { one, state, tag } = yield* setUp(store)
        const next = stampFor(store, tag)
        yield* one.begin()
        yield* one.begin()
        expect(yield* one.commit(next)).toBe(true)
        expect(yield* state).toBe(next)
        expect(yield* one.commit(next)).toBe(true)
        expect(yield* state).toBe(next)
      }))

    test("not alone: neither write's own stamp comes in place, and the place stays taken until the last has ended", (store) =>
      Effect.gen(function*() {
        const { one, state, two } = yield* setUp(store)
        yield* one.begin()
        yield* two.begin()
        expect(yield* one.commit(makeStamp())).toBe(false)
        expect(isStamp(yield* state)).toBe(false)
        expect(yield* state).not.toBeNull()
        expect(yield* two.commit(makeStamp())).toBe(false)
        expect(yield* state).toBeNull()
        yield* one.begin()
        yield* two.begin()
        yield* one.rollback
        expect(yield* two.commit(makeStamp())).toBe(false)
        expect(yield* state).toBeNull()
      }))

    test("rolled back beside one that was committed: the stamp does not come back, in either order", (store) =>
      Effect.gen(function*() {
        for (const order of ["commit first", "rollback first"]) {
          const { one, state, two } = yield* setUp(store)
          yield* one.begin()
          yield* two.begin()
          if (order === "commit first") yield* one.commit()
          yield* two.rollback
          if (order === "rollback first") yield* one.commit()
          expect(yield* state, order).toBeNull()
        }
      }))

    test("all rolled back: the stamp comes back with the last", (store) =>
      Effect.gen(function*() {
        const { one, stamp, state, two } = yield* setUp(store)
        yield* one.begin()
        yield* two.begin()
        yield* one.rollback
        expect(isStamp(yield* state)).toBe(false)
        yield* two.rollback
        expect(yield* state).toBe(stamp)
      }))

    test("invalidated meanwhile: the stamp does not come back, nor does the write's own come in place", (store) =>
      Effect.gen(function*() {
        for (const step of [kill, expire]) {
          const rolledBack = yield* setUp(store)
          yield* rolledBack.one.begin()
          expect(yield* store.invalidate([step(rolledBack.tag)], minute)).toEqual([false])
          expect(yield* rolledBack.state).not.toBeNull()
          yield* rolledBack.one.rollback
          expect(yield* rolledBack.state).toBeNull()
          const committed = yield* setUp(store)
          yield* committed.one.begin()
          yield* store.invalidate([step(committed.tag)], minute)
          expect(yield* committed.one.commit(makeStamp())).toBe(false)
          expect(yield* committed.state).toBeNull()
        }
      }))

    test("committed without having begun: it invalidates; rolled back without having begun: nothing", (store) =>
      Effect.gen(function*() {
        const { one, stamp, state, two } = yield* setUp(store)
        yield* one.rollback
        expect(yield* state).toBe(stamp)
        expect(yield* one.commit(makeStamp())).toBe(false)
        expect(yield* state).toBeNull()
        yield* two.begin()
        yield* one.commit()
        yield* two.rollback
        expect(yield* state).toBeNull()
        yield* two.begin()
        yield* one.commit()
        expect(yield* two.commit(makeStamp())).toBe(false)
        expect(yield* state).toBeNull()
      }))

    test("never ended: the place is free again after its time, and nothing from before it comes back", (store) =>
      Effect.gen(function*() {
        const { one, state, tag } = yield* setUp(store)
        yield* one.begin(short)
        yield* afterwards(time, short, "the place is free", Effect.map(state, (found) => found === null))
        const later = yield* stampOf(store, tag)
        yield* one.rollback
        expect(yield* state).toBe(later)
        expect(yield* one.commit(makeStamp())).toBe(false)
        expect(yield* state).toBeNull()
      }))

    test("never ended beside one that was rolled back: nobody knows what it did, so nothing comes back", (store) =>
      Effect.gen(function*() {
        const { one, state, two, write } = yield* setUp(store)
        yield* one.begin(short)
        yield* two.begin()
        // Whether the first one's time is over shows in what a third one leaves.
        const isOver = Effect.gen(function*() {
          const three = write()
          yield* three.begin()
          yield* three.rollback
          return String(yield* state).startsWith("w:-:")
        })
        yield* afterwards(time, short, "the first one's time is over", isOver)
        yield* two.rollback
        expect(yield* state).toBeNull()
      }))

    test("of several tags: each is answered in the order asked, whichever goes first", (store) =>
      Effect.gen(function*() {
        const tags = [tagName(), tagName(), tagName()]
        const stamps = tags.map((tag) => stampFor(store, tag))
        const ordered = tags.map((tag, i) => ({ tag, first: i === 2, next: stamps[i] }))
        yield* store.obtain(tags, minute)
        yield* store.begin(ordered, "token", minute)
        yield* store.invalidate([kill(tags[1] ?? "")], minute)
        expect(yield* store.end(ordered, "token", true, minute)).toEqual([true, false, true])
        expect((yield* store.lookup(entryName(), tags)).states).toEqual([stamps[0], null, stamps[2]])
        expect(yield* store.end([], "token", true, minute)).toEqual([])
        yield* store.begin([], "token", minute)
      }))

    test("a hundred at once leave nothing behind", (store) =>
      Effect.gen(function*() {
        const { state, write } = yield* setUp(store)
        const writes = Array.from({ length: 100 }, () => write())
        yield* Effect.forEach(writes, (one) => one.begin(), { concurrency: "unbounded" })
        const stored = yield* Effect.forEach(writes, (one) => one.commit(makeStamp()), { concurrency: "unbounded" })
        expect(stored).not.toContain(true)
        expect(yield* state).toBeNull()
      }))

    behind("lasts as long as the write that lasts longest, however often the others begin", (store, door) =>
      Effect.gen(function*() {
        const { one, tag, two } = yield* setUp(store)
        yield* one.begin(5 * minute)
        yield* two.begin(minute)
        expect(yield* door.ttl(tag)).toBeGreaterThan(4 * minute)
        yield* one.rollback
        expect(yield* door.ttl(tag)).toBeLessThanOrEqual(minute)
        yield* two.begin(5 * minute)
        expect(yield* door.ttl(tag)).toBeGreaterThan(4 * minute)
      }))
  })
}
