/**
 * Time, where it matters in which order things end (`expiries: "in order"`): intents run out, probations are over, the
 * database is done with what nobody waits for. All of these last equally long, as long as intents do, and are timed by
 * one clock. What began first ends first: of time nothing is left but a queue, whose first item may end at any moment.
 */
import type { Emit } from "./explore.js"
import { fresh } from "./fresh.js"
import type { Fresh } from "./fresh.js"
import { mustBeSeen } from "./properties.js"
import type { Setup } from "./setup.js"
import { expire, isStamp, makeStamp } from "./tags.js"
import type { Intent, Stamp } from "./tags.js"
import { stateOf } from "./world.js"
import type { World } from "./world.js"
import { rest } from "./writer.js"
import type { Writer } from "./writer.js"

export type Deadline =
  /** An intent runs out, unless it is prolonged. It counts also where the intent itself was evicted. */
  | { readonly of: "intent"; readonly token: Fresh; readonly tag: string }
  /** A stamp's probation is over, and what was stored under it dies. */
  | { readonly of: "stamp"; readonly until: Fresh }
  /** The database is done with a write whose connection was lost. */
  | { readonly of: "database"; readonly token: Fresh }
  /** As much time again has gone by: what a write has committed is to be seen, whatever became of its intents. */
  | { readonly of: "promise"; readonly token: Fresh; readonly commit: number }

const isOfIntent = (deadline: Deadline, token: Fresh, tag?: string): boolean =>
  deadline.of === "intent" && deadline.token === token && (tag === undefined || deadline.tag === tag)

export const isInOrder = ({ expiries }: Setup): boolean => expiries === "in order"

/** Whether the probation that ends at this moment is over. */
export const isOver = (world: World) => (until: Fresh): boolean =>
  !world.ahead.some((deadline) => deadline.of === "stamp" && deadline.until === until)

/** OBTAIN, which puts a stamp on probation where it makes one over nothing. */
export const obtain = (setup: Setup, draft: World, tag: string): Stamp | Intent => {
  const before = stateOf(draft, tag)
  const made = () => {
    const hard = fresh()
    return makeStamp(hard, setup.hardened ? hard : null)
  }
  const after = setup.scripts.obtain(before, made, isOver(draft))
  if (before === null && isStamp(after) && after.until !== null) draft.ahead.push({ of: "stamp", until: after.until })
  draft.tags[tag] = after
  return after
}

/** BEGIN, for the first time or again: the intent lasts its full length from now on. */
export const begin = (setup: Setup, draft: World, tag: string, token: Fresh): void => {
  draft.tags[tag] = setup.scripts.begin(stateOf(draft, tag), token)
  if (!isInOrder(setup)) return
  draft.ahead = draft.ahead.filter((deadline) => !isOfIntent(deadline, token, tag))
  draft.ahead.push({ of: "intent", token, tag })
}

/** Nothing is left that could run out. */
export const forgetIntent = (draft: World, tag: string, token: Fresh): void => {
  if (draft.ahead.length > 0) draft.ahead = draft.ahead.filter((deadline) => !isOfIntent(deadline, token, tag))
}

/** Whether an intent would last longer, or be there again, after one more BEGIN. */
export const isWorthProlonging = (world: World, tag: string, token: Fresh): boolean => {
  const last = world.ahead[world.ahead.length - 1]
  return last === undefined || !isOfIntent(last, token, tag) || world.tags[tag]?.kind !== "intent"
}

/** When the first of these stamps ends its probation. `over`: one of them has. `null`: none is on any. */
export const earliest = (world: World, stamps: ReadonlyArray<Stamp>): Fresh | "over" | null => {
  const moments = new Set(stamps.flatMap(({ until }) => until ?? []))
  if (Array.from(moments).some(isOver(world))) return "over"
  const first = world.ahead.find((deadline) => deadline.of === "stamp" && moments.has(deadline.until))
  return first?.of === "stamp" ? first.until : null
}

/** Keeps of the moments at which a probation ends those that somebody can still ask about. */
export const forgetMoments = (draft: World, asked: () => ReadonlySet<Fresh>): void => {
  if (draft.ahead.length === 0) return
  const moments = asked()
  draft.ahead = draft.ahead.filter((deadline) => deadline.of !== "stamp" || moments.has(deadline.until))
}

/** Whether a writer sees to it that nothing of its own runs out. */
const isAwake = ({ at }: Writer): boolean =>
  at === "beginning" || at === "updating" || at === "committing" || at === "announcing again"

/** What is first in the queue ends. */
export const timeSteps = <W extends World>(setup: Setup, reached: Set<string>) => {
  const { promised } = setup

  const runOut = (draft: W, token: Fresh, tag: string): void => {
    draft.tags[tag] = expire(stateOf(draft, tag), token)
    const index = draft.writers.findIndex((writer) => writer.token === token)
    const writer = draft.writers[index]
    if (writer === undefined || writer.at === "done") return
    const { announced, commit } = writer
    const isPromised = draft.ahead.some((deadline) => deadline.of === "promise" && deadline.token === token)
    if (promised === "P4" && announced && commit !== null && !isPromised) {
      draft.ahead.push({ of: "promise", token, commit })
    }
    // Who was killed lost its connection as well: the database is done before an intent runs out.
    const pending = writer.at !== "killed" && writer.pending
    draft.writers[index] = { ...writer, pending }
    if (draft.ahead.some((deadline) => isOfIntent(deadline, token))) return
    if (writer.at === "killed" && announced && commit !== null && (promised === "P2" || promised === "P3")) {
      mustBeSeen(draft, commit)
    }
    if (writer.at === "killed" || (writer.at === "left" && !pending)) draft.writers[index] = rest(writer)
  }

  return (world: W, emit: Emit<W>): void => {
    const [deadline, ...ahead] = world.ahead
    if (deadline === undefined) return
    switch (deadline.of) {
      case "intent": {
        const { tag, token } = deadline
        if (world.writers.some((writer) => writer.token === token && isAwake(writer))) return
        emit(`${token} intent on ${tag} runs out`, (draft) => {
          draft.ahead = ahead
          runOut(draft, token, tag)
        })
        return
      }
      case "stamp":
        emit(`the probation of ${deadline.until} is over`, (draft) => {
          draft.ahead = ahead
          for (const name in draft.entries) {
            if (draft.entries[name]?.until === deadline.until) draft.entries[name] = null
          }
          reached.add("a probation was over")
        })
        return
      case "database":
        emit(`the database is done with ${deadline.token}`, (draft) => {
          draft.ahead = ahead
          draft.writers = draft.writers.map((writer) =>
            writer.token === deadline.token ? { ...writer, pending: false } : writer)
        })
        return
      case "promise":
        emit(`${deadline.token} BEGAN twice an intent's length ago`, (draft) => {
          draft.ahead = ahead
          mustBeSeen(draft, deadline.commit)
          reached.add("twice an intent's length went by")
        })
    }
  }
}
