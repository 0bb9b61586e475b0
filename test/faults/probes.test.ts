import { setTimeout as delay } from "node:timers/promises"
import { describe, expect, it, onTestFinished } from "vitest"
import { until } from "../support/process.js"
import type { Weather } from "../support/proxy.js"
import type { Process } from "./world.js"
import { makeWorld, nothingWrong, rows } from "./world.js"

const clients = 50

/** What a driver says when it connects, and those who only listen. */
const greetings = new Set(["info", "hello", "auth", "client", "select", "ping", "subscribe", "unsubscribe", "quit"])

/** One server, fifty clients that read all the time, and what each connection was asked and has not been answered. */
const open = async () => {
  const underWay = new Map<number, number>()
  let asked = 0
  const { open, stage } = await makeWorld({
    onCommand: ([name = ""], connection) => {
      if (greetings.has(name)) return
      asked++
      underWay.set(connection, (underWay.get(connection) ?? 0) + 1)
    }
  })
  const processes = await Promise.all(Array.from({ length: clients }, () => open()))
  let isOver = false
  const reading = Promise.all(processes.map(async ({ watched }, i) => {
    // A busy process would say something about itself.
    for (let turn = i; !isOver; turn++) await Promise.all([watched.read(turn % rows), delay(50)])
  }))
  onTestFinished(async () => {
    isOver = true
    await reading
  })
  const reads = () => processes.reduce((sum, { watched }) => sum + watched.counts.reads, 0)
  const all = (what: string, holds: (process: Process) => boolean) => until(what, () => processes.every(holds))
  const isHit = ({ watched }: Process) => (watched.counts.statuses["hit"] ?? 0) > 0
  const isClosed = ({ client }: Process) => client.health().status === "ok"
  await all("all are connected", (process) => isHit(process) && isClosed(process))
  return {
    stage,
    processes,
    asked: () => asked,
    underWay,
    reads,
    readOn: async () => {
      const before = reads()
      await until("all have read on", () => reads() > before + 5 * clients)
    },
    areOpen: () => all("nobody asks any more", ({ client }) => client.health().status === "down"),
    areClosed: () => all("all ask again", isClosed)
  }
}

/** What becomes of a server that makes everybody give it up, and then lets nothing come back of what it is asked. */
const ways: ReadonlyArray<readonly [name: string, givenUp: Weather, mute: Weather]> = [
  ["takes connections and says nothing", { refused: true }, { silent: "toClient" }],
  [
    "greets everybody and says nothing else",
    { answer: ([name = ""]) => greetings.has(name) ? "+OK\r\n" : "-LOADING of a server\r\n" },
    { answer: ([name = ""]) => greetings.has(name) ? "+OK\r\n" : undefined }
  ]
]

describe("a server that fifty clients have given up, of which each reads all the time", () => {
  it.each(ways)("and that %s is asked one thing at a time by each, until it answers", async (_, givenUp, mute) => {
    const { areClosed, areOpen, asked, processes, readOn, reads, stage, underWay } = await open()
    await stage.proxy.set(givenUp)
    await areOpen()
    await stage.proxy.set(mute)
    underWay.clear()
    const [commands, connections, before, startedAt] = [asked(), stage.proxy.connections(), reads(), performance.now()]
    await until("each has connected", () => stage.proxy.connections() - connections >= clients)
    await until("each has asked", () => underWay.size >= clients)
    await readOn()
    const seconds = (performance.now() - startedAt) / 1_000
    const most = Math.max(...underWay.values())
    const connected = stage.proxy.connections() - connections
    const told = `${asked() - commands} commands, ${most} of one client at the most`
    console.log(`${reads() - before} reads in ${seconds.toFixed(1)} s, ${connected} connections, ${told}`)
    // Who is not answered gives up after the budget, and tries again after as long a pause at the least.
    expect(most).toBeLessThanOrEqual(1 + Math.ceil(seconds / 0.1))
    await stage.proxy.set({})
    await areClosed()
    for (const { watched } of processes) {
      expect(watched.counts).toMatchObject(nothingWrong)
      expect(watched.counts.events["BreakerClosed"]).toBe(watched.counts.events["BreakerOpened"])
    }
  })
})
