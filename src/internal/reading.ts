/**
 * Looking for an answer: which entry a read names, what that entry depends on, and whether it may be served.
 */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import { LRUCache } from "lru-cache"
import type { CacheError } from "../CacheError.js"
import * as CacheEntry from "../CacheEntry.js"
import type { CacheInfo } from "../CacheInfo.js"
import * as CacheKey from "../CacheKey.js"
import type { Lookup, TagState } from "../CacheStore.js"
import { lifetime } from "../CacheStrategy.js"
import type { Lifetime } from "../CacheStrategy.js"
import type { KeyRef, Late, Request } from "../QueryCache.js"
import { isThere } from "../Serializer.js"
import type { SerializerError, ValueTypes } from "../Serializer.js"
import { byTag, distinct, intentTtlDefault } from "./core.js"
import type { Core } from "./core.js"
import type { Look } from "./flights.js"
import { never } from "./memoryTier.js"
import type { Held, Life, Since } from "./memoryTier.js"
import { isSame, isStamp, probationOf, stampTtlMillis } from "./stamp.js"
import { unpack } from "./text.js"

const noTypes: ValueTypes = []
const noTags: ReadonlyArray<string> = []

/** More tags than that are not taken over from another call site's entry. */
const maxAdoptedTags = 64

/** For how many entries the cache remembers which late tags they had. */
const maxPredictions = 10_000

/** For how many stamps the cache remembers how long they live. */
const maxLifetimes = 10_000

/** A read, worked out: the names of all that it touches in the store. */
export interface Plan<A> {
  readonly request: Request<A>
  readonly label: string
  readonly digest: string
  readonly entry: string
  readonly lifetime: Lifetime
  /** What the answer depends on, as far as is known before it is there. */
  readonly tags: ReadonlyArray<string>
  /** Those that an entry must carry to be this caller's: the names that the caller itself gave. */
  readonly required: ReadonlyArray<string>
  /** Read along, and compared when what an answer depends on was known only when it was there. */
  readonly guards: ReadonlyArray<string>
  readonly types: ValueTypes
  /** What the caller may be told of its entry. */
  readonly shown: Pick<CacheInfo, "key" | "tags">
}

export interface Hit {
  readonly source: "memory" | "store"
  readonly life: Life
  readonly value: unknown
}

/** A hit in the store, and the bytes that further copies can be made of. */
export interface Found extends Hit {
  readonly payload: Uint8Array
}

/** What is missing in the store, and what a load that starts now may fill it under. */
export interface Gap {
  readonly seen: Uint8Array | null
  readonly states: ReadonlyMap<string, TagState>
  /** Tags that the entry is to carry: those of the plan, and those another call site gave it. */
  readonly tags: ReadonlyArray<string>
  /** What is there is alive and expired. */
  readonly expired?: Found | undefined
  /** From when on the states are known. */
  readonly since: Since
}

/** What is found says of itself, with what may have to be done about it. */
type Verdict =
  | Look<Found, Gap>
  | { readonly _tag: "Corrupt"; readonly seen: Uint8Array; readonly without: Look<Found, Gap> }
  | { readonly _tag: "Untold"; readonly tags: ReadonlyArray<string>; readonly without: Look<Found, Gap> }
  | {
    readonly _tag: "Encoded"
    readonly decoded: Effect.Effect<unknown, SerializerError>
    readonly serve: (decoded: Either.Either<unknown, SerializerError>) => Verdict
  }

