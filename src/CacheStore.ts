/**
 * The store: a small set of primitives over encoded entries and stamps. What they are *for*, which stamp belongs to
 * which entry and when an entry may be served, is decided above, in `QueryCache`.
 *
 * A cache tag's place in the store holds nothing, or a *stamp*: `s:<hard>.<soft>`, two random values that are never
 * used again. An entry carries the stamps that were current before its query ran, and is served only while they
 * still are. Invalidation takes the stamp away, however many entries carry it.
 *
 * @module
 * @since 0.1.0
 */
import type * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import type * as Either from "effect/Either"
import type * as Scope from "effect/Scope"
import type { CacheError } from "./CacheError.js"

/**
 * @since 0.1.0
 * @category type ids
 */
export const TypeId: unique symbol = Symbol.for("effect-prisma-cache/CacheStore")

/**
 * @since 0.1.0
 * @category type ids
 */
export type TypeId = typeof TypeId

/**
 * What the store holds for one entry and for the tags it was asked about, in the order they were asked.
 *
 * @since 0.1.0
 * @category models
 */
export interface Lookup {
  readonly entry: Uint8Array | null
  readonly states: ReadonlyArray<TagState>
}

/**
 * What a tag's place holds: nothing, a stamp (`s:…`), or the intent of a write under way (`w:…`), which no entry may
 * be served or stored under.
 *
 * @since 0.1.0
 * @category models
 */
export type TagState = string | null

/**
 * One step of an invalidation.
 *
 * - `kill`: the stamp is removed, and what carries it is never served again
 * - `expire`: only the stamp's soft part changes: what carries it counts as expired
 * - `swap`: the stamp is replaced by `next` if it still is `expected`, else removed; answers whether `next` is in place
 *
 * An intent is never removed: it is marked, so that the stamp from before it does not come back.
 *
 * @since 0.1.0
 * @category models
 */
export type Invalidation = Ordered & (
  | { readonly _tag: "kill" }
  | { readonly _tag: "expire" }
  | { readonly _tag: "swap"; readonly expected: string; readonly next: string }
)

/**
 * A step on one tag. Steps that are to be `first` are carried out before any that is not.
 *
 * @since 0.1.0
 * @category models
 */
export interface Ordered {
  readonly tag: string
  readonly first?: boolean | undefined
}

/**
 * The end of a write of one tag. `next` is the stamp that the write's own result is to be stored under: it is put in
 * place if the write was alone with the tag.
 *
 * @since 0.1.0
 * @category models
 */
export interface Ending extends Ordered {
  readonly next?: string | undefined
}

/**
 * What a backend can promise.
 *
 * - `atomic`: each primitive is one step, for all processes that share the store
 * - `bestEffort`: so within one process only. A write cannot announce itself there (`begin` fails), so that nothing but
 *   `after-commit` is possible; whatever an invalidation says removes the stamp, and its `next` is never put in place;
 *   `obtain` may replace a stamp where it should prolong it
 *
 * @since 0.1.0
 * @category models
 */
export type Level = "atomic" | "bestEffort"

/**
 * How a store looks something up. One that can do so without a fiber says how under `unsafe`: a fiber, and another one
 * that looks after its time, are most of what a hit costs.
 *
 * @since 0.1.0
 * @category models
 */
export interface LookupFunction {
  (entry: string, tags: ReadonlyArray<string>): Effect.Effect<Lookup, CacheError>
  readonly unsafe?: UnsafeLookup | undefined
}

/**
 * The same in plain code. Tells the answer once, at once or later, and fails with `Timeout` if it is not there after so
 * many milliseconds. The clock is for stores that have none of their own.
 *
 * @since 0.1.0
 * @category models
 */
export type UnsafeLookup = (
  entry: string,
  tags: ReadonlyArray<string>,
  bound: { readonly millis: number; readonly clock: Clock.Clock },
  tell: (answer: Either.Either<Lookup, CacheError>) => void
) => void

/**
 * Whoever keeps copies of what a store holds, and has to know when they are of no worth any more.
 *
 * @since 0.1.0
 * @category models
 */
export interface ChangeListener {
  /** Every change is told from now on. What was learnt before may have changed unheard. */
  readonly on: () => void
  /** Changes may go unheard from now on. */
  readonly off: () => void
  /**
   * Every change until then will have been told, by `performance.now()`: a process that was stopped has not heard what
   * happened meanwhile, nor that it cannot hear any more. Default: until `off`.
   */
  readonly assured: (until: number) => void
  /** What a tag's place held is gone, or a write of it has begun. */
  readonly changed: (tag: string) => void
}

