/**
 * A server that is started again from an old copy of its data, or whose place is taken by a replica that is behind. All
 * that was in the copy is back: entries, stamps, intents. Stamps say in which life of the server they were made, and
 * those of an earlier one are as good as evicted. An intent stays one, and what was before it comes back no more.
 */
import type { Emit } from "./explore.js"
import type { Setup } from "./setup.js"
import type { TagState } from "./tags.js"
import type { World } from "./world.js"

const inNewLife = (state: TagState): TagState =>
  state === null || state.kind === "stamp" ? null : { ...state, previous: null, solo: null }

export const restartSteps = <W extends World>({ faults, flaw }: Setup, reached: Set<string>) =>
(world: W, emit: Emit<W>): void => {
  if (!faults.includes("old copy") || world.copy === "spent") return
  const { copy } = world
  if (copy === null) {
    emit("the server copies its data", (draft) => {
      draft.copy = { tags: { ...world.tags }, entries: { ...world.entries } }
    })
    return
  }
  emit("the server starts again from its copy", (draft) => {
    const restored = Object.entries(copy.tags).map(([tag, state]) =>
      [tag, flaw === "stamps of an earlier life count" ? state : inNewLife(state)] as const)
    draft.tags = Object.fromEntries(restored)
    draft.entries = { ...copy.entries }
    draft.copy = "spent"
    if (Object.values(copy.entries).some((entry) => entry !== null)) reached.add("an entry came back from a copy")
  })
}
