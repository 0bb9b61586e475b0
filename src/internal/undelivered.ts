/**
 * Invalidations that the store has not acknowledged. Until they are delivered nothing may be served or stored under
 * their tags in this process; how many there are is bounded.
 */
import type { Invalidation, Ordered, TagState } from "../CacheStore.js"
import { namespaceTagOf } from "./names.js"

/** What a place counts as that holds something which should be gone: like the intent of a write. */
export const masked: TagState = "w:-:-:undelivered"

/** The end of a write whose beginning the store may have seen. */
export interface LostEnd {
  readonly token: string
  readonly tags: ReadonlyArray<Ordered>
}

export interface Undelivered {
  readonly size: () => number
  readonly has: (tag: string) => boolean
  /** Answers whether there were too many, so that whole namespaces are to be invalidated in their place. */
  readonly add: (steps: ReadonlyArray<Invalidation>, end?: LostEnd) => boolean
  /** What is to be delivered, in order: ends take intents away that invalidations would leave in their place. */
  readonly ends: () => ReadonlyArray<LostEnd>
  readonly steps: () => ReadonlyArray<Invalidation>
  /** These have arrived. What was added again in the meantime has not. */
  readonly arrived: (what: ReadonlyArray<Invalidation | LostEnd>) => void
}

/** More ends than that are left to their intents' expiry. */
const maxEnds = 1_000

export const makeUndelivered = (max: number, namespaceTag: string): Undelivered => {
  const steps = new Map<string, Invalidation>()
  const ends = new Map<string, LostEnd>()

  const addStep = ({ _tag, first = false, tag }: Invalidation) => {
    const known = steps.get(tag)
    // A new object each time: what is added while a delivery is under way is not part of it.
    steps.set(tag, {
      _tag: _tag === "expire" && known?._tag !== "kill" ? "expire" : "kill",
      tag,
      first: first || known?.first === true
    })
  }

  const overflow = () => {
    const tags = new Set([namespaceTag, ...Array.from(steps.keys(), namespaceTagOf)])
    steps.clear()
    ends.clear()
    tags.forEach((tag) => addStep({ _tag: "kill", tag, first: true }))
  }

  return {
    size: () => steps.size,
    has: (tag) => steps.has(tag),
    add: (more, end) => {
      const isRotating = steps.has(namespaceTag)
      more.forEach(addStep)
      if (end !== undefined && ends.size < maxEnds) ends.set(end.token, end)
      if (steps.size <= max) return false
      overflow()
      return !isRotating
    },
    ends: () => Array.from(ends.values()),
    steps: () => {
      const all = Array.from(steps.values())
      return [...all.filter(({ first }) => first === true), ...all.filter(({ first }) => first !== true)]
    },
    arrived: (what) => {
      for (const one of what) {
        if ("token" in one) {
          if (ends.get(one.token) === one) ends.delete(one.token)
        } else if (steps.get(one.tag) === one) steps.delete(one.tag)
      }
    }
  }
}
