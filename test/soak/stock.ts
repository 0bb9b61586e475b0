/** What a process holds that has nothing to do, and should be the same whenever it has nothing to do. */
import * as Effect from "effect/Effect"
import * as Metric from "effect/Metric"
import type { EventEmitter } from "node:events"
import { setTimeout as delay } from "node:timers/promises"
import { setFlagsFromString } from "node:v8"
import { runInNewContext } from "node:vm"
import type { Stock } from "./messages.js"

setFlagsFromString("--expose-gc")
const collect: () => void = runInNewContext("gc")

const listenersOf = (emitter: EventEmitter) =>
  emitter.eventNames().reduce((sum, name) => sum + emitter.listenerCount(name), 0)

const resources = (): Record<string, number> => {
  const counts: Record<string, number> = {}
  for (const kind of process.getActiveResourcesInfo()) counts[kind] = (counts[kind] ?? 0) + 1
  return counts
}

const fibers = () => Effect.runSync(Metric.value(Metric.fiberActive)).count

/** Takes stock until nothing changes any more: what has come to an end may still be let go of. */
export const takeStock = async (emitters: ReadonlyArray<EventEmitter>): Promise<Stock> => {
  const look = () => ({
    resources: resources(),
    fibers: fibers(),
    listeners: [process, ...emitters].reduce((sum, emitter) => sum + listenersOf(emitter), 0)
  })
  let seen = look()
  for (let quiet = 0, tries = 0; quiet < 10 && tries < 100; tries++) {
    await delay(50)
    const now = look()
    quiet = JSON.stringify(now) === JSON.stringify(seen) ? quiet + 1 : 0
    seen = now
  }
  let heap = Infinity
  for (let time = 0; time < 4; time++) {
    collect()
    await delay(20)
    heap = Math.min(heap, process.memoryUsage().heapUsed)
  }
  return { heap, ...seen }
}
