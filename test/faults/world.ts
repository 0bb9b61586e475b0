/** A server of its own, the network before it, and processes that use it through that network. */
import { setTimeout as delay } from "node:timers/promises"
import type * as ValkeyCache from "effect-prisma-cache/ValkeyCache"
import { onTestFinished } from "vitest"
import { until } from "../support/process.js"
import type { ProxyOptions } from "../support/proxy.js"
import { uniqueName } from "../support/servers.js"
import type { Client, Options, Watched } from "./client.js"
import { openCache, toleranceOf, watch } from "./client.js"
import type { Database } from "./database.js"
import { makeDatabase } from "./database.js"
import type { Stage } from "./stage.js"
import { openStage } from "./stage.js"

export interface Process {
  readonly client: Client
  readonly watched: Watched
}

export interface World {
  readonly stage: Stage
  readonly database: Database
  /** A process, at this address unless the network is to be in between. Closed after the test. */
  readonly open: (options?: Options, url?: string) => Promise<Process>
}

export const rows = 20
export const everyRow = Array.from({ length: rows }, (_, row) => row)

/** A process that reads and writes these rows. Closed after the test. */
export const openProcess = async (
  connection: ValkeyCache.Connection,
  database: Database,
  options: Options
): Promise<Process> => {
  const watched: Watched = watch(() => client, database, toleranceOf(options))
  const hear: NonNullable<Options["onEvent"]> = (event) => {
    watched.hear(event)
    options.onEvent?.(event)
  }
  const client = await openCache(connection, database, { ...options, onEvent: hear })
  onTestFinished(() => client.close())
  return { client, watched }
}

export const makeWorld = async (network?: ProxyOptions): Promise<World> => {
  const stage = await openStage(network)
  onTestFinished(stage.stop)
  const database = makeDatabase({ rows })
  const namespace = uniqueName("faults")
  const open: World["open"] = (options, url = stage.url) => openProcess(url, database, { namespace, ...options })
  return { stage, database, open }
}

/** Many who read, some who write, until it is ended. */
export const load = (processes: ReadonlyArray<Process>, perProcess = 20): () => Promise<void> => {
  let isOver = false
  const turns = (everyMillis: number, body: (turn: number) => Promise<unknown>) => async () => {
    for (let turn = 0; !isOver; turn++) await Promise.all([body(turn), delay(everyMillis)])
  }
  const work = Promise.all(processes.flatMap(({ watched }, i) => [
    ...Array.from({ length: perProcess }, (_, reader) =>
      turns(40, (turn) => watched.read((turn + reader + i) % rows))()),
    turns(30, (turn) => watched.invalidate((7 * turn + i) % rows))(),
    turns(60, (turn) => watched.write((11 * turn + i) % rows))()
  ]))
  return async () => {
    isOver = true
    await work
  }
}

export const readAll = ({ watched }: Process) => Promise.all(everyRow.map(watched.read))

/** What is read of every row. */
export const versionsIn = async (process: Process) => (await readAll(process)).map((read) => read?.version)

export const isCached = (process: Process) =>
  until("all rows are cached", async () => (await readAll(process)).every((read) => read?.status === "hit"))

/** Whether all rows come out of its own memory. */
export const isRemembered = (process: Process) =>
  until("all rows are remembered", async () => (await readAll(process)).every((read) => read?.source === "memory"))

export const isWell = ({ client }: Process) => until("it is well", () => client.health().status === "ok")

/** Of all that was read nothing failed, and nothing was older than it may be. */
export const nothingWrong = { failed: 0, wrong: 0, behind: 0 }
