import * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Exit from "effect/Exit"
import type * as Scope from "effect/Scope"
import { LRUCache } from "lru-cache"
import type { CacheError } from "../CacheError.js"
import * as CacheEntry from "../CacheEntry.js"
import type { CacheEvent } from "../CacheEvent.js"
import type { CacheInfo } from "../CacheInfo.js"
import * as CacheKey from "../CacheKey.js"
import { CacheStore } from "../CacheStore.js"
import type { Invalidation, Lookup, TagState } from "../CacheStore.js"
import { ttlMillis } from "../CacheStrategy.js"
import { DistributedLock } from "../DistributedLock.js"
import type { Answer, KeyRef, Late, Options, OwnResult, QueryCache, Request, Stats, Targets, WriteRequest } from "../QueryCache.js"
import { TypeId } from "../QueryCache.js"
import { Serializer } from "../Serializer.js"
import type { ValueTypes } from "../Serializer.js"
import { lead, makeFlights } from "./flights.js"
import type { Cockpit, LeaseOptions, Look } from "./flights.js"
import { sha256 } from "./hash.js"
import { makeNames } from "./names.js"
import type { Names } from "./names.js"
import { isStamp, makeStamp } from "./stamp.js"

/** A stamp outlives the entries under it, and a quiet day. Fills prolong it. */
const stampTtlMillis = (entryTtlMillis: number) => Math.max(2 * entryTtlMillis, 48 * 60 * 60 * 1000)

/** More tags than that are not taken over from another call site's entry. */
const maxAdoptedTags = 64

/** For how many entries the cache remembers which late tags they had. */
const maxPredictions = 10_000

const maxEntryBytesDefault = 4 * 1024 * 1024

/** A read, worked out: the names of all that it touches in the store. */
interface Plan<A> {
  readonly request: Request<A>
  readonly label: string
  readonly digest: string
  readonly entry: string
  readonly ttl: number
  /** What the answer depends on, as far as is known before it is there. */
  readonly tags: ReadonlyArray<string>
  readonly types: ValueTypes
  /** What the caller may be told of its entry. */
  readonly shown: Pick<CacheInfo, "key" | "tags">
}

interface Hit {
  readonly entry: CacheEntry.CacheEntry
  readonly value: unknown
}

/** What is missing in the store, and what a load that starts now may fill it under. */
interface Gap {
  readonly seen: Uint8Array | null
  readonly states: ReadonlyMap<string, TagState>
  /** Tags that the entry is to carry: those of the plan, and those another call site gave it. */
  readonly tags: ReadonlyArray<string>
}

/** A loaded value: whoever comes first gets it as it is, everybody else a copy. */
interface Loaded {
  readonly value: unknown
  readonly payload: Uint8Array | undefined
  readonly createdAt: number
  taken: boolean
}

type Outcome = { readonly _tag: "Found"; readonly hit: Hit } | { readonly _tag: "Loaded"; readonly loaded: Loaded }

const nothingLate: Late = { keys: [], entries: [] }

const distinct = (names: ReadonlyArray<string>): ReadonlyArray<string> => Array.from(new Set(names)).sort()

