/**
 * A store over any Keyv store, *best effort*: what needs atomic steps is so within one process only. Invalidation comes
 * after commit, takes the whole entry (there is no merely expired one), and a write's own result is not stored.
 *
 * @module
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import { CacheError } from "../CacheError.js"
import { CacheStore } from "../CacheStore.js"
import { makeBestEffort } from "../internal/bestEffort.js"
import { codeIn } from "../internal/errorCode.js"
import { fromBase64, toBase64 } from "../internal/text.js"

/**
 * A Keyv, or a store made for Keyv, by its shape. Times to live are milliseconds; the values are strings. A store that
 * does not know of times to live will do too, but is never tidied up.
 *
 * @since 0.1.0
 * @category models
 */
export interface KeyvLike {
  /** The value, or a promise of it; nothing if there is none. */
  get(key: string): unknown
  /** Stores for so many milliseconds. `false`, or a promise of that, if it did not. */
  set(key: string, value: string, ttlMillis?: number): unknown
  /** Removes. Where the answer is not `true`, a value is stored in its place that stands for none. */
  delete(key: string): unknown
  /** As many as there are keys, in their order. */
  getMany?(keys: Array<string>): unknown
  /** Where errors are told that `get`, `set` and `delete` swallow. */
  on?(event: "error", listener: (error: unknown) => void): unknown
  /** Takes a listener away. */
  off?(event: "error", listener: (error: unknown) => void): unknown
}

/** How long what takes the place of something removed stays there. Nobody reads it. */
const tombMillis = 1_000

const tomb = "-"

const bytesIn = (value: unknown): Uint8Array | null => {
  if (typeof value !== "string" || value === tomb) return null
  try {
    return fromBase64(value)
  } catch {
    return null
  }
}

/**
 * A store over a Keyv, which is used and never closed. Stores over one Keyv take turns with each other in this process.
 *
 * A Keyv reports what goes wrong as an event. As long as the scope is open it is listened to: what was under way when
 * such an event came is taken for failed.
 *
 * @since 0.1.0
 * @category constructors
 */
export const make = (keyv: KeyvLike): Effect.Effect<CacheStore, never, Scope.Scope> =>
  Effect.gen(function*() {
    let errors = 0
    let latest: unknown
    const listener = (error: unknown) => {
      errors++
      latest = error
    }
    if (keyv.on !== undefined && keyv.off !== undefined) {
      yield* Effect.acquireRelease(
        Effect.sync(() => void keyv.on?.("error", listener)),
        () => Effect.sync(() => void keyv.off?.("error", listener))
      )
    }

    const ask = <A>(operation: string, run: () => Promise<A>): Effect.Effect<A, CacheError> =>
      Effect.tryPromise({
        try: async () => {
          const before = errors
          const answer = await run()
          if (errors !== before) throw latest
          return answer
        },
        catch: (error) => new CacheError({ reason: "Unavailable", operation, code: codeIn(error) })
      })

    const write = async (name: string, value: string, ttlMillis: number) => {
      if (await keyv.set(name, value, ttlMillis) === false) throw new Error("not stored")
    }

    return makeBestEffort(keyv, {
      read: (names) =>
        ask("read", async () => {
          const found: unknown = keyv.getMany === undefined || names.length === 1
            ? await Promise.all(names.map(async (name) => keyv.get(name)))
            : await keyv.getMany([...names])
          return Array.isArray(found) ? found.map(bytesIn) : []
        }),
      write: (name, bytes, ttlMillis) => ask("store", () => write(name, toBase64(bytes), ttlMillis)),
      remove: (name) =>
        ask("remove", async () => {
          // `false` is said of what was not there and of what could not be removed: in its place, then.
          if (await keyv.delete(name) !== true) await write(name, tomb, tombMillis)
        })
    })
  })

/**
 * A store over a Keyv as a layer.
 *
 * @since 0.1.0
 * @category layers
 */
export const layer = (keyv: KeyvLike): Layer.Layer<CacheStore> => Layer.scoped(CacheStore, make(keyv))
