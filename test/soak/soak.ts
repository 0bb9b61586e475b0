import { readFile, rm } from "node:fs/promises"
import { setTimeout as delay } from "node:timers/promises"
import { openStage, states } from "../faults/stage.js"
import type { Stage, State } from "../faults/stage.js"
import { launch } from "../fleet/fleet.js"
import { seeded } from "../QueryCache/interleavings.js"
import { bundle } from "../support/bundle.js"
import { createDatabase } from "../support/postgres.js"
import { until } from "../support/process.js"
import type { Answer, Order, Report, Stock } from "./messages.js"

export interface Options {
  /** The address of a PostgreSQL to create a database on. */
  readonly postgres: string
  readonly seconds: number
  readonly seed?: number
  readonly onFault?: (name: string, recovery: number | undefined) => void
}

export interface Fault {
  readonly name: string
  /** How many milliseconds after it was over everything was well again. */
  readonly recovery: number | undefined
}

export interface Outcome {
  readonly report: Report
  readonly faults: ReadonlyArray<Fault>
  readonly before: Stock
  /** What was left in the store when everything was closed, and had had its time. */
  readonly left: {
    readonly locks: number
    readonly intents: number
    readonly withoutExpiry: number
    readonly keys: number
  }
  /** Connections that were left to the servers. */
  readonly connections: { readonly valkey: number; readonly valkeyBefore: number }
}

/** Who says that something was done which was not is beyond help. */
const honest = states.filter(({ name }) => name !== "answering with what nobody asked for")

/** A fault lasts so long, and calm thereafter. */
const faultMillis = 1_500
const calmMillis = 1_500

/** How long it may take until everything is well again. */
const patience = 20_000

const connectionsOf = async ({ ask }: Stage) => String(await ask("CLIENT", "LIST")).trim().split("\n").length

const leftIn = async ({ ask }: Stage): Promise<Outcome["left"]> => {
  const found = await ask("KEYS", "*")
  const keys = (Array.isArray(found) ? found.map(String) : []).filter((key) => !key.startsWith("other "))
  let [locks, intents, withoutExpiry] = [0, 0, 0]
  for (const key of keys) {
    if (key.includes("lock")) locks++
    if (Number(await ask("PTTL", key)) === -1) withoutExpiry++
    if (String(await ask("GETRANGE", key, "0", "1")) === "w:") intents++
  }
  return { locks, intents, withoutExpiry, keys: keys.length }
}

/** Works for so many seconds while one thing after the other happens, and looks at what is left then. */
export const soak = async ({ onFault = () => {}, postgres, seconds, seed = 1 }: Options): Promise<Outcome> => {
  const random = seeded(seed)
  const stage = await openStage()
  const program = await bundle(new URL("./app.ts", import.meta.url))
  const sql = await readFile(new URL("../prisma/schema.sql", import.meta.url), "utf8")
  const url = await createDatabase(postgres, "soak", { sql })
  const app = await launch<Order, Answer>(program.file, { name: "soak", postgres: url, valkey: stage.url })
  const faults: Array<Fault> = []
  const order: Array<State> = []
  const next = (): State => {
    if (order.length === 0) {
      const drawn = honest.map((state) => [random(), state] as const).sort(([one], [other]) => one - other)
      order.push(...drawn.map(([, state]) => state))
    }
    return order.pop() as State
  }
  try {
    const warm = await app.ask({ do: "warm up", millis: Math.min(5_000, seconds * 100) })
    if (!("stock" in warm)) throw new Error("there is no stock")
    const valkeyBefore = await connectionsOf(stage)
    await app.ask({ do: "begin" })
    const endsAt = performance.now() + seconds * 1_000
    while (performance.now() < endsAt) {
      const state = next()
      await state.begin(stage)
      await delay(faultMillis * (0.5 + random()))
      await state.end(stage)
      const answer = await app.ask({ do: "recover", within: patience })
      const recovery = "recovery" in answer ? answer.recovery : undefined
      faults.push({ name: state.name, recovery })
      onFault(state.name, recovery)
      await delay(Math.min(calmMillis * (0.5 + random()), Math.max(0, endsAt - performance.now())))
    }
    const ended = await app.ask({ do: "end" })
    if (!("report" in ended)) throw new Error("there is no report")
    // Locks and intents of those who could not take them away expire.
    let left = await leftIn(stage)
    await until("locks and intents are gone", async () => {
      left = await leftIn(stage)
      return left.locks + left.intents === 0
    }, 15_000).catch(() => {})
    const connections = { valkey: await connectionsOf(stage), valkeyBefore }
    return { report: ended.report, faults, before: warm.stock, left, connections }
  } finally {
    await app.signal("SIGKILL")
    await stage.stop()
    await rm(program.file, { force: true })
  }
}
