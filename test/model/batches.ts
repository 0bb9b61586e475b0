/**
 * Rule 22: several writes of one process that commit together, each with a hook of its own that hears of the outcome by
 * itself. Each BEGINs before it calls `query()` and ENDs once the whole batch has settled. Nobody is told before all
 * have.
 */
import { latest } from "./database.js"
import type { Database, Write } from "./database.js"
import { describe } from "./describe.js"
import type { Emit, Machine } from "./explore.js"
import { Fresh, fresh } from "./fresh.js"
import { evictionSteps, initialWorld, judge, together } from "./machine.js"
import { mustBeSeen } from "./properties.js"
import { readerSteps } from "./readers.js"
import { setup as complete } from "./setup.js"
import type { Partially, Setup } from "./setup.js"
import { expire, isStamp } from "./tags.js"
import type { Stamp } from "./tags.js"
import { obtain } from "./time.js"
import { copyWorld, stateOf } from "./world.js"
import type { World } from "./world.js"
import { writerSteps } from "./writers.js"

export type BatchFlaw = "an item ends before the batch commits" | "a value is stored from inside a batch"

export interface BatchSetup {
  readonly items: ReadonlyArray<Write>
  readonly flaw: BatchFlaw | null
}

interface Item {
  readonly token: Fresh
  readonly at: "beginning" | "calling" | "called" | "ending" | "storing" | "done"
  readonly tags: ReadonlyArray<string>
  readonly outcome: "committed or unknown" | "rolled back"
}

interface BatchWorld extends World {
  items: Array<Item>
  batch: { readonly at: "running" | "settled" | "killed" | "gone"; readonly commit: number | null }
}

const applyAll = (items: ReadonlyArray<Write>, version: Fresh, database: Database): Database =>
  items.reduce((before, { apply }) => apply?.(before, version) ?? before, database)

const batchSteps = (setup: Setup, { flaw, items: writes }: BatchSetup, reached: Set<string>) => {
  const { promised, scripts } = setup
  const canBeKilled = setup.faults.includes("kill")

  const endItem = (draft: BatchWorld, write: Write, item: Item, index: number): void => {
    const [tag = "", ...tags] = item.tags
    const ending = item.outcome === "rolled back" ? "rollback" : "commit"
    if (write.mode === "strict") draft.tags[tag] = scripts.end(stateOf(draft, tag), item.token, ending, null).state
    else if (ending === "commit") draft.tags[tag] = scripts.invalidate(stateOf(draft, tag), { how: "kill" }).state
    const stores = flaw === "a value is stored from inside a batch" && ending === "commit" && write.stores !== null
    draft.items[index] = { ...item, tags, at: tags.length > 0 ? "ending" : stores ? "storing" : "done" }
    const { commit } = draft.batch
    if (commit !== null && draft.items.every(({ at }) => at === "done" || at === "storing")) mustBeSeen(draft, commit)
  }

  const itemSteps = (world: BatchWorld, emit: Emit<BatchWorld>, item: Item, index: number, write: Write): void => {
    const [tag = "", ...tags] = item.tags
    switch (item.at) {
      case "beginning":
        emit(`${item.token} BEGIN ${tag}`, (draft) => {
          draft.tags[tag] = scripts.begin(stateOf(draft, tag), item.token)
          draft.items[index] = { ...item, tags, at: tags.length > 0 ? "beginning" : "calling" }
        })
        return
      case "calling":
        emit(`${item.token} calls query()`, (draft) => {
          const endsEarly = flaw === "an item ends before the batch commits" && index === 0
          draft.items[index] = { ...item, tags: write.touches, at: endsEarly ? "ending" : "called" }
        })
        return
      case "ending":
        emit(`${item.token} ${write.mode === "strict" ? "END" : "INVALIDATE"} ${tag}`, (draft) =>
          endItem(draft, write, item, index))
        return
      case "storing":
        emit(`${item.token} stores its own result`, (draft) => {
          const { read = undefined } = write.stores ?? {}
          if (read === undefined || world.batch.commit === null) return
          const found = write.touches.map((tag) => [tag, obtain(setup, draft, tag)] as const)
          const committed = world.log[world.batch.commit] ?? latest(world.log)
          if (found.every((pair): pair is readonly [string, Stamp] => isStamp(pair[1]))) {
            draft.entries[read.name] = { result: read.query(committed), stamps: Object.fromEntries(found), until: null }
          }
          draft.items[index] = { ...item, at: "done" }
        })
        return
      case "called":
      case "done":
        return
    }
  }

  const settle = (draft: BatchWorld, outcome: Item["outcome"], commit: number | null): void => {
    draft.batch = { at: "settled", commit }
    draft.items = draft.items.map((item) => item.at === "called" ? { ...item, at: "ending", outcome } : item)
    if (commit !== null) reached.add("a batch committed")
    if (commit !== null && promised === "P3" && writes.every(({ mode }) => mode === "strict")) mustBeSeen(draft, commit)
  }

  return (world: BatchWorld, emit: Emit<BatchWorld>): void => {
    const { batch } = world
    if (batch.at === "killed") {
      emit("the batch's intents expire", (draft) => {
        for (const { token } of world.items) {
          for (const tag in draft.tags) draft.tags[tag] = expire(stateOf(draft, tag), token)
        }
        draft.batch = { at: "gone", commit: null }
        if (batch.commit !== null && promised !== "P1") mustBeSeen(draft, batch.commit)
      })
    }
    if (batch.at === "killed" || batch.at === "gone") return
    world.items.forEach((item, index) => {
      const write = writes[index]
      if (write !== undefined) itemSteps(world, emit, item, index, write)
    })
    const hasCalled = world.items.every(({ at }) => at !== "beginning" && at !== "calling")
    if (batch.at === "running" && hasCalled) {
      emit("the batch COMMITs", (draft) => {
        const version = world.items[0]?.token ?? fresh()
        draft.log = [...world.log, applyAll(writes, version, latest(world.log))]
        settle(draft, "committed or unknown", world.log.length)
      })
      emit("the batch rolls back, its items are not told", (draft) => settle(draft, "committed or unknown", null))
      emit("the batch rolls back, its items are told", (draft) => settle(draft, "rolled back", null))
    }
    if (canBeKilled && writes.every(({ mode }) => mode === "strict") && world.items.some(({ at }) => at !== "done")) {
      emit("the process of the batch is killed", (draft) => {
        draft.batch = { at: "killed", commit: batch.commit }
        draft.items = draft.items.map(({ token }) => ({ token, at: "done", tags: [], outcome: "committed or unknown" }))
      })
    }
  }
}

export const batchMachine = (given: Partially, batch: BatchSetup): Machine<BatchWorld> => {
  const setup = complete(given)
  const reached = new Set<string>()
  const itemOf = ({ mode, touches }: Write, index: number): Item => ({
    token: new Fresh(`item${index}`),
    at: mode === "strict" ? "beginning" : "calling",
    tags: touches,
    outcome: "committed or unknown"
  })
  return {
    initial: () => ({
      ...initialWorld(setup),
      batch: { at: "running", commit: null },
      items: batch.items.map(itemOf)
    }),
    copy: (world) => ({ ...copyWorld(world), batch: world.batch, items: world.items.slice() }),
    steps: together(setup, [
      batchSteps(setup, batch, reached),
      readerSteps<BatchWorld>(setup, reached),
      writerSteps<BatchWorld>(setup, reached),
      evictionSteps<BatchWorld>(setup)
    ]),
    judge: judge(setup),
    interchangeable: ["readers", "writers"],
    describe,
    reached
  }
}
