/**
 * Rule 12: a write's own result, stored under its custom key. It may be stored only where nothing came between: after
 * commit when every tag held the stamp of before the write until the write's own INVALIDATE, strict when no other write
 * was ever beside it. The new stamps are in place by then, and the write is acknowledged.
 */
import type { Write } from "./database.js"
import type { Emit } from "./explore.js"
import { firstOf, following, lateSteps } from "./late.js"
import type { LateSteps } from "./late.js"
import type { Flaw, Setup } from "./setup.js"
import { isStamp, sameStamp } from "./tags.js"
import { obtain } from "./time.js"
import { stateOf } from "./world.js"
import type { World } from "./world.js"
import { rest } from "./writer.js"
import type { Writer } from "./writer.js"

const stepsUnder = (flaw: Flaw | null): LateSteps => {
  switch (flaw) {
    case "an own result's guard is compared before its late stamp is read":
      return lateSteps.guardFirst
    case "an own result's late stamp has no guard":
      return lateSteps.unguarded
    default:
      return lateSteps.guarded
  }
}

/** What a writer does once every tag has answered that the new stamp is in place. */
export const finishOwnResult = (writer: Writer, write: Write, flaw: Flaw | null): Writer => ({
  ...writer,
  at: write.stores?.late ? firstOf(stepsUnder(flaw)) : "storing"
})

export const ownResultSteps = <W extends World>(
  setup: Setup,
  reached: Set<string>,
  emit: Emit<W>,
  index: number,
  writer: Writer,
  write: Write
): void => {
  const { at, result, token } = writer
  if (write.stores === null || result === null) return
  const { late, read } = write.stores
  const steps = stepsUnder(setup.flaw)
  if (at === "obtaining late" && late !== null) {
    emit(`${token} OBTAIN late ${late.key}`, (draft) => {
      const state = obtain(setup, draft, late.key)
      draft.writers[index] = isStamp(state)
        ? { ...writer, at: following(steps, at), next: { ...writer.next, [late.key]: state } }
        : rest(writer)
    })
  }
  if (at === "comparing" && late !== null) {
    emit(`${token} GET ${late.guard}, compare`, (draft) => {
      const state = stateOf(draft, late.guard)
      const isSame = isStamp(state) && sameStamp(state, writer.expected[late.guard] ?? null)
      draft.writers[index] = isSame ? { ...writer, at: following(steps, at) } : rest(writer)
    })
  }
  if (at === "storing") {
    emit(`${token} SET ${read.name} to its own result`, (draft) => {
      draft.entries[read.name] = { result, stamps: writer.next, until: null }
      draft.writers[index] = rest(writer)
      reached.add(late === null ? "an own result was stored" : "an own result was stored under a late key")
    })
  }
}
