/**
 * What can no longer matter. A stamp that is in no tag's place, in no intent as the one before, and in nobody's hand to
 * be put there will never be current again. An entry that carries it will never be served, and a fill that would store
 * it might as well not be under way. Forgetting both makes many states one. So does forgetting when a probation ends
 * that nobody can ask about.
 *
 * The tests explore small configurations with and without this: the verdicts are the same.
 */
import { Fresh } from "./fresh.js"
import { findRead } from "./setup.js"
import type { Setup } from "./setup.js"
import type { Stamp, TagState } from "./tags.js"
import { forgetMoments } from "./time.js"
import type { Stamps, World } from "./world.js"
import { rest } from "./writer.js"

export const forgetTheDead = (setup: Setup, draft: World): void => {
  // What a copy holds may come back.
  if (draft.copy !== null && draft.copy !== "spent" && setup.flaw === "stamps of an earlier life count") return
  const current = new Set<unknown>()
  const keep = (stamp: Stamp | null): void => {
    if (stamp !== null) current.add(stamp.hard)
  }
  const keepState = (state: TagState | "unread" | undefined): void => {
    if (state === undefined || state === null || state === "unread") return
    keep(state.kind === "stamp" ? state : state.previous)
  }
  for (const tag in draft.tags) keepState(draft.tags[tag])
  for (const writer of draft.writers) {
    if (writer.at === "ending") for (const tag in writer.next) keep(writer.next[tag] ?? null)
  }
  for (const reader of draft.readers) {
    if (reader.at === "looking") for (const tag in reader.states) keepState(reader.states[tag])
  }

  /** Whether one of these tags has a stamp that will never be current again. */
  const isDead = (stamps: Stamps, tags: ReadonlyArray<string> = Object.keys(stamps)): boolean =>
    tags.some((tag) => {
      const hard = stamps[tag]?.hard
      return hard instanceof Fresh && !current.has(hard)
    })
  for (const name in draft.entries) {
    const entry = draft.entries[name]
    if (entry && isDead(entry.stamps)) draft.entries[name] = null
  }
  draft.readers.forEach((reader, index) => {
    if (reader.at === "idle") return
    if (reader.at === "looking") {
      const { entry } = reader
      const isDeadEntry = entry !== "unread" && entry !== null && isDead(entry.stamps)
      if (isDeadEntry) draft.readers[index] = { ...reader, entry: null }
      return
    }
    const read = findRead(setup, reader.read)
    const needed = "result" in reader ? read.dependsOn(reader.result) : read.always
    if (isDead(reader.stamps, needed)) draft.readers[index] = { at: "idle" }
  })
  draft.writers.forEach((writer, index) => {
    const isAcknowledged = writer.at === "obtaining late" || writer.at === "comparing" || writer.at === "storing"
    if (isAcknowledged && isDead(writer.next)) draft.writers[index] = rest(writer)
  })
  forgetMoments(draft, () => momentsOf(draft))
}

/** The moments at which the probation of a stamp ends that is in some place, or in somebody's hand. */
const momentsOf = ({ entries, readers, tags }: World): ReadonlySet<Fresh> => {
  const moments = new Set<Fresh>()
  const add = (until: Fresh | null | undefined): void => {
    if (until) moments.add(until)
  }
  const addState = (state: TagState | "unread" | undefined): void => {
    if (state && state !== "unread") add(state.kind === "stamp" ? state.until : state.previous?.until)
  }
  for (const tag in tags) addState(tags[tag])
  for (const name in entries) add(entries[name]?.until)
  for (const reader of readers) {
    if (reader.at === "idle") continue
    const held = reader.at === "looking" ? reader.states : reader.stamps
    for (const tag in held) addState(held[tag])
  }
  return moments
}