export interface Reading {
  /** `undefined` where the key cannot be told from others. */
  readonly planOf: <A>(request: Request<A>) => Plan<A> | undefined
  readonly entryOf: (key: CacheKey.CacheKey) => string
  /** The answer in the memory of this process, if it is there and still the store's. */
  readonly recall: <A>(plan: Plan<A>, now: number) => Hit | undefined
  /** From when on something is known that is asked of the store now. */
  readonly since: () => Since
  /** Has this process remember what was stored under the stamps of a gap, in the place of what it remembered. */
  readonly remember: <A>(plan: Plan<A>, entry: CacheEntry.CacheEntry, since: Since) => Effect.Effect<void>
  /** What to read along with the entry. */
  readonly askedOf: <A>(plan: Plan<A>) => ReadonlyArray<string>
  /** One look into the store; a second one when the entry turns out to depend on tags that were not asked for. */
  readonly look: <A>(plan: Plan<A>, asked: ReadonlyArray<string>) => Effect.Effect<Look<Found, Gap>, CacheError>
  /**
   * The same in plain code, for stores that can: tells what was found where nothing is left to be done, and else what
   * remains. `false`: the store cannot.
   */
  readonly unsafeLook: <A>(
    plan: Plan<A>,
    asked: ReadonlyArray<string>,
    clock: Clock.Clock,
    tell: (look: Look<Found, Gap> | undefined, rest: Effect.Effect<Look<Found, Gap>, CacheError>) => void
  ) => boolean
  /** The stamps of the tags, made where there are none, with time to live for an entry of this ttl. */
  readonly obtain: (tags: ReadonlyArray<string>, ttl: number) => Effect.Effect<ReadonlyArray<TagState>, CacheError>
  /** Gives those stamps more time to live that an entry of this ttl would outlive, as far as is known here. */
  readonly sustain: (tags: ReadonlyArray<string>, stamps: ReadonlyArray<string>, ttl: number) => Effect.Effect<void, CacheError>
  /** Takes note of stamps that were made just now, with this time to live. */
  readonly made: (stamps: Iterable<TagState>, millis: number) => Effect.Effect<void>
  /** Gives every tag of a gap a stamp before the query runs. */
  readonly stamped: <A>(plan: Plan<A>, gap: Gap) => Effect.Effect<Gap, CacheError>
  readonly decode: <A>(plan: Plan<A>, payload: Uint8Array) => Effect.Effect<unknown, SerializerError>
  /** What an answer depends on that is known from it only; `undefined` where it must not be stored. */
  readonly lateOf: <A>(plan: Plan<A>, value: A) => Late | undefined
  /** Remembers which late tags an entry had, so that the next read asks for them at once. */
  readonly predict: <A>(plan: Plan<A>, tags: ReadonlyArray<string>) => void
}

/**
 * What the places of its tags say of an entry. `marked`: alive, but expired by an invalidation; `untold`: a place has not
 * been looked at.
 */
const vitalsOf = (
  { stamps, tags }: CacheEntry.Stamps,
  asked: ReadonlyArray<string>,
  states: ReadonlyArray<TagState>
): "alive" | "marked" | "dead" | "untold" => {
  let vitals: "alive" | "marked" | "dead" = "alive"
  let at = -1
  for (let i = 0; i < tags.length; i++) {
    const tag = tags[i] ?? ""
    // Both are sorted, unless somebody else has written the entry.
    at = asked.indexOf(tag, at + 1)
    if (at === -1) at = asked.indexOf(tag)
    if (at === -1) return "untold"
    const state = states[at] ?? null
    if (state === stamps[i] || vitals === "dead") continue
    vitals = isSame(state, stamps[i]) ? "marked" : "dead"
  }
  return vitals
}

/** What a look at `now` has found, whose answer is known since `since`. */
type Judge = <A>(plan: Plan<A>, asked: ReadonlyArray<string>, found: Lookup, since: Since, now: number) => Verdict

/** Nothing is known of an answer that was not known before. */
export const nothingLate: Late = { keys: [], entries: [] }

/** Whether what a load finds may be stored: all that the entry depends on has a stamp. */
export const isStorable = (gap: Gap): boolean => gap.tags.every((tag) => isStamp(gap.states.get(tag) ?? null))

/** Whether the gap's states say for certain how new a load under them is: an intent can come back, a stamp cannot. */
export const isSettled = (gap: Gap): boolean => {
  for (const state of gap.states.values()) if (!isStamp(state)) return false
  return true
}

/** Whether every place that was read holds something, and nothing that the store has to be asked about again. */
export const isComplete = (gap: Gap): boolean =>
  gap.tags.every((tag) => gap.states.has(tag)) &&
  Array.from(gap.states.values()).every((state) => state !== null && probationOf(state) === undefined)

/** Names the stamps of a gap: reads under the same ones may share a load. */
export const generation = (gap: Gap): string => Array.from(gap.states.values()).join()

