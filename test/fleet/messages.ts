import type { PrismaCacheOptions } from "effect-prisma-cache/PrismaCache"

/** Where a worker finds its servers, as its only argument. */
export interface Start {
  readonly name: string
  readonly postgres: string
  readonly valkey: string
}

/** What a worker's cache is made with. */
export type CacheOptions = Pick<PrismaCacheOptions, "namespace" | "lock">

/** What a worker is asked to do, many times at once. */
export type Task =
  | { readonly operation: "findMany" | "findUniqueOrThrow"; readonly name: string; readonly cache: object }
  | { readonly operation: "invalidate"; readonly tags: ReadonlyArray<string> }

/** Each of the tasks as many times as there are to be callers, without waiting for any, on a cache with these options. */
export interface Request {
  readonly id: number
  readonly options: CacheOptions
  readonly tasks: ReadonlyArray<Task>
  readonly callers: number
  /** How many milliseconds after the last one each of them comes. Default: they come at the same time. */
  readonly everyMillis?: number
}

/** How often what was answered. */
export type Counts = { readonly [what: string]: number }

/** What came of a request: how often which value, error and status, and how long the slowest took. */
export interface Report {
  readonly values: Counts
  readonly errors: Counts
  readonly statuses: Counts
  readonly millis: number
}

/** What a process says: that it is there, what came of a request, and whatever else its parent listens to. */
export type Message<Answer = Report, Said = never> =
  | { readonly ready: true }
  | { readonly id: number; readonly report: Answer }
  | { readonly said: Said }
