/**
 * What is promised. A read that starts at some moment must see certain commits, or something newer. Which, depends on
 * the promise:
 *
 * - P1: those that were acknowledged
 * - P2: also those of writers that were killed, once their intents have expired
 * - P3: also every commit of a strict writer, from the moment of COMMIT on
 * - P4: those of P1, and every commit of a strict writer, although its intents may have been evicted, twice as long
 *   after its last BEGIN as intents last
 */
import { lacks } from "./database.js"
import type { Read } from "./database.js"
import { isStamp } from "./tags.js"
import type { Entry, World } from "./world.js"

export type Promised = "P1" | "P2" | "P3" | "P4"

const including = (commits: ReadonlyArray<number>, commit: number): ReadonlyArray<number> =>
  commits.includes(commit) ? commits : [...commits, commit].sort((left, right) => left - right)

/** From now on every read must see this commit. */
export const mustBeSeen = (draft: World, commit: number): void => {
  draft.mustSee = including(draft.mustSee, commit)
  draft.mustSeeFresh = including(draft.mustSeeFresh, commit)
}

/** From now on every read that passes for fresh must see this commit; one that is served as expired need not. */
export const mustBeSeenFresh = (draft: World, commit: number): void => {
  draft.mustSeeFresh = including(draft.mustSeeFresh, commit)
}

/** Whether all stamps of an entry are current. */
export const isValid = (world: World, entry: Entry): boolean => {
  for (const tag in entry.stamps) {
    const state = world.tags[tag]
    if (!isStamp(state) || state.hard !== entry.stamps[tag]?.hard) return false
  }
  return true
}

/** Whether no tag of an entry was softly invalidated either. */
export const isSoftlyValid = (world: World, entry: Entry): boolean => {
  for (const tag in entry.stamps) {
    const state = world.tags[tag]
    if (!isStamp(state) || state.soft !== entry.stamps[tag]?.soft) return false
  }
  return true
}

/**
 * What a read would get that starts now and looks at entry and stamps at one moment. It stands for all of them, so hits
 * need no steps of their own. An entry may pass its ttl at any time: whether it is then served as expired makes no
 * difference to what it must show.
 */
export const judgeHit = (world: World, read: Read, servesDead: boolean): string | null => {
  const entry = world.entries[read.name] ?? null
  if (entry === null || !(servesDead || isValid(world, entry))) return null
  if (lacks(world.log, world.mustSee, read, entry.result)) {
    return `a read of ${read.name} that starts now is served an entry without a commit that it must see`
  }
  if (isSoftlyValid(world, entry) && lacks(world.log, world.mustSeeFresh, read, entry.result)) {
    return `a read of ${read.name} that starts now is served as fresh an entry without a commit that it must see`
  }
  return null
}
