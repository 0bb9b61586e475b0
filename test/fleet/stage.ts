import { rm } from "node:fs/promises"
import { hasExited } from "../support/process.js"
import { bundle, launch } from "./fleet.js"
import type { Start } from "./messages.js"
import { count, nothingSeen, together } from "./script.js"
import type { Answer, Look, Order, Read, Scene, Seen, Step, Write } from "./script.js"

/** A process that reads and writes as it is told. */
export interface Actor {
  readonly name: string
  /** How the write ended: `undefined` if it was carried out, else the code of its error, or its name. */
  readonly write: (write: Write) => Promise<string | undefined>
  /** Begins writes, and resolves when all of them stand there. Fails if one of them is over before. */
  readonly writeUpTo: (step: Step, ...writes: ReadonlyArray<Write>) => Promise<UnderWay>
  readonly look: (scene: Scene, stops?: ReadonlyArray<Step>) => Promise<Look>
  readonly watch: (scene: Scene) => Promise<void>
  readonly leave: (scene: Scene) => Promise<Seen>
  /** Resolves when it has come to the step so many times, and stands there. */
  readonly reached: (step: Step, times?: number) => Promise<void>
  readonly goOn: (from: Step) => Promise<void>
  /** Resolves once it is gone for SIGKILL, at once for any other. */
  readonly signal: (signal: NodeJS.Signals) => Promise<void>
}

/** Writes that were begun. */
export interface UnderWay {
  /** How they ended, in their order. */
  readonly ended: Promise<ReadonlyArray<string | undefined>>
}

export interface Stage {
  /** A process that nobody else has. */
  readonly actor: () => Promise<Actor>
  /** Takes back a process that is alive and at rest, for whoever needs one next. */
  readonly giveBack: (actor: Actor) => void
  readonly stop: () => Promise<void>
}

/** Each write of a batch announces itself, and ends by itself. */
const partsAt = (step: Step, { kind }: Write): number =>
  kind === "batch" && (step === "begin" || step === "end" || step === "return") ? 2 : 1

/** How many processes are kept ready for those who need one next. */
const spares = 2

/** A place where processes are started as they are needed, a few of them ahead of time. */
export const openStage = async (servers: Omit<Start, "name">): Promise<Stage> => {
  const file = await bundle("actor")
  const everybody = new Set<() => Promise<void>>()
  let started = 0

  const start = async (): Promise<Actor> => {
    const said = new Map<Step, number>()
    const waiting = new Set<() => void>()
    const { ask, child, name, signal } = await launch<Order, Answer, Step>(
      file,
      { ...servers, name: `actor ${++started}` },
      (step) => {
        said.set(step, (said.get(step) ?? 0) + 1)
        for (const look of waiting) look()
      }
    )
    everybody.add(async () => {
      if (!hasExited(child)) await signal("SIGKILL")
    })
    const seen = async (order: Order) => {
      const answer = await ask(order)
      return "seen" in answer ? answer.seen : nothingSeen
    }
    const write: Actor["write"] = async (write) => {
      const answer = await ask({ do: "write", write })
      return "error" in answer ? answer.error : undefined
    }
    const reached: Actor["reached"] = (step, times = 1) =>
      new Promise((resolve, reject) => {
        const look = () => {
          if ((said.get(step) ?? 0) < times) return
          waiting.delete(look)
          resolve()
        }
        waiting.add(look)
        const left = () => reject(new Error(`${name} left before it came to "${step}"`))
        if (hasExited(child)) left()
        else child.once("exit", left)
        look()
      })
    return {
      name,
      signal,
      write,
      reached,
      writeUpTo: async (step, ...writes) => {
        const written = writes.map((one) => write({ ...one, stops: [step, ...one.stops ?? []] }))
        const tooEarly = written.map(async (one) => {
          throw new Error(`a write was over before it came to "${step}": ${await one ?? "done"}`)
        })
        const parts = writes.reduce((sum, one) => sum + partsAt(step, one), 0)
        await Promise.race([reached(step, parts), ...tooEarly])
        const ended = Promise.all(written)
        // Whoever kills a writer does not want to hear of what it was doing.
        ended.catch(() => {})
        return { ended }
      },
      look: async (scene, stops = []) => {
        const answer = await ask({ do: "look", scene, stops })
        if (!("look" in answer)) throw new Error(`${name} did not look`)
        return answer.look
      },
      watch: async (scene) => void await seen({ do: "watch", scene }),
      leave: (scene) => seen({ do: "leave", scene }),
      goOn: async (from) => {
        said.delete(from)
        await seen({ do: "go on", from })
      }
    }
  }

  const ready: Array<Promise<Actor>> = []
  const prepare = () => {
    const actor = start()
    // Whoever takes it is told why it could not be started.
    actor.catch(() => {})
    ready.push(actor)
  }
  for (let i = 0; i < spares; i++) prepare()

  return {
    actor: () => {
      if (ready.length <= spares) prepare()
      return ready.shift() as Promise<Actor>
    },
    giveBack: (actor) => ready.unshift(Promise.resolve(actor)),
    stop: async () => {
      await Promise.allSettled(ready)
      await Promise.all(Array.from(everybody, (end) => end()))
      await rm(file, { force: true })
    }
  }
}

/** A row that several processes read through their caches, again and again, until the play is over. */
export interface Play extends Scene {
  /** Everybody reads once in every way. */
  readonly look: () => Promise<ReadonlyArray<Read>>
  /** What all of them have seen, from beginning to end. The caches of the scene are closed. */
  readonly end: () => Promise<Seen>
}

/** Opens a scene for some readers. `quietly`: they read when they are told to, and only then. */
export const play = async (scene: Scene, readers: ReadonlyArray<Actor>, quietly = false): Promise<Play> => {
  let seen = nothingSeen
  if (!quietly) await Promise.all(readers.map((reader) => reader.watch(scene)))
  return {
    ...scene,
    look: async () => {
      const looks = await Promise.all(readers.map((reader) => reader.look(scene)))
      for (const look of looks) seen = together(seen, count(look))
      return looks.flatMap(({ reads }) => reads)
    },
    end: async () => {
      const watched = await Promise.all(readers.map((reader) => reader.leave(scene)))
      return watched.reduce(together, seen)
    }
  }
}