export const makeReading = (core: Core): Reading => {
  const { emit, keyTag, limits, memory, namesOf, options, own, serializerFor, store, tolerate } = core
  const probation = options.hardened === true ? options.intentTtl ?? intentTtlDefault : 0
  const predictions = new LRUCache<string, ReadonlyArray<string>>({ max: maxPredictions })
  /** Until when a stamp lives at least, by the clock of this process. */
  const lifetimes = new LRUCache<string, number>({ max: maxLifetimes })

  const entryOf = (key: CacheKey.CacheKey) => {
    const scope = namesOf(key.namespace)
    return own.entry(key.digest, scope === own ? undefined : scope.namespace)
  }

  const planOf = <A>(request: Request<A>): Plan<A> | undefined => {
    const made = CacheKey.isCacheKey(request.key) ? Either.right(request.key) : CacheKey.make(request.key)
    if (Either.isLeft(made)) {
      emit({ _tag: "Warning", message: made.left.message })
      return undefined
    }
    const key = made.right
    const given = request.strategy.tags ?? []
    const keys = request.keys ?? []
    const required = [...given.map(own.tag), ...keys.map(keyTag)]
    // Late names are keys, unless the request says otherwise.
    const guards = request.guards ?? { keys: request.late !== undefined }
    const derived = (request.dependencies ?? []).map(own.dependency)
    const tags = distinct([own.namespaceTag, namesOf(key.namespace).namespaceTag, ...required, ...derived])
    const isLong = (name: string) => name.length > limits.tagLength
    const limit = tags.length > limits.tags ? "tags" : given.some(isLong) || keys.some(({ key }) => isLong(key)) ? "tagLength" : undefined
    if (limit !== undefined) {
      emit({ _tag: "Limited", what: limit, label: key.label })
      return undefined
    }
    return {
      request,
      label: key.label,
      digest: key.digest,
      entry: entryOf(key),
      lifetime: lifetime(request.strategy),
      tags,
      required,
      guards: [
        ...(guards.keys === true ? distinct([own.guard, namesOf(key.namespace).guard]) : []),
        ...(guards.dependencies ?? []).map(own.dependency)
      ],
      types: request.types ?? noTypes,
      shown: { key: keys[0]?.key ?? key.digest, tags: [...given, ...(request.dependencies ?? [])] }
    }
  }

  /** What was asked the last time for plans that are used again, and what had been predicted then. */
  const lastAsked = new WeakMap<object, Readonly<Record<"predicted" | "asked", ReadonlyArray<string>>>>()

  const askedOf = <A>(plan: Plan<A>): ReadonlyArray<string> => {
    const predicted = predictions.get(plan.entry) ?? noTags
    if (plan.guards.length === 0 && predicted.length === 0) return plan.tags
    const last = lastAsked.get(plan)
    if (last?.predicted === predicted) return last.asked
    const asked = distinct([...plan.tags, ...plan.guards, ...predicted])
    lastAsked.set(plan, { predicted, asked })
    return asked
  }

  const decode = <A>(plan: Plan<A>, payload: Uint8Array) =>
    serializerFor(plan.request.schema).decode(payload, { digest: plan.digest, types: plan.types })

  const lookFor = <A>(
    plan: Plan<A>,
    asked: ReadonlyArray<string>,
    again: boolean
  ): Effect.Effect<Look<Found, Gap>, CacheError> =>
    Effect.clockWith((clock) => {
      const since = sinceNow()
      return Effect.flatMap(store.lookup(plan.entry, asked), (found) =>
        carryOn(plan, asked, judge(plan, asked, found, since, clock.unsafeCurrentTimeMillis()), again))
    })

  /** What there is to be done before the verdict is one that can be acted upon. */
  const carryOn = <A>(
    plan: Plan<A>,
    asked: ReadonlyArray<string>,
    verdict: Verdict,
    again: boolean
  ): Effect.Effect<Look<Found, Gap>, CacheError> => {
    switch (verdict._tag) {
      case "Hit":
      case "Gap":
        return Effect.succeed(verdict)
      case "Corrupt":
        emit({ _tag: "Corrupt", label: plan.label })
        return Effect.as(tolerate(store.remove(plan.entry, verdict.seen)), verdict.without)
      case "Untold":
        predictions.set(plan.entry, verdict.tags)
        return again ? lookFor(plan, distinct([...asked, ...verdict.tags]), false) : Effect.succeed(verdict.without)
      case "Encoded":
        return Effect.flatMap(Effect.either(verdict.decoded), (decoded) => carryOn(plan, asked, verdict.serve(decoded), again))
    }
  }

  /** What a caller's own functions throw leaves it without what was found. */
  const judge: Judge = (plan, asked, found, since, now) => {
    try {
      return judgeFound(plan, asked, found, since, now)
    } catch {
      return { _tag: "Gap", gap: { seen: null, states: byTag(asked, found.states), tags: plan.tags, since } }
    }
  }

  const judgeFound: Judge = (plan, asked, found, since, now) => {
    const gap = (seen: Uint8Array | null, tags = plan.tags, expired?: Found): Look<Found, Gap> => ({
      _tag: "Gap",
      gap: { seen, states: byTag(asked, found.states), tags, expired, since }
    })
    if (found.entry === null) return gap(null)
    const seen = CacheEntry.identity(found.entry)
    const entry = CacheEntry.decode(plan.digest, found.entry)
    if (entry === undefined) return { _tag: "Corrupt", seen, without: gap(null) }
    const vitals = vitalsOf(entry, asked, found.states)
    if (vitals === "untold") return { _tag: "Untold", tags: entry.tags, without: gap(seen) }
    if (vitals === "dead") return gap(seen)
    // Alive, but another call site made it and it does not carry all of ours: an invalidation of those would miss it.
    if (!isOurs(plan, entry.tags)) {
      const united = distinct([...plan.tags, ...entry.tags])
      return gap(seen, united.length <= maxAdoptedTags ? united : plan.tags)
    }
    const serve = (decoded: Either.Either<unknown, SerializerError>, isLate: boolean): Verdict => {
      if (Either.isLeft(decoded)) return { _tag: "Corrupt", seen, without: gap(null) }
      const value = decoded.right as never // what the plan's own request has stored
      if (plan.request.accepts?.(value) === false) return gap(seen)
      if (!isNamed(plan, entry.tags, value)) return gap(seen, distinct([...plan.tags, ...entry.tags]))
      const { createdAt, payload, queryMillis, ttlMillis } = entry
      const life = { createdAt, ttlMillis, queryMillis, bytes: payload.length }
      const hit: Found = { source: "store", life, value, payload }
      // What is kept no longer than it is fresh expires by the store's clock alone.
      const isOver = entry.keptMillis > entry.ttlMillis && now - entry.createdAt >= entry.ttlMillis
      if (vitals === "marked" || isOver) return gap(seen, plan.tags, hit)
      const held = keep(plan, entry, since, now)
      // The caller gets what was decoded; what takes a fiber to decode is decoded once.
      if (isLate && held !== undefined) keepValue(plan, held, value)
      return { _tag: "Hit", hit }
    }
    const decoded = decode(plan, entry.payload)
    return isThere(decoded)
      ? serve(decoded, false)
      : { _tag: "Encoded", decoded, serve: (decoded) => serve(decoded, true) }
  }

  /** Carries all the names that the caller gave: an invalidation of another one would miss it. */
  const isOurs = <A>(plan: Plan<A>, tags: ReadonlyArray<string>) => plan.required.every((tag) => tags.includes(tag))

  /** Was stored by a call that had the same names for the answer: an invalidation of another one would miss it. */
  const isNamed = <A>(plan: Plan<A>, tags: ReadonlyArray<string>, value: A) => {
    const named = lateOf(plan, value)?.keys ?? []
    return named.every((ref) => tags.includes(keyTag(ref)))
  }

  // -------------------------------------------------------------------------------------------------------------------
  // the memory of this process
  // -------------------------------------------------------------------------------------------------------------------

  const sinceNow = () => memory?.since() ?? never

  /** Of other namespaces' tags nobody hears, and what is on probation is of worth for a time that the store knows. */
  const isToBeKept = ({ stamps, tags }: CacheEntry.Stamps) =>
    tags.every(own.has) && !stamps.some((stamp) => probationOf(stamp) !== undefined)

  const keep = <A>(plan: Plan<A>, entry: CacheEntry.CacheEntry, since: Since, now: number): Held | undefined =>
    since !== never && isToBeKept(entry) ? memory?.keep(plan.digest, entry, since, now) : undefined

  const keepValue = <A>(plan: Plan<A>, held: Held, value: unknown) => {
    if (plan.request.schema === undefined) memory?.keepValue(plan.digest, held, value, plan.types)
  }

  const valueOf = <A>(plan: Plan<A>, held: Held): Either.Either<unknown, unknown> => {
    if (held.copier !== undefined) {
      return held.copier.types === plan.types ? Either.right(held.copier.copy(held.form)) : Either.left(undefined)
    }
    const decoded = decode(plan, unpack(held.form))
    if (!isThere(decoded)) return Either.left(undefined)
    if (Either.isRight(decoded)) keepValue(plan, held, decoded.right)
    return decoded
  }

  const recall: Reading["recall"] = (plan, now) => {
    const held = memory?.recall(plan.digest, now)
    if (memory === undefined || held === undefined || !isOurs(plan, held.tags)) return undefined
    const read = valueOf(plan, held)
    if (Either.isLeft(read)) {
      memory.forget(plan.digest)
      return undefined
    }
    const value = read.right as never
    try {
      if (plan.request.accepts?.(value) === false || !isNamed(plan, held.tags, value)) return undefined
    } catch {
      return undefined
    }
    return { source: "memory", life: memory.lifeOf(held), value }
  }

  const lateOf = <A>(plan: Plan<A>, value: A): Late | undefined => {
    if (plan.request.late === undefined) return nothingLate
    const refuse = (what: string) =>
      emit({ _tag: "Warning", message: `${plan.label}: ${what}; the result is not stored` })
    try {
      const late = plan.request.late(value)
      const isGuarded = (ref: KeyRef) => plan.guards.includes(namesOf(ref.namespace).guard)
      if (late === undefined || late.keys.every(isGuarded)) return late
      refuse("a key that is known from the result only is in another namespace than the read")
    } catch {
      refuse("a function that names cache keys threw")
    }
    return undefined
  }

  const made: Reading["made"] = (stamps, millis) =>
    Effect.map(Clock.currentTimeMillis, (now) => {
      for (const stamp of stamps) if (isStamp(stamp)) lifetimes.set(stamp, Math.max(lifetimes.get(stamp) ?? 0, now + millis))
    })

  const obtain: Reading["obtain"] = (tags, ttl) => {
    const millis = stampTtlMillis(ttl)
    return Effect.tap(store.obtain(tags, millis, probation), (states) => made(states, millis))
  }

  const sustain: Reading["sustain"] = (tags, stamps, ttl) =>
    Effect.flatMap(Clock.currentTimeMillis, (now) => {
      const until = now + ttl
      const brief = tags.filter((_, i) => (lifetimes.get(stamps[i] ?? "") ?? 0) < until)
      return brief.length === 0 ? Effect.void : Effect.asVoid(obtain(brief, ttl))
    })

  return {
    planOf,
    obtain,
    sustain,
    made,
    lateOf,
    entryOf,
    askedOf,
    look: (plan, asked) => lookFor(plan, asked, true),
    recall,
    since: sinceNow,
    remember: (plan, entry, since) =>
      Effect.map(Clock.currentTimeMillis, (now) => {
        if (keep(plan, entry, since, now) === undefined) memory?.forget(plan.digest)
      }),
    unsafeLook: (plan, asked, clock, tell) => {
      const { unsafe } = store.lookup
      const since = sinceNow()
      unsafe?.(plan.entry, asked, { clock, millis: Infinity }, (answer) => {
        if (Either.isLeft(answer)) return tell(undefined, Effect.fail(answer.left))
        const verdict = judge(plan, asked, answer.right, since, clock.unsafeCurrentTimeMillis())
        tell(verdict._tag === "Hit" ? verdict : undefined, Effect.suspend(() => carryOn(plan, asked, verdict, true)))
      })
      return unsafe !== undefined
    },
    stamped: (plan, gap) => {
      const tags = distinct([...gap.states.keys(), ...gap.tags])
      return Effect.map(obtain(tags, plan.lifetime.kept), (states) => ({
        ...gap,
        states: byTag(tags, states)
      }))
    },
    decode,
    predict: (plan, tags) => void predictions.set(plan.entry, tags)
  }
}
