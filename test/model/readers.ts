/**
 * Rules 2, 3 and 13 to 16: how a read looks up its entry, and how a miss fills it. A miss that will not store is no
 * step at all, since nobody else can tell.
 */
import { latest, lacks, sameResult } from "./database.js"
import type { Read, Result } from "./database.js"
import type { Emit } from "./explore.js"
import type { Fresh } from "./fresh.js"
import { firstOf, following, lateSteps } from "./late.js"
import type { LateStep, LateSteps } from "./late.js"
import { isValid } from "./properties.js"
import { findRead } from "./setup.js"
import type { Setup } from "./setup.js"
import { isStamp, sameStamp } from "./tags.js"
import type { Stamp, TagState } from "./tags.js"
import { earliest, obtain } from "./time.js"
import { less, stateOf } from "./world.js"
import type { Entry, Stamps, World } from "./world.js"

export type Reader =
  | { readonly at: "idle" }
  /** GETs the entry and each tag, in any order. */
  | {
    readonly at: "looking"
    readonly read: string
    readonly mustSee: ReadonlyArray<number>
    readonly entry: Entry | null | "unread"
    readonly states: Readonly<Record<string, TagState | "unread">>
  }
  /** OBTAINs what it has found no stamp for, or one on probation. */
  | { readonly at: "obtaining"; readonly read: string; readonly stamps: Stamps; readonly tags: ReadonlyArray<string> }
  | { readonly at: "querying"; readonly read: string; readonly stamps: Stamps }
  /** OBTAINs the tags that only the answer has told of, if there are any, and compares the guard. */
  | {
    readonly at: LateStep
    readonly read: string
    readonly stamps: Stamps
    readonly result: Result
    readonly tags: ReadonlyArray<string>
  }

const idle: Reader = { at: "idle" }

const without = (stamps: Stamps, tag: string | null): Stamps => {
  if (tag === null || stamps[tag] === undefined) return stamps
  const { [tag]: _, ...others } = stamps
  return others
}

