/**
 * What can no longer matter. A stamp that is in no tag's place, in no intent as the one before, and in nobody's hand to be
 * put there will never be current again. An entry that carries it will never be served, and a fill that would store it
 * might as well not be under way. Forgetting both makes many states one.
 *
 * The tests explore small configurations with and without this: the verdicts are the same.
 */
import { Fresh } from "./fresh.js"
import { findRead } from "./setup.js"
import type { Setup } from "./setup.js"
import type { Stamp, TagState } from "./tags.js"
import type { Stamps, World } from "./world.js"
import { rest } from "./writer.js"

export const forgetTheDead = (setup: Setup, draft: World): void => {
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

  const isDead = (stamp: Stamp | undefined): boolean =>
    stamp !== undefined && stamp.hard instanceof Fresh && !current.has(stamp.hard)
  const areDead = (stamps: Stamps, tags: Iterable<string>): boolean => {
    for (const tag of tags) if (isDead(stamps[tag])) return true
    return false
  }
  for (const name in draft.entries) {
    const entry = draft.entries[name]
    if (entry && areDead(entry.stamps, Object.keys(entry.stamps))) draft.entries[name] = null
  }
  draft.readers.forEach((reader, index) => {
    if (reader.at === "idle") return
    if (reader.at === "looking") {
      if (reader.entry !== "unread" && reader.entry !== null && areDead(reader.entry.stamps, Object.keys(reader.entry.stamps))) {
        draft.readers[index] = { ...reader, entry: null }
      }
      return
    }
    const read = findRead(setup, reader.read)
    const needed = "result" in reader ? read.dependsOn(reader.result) : read.always
    if (areDead(reader.stamps, needed)) draft.readers[index] = { at: "idle" }
  })
  draft.writers.forEach((writer, index) => {
    const hasFinished = writer.at === "obtaining late" || writer.at === "comparing" || writer.at === "storing"
    if (hasFinished && areDead(writer.next, Object.keys(writer.next))) draft.writers[index] = rest(writer)
  })
}
