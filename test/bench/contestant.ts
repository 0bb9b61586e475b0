import type { Query, World } from "./world.js"

export interface Place {
  readonly world: World
  /** A server, and a database of it that nobody else uses. */
  readonly valkey: string
  /** To be told of what the cache could not do: figures of a cache that does not work say nothing. */
  readonly failed: (message: string) => void
}

/** Somebody who answers queries. What it cannot do is not there. */
export interface Runner {
  readonly read: (query: Query) => PromiseLike<unknown>
  /** Writes to the row of this id, so that nobody is given the old one any more. */
  readonly update?: (at: number) => PromiseLike<unknown>
  /** Puts something into the cache under a tag, without a query. */
  readonly put?: (tag: string, name: string) => PromiseLike<unknown>
  /** Waits until all that was put is stored, where that goes on after the answer. */
  readonly settled?: () => Promise<void>
  /** Makes everything invalid that was put under a tag. */
  readonly invalidate?: (tag: string) => PromiseLike<unknown>
  readonly close: () => PromiseLike<unknown>
}

export interface Contestant {
  readonly name: string
  /** `none`: every read is a query. `constant`: no read is one, so that only hits can be compared. Default `all`. */
  readonly caches?: "none" | "constant" | "all"
  /** Whether reads may carry tags. Default `false`. */
  readonly tags?: boolean
  /** What is in the memory of this process, so that a hit need not ask the server. Default `false`. */
  readonly inMemory?: boolean
  readonly open: (place: Place) => Promise<Runner>
}
