/**
 * Writes. A strict write announces itself before the database is asked: an *intent* takes the place of each stamp it
 * touches, and whoever reads one queries the database and stores nothing. When the write has ended the intent goes,
 * and with it every entry under the stamp that was there; or, after a certain rollback, the stamp comes back.
 */
import * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import type * as Scope from "effect/Scope"
import type { CacheError } from "../CacheError.js"
import type { Ending, Invalidation, Ordered, TagState } from "../CacheStore.js"
import { lifetime } from "../CacheStrategy.js"
import type { KeyRef, OpenWrite, Outcome, OwnResult, QueryCache, Targets, Touches, WriteRequest } from "../QueryCache.js"
import { byTag, distinct, intentTtlDefault } from "./core.js"
import type { Core } from "./core.js"
import { identityOf } from "./filling.js"
import type { Filling } from "./filling.js"
import { random128 } from "./hash.js"
import { never } from "./memoryTier.js"
import { nothingLate } from "./reading.js"
import type { Gap, Plan, Reading } from "./reading.js"
import { isStamp, makeStamp, stampTtlMillis } from "./stamp.js"
import * as tally from "./tally.js"

export interface Writing extends Pick<QueryCache, "write" | "openWrite" | "invalidate"> {}

/** A write in the making: every name that it touches, in two groups. */
interface Draft {
  readonly first: Set<string>
  readonly rest: Set<string>
}

/** The stamps that a write's own result is to be stored under, for the tags that the write touches itself. */
type Nexts = ReadonlyMap<string, string>

/** Of a settled write: every tag that it touched, and whether its next stamp is in place. */
type InPlace = ReadonlyMap<string, boolean>

interface Handle extends OpenWrite {
  readonly settleOwn: (outcome: Outcome, nexts: Nexts, expected: ReadonlyMap<string, TagState>) => Effect.Effect<InPlace>
}

