import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"

/** A way to what a store keeps that is not the store's: by the names that the store was given. */
export interface Backdoor {
  readonly get: (name: string) => Effect.Effect<string | null>
  readonly set: (name: string, value: string, ttlMillis: number) => Effect.Effect<void>
  /** How long something has left to live, in milliseconds. */
  readonly ttl: (name: string) => Effect.Effect<number>
}

export const Backdoor: Context.Tag<Backdoor, Backdoor> = Context.GenericTag("test/Backdoor")
