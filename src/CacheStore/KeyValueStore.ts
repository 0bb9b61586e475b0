/**
 * A store over the `KeyValueStore` of `@effect/platform` (files, memory, the storage of a browser), *best effort*: what
 * needs atomic steps is so within one process only. Invalidation comes after commit, takes the whole entry (there is no
 * merely expired one), and a write's own result is not stored.
 *
 * A `KeyValueStore` knows no times to live. They are kept with the values and looked at when these are read, by Effect's
 * `Clock`; what nobody reads any more stays where it is until the `KeyValueStore` is cleared.
 *
 * @module
 * @since 0.1.0
 */
import type { PlatformError } from "@effect/platform/Error"
import * as KeyValueStore from "@effect/platform/KeyValueStore"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import { CacheError } from "../CacheError.js"
import { CacheStore } from "../CacheStore.js"
import { makeBestEffort } from "../internal/bestEffort.js"

const failed = (operation: string) => (error: PlatformError): CacheError =>
  new CacheError({ reason: "Unavailable", operation, code: error._tag === "SystemError" ? error.reason : error._tag })

/** How many values are read at once: a file system has only so many handles. */
const concurrency = 32

/**
 * A store over a `KeyValueStore`. Stores over the same one take turns with each other in this process.
 *
 * @since 0.1.0
 * @category constructors
 */
export const make = (values: KeyValueStore.KeyValueStore): CacheStore =>
  makeBestEffort(values, {
    read: (names) =>
      Effect.forEach(names, (name) => Effect.map(values.getUint8Array(name), Option.getOrNull), { concurrency }).pipe(
        Effect.mapError(failed("read"))
      ),
    write: (name, bytes) => Effect.mapError(values.set(name, bytes), failed("store")),
    remove: (name) =>
      values.remove(name).pipe(
        // A file that is not there cannot be removed, and need not be.
        Effect.catchIf((error) => error._tag === "SystemError" && error.reason === "NotFound", () => Effect.void),
        Effect.mapError(failed("remove"))
      )
  })

/**
 * A store over the `KeyValueStore` below.
 *
 * @since 0.1.0
 * @category layers
 */
export const layer: Layer.Layer<CacheStore, never, KeyValueStore.KeyValueStore> = Layer.effect(
  CacheStore,
  Effect.map(KeyValueStore.KeyValueStore, make)
)