export const makeWriting = (core: Core, reading: Reading, filling: Filling, scope: Scope.Scope): Writing => {
  const { counts, emit, failed, keyTag, namesOf, options, own, store, tolerate } = core
  const strict = options.consistency === "strict"
  const refuses = options.onUnreachable === "refuse"
  const intentTtl = options.intentTtl ?? intentTtlDefault

  /** Adds names to a draft, and says which of them are new to it. The guard of custom keys goes before the keys. */
  const add = (draft: Draft, touches: Touches): Draft => {
    const keys = touches.keys ?? []
    const first = [
      ...(touches.all === true ? [own.namespaceTag] : []),
      ...(touches.first ?? []).map(own.dependency),
      ...keys.map((ref) => namesOf(ref.namespace).guard)
    ].filter((tag) => !draft.first.has(tag))
    const rest = [
      ...(touches.rest ?? []).map(own.dependency),
      ...keys.map(keyTag),
      ...(touches.tags ?? []).map(own.tag)
    ].filter((tag) => !draft.rest.has(tag))
    first.forEach((tag) => draft.first.add(tag))
    rest.forEach((tag) => draft.rest.add(tag))
    return { first: new Set(first), rest: new Set(rest) }
  }

  const ordered = (draft: Draft): ReadonlyArray<Ordered> => [
    ...Array.from(draft.first, (tag) => ({ tag, first: true })),
    ...Array.from(draft.rest, (tag) => ({ tag }))
  ]

  const empty = (): Draft => ({ first: new Set(), rest: new Set() })

  // -------------------------------------------------------------------------------------------------------------------
  // writes under way
  // -------------------------------------------------------------------------------------------------------------------

  const begun = new Set<() => Effect.Effect<void, CacheError>>()
  let prolonging: Fiber.RuntimeFiber<void> | undefined

  /** One fiber prolongs the intents of all writes under way, so that a slow write does not lose them. */
  const prolong = Effect.suspend(() =>
    Effect.forEach(Array.from(begun), (again) => Effect.ignore(again()), { concurrency: "unbounded", discard: true })
  ).pipe(Effect.delay(Duration.millis(intentTtl / 3)), Effect.repeat({ while: () => begun.size > 0 }), Effect.asVoid)

  const startProlonging = Effect.suspend(() => {
    if (prolonging !== undefined) return Effect.void
    return Effect.forkIn(Effect.ensuring(prolong, Effect.sync(() => (prolonging = undefined))), scope).pipe(
      Effect.map((fiber) => void (prolonging = fiber))
    )
  })

  const stopProlonging = Effect.suspend(() =>
    begun.size > 0 || prolonging === undefined ? Effect.void : Fiber.interruptFork(prolonging)
  )

  /** `guarded`: it will touch a custom key that is known only afterwards, and holds the guard of keys until then. */
  const openHandle = (guarded: boolean): Handle => {
    const draft = empty()
    const token = random128()
    /** An own result may be stored only if every intent was acknowledged at once, and none had to be prolonged. */
    let clean = true
    let settled = false

    const beginAgain = () =>
      Effect.suspend(() => {
        clean = false
        return store.begin(ordered(draft), token, intentTtl)
      })

    const touch = (touches: Touches) =>
      Effect.suspend(() => {
        const fresh = add(draft, touches)
        if (guarded && !draft.first.has(own.guard)) {
          draft.first.add(own.guard)
          fresh.first.add(own.guard)
        }
        const tags = ordered(fresh)
        if (tags.length === 0 || (!strict && !refuses)) return Effect.void
        if (strict) begun.add(beginAgain)
        const names = tags.map(({ tag }) => tag)
        const announced = strict
          ? Effect.zipRight(startProlonging, store.begin(tags, token, intentTtl))
          : Effect.asVoid(store.lookup(own.probe, names))
        return Effect.catchAll(announced, (error) => {
          clean = false
          failed(error)
          return refuses ? Effect.fail(error) : Effect.void
        })
      })

    const finish = (
      outcome: Outcome,
      nexts: Nexts,
      expected: ReadonlyMap<string, TagState>
    ): Effect.Effect<ReadonlyArray<boolean>, CacheError> => {
      const tags = ordered(draft)
      if (tags.length === 0) return Effect.succeed([])
      // The database may still be at it: intents of their full length stay, and what was there does not come back.
      if (strict && outcome === "unknown") {
        const kills = tags.map((step): Invalidation => ({ ...step, _tag: "kill" }))
        return Effect.as(Effect.catchAll(store.begin(tags, token, intentTtl), () => store.invalidate(kills, stampTtlMillis())), [])
      }
      if (!strict) {
        if (outcome === "rolledBack") return Effect.succeed([])
        const steps = tags.map((step): Invalidation => {
          const next = nexts.get(step.tag)
          const before = expected.get(step.tag) ?? null
          return next !== undefined && isStamp(before)
            ? { ...step, _tag: "swap", expected: before, next }
            : { ...step, _tag: "kill" }
        })
        return store.invalidate(steps, stampTtlMillis())
      }
      const endings = tags.map((step): Ending => ({ ...step, next: clean ? nexts.get(step.tag) : undefined }))
      return store.end(endings, token, outcome !== "rolledBack", stampTtlMillis())
    }

    const settleOwn: Handle["settleOwn"] = (outcome, nexts, expected) =>
      Effect.suspend(() => {
        if (settled) return Effect.succeed(new Map<string, boolean>())
        settled = true
        begun.delete(beginAgain)
        const tags = ordered(draft)
        return finish(outcome, nexts, expected).pipe(
          Effect.tap(() =>
            Effect.sync(() => {
              if (outcome === "rolledBack" || tags.length === 0) return
              counts.invalidations++
              tally.invalidated()
              emit({ _tag: "Invalidated", tags: tags.length, all: draft.first.has(own.namespaceTag) })
            })
          ),
          tolerate,
          Effect.map((answers): InPlace => new Map(tags.map(({ tag }, i) => [tag, answers?.[i] === true]))),
          Effect.zipLeft(stopProlonging)
        )
      })

    return {
      touch,
      touched: (touches) => void add(draft, touches),
      settle: (outcome) => Effect.asVoid(settleOwn(outcome, new Map(), new Map())),
      settleOwn
    }
  }

  // -------------------------------------------------------------------------------------------------------------------
  // one write
  // -------------------------------------------------------------------------------------------------------------------

  const write: QueryCache["write"] = <A, E, R>(request: WriteRequest<A>, effect: Effect.Effect<A, E, R>) => {
    const ownResult = request.own
    const prepared = ownResult === undefined ? Effect.succeed(undefined) : prepareOwn(ownResult)
    const { touches } = request
    // Where the result is kept is touched in any case: what is there is of no worth when the write may have been done.
    const touched = ownResult === undefined || typeof ownResult.key === "function"
      ? touches
      : { ...touches, keys: [...(touches.keys ?? []), ownResult.key] }
    return Effect.uninterruptibleMask((restore) =>
      Effect.suspend(() => {
        // An effect may be run again: each time it is another write.
        const handle = openHandle(typeof ownResult?.key === "function")
        const begin = Effect.exit(restore(Effect.zipLeft(prepared, handle.touch(touched))))
        return Effect.flatMap(begin, (begun): Effect.Effect<A, E | CacheError, R> => {
          // Interrupted, or refused, before anything was sent to the database.
          if (begun._tag === "Failure") return Effect.zipRight(handle.settle("rolledBack"), Effect.failCause(begun.cause))
          return Effect.matchCauseEffect(restore(effect), {
            onFailure: (cause) => {
              const isOneOf = (what: ((error: unknown) => boolean) | undefined) =>
                what !== undefined && Array.from(Cause.failures(cause)).some(what)
              const outcome = isOneOf(request.isRolledBack) ? "rolledBack" : isOneOf(request.isOver) ? "committed" : "unknown"
              if (outcome !== "rolledBack" && request.unknown !== undefined) handle.touched(request.unknown)
              return Effect.zipRight(handle.settle(outcome), Effect.failCause(cause))
            },
            onSuccess: (value) => Effect.as(settleWrite(request, value, handle, begun.value), value)
          })
        })
      })
    )
  }

  const settleWrite = <A>(
    request: WriteRequest<A>,
    value: A,
    handle: Handle,
    prepared: Prepared | undefined
  ): Effect.Effect<void> =>
    Effect.suspend(() => {
      let ownKey: KeyRef | undefined
      try {
        if (request.late !== undefined) handle.touched(request.late(value))
        ownKey = typeof request.own?.key === "function" ? request.own.key(value) : request.own?.key
      } catch {
        // The write is done and cannot be taken back; what it made invalid is not known: everything, then.
        handle.touched({ all: true })
        const what = `${request.label}: a function that names cache keys threw`
        emit({ _tag: "Warning", message: `${what}; the whole namespace is invalidated` })
        return handle.settle("committed")
      }
      if (ownKey !== undefined) handle.touched({ keys: [ownKey] })
      if (request.own === undefined || ownKey === undefined || prepared === undefined) return handle.settle("committed")
      return storeOwn(request.label, request.own, ownKey, value, handle, prepared)
    })

  // -------------------------------------------------------------------------------------------------------------------
  // a write's own result
  // -------------------------------------------------------------------------------------------------------------------

  /** The stamps from before the write, of all that its own result will depend on and that is known by then. */
  interface Prepared {
    readonly states: ReadonlyMap<string, TagState>
  }

  const ownTags = <A>(ownResult: OwnResult<A>, key: KeyRef | undefined): ReadonlyArray<string> =>
    distinct([
      own.namespaceTag,
      ...(key === undefined ? [own.guard] : [keyTag(key), namesOf(key.namespace).namespaceTag]),
      ...(ownResult.strategy.tags ?? []).map(own.tag),
      ...(ownResult.dependencies ?? []).map(own.dependency)
    ])

  const prepareOwn = <A>(ownResult: OwnResult<A>): Effect.Effect<Prepared | undefined> => {
    const ttl = lifetime(ownResult.strategy).kept
    // Hardened, a stamp that a write itself puts in place would be on no probation; best effort puts none in place.
    if (ttl === 0 || options.hardened === true || store.level === "bestEffort") return Effect.succeed(undefined)
    const tags = ownTags(ownResult, typeof ownResult.key === "function" ? undefined : ownResult.key)
    return Effect.map(
      tolerate(reading.obtain(tags, ttl)),
      (states) => states && { states: byTag(tags, states) }
    )
  }

  /**
   * Ends the write, and stores its own result if nobody else touched what it depends on since before the write: of
   * each tag that the write touches itself a new stamp is put in place, for the others that from before must do. A key
   * that is known only now is covered by the guard, which whoever invalidates a key rotates first.
   */
  const storeOwn = <A>(
    label: string,
    ownResult: OwnResult<A>,
    key: KeyRef,
    value: A,
    handle: Handle,
    prepared: Prepared
  ): Effect.Effect<void> =>
    Effect.gen(function*() {
      const plan = ownPlan(ownResult, key, label)
      const late = typeof ownResult.key === "function"
      const renewed = late ? [own.guard, ...plan.tags.filter((tag) => tag !== keyTag(key))] : plan.tags
      const { newStamp = () => makeStamp() } = store
      const nexts = new Map(renewed.flatMap((tag) => {
        const stamp = newStamp(tag)
        return stamp === undefined ? [] : [[tag, stamp] as const]
      }))
      const payload = yield* filling.encoded(plan, value)
      const inPlace = yield* handle.settleOwn("committed", nexts, prepared.states)
      const states = new Map(prepared.states)
      for (const [tag, renewed] of inPlace) states.set(tag, renewed ? nexts.get(tag) ?? null : null)
      yield* reading.made(states.values(), stampTtlMillis())
      if (payload === undefined) return
      if (late) {
        if (inPlace.get(own.guard) !== true) return
        states.set(keyTag(key), (yield* reading.obtain([keyTag(key)], plan.lifetime.kept))[0] ?? null)
      }
      const seen = yield* store.lookup(plan.entry, late ? [own.guard] : [])
      if (late && seen.states[0] !== nexts.get(own.guard)) return
      const createdAt = yield* Clock.currentTimeMillis
      const gap: Gap = { seen: identityOf(seen), states, tags: plan.tags, since: never }
      yield* filling.fill(plan, gap, { payload, late: nothingLate }, { createdAt, queryMillis: 0 })
    }).pipe(
      Effect.catchAll((error) => Effect.sync(() => failed(error))),
      Effect.ensuring(handle.settle("committed"))
    )

  const ownPlan = <A>(ownResult: OwnResult<A>, key: KeyRef, label: string): Plan<A> => {
    const cacheKey = ownResult.entry(key)
    const tags = ownTags(ownResult, key)
    return {
      request: { key: cacheKey, strategy: ownResult.strategy, keys: [key] },
      label,
      digest: cacheKey.digest,
      entry: reading.entryOf(cacheKey),
      lifetime: lifetime(ownResult.strategy),
      tags,
      required: tags,
      guards: [],
      types: ownResult.types ?? [],
      shown: { key: key.key, tags: ownResult.strategy.tags ?? [] }
    }
  }

  // -------------------------------------------------------------------------------------------------------------------
  // explicit invalidation
  // -------------------------------------------------------------------------------------------------------------------

  const invalidate = (targets: Targets): Effect.Effect<void, CacheError> =>
    Effect.suspend(() => {
      const draft = add(empty(), { keys: targets.keys, tags: targets.tags, first: targets.dependencies })
      const kind = targets.mode === "expire" ? "expire" : "kill"
      const steps = ordered(draft).map((step): Invalidation => ({ ...step, _tag: kind }))
      if (steps.length === 0) return Effect.void
      return Effect.tapBoth(store.invalidate(steps, stampTtlMillis()), {
        onFailure: (error) => Effect.sync(() => failed(error)),
        onSuccess: () =>
          Effect.sync(() => {
            counts.invalidations++
            tally.invalidated()
            emit({ _tag: "Invalidated", tags: steps.length, all: false })
          })
      })
    })

  return { write, openWrite: () => openHandle(false), invalidate }
}