/** The steps of all readers. */
export const readerSteps = <W extends World>(
  setup: Setup,
  reached: Set<string>
): (world: W, emit: Emit<W>) => void => {
  const { flaw, reads } = setup
  /** Under an intent, or with a tag of every answer missing, nothing will be stored. */
  const setOut = (read: Read, stamps: Stamps): Reader =>
    [...read.always, ...read.perhaps].every((tag) => stamps[tag] !== undefined)
      ? { at: "querying", read: read.name, stamps }
      : idle

  /** Also these stamps: tags that hold an intent are left out. */
  const obtainAll = (draft: W, tags: ReadonlyArray<string>, stamps: Stamps): Stamps => {
    const all: Record<string, Stamp> = { ...stamps }
    for (const tag of tags) {
      const state = obtain(setup, draft, tag)
      if (isStamp(state)) all[tag] = state
      else delete all[tag]
    }
    return all
  }

  /** A reader has found the tags in these states, and its entry is none that it may serve. */
  const miss = (draft: W, read: Read, tags: ReadonlyArray<string>, states: (tag: string) => TagState): Reader => {
    const stamps: Record<string, Stamp> = {}
    const missing: Array<string> = []
    for (const tag of tags) {
      const state = states(tag)
      if (isStamp(state)) stamps[tag] = state
      // Of a stamp on probation only the server can say whether its time has come.
      if (state === null || (isStamp(state) && state.until !== null)) missing.push(tag)
    }
    if (missing.length === 0) return setOut(read, stamps)
    return setup.obtains === "together"
      ? setOut(read, obtainAll(draft, missing, stamps))
      : { at: "obtaining", read: read.name, stamps, tags: missing }
  }

  const startSteps = (world: W, emit: Emit<W>, index: number): void => {
    if (world.fills === 0) return
    for (const read of reads) {
      if (flaw === "stamps are read after the query") {
        emit(`R${index} misses ${read.name}`, (draft) => {
          draft.readers[index] = { at: "querying", read: read.name, stamps: {} }
        })
        continue
      }
      const entry = world.entries[read.name] ?? null
      if (flaw === "a refresh reads its stamps after the query" && entry !== null && isValid(world, entry)) {
        emit(`R${index} is served ${read.name} as expired, refreshes it`, (draft) => {
          draft.readers[index] = { at: "querying", read: read.name, stamps: {} }
        })
        continue
      }
      for (const predicted of read.predictions) {
        const guard = read.guard === null || flaw === "late stamps are stored without a guard" ? [] : [read.guard]
        const tags = [...read.always, ...read.perhaps, ...guard, ...predicted]
        const expecting = predicted.length > 0 ? `, expects ${predicted.join()}` : ""
        if (setup.lookups === "one by one") {
          emit(`R${index} starts to read ${read.name}${expecting}`, (draft) => {
            draft.fills = less(draft.fills)
            const states = Object.fromEntries(tags.map((tag) => [tag, "unread" as const]))
            draft.readers[index] = { at: "looking", read: read.name, mustSee: world.mustSee, entry: "unread", states }
          })
        } else if ([...read.always, ...read.perhaps].every((tag) => world.tags[tag]?.kind !== "intent")) {
          emit(`R${index} misses ${read.name}${expecting}`, (draft) => {
            draft.fills = less(draft.fills)
            draft.readers[index] = miss(draft, read, tags, (tag) => stateOf(world, tag))
          })
        }
      }
    }
  }

  const lookSteps = (world: W, emit: Emit<W>, index: number, reader: Reader & { readonly at: "looking" }): void => {
    const read = findRead(setup, reader.read)
    const proceed = (draft: W, looked: typeof reader): void => {
      const { entry, mustSee, states } = looked
      draft.readers[index] = looked
      if (entry === "unread" || Object.values(states).includes("unread")) return
      // The entry names tags that nobody has asked for: one more round trip, whose answers a miss can use as well.
      const unknown = Object.keys(entry?.stamps ?? {}).filter((tag) => states[tag] === undefined)
      if (unknown.length > 0) {
        const asked = Object.fromEntries(unknown.map((tag) => [tag, "unread" as const]))
        draft.readers[index] = { ...looked, states: { ...states, ...asked } }
        return
      }
      const found = states as Readonly<Record<string, TagState>>
      if (entry !== null && isValid({ ...world, tags: found }, entry)) {
        reached.add("a reader was served")
        if (lacks(world.log, mustSee, read, entry.result)) {
          draft.violation = `R${index} was served ${read.name} without a commit that it had to see when it started`
        }
        draft.readers[index] = idle
        return
      }
      draft.readers[index] = miss(draft, read, Object.keys(found), (tag) => found[tag] ?? null)
    }
    if (reader.entry === "unread") {
      const entry = world.entries[read.name] ?? null
      if (entry !== null) emit(`R${index} GET ${read.name}`, (draft) => proceed(draft, { ...reader, entry }))
      // The server may have evicted it.
      emit(`R${index} GET ${read.name}, nothing there`, (draft) => proceed(draft, { ...reader, entry: null }))
    }
    for (const tag in reader.states) {
      if (reader.states[tag] !== "unread") continue
      emit(`R${index} GET ${tag}`, (draft) =>
        proceed(draft, { ...reader, states: { ...reader.states, [tag]: stateOf(world, tag) } }))
    }
  }

  const stepsOf = (read: Read): LateSteps => {
    if (flaw === "the guard is compared before the late stamps are read") return lateSteps.guardFirst
    const isGuarded = read.guard !== null && flaw !== "late stamps are stored without a guard"
    return isGuarded ? lateSteps.guarded : lateSteps.unguarded
  }

  /** What a reader does with an answer, once it holds the stamps that it could get before the query. */
  const answered = (read: Read, stamps: Stamps, result: Result): Reader => {
    const tags = read.dependsOn(result).filter((tag) => stamps[tag] === undefined)
    const steps = stepsOf(read)
    if (tags.length === 0) return { at: "storing", read: read.name, stamps: without(stamps, read.guard), result, tags }
    // The guard is an intent: a write that may concern the late tags is under way.
    const hasGuard = read.guard !== null && stamps[read.guard] !== undefined
    if (steps.includes("comparing") && !hasGuard) return idle
    return { at: firstOf(steps), read: read.name, stamps, result, tags }
  }

  /**
   * When an entry dies at the latest. A guard that late stamps were compared by vouches for them no longer than its own
   * probation lasts.
   */
  const endOf = (world: W, read: Read, stamps: Stamps, held: Stamps): Fresh | "over" | null => {
    if (flaw === "an entry under a stamp on probation has no end") return null
    const guard = read.guard === null || flaw === "a guard on probation sets no end" ? undefined : held[read.guard]
    const end = earliest(world, [...Object.values(stamps), ...guard === undefined ? [] : [guard]])
    return end === "over" && flaw === "the store does not compare the end of an entry" ? null : end
  }

  const fillSteps = (world: W, emit: Emit<W>, index: number, reader: Reader): void => {
    if (reader.at === "idle" || reader.at === "looking") return
    const read = findRead(setup, reader.read)
    switch (reader.at) {
      case "obtaining": {
        const [tag = "", ...tags] = reader.tags
        emit(`R${index} OBTAIN ${tag}`, (draft) => {
          const stamps = obtainAll(draft, [tag], reader.stamps)
          draft.readers[index] = tags.length > 0 ? { ...reader, stamps, tags } : setOut(read, stamps)
        })
        return
      }
      case "querying":
        emit(`R${index} queries ${read.name}`, (draft) => {
          draft.readers[index] = answered(read, reader.stamps, read.query(latest(draft.log)))
        })
        return
      case "obtaining late": {
        const now = setup.obtains === "together" ? reader.tags : reader.tags.slice(0, 1)
        const tags = reader.tags.slice(now.length)
        emit(`R${index} OBTAIN late ${now.join()}`, (draft) => {
          const stamps = obtainAll(draft, now, reader.stamps)
          const at = tags.length > 0 ? reader.at : following(stepsOf(read), reader.at)
          draft.readers[index] = now.every((tag) => stamps[tag] !== undefined) ? { ...reader, at, stamps, tags } : idle
        })
        return
      }
      case "comparing": {
        const guard = read.guard ?? ""
        emit(`R${index} GET ${guard}, compare`, (draft) => {
          const state = stateOf(draft, guard)
          const isSame = isStamp(state) && sameStamp(state, reader.stamps[guard] ?? null)
          draft.readers[index] = isSame ? { ...reader, at: following(stepsOf(read), reader.at) } : idle
        })
        return
      }
      case "storing": {
        const stamps: Record<string, Stamp> = {}
        for (const tag of read.dependsOn(reader.result)) {
          const stamp = reader.stamps[tag]
          if (stamp !== undefined) stamps[tag] = stamp
        }
        const until = endOf(world, read, stamps, reader.stamps)
        if (until === "over") {
          emit(`R${index} SET ${read.name} is refused, its end has come`, (draft) => {
            draft.readers[index] = idle
            reached.add("a late fill was refused")
          })
          return
        }
        emit(`R${index} SET ${read.name}`, (draft) => {
          const before = world.entries[read.name] ?? null
          if (before !== null && !sameResult(before.result, reader.result)) reached.add("an entry was replaced")
          draft.entries[read.name] = { result: reader.result, stamps, until }
          draft.readers[index] = idle
          reached.add(read.guard === null ? "a fill" : "a row-level fill")
          if (until !== null) reached.add("a fill under a stamp on probation")
        })
        return
      }
    }
  }

  return (world, emit) => {
    world.readers.forEach((reader, index) => {
      if (reader.at === "idle") startSteps(world, emit, index)
      else if (reader.at === "looking") lookSteps(world, emit, index, reader)
      else fillSteps(world, emit, index, reader)
    })
  }
}
