/** A server of its own, the network before it, and processes that use it through that network. */
import type * as ValkeyCache from "effect-prisma-cache/ValkeyCache"
import { onTestFinished } from "vitest"
import { until } from "../support/process.js"
import type { ProxyOptions } from "../support/proxy.js"
import { uniqueName } from "../support/servers.js"
import type { Client, Options, Watched } from "./client.js"
import { openCache, watch } from "./client.js"
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
  const watched: Watched = watch(() => client, database)
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

export const readAll = ({ watched }: Process) => Promise.all(everyRow.map(watched.read))

/** What is read of every row. */
export const versionsIn = async (process: Process) => (await readAll(process)).map((read) => read?.version)

export const isCached = (process: Process) =>
  until("all rows are cached", async () => (await readAll(process)).every((read) => read?.status === "hit"))

export const isWell = ({ client }: Process) => until("it is well", () => client.health().status === "ok")

/** Of all that was read nothing failed, and nothing was older than it may be. */
export const nothingWrong = { failed: 0, wrong: 0, behind: 0 }