/** @internal */
export const make = (
  options: Options
): Effect.Effect<QueryCache, never, CacheStore | DistributedLock | Serializer | Scope.Scope> =>
  Effect.gen(function*() {
    const store = yield* CacheStore
    const lock = yield* DistributedLock
    const serializer = yield* Serializer
    const flights = makeFlights(yield* Effect.scope)
    const predictions = new LRUCache<string, ReadonlyArray<string>>({ max: maxPredictions })
    const counts = { hits: 0, misses: 0, joined: 0, fills: 0, invalidations: 0, errors: 0 }
    const maxEntryBytes = options.maxEntryBytes ?? maxEntryBytesDefault
    const lockPrefix = options.lock?.prefix ?? "prisma-cache-lock"
    const lease: LeaseOptions = {
      ttlMillis: options.lock?.ttl ?? 5_000,
      waitMillis: options.lock?.waitTimeout ?? 10_000,
      retryMillis: options.lock?.retryDelay ?? 40,
      jitterMillis: options.lock?.retryJitter ?? 20
    }

    const own = makeNames(options.namespace ?? "default", serializer.id)
    const others = new LRUCache<string, Names>({ max: 1_000 })
    const namesOf = (namespace: string | undefined): Names => {
      if (namespace === undefined || namespace === own.namespace) return own
      const known = others.get(namespace)
      if (known !== undefined) return known
      const names = makeNames(namespace, serializer.id)
      others.set(namespace, names)
      return names
    }
    const keyTag = (ref: KeyRef) => namesOf(ref.namespace).key(ref.key)

    const emit = (event: CacheEvent) => {
      try {
        options.onEvent?.(event)
      } catch {
        // A listener is the application's; what it does wrong must not reach a query.
      }
    }
    const failed = (error: CacheError) => {
      counts.errors++
      emit({ _tag: "Failed", operation: error.operation, error })
    }
    /** The answer of a store that may be out of order: `undefined` then. */
    const tolerate = <A>(effect: Effect.Effect<A, CacheError>): Effect.Effect<A | undefined> =>
      Effect.catchAll(effect, (error) => Effect.sync(() => void failed(error)))

    // -----------------------------------------------------------------------------------------------------------------
    // reading
    // -----------------------------------------------------------------------------------------------------------------

    const planOf = <A>(request: Request<A>): Plan<A> | undefined => {
      const made = CacheKey.isCacheKey(request.key) ? Either.right(request.key) : CacheKey.make(request.key)
      if (Either.isLeft(made)) {
        emit({ _tag: "Warning", message: made.left.message })
        return undefined
      }
      const key = made.right
      const scope = namesOf(key.namespace)
      const userTags = request.strategy.tags ?? []
      const keys = request.keys ?? []
      return {
        request,
        label: key.label,
        digest: key.digest,
        entry: own.entry(key.digest, scope === own ? undefined : scope.namespace),
        ttl: ttlMillis(request.strategy.ttl),
        tags: distinct([own.namespaceTag, scope.namespaceTag, ...userTags.map(own.tag), ...keys.map(keyTag)]),
        types: request.types ?? [],
        shown: { key: keys[0]?.key ?? key.digest, tags: userTags }
      }
    }

    /** Tags to read along with the entry: it depends on some, and is compared with or may turn out to need others. */
    const askedOf = <A>(plan: Plan<A>): ReadonlyArray<string> => {
      const predicted = predictions.get(plan.entry)
      return plan.request.late === undefined && predicted === undefined
        ? plan.tags
        : distinct([...plan.tags, own.guard, ...(predicted ?? [])])
    }

    const decode = <A>(plan: Plan<A>, payload: Uint8Array) =>
      serializer.decode(payload, { digest: plan.digest, types: plan.types })

    const discard = <A>(plan: Plan<A>, seen: Uint8Array) => {
      emit({ _tag: "Corrupt", label: plan.label })
      return tolerate(store.remove(plan.entry, seen))
    }

    /** One look into the store; a second one when the entry turns out to depend on tags that were not asked for. */
    const look = <A>(
      plan: Plan<A>,
      asked: ReadonlyArray<string>,
      again = true
    ): Effect.Effect<Look<Hit, Gap>, CacheError> =>
      Effect.flatMap(store.lookup(plan.entry, asked), (found) => judge(plan, asked, found, again))

    const judge = <A>(
      plan: Plan<A>,
      asked: ReadonlyArray<string>,
      found: Lookup,
      again: boolean
    ): Effect.Effect<Look<Hit, Gap>, CacheError> => {
      const states = new Map(asked.map((tag, i) => [tag, found.states[i] ?? null]))
      const gap = (seen: Uint8Array | null, tags = plan.tags): Look<Hit, Gap> => ({ _tag: "Gap", gap: { seen, states, tags } })
      if (found.entry === null) return Effect.succeed(gap(null))
      const seen = CacheEntry.identity(found.entry)
      const entry = CacheEntry.decode(plan.digest, found.entry)
      if (entry === undefined) return Effect.as(discard(plan, seen), gap(null))
      if (entry.tags.some((tag) => !states.has(tag))) {
        predictions.set(plan.entry, entry.tags)
        return again ? look(plan, distinct([...asked, ...entry.tags]), false) : Effect.succeed(gap(seen))
      }
      if (!entry.tags.every((tag, i) => states.get(tag) === entry.stamps[i])) return Effect.succeed(gap(seen))
      // Alive, but another call site made it and it does not carry all of ours: an invalidation of those would miss it.
      if (!plan.tags.every((tag) => entry.tags.includes(tag))) {
        const united = distinct([...plan.tags, ...entry.tags])
        return Effect.succeed(gap(seen, united.length <= maxAdoptedTags ? united : plan.tags))
      }
      return Effect.flatMap(Effect.either(decode(plan, entry.payload)), (decoded) => {
        if (Either.isLeft(decoded)) return Effect.as(discard(plan, seen), gap(null))
        const accepted = plan.request.accepts?.(decoded.right as A) ?? true
        return Effect.succeed(accepted ? { _tag: "Hit", hit: { entry, value: decoded.right } } : gap(seen))
      })
    }

    /** Gives every tag of a gap a stamp, and every stamp time to live, before the query runs. */
    const stamped = <A>(plan: Plan<A>, gap: Gap): Effect.Effect<Gap, CacheError> => {
      const tags = distinct([...gap.states.keys(), ...gap.tags])
      return Effect.map(store.obtain(tags, stampTtlMillis(plan.ttl)), (states) => ({
        ...gap,
        states: new Map(tags.map((tag, i) => [tag, states[i] ?? null]))
      }))
    }

    const isStorable = (gap: Gap) => Array.from(gap.states.values()).every(isStamp)
    const generation = (gap: Gap) => Array.from(gap.states.values()).join()

    const info = <A>(plan: Plan<A>, status: CacheInfo["status"], age: number | undefined, ttl: number): CacheInfo => ({
      ...plan.shown,
      status,
      age,
      ttl: age === undefined ? undefined : Math.max(0, ttl - age)
    })

    const hitAnswer = <A>(plan: Plan<A>, hit: Hit) =>
      Effect.map(Clock.currentTimeMillis, (now): Answer<A> => {
        const age = Math.max(0, now - hit.entry.createdAt)
        counts.hits++
        emit({ _tag: "Hit", label: plan.label, ageMillis: age })
        return { value: hit.value as A, info: info(plan, "hit", age, hit.entry.ttlMillis) }
      })

    /** The query itself, with neither the cache nor a flight in between. */
    const direct = <A, E, R>(plan: Plan<A> | undefined, load: Effect.Effect<A, E, R>): Effect.Effect<Answer<A>, E, R> =>
      Effect.map(load, (value) => ({
        value,
        info: plan === undefined
          ? { status: "bypass", key: undefined, tags: [], age: undefined, ttl: undefined }
          : info(plan, "bypass", undefined, 0)
      }))

    const answer = <A, E, R>(request: Request<A>, load: Effect.Effect<A, E, R>): Effect.Effect<Answer<A>, E, R> =>
      Effect.suspend(() => {
        const plan = planOf(request)
        if (plan === undefined || plan.ttl === 0) return direct(plan, load)
        return Effect.flatMap(tolerate(look(plan, askedOf(plan))), (seen) => {
          if (seen === undefined) return fly(plan, undefined, load)
          if (seen._tag === "Hit" && request.mode !== "refresh") return hitAnswer(plan, seen.hit)
          const gap: Gap = seen._tag === "Gap"
            ? seen.gap
            : { seen: null, states: new Map(askedOf(plan).map((tag) => [tag, null])), tags: plan.tags }
          return isStorable(gap)
            ? fly(plan, gap, load)
            : Effect.flatMap(tolerate(stamped(plan, gap)), (ready) => fly(plan, ready, load))
        })
      })

    // -----------------------------------------------------------------------------------------------------------------
    // loading
    // -----------------------------------------------------------------------------------------------------------------

    /** Joins or starts the flight that answers this read; without a gap that can be filled, one that stores nothing. */
    const fly = <A, E, R>(
      plan: Plan<A>,
      gap: Gap | undefined,
      load: Effect.Effect<A, E, R>
    ): Effect.Effect<Answer<A>, E, R> =>
      Effect.flatMap(Effect.context<R>(), (context) => {
        const query = Effect.provide(load, context)
        const storable = gap !== undefined && isStorable(gap)
        const refresh = plan.request.mode === "refresh"
        const name = `${plan.entry}\n${storable && !refresh ? generation(gap) : refresh ? "refresh" : "-"}`
        let leader = false
        return Effect.flatMap(
          flights.join<Outcome, E>(name, storable && !refresh, (cockpit) => {
            leader = true
            return storable ? leadLoad(plan, gap, query, cockpit) : plainLoad(plan, query, cockpit)
          }),
          (exit): Effect.Effect<Answer<A>, E> => {
            if (Exit.isSuccess(exit)) return landed(plan, exit.value, leader)
            // The flight was ended from outside, when the cache closed: the caller still wants its answer.
            return Cause.isInterruptedOnly(exit.cause) ? direct(plan, query) : Effect.failCause(exit.cause)
          }
        )
      })

    const landed = <A>(plan: Plan<A>, outcome: Outcome, leader: boolean): Effect.Effect<Answer<A>> => {
      if (outcome._tag === "Found" && leader) return hitAnswer(plan, outcome.hit)
      const { createdAt, payload } = outcome._tag === "Found"
        ? outcome.hit.entry
        : outcome.loaded
      const status = !leader ? "joined" : plan.request.mode === "refresh" ? "refreshed" : "miss"
      if (leader) counts.misses++
      else counts.joined++
      emit({ _tag: leader ? "Miss" : "Joined", label: plan.label })
      return Effect.flatMap(Clock.currentTimeMillis, (now) => {
        const told = info(plan, status, Math.max(0, now - createdAt), plan.ttl)
        if (outcome._tag === "Loaded") {
          const first = !outcome.loaded.taken
          outcome.loaded.taken = true
          // What cannot be copied exactly can only be shared.
          if (first || payload === undefined) return Effect.succeed({ value: outcome.loaded.value as A, info: told })
        }
        return Effect.map(Effect.orDie(decode(plan, payload as Uint8Array)), (value) => ({ value: value as A, info: told }))
      })
    }

    const encoded = <A>(plan: Plan<A>, value: A): Effect.Effect<Uint8Array | undefined> =>
      Effect.catchAll(serializer.encode(value, { digest: plan.digest, types: plan.types }), () =>
        Effect.sync(() => void emit({ _tag: "NotStored", label: plan.label, why: "Unserializable" })))

    /** A load whose result nobody may store: a tag is being written, has no stamp, or the store does not answer. */
    const plainLoad = <A, E>(plan: Plan<A>, query: Effect.Effect<A, E>, cockpit: Cockpit<Outcome, E>) =>
      Effect.gen(function*() {
        cockpit.sent()
        const exit = yield* Effect.exit(query)
        if (Exit.isFailure(exit)) return yield* cockpit.land(Exit.failCause(exit.cause))
        const payload = cockpit.waiters() > 1 ? yield* encoded(plan, exit.value) : undefined
        const createdAt = yield* Clock.currentTimeMillis
        yield* cockpit.land(Exit.succeed({ _tag: "Loaded", loaded: { value: exit.value, payload, createdAt, taken: false } }))
      })

    /** A load that one process of the fleet carries out, and whose result is stored for all. */
    const leadLoad = <A, E>(plan: Plan<A>, gap: Gap, query: Effect.Effect<A, E>, cockpit: Cockpit<Outcome, E>) =>
      Effect.scoped(Effect.gen(function*() {
        const fallback: Look<Hit, Gap> = { _tag: "Gap", gap }
        const asked = Array.from(gap.states.keys())
        const lookAgain = Effect.gen(function*() {
          const seen = yield* look(plan, asked)
          if (seen._tag === "Hit") return plan.request.mode === "refresh" ? fallback : seen
          const known = { ...seen.gap, tags: gap.tags }
          return { _tag: "Gap" as const, gap: isStorable(known) ? known : yield* stamped(plan, known) }
        }).pipe(tolerate, Effect.map((seen) => seen ?? fallback))
        const lockName = own.lock(lockPrefix, plan.digest, sha256(generation(gap)).slice(0, 22))
        const position = plan.request.mode === "refresh"
          ? { _tag: "Alone" as const, gap }
          : yield* lead(lock, lockName, lease, lookAgain, (millis, gaveUp) =>
            emit({ _tag: "LockWait", label: plan.label, millis, gaveUp }))
        if (position._tag === "Found") return yield* cockpit.land(Exit.succeed({ _tag: "Found", hit: position.hit }))
        const note = position._tag === "Leading" ? position.note : () => {}

        cockpit.sent()
        const startedAt = yield* Clock.currentTimeMillis
        const exit = yield* Effect.exit(query)
        const createdAt = yield* Clock.currentTimeMillis
        if (Exit.isFailure(exit)) {
          note(Cause.failures(exit.cause).pipe(Array.from).some(plan.request.isDefinite ?? (() => false)) ? "free" : "failed")
          return yield* cockpit.land(Exit.failCause(exit.cause))
        }
        // Encoded before anybody has it: the caller may change what it gets.
        const payload = yield* encoded(plan, exit.value)
        const value = exit.value
        const late = plan.request.late === undefined ? nothingLate : plan.request.late(value)
        yield* cockpit.land(Exit.succeed({ _tag: "Loaded", loaded: { value, payload, createdAt, taken: false } }))
        const stored = payload !== undefined && late !== undefined &&
          (yield* fill(plan, position.gap, late, { payload, createdAt, queryMillis: createdAt - startedAt }))
        note(stored ? "stored" : "free")
      }))

    const fill = <A>(
      plan: Plan<A>,
      gap: Gap,
      late: Late,
      result: Pick<CacheEntry.CacheEntry, "payload" | "createdAt" | "queryMillis">
    ): Effect.Effect<boolean> =>
      Effect.gen(function*() {
        const lateTags = distinct(late.keys.map(keyTag)).filter((tag) => !plan.tags.includes(tag))
        const states = new Map(gap.states)
        if (lateTags.some((tag) => !states.has(tag))) {
          const unknown = lateTags.filter((tag) => !states.has(tag))
          const obtained = yield* store.obtain(unknown, stampTtlMillis(plan.ttl))
          unknown.forEach((tag, i) => states.set(tag, obtained[i] ?? null))
          // The guard is read after the late stamps: an invalidation rotates it first and takes those away second.
          const guard = yield* store.lookup(plan.entry, [own.guard])
          if (guard.states[0] !== gap.states.get(own.guard)) return "Overtaken" as const
        }
        if (late !== nothingLate) predictions.set(plan.entry, lateTags)
        const tags = distinct([...gap.tags, ...lateTags])
        const stamps = tags.map((tag) => states.get(tag) ?? null)
        if (!stamps.every(isStamp)) return "Overtaken" as const
        const entry = { ...result, tags, stamps, ttlMillis: plan.ttl }
        const bytes = CacheEntry.encode(plan.digest, entry)
        if (bytes.length > maxEntryBytes) return "TooLarge" as const
        const stored = yield* put(plan, bytes, gap.seen)
        for (const alias of late.entries) {
          const aliasPlan = { ...plan, digest: alias.digest, entry: entryName(alias) }
          yield* put(aliasPlan, CacheEntry.encode(alias.digest, entry), null)
        }
        if (stored) {
          counts.fills++
          emit({ _tag: "Filled", label: plan.label, bytes: bytes.length, queryMillis: result.queryMillis })
        }
        return stored ? undefined : "Overtaken" as const
      }).pipe(
        Effect.catchAll((error) => Effect.sync(() => (failed(error), "Unavailable" as const))),
        Effect.map((why) => {
          if (why !== undefined) emit({ _tag: "NotStored", label: plan.label, why })
          return why === undefined
        })
      )

    const entryName = (key: CacheKey.CacheKey) => {
      const scope = namesOf(key.namespace)
      return own.entry(key.digest, scope === own ? undefined : scope.namespace)
    }

    /**
     * Stores over what was seen before the query. Where something else has come in between it is replaced only if it
     * is dead: a late store never takes the place of a living entry.
     */
    const put = <A>(plan: Plan<A>, bytes: Uint8Array, seen: Uint8Array | null): Effect.Effect<boolean, CacheError> =>
      Effect.flatMap(store.replace(plan.entry, bytes, plan.ttl, seen), (replaced) => {
        if (replaced) return Effect.succeed(true)
        return Effect.flatMap(look(plan, plan.tags), (now) =>
          now._tag === "Hit" && plan.request.mode !== "refresh"
            ? Effect.succeed(false)
            : Effect.flatMap(
              now._tag === "Gap" ? Effect.succeed(now.gap.seen) : Effect.map(store.lookup(plan.entry, []), seenNow),
              (dead) => store.replace(plan.entry, bytes, plan.ttl, dead)
            ))
      })
    const seenNow = ({ entry }: Lookup) => entry === null ? null : CacheEntry.identity(entry)

    // -----------------------------------------------------------------------------------------------------------------
    // writing
    // -----------------------------------------------------------------------------------------------------------------

    const invalidateSteps = (steps: ReadonlyArray<Invalidation>, ttl = stampTtlMillis(0)) =>
      Effect.tap(store.invalidate(steps, ttl), () =>
        Effect.sync(() => {
          counts.invalidations++
          emit({ _tag: "Invalidated", tags: steps.length, all: false })
        }))

    /** The guard goes first: see where it is compared. */
    const stepsOf = (targets: Targets): ReadonlyArray<Invalidation> => {
      const keys = targets.keys ?? []
      const kind = targets.mode === "expire" ? "expire" : "kill"
      const guards = distinct(keys.length === 0 ? [] : [own.guard, ...keys.map((ref) => namesOf(ref.namespace).guard)])
      return [
        ...guards.map((tag): Invalidation => ({ _tag: "kill", tag, first: true })),
        ...distinct([...keys.map(keyTag), ...(targets.tags ?? []).map(own.tag)]).map((tag): Invalidation => ({ _tag: kind, tag }))
      ]
    }

    const invalidate = (targets: Targets): Effect.Effect<void, CacheError> => {
      const steps = stepsOf(targets)
      return steps.length === 0 ? Effect.void : Effect.tapError(Effect.asVoid(invalidateSteps(steps)), (error) => Effect.sync(() => failed(error)))
    }

    const invalidateAll: QueryCache["invalidateAll"] = (options) =>
      Effect.suspend(() => store.invalidate([{ _tag: "kill", tag: namesOf(options?.namespace).namespaceTag }], stampTtlMillis(0))).pipe(
        Effect.tapBoth({
          onFailure: (error) => Effect.sync(() => failed(error)),
          onSuccess: () =>
            Effect.sync(() => {
              counts.invalidations++
              emit({ _tag: "Invalidated", tags: 1, all: true })
            })
        }),
        Effect.asVoid
      )

    const write = <A, E, R>(request: WriteRequest<A>, effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> => {
      const before: Targets = { keys: request.keys, tags: request.tags }
      const ownResult = request.own
      const prepared = ownResult === undefined ? Effect.succeed(undefined) : prepareOwn(ownResult)
      return Effect.uninterruptibleMask((restore) =>
        Effect.flatMap(restore(prepared), (ready) =>
          Effect.matchCauseEffect(restore(effect), {
            onFailure: (cause) => {
              const rolledBack = Array.from(Cause.failures(cause)).some(request.isRolledBack ?? (() => false))
              const settle = rolledBack ? Effect.void : Effect.ignore(invalidate(before))
              return Effect.zipRight(settle, Effect.failCause(cause))
            },
            onSuccess: (value) => Effect.as(settleWrite(request, value, ready), value)
          }))
      )
    }

    /** The stamps that a write's own result may be stored under, if they are still in place when it has committed. */
    interface Prepared {
      readonly states: ReadonlyMap<string, TagState>
      readonly namespaces: ReadonlyArray<string>
    }

    const prepareOwn = <A>(ownResult: OwnResult<A>): Effect.Effect<Prepared | undefined> => {
      const key = ownResult.key
      const named = typeof key === "function" ? [own.guard] : [keyTag(key)]
      const namespaces = distinct([
        own.namespaceTag,
        namesOf(typeof key === "function" ? undefined : key.namespace).namespaceTag
      ])
      const tags = distinct([...named, ...namespaces, ...(ownResult.strategy.tags ?? []).map(own.tag)])
      return Effect.map(
        tolerate(store.obtain(tags, stampTtlMillis(ttlMillis(ownResult.strategy.ttl)))),
        (states) => states && { namespaces, states: new Map(tags.map((tag, i) => [tag, states[i] ?? null])) }
      )
    }

    const settleWrite = <A, E>(request: WriteRequest<A>, value: A, prepared: Prepared | undefined): Effect.Effect<void> =>
      Effect.gen(function*() {
        let lateKeys: ReadonlyArray<KeyRef> = []
        let ownKey: KeyRef | undefined
        let all = false
        try {
          lateKeys = request.lateKeys?.(value) ?? []
          ownKey = typeof request.own?.key === "function" ? request.own.key(value) : request.own?.key
        } catch {
          // The write is done and cannot be taken back; what it made invalid is not known: everything, then.
          all = true
          emit({ _tag: "Warning", message: `${request.label}: a function that names cache keys threw; the whole namespace is invalidated` })
        }
        const targets: Targets = {
          keys: [...(request.keys ?? []), ...lateKeys, ...(ownKey === undefined ? [] : [ownKey])],
          tags: request.tags
        }
        if (all) yield* Effect.ignore(invalidateAll())
        const steps = stepsOf(targets)
        if (steps.length === 0) return
        if (request.own === undefined || ownKey === undefined || prepared === undefined || ttlMillis(request.own.strategy.ttl) === 0) {
          return yield* Effect.ignore(invalidate(targets))
        }
        yield* storeOwn(request.label, request.own, ownKey, value, steps, prepared)
      })

    /**
     * Invalidates, and puts the write's own result in place if nobody invalidated its key since before the write: the
     * stamp of the key (of the guard, where the key is known only now) is swapped, not removed.
     */
    const storeOwn = <A>(
      label: string,
      ownResult: OwnResult<A>,
      key: KeyRef,
      value: A,
      steps: ReadonlyArray<Invalidation>,
      prepared: Prepared
    ): Effect.Effect<void> =>
      Effect.gen(function*() {
        const ttl = ttlMillis(ownResult.strategy.ttl)
        const late = typeof ownResult.key === "function"
        const tag = keyTag(key)
        const swapped = late ? own.guard : tag
        const expected = prepared.states.get(swapped) ?? null
        const next = makeStamp()
        const plan = ownPlan(ownResult, key, label)
        const payload = yield* encoded(plan, value)
        const swaps = isStamp(expected)
          ? steps.map((step): Invalidation => step.tag === swapped ? { _tag: "swap", tag: swapped, first: step.first, expected, next } : step)
          : steps
        const inPlace = yield* invalidateSteps(swaps, stampTtlMillis(ttl))
        if (payload === undefined || inPlace[swaps.findIndex((step) => step._tag === "swap")] !== true) return
        const states = new Map(prepared.states).set(swapped, next)
        if (late) {
          states.set(tag, (yield* store.obtain([tag], stampTtlMillis(ttl)))[0] ?? null)
          const guard = yield* store.lookup(plan.entry, [own.guard])
          if (guard.states[0] !== next) return
        }
        const createdAt = yield* Clock.currentTimeMillis
        const seen = yield* store.lookup(plan.entry, [])
        const gap: Gap = { seen: seenNow(seen), states, tags: plan.tags }
        yield* fill(plan, gap, nothingLate, { payload, createdAt, queryMillis: 0 })
      }).pipe(Effect.catchAll((error) => Effect.sync(() => failed(error))))

    const ownPlan = <A>(ownResult: OwnResult<A>, key: KeyRef, label: string): Plan<A> => {
      const cacheKey = ownResult.entry(key)
      const scope = namesOf(cacheKey.namespace)
      return {
        request: { key: cacheKey, strategy: ownResult.strategy, keys: [key] },
        label,
        digest: cacheKey.digest,
        entry: entryName(cacheKey),
        ttl: ttlMillis(ownResult.strategy.ttl),
        tags: distinct([own.namespaceTag, scope.namespaceTag, keyTag(key), ...(ownResult.strategy.tags ?? []).map(own.tag)]),
        types: ownResult.types ?? [],
        shown: { key: key.key, tags: ownResult.strategy.tags ?? [] }
      }
    }

    return {
      [TypeId]: TypeId,
      namespace: own.namespace,
      answer,
      fetch: (request, load) => Effect.map(answer(request, load), ({ value }) => value),
      write,
      invalidate,
      invalidateAll,
      stats: Effect.sync((): Stats => ({ ...counts })),
      activity: Effect.sync(() => ({ flights: flights.size() }))
    }
  })
