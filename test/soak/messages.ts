export type Order =
  /** Takes stock, works for a while with everything closed afterwards, and takes stock again. */
  | { readonly do: "warm up"; readonly millis: number }
  | { readonly do: "begin" }
  /** Waits until all caches are used again and owe nothing; answers how long that took, if it was in time. */
  | { readonly do: "recover"; readonly within: number }
  /** Stops, closes everything, and takes stock. */
  | { readonly do: "end" }

/** What a process holds when it has nothing to do. */
export interface Stock {
  /** After garbage collection, in bytes. */
  readonly heap: number
  /** Timers, sockets and the like, by kind. */
  readonly resources: { readonly [kind: string]: number }
  readonly fibers: number
  /** Those of the process, and of a client that is not the caches' own. */
  readonly listeners: number
}

export interface Tally {
  done: number
  failed: number
}

export interface Report {
  readonly operations: { readonly [kind: string]: Tally }
  readonly statuses: { readonly [status: string]: number }
  readonly events: { readonly [event: string]: number }
  /** Reads of something older than what was acknowledged before they began. */
  readonly wrong: number
  /** Reads of something older than what their own client had written before. */
  readonly behind: number
  readonly acknowledged: number
  readonly undelivered: number
  /** What failed first, of each kind of operation. */
  readonly errors: { readonly [kind: string]: string }
  readonly stock: Stock
}

export type Answer =
  | { readonly stock: Stock }
  | { readonly recovery: number | undefined }
  | { readonly report: Report }
  | { readonly begun: true }
