/**
 * Circuit breakers, one for each part of the store that fails by itself: the nodes of a cluster, or all of it. Closed,
 * the store is asked; open, it is not. What lets an open one close again is not decided here.
 */
import type { CacheError } from "../CacheError.js"

/** So many failures with no success between them open a breaker, unless they all came in one moment: that is a hiccup. */
const failuresToOpen = 10

/** Answers that say by themselves that a server is of no use now: it has no data, or takes no writes. */
const hopeless = new Set(["LOADING", "READONLY", "MASTERDOWN", "CLUSTERDOWN"])

/** Answers of a server in good health that has no room: what it holds may be read, and invalidated. */
const harmless = new Set(["OOM", "NOSCRIPT"])

export interface Breakers {
  readonly admits: (node: string) => boolean
  readonly succeeded: (node: string) => void
  readonly failed: (node: string, error: CacheError) => void
  readonly open: () => ReadonlyArray<string>
  /** Answers for how long it was open, in milliseconds. */
  readonly close: (node: string) => number
}

interface Failures {
  readonly since: number
  readonly count: number
}

/** @param moment - how long a moment is, in milliseconds */
export const makeBreakers = (moment: number, now: () => number, onOpen: (node: string) => void): Breakers => {
  const failures = new Map<string, Failures>()
  /** Since when. */
  const open = new Map<string, number>()

  return {
    admits: (node) => open.size === 0 || !open.has(node),
    succeeded: (node) => {
      if (failures.size > 0) failures.delete(node)
    },
    failed: (node, { code = "", reason }) => {
      if (reason === "Suspended" || reason === "Closed" || harmless.has(code) || open.has(node)) return
      const { count, since } = failures.get(node) ?? { count: 0, since: now() }
      failures.set(node, { count: count + 1, since })
      const isLasting = count + 1 >= failuresToOpen && (reason !== "Timeout" || now() - since >= moment)
      if (!isLasting && !hopeless.has(code)) return
      open.set(node, now())
      onOpen(node)
    },
    open: () => Array.from(open.keys()),
    close: (node) => {
      const millis = now() - (open.get(node) ?? now())
      failures.delete(node)
      open.delete(node)
      return millis
    }
  }
}
