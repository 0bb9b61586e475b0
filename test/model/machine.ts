/** The machine of readers, writers and a server that evicts. */
import { forgetTheDead } from "./dead.js"
import { describe } from "./describe.js"
import type { Emit, Machine } from "./explore.js"
import { Fresh, fresh } from "./fresh.js"
import { judgeHit } from "./properties.js"
import { readerSteps } from "./readers.js"
import { restartSteps } from "./restarts.js"
import { counted, tagsOf } from "./setup.js"
import type { Setup } from "./setup.js"
import { makeStamp } from "./tags.js"
import { timeSteps } from "./time.js"
import { copyWorld, less, makeWorld } from "./world.js"
import type { World } from "./world.js"
import { blank, enter } from "./writer.js"
import { writerSteps } from "./writers.js"

/** One writer for each write, none of which has begun. */
export const makeWriters = ({ writes }: Setup) =>
  writes.map((write, index) => enter(blank(write.name, new Fresh(`W${index}`)), write, "start"))

export const initialWorld = (setup: Setup): World =>
  makeWorld({
    database: setup.database,
    tags: Object.fromEntries(
      tagsOf(setup).map((tag) => [tag, setup.places === "nothing" ? null : makeStamp(fresh())])
    ),
    entries: setup.reads.map(({ name }) => name),
    readers: Array.from({ length: setup.readers }, () => ({ at: "idle" })),
    writers: makeWriters(setup),
    evictions: counted(setup.evictions),
    fills: counted(setup.fills)
  })

/** The server may forget any key. An entry that it forgets is no step: readers miss whenever they like. */
export const evictionSteps = <W extends World>({ evicts }: Setup) => (world: W, emit: Emit<W>): void => {
  if (world.evictions === 0) return
  for (const tag in world.tags) {
    const state = world.tags[tag]
    if (!state || (state.kind === "intent" && evicts === "stamps")) continue
    emit(`the server evicts ${tag}`, (draft) => {
      draft.tags[tag] = null
      draft.evictions = less(draft.evictions)
    })
  }
}

/**
 * All steps of all who take part. After each of them what is dead is forgotten, and `tidy` forgets what else it knows.
 */
export const together = <W extends World>(
  setup: Setup,
  parts: ReadonlyArray<(world: W, emit: Emit<W>) => void>,
  tidy: (draft: W) => void = () => {}
) =>
(world: W, emit: Emit<W>): void => {
  const emitTidied: Emit<W> = setup.keepsTheDead ? emit : (label, act) =>
    emit(label, (draft) => {
      act(draft)
      forgetTheDead(setup, draft)
      tidy(draft)
    })
  for (const steps of parts) steps(world, emitTidied)
}

/** What went wrong in a step, or would with a read that starts now. */
export const judge = (setup: Setup) => {
  const servesDead = setup.flaw === "an entry with dead stamps is served as expired"
  return (world: World): string | null => {
    if (world.violation !== null) return world.violation
    for (const read of setup.reads) {
      const violation = judgeHit(world, read, servesDead)
      if (violation !== null) return violation
    }
    return null
  }
}

export const machine = (setup: Setup): Machine<World> => {
  const reached = new Set<string>()
  return {
    initial: () => initialWorld(setup),
    copy: copyWorld,
    steps: together(setup, [
      readerSteps(setup, reached),
      writerSteps(setup, reached),
      evictionSteps(setup),
      restartSteps(setup, reached),
      timeSteps(setup, reached)
    ]),
    judge: judge(setup),
    interchangeable: ["readers", "writers"],
    describe,
    reached
  }
}