/**
 * The primitives that a backend provides. All names are complete: a backend adds nothing to them.
 * Every operation may be repeated: a resent command changes nothing more.
 *
 * @since 0.1.0
 * @category models
 */
export interface CacheStore {
  readonly [TypeId]: TypeId
  /** What the backend can promise. Default `atomic`. */
  readonly level?: Level | undefined
  /**
   * Which part of the store holds a name, where it has parts that fail one by one: the nodes of a cluster. One that keeps
   * failing is left alone while the others are used. Default: the store is one.
   */
  readonly nodeOf?: ((name: string) => string) | undefined
  /**
   * A stamp to be put in a tag's place, where they have to be of a kind that the store knows; `undefined` if it cannot
   * make one now. Default: any that was never used before.
   */
  readonly newStamp?: ((tag: string) => string | undefined) | undefined
  /**
   * Tells of all changes to the tags of a namespace, by whatever process, until the scope closes: everything that `begin`,
   * `end` and `invalidate` do but the return of a stamp. What comes of them is told after it can be read. Takes the tag of
   * the namespace. Default: the store cannot tell what others do.
   */
  readonly changes?:
    | ((namespaceTag: string, listener: ChangeListener) => Effect.Effect<void, never, Scope.Scope>)
    | undefined
  /** An entry and the states of the tags, in one round trip. The reads need not be atomic. */
  readonly lookup: LookupFunction
  /**
   * Get-or-create: the stamps of the tags. A stamp lives for at least `ttlMillis` from now. A place that can neither
   * be read nor given a stamp answers `null`. A stamp made where nothing was is on probation for `probationMillis`, if
   * that is given and not 0, and says until when: `s:<hard>~<until>.<soft>`, by the store's clock. Where that time has
   * come a new one takes its place, which is on probation no longer.
   */
  readonly obtain: (
    tags: ReadonlyArray<string>,
    ttlMillis: number,
    probationMillis?: number
  ) => Effect.Effect<ReadonlyArray<TagState>, CacheError>
  /**
   * Compare-and-set: stores the entry for `ttlMillis` if what is there begins with `seen` (`null`: if nothing is
   * there), and answers whether it did. Whoever was overtaken in the meantime changes nothing. What is given an
   * `until` lives no longer than that, by the store's clock, and is not stored if that has come.
   */
  readonly replace: (
    entry: string,
    bytes: Uint8Array,
    ttlMillis: number,
    seen: Uint8Array | null,
    until?: number
  ) => Effect.Effect<boolean, CacheError>
  /** Compare-and-delete: removes the entry if what is there begins with `seen`. */
  readonly remove: (entry: string, seen: Uint8Array) => Effect.Effect<void, CacheError>
  /** Carries out the steps, and answers for each whether `next` was put in place. */
  readonly invalidate: (
    steps: ReadonlyArray<Invalidation>,
    ttlMillis: number
  ) => Effect.Effect<ReadonlyArray<boolean>, CacheError>
  /**
   * A write of these tags begins: an intent takes the place of each stamp until `end` or until `ttlMillis` from now,
   * by the store's clock. Beginning again under the same token prolongs it.
   */
  readonly begin: (
    tags: ReadonlyArray<Ordered>,
    token: string,
    ttlMillis: number
  ) => Effect.Effect<void, CacheError>
  /**
   * A write has ended. `committed` (or nobody knows): what was there before it is gone. Otherwise it was certainly
   * rolled back, and the stamp comes back unless something else took it away. Answers for each tag whether `next` was
   * put in place. A tag that was never begun is invalidated.
   */
  readonly end: (
    tags: ReadonlyArray<Ending>,
    token: string,
    committed: boolean,
    ttlMillis: number
  ) => Effect.Effect<ReadonlyArray<boolean>, CacheError>
}

/**
 * The service tag of the store.
 *
 * @since 0.1.0
 * @category service tags
 */
export const CacheStore: Context.Tag<CacheStore, CacheStore> = Context.GenericTag("effect-prisma-cache/CacheStore")

/**
 * Builds a store from its primitives.
 *
 * @since 0.1.0
 * @category constructors
 */
export const make = (primitives: Omit<CacheStore, TypeId>): CacheStore => ({ [TypeId]: TypeId, ...primitives })
