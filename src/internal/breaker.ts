/**
 * Circuit breakers, one for each part of the store that fails by itself: the nodes of a cluster, or all of it. Closed,
 * the store is asked; open, it is not. What lets an open one close again is not decided here.
 */
import type { CacheError } from "../CacheError.js"

/** So many failures with no success between them open a breaker. */
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
  readonly close: (node: string) => void
}

export const makeBreakers = (onOpen: (node: string) => void): Breakers => {
  const failures = new Map<string, number>()
  const open = new Set<string>()

  return {
    admits: (node) => open.size === 0 || !open.has(node),
    succeeded: (node) => {
      if (failures.size > 0) failures.delete(node)
    },
    failed: (node, { code = "", reason }) => {
      if (reason === "Suspended" || reason === "Closed" || harmless.has(code) || open.has(node)) return
      const count = hopeless.has(code) ? failuresToOpen : (failures.get(node) ?? 0) + 1
      failures.set(node, count)
      if (count < failuresToOpen) return
      open.add(node)
      onOpen(node)
    },
    open: () => Array.from(open),
    close: (node) => {
      failures.delete(node)
      open.delete(node)
    }
  }
}
