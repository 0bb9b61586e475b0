/**
 * The lives of servers. One that was started again, maybe from an old copy of its data, or that has taken over from
 * another one, may hold stamps which were taken away before: they say in whose life they were made, and are of no worth
 * in another one.
 */
import type { CacheError } from "../CacheError.js"
import { sha256 } from "../internal/hash.js"
import { nodeOf } from "./client.js"
import type { Client } from "./client.js"
import type { Batcher } from "./connection.js"
import { text } from "./convert.js"
import { toCacheError } from "./errors.js"

export interface Lives {
  /** The life of the server that holds a key: `undefined` until it is known, empty where the server does not tell. */
  readonly of: (key: string) => string | undefined
  /** Finds out about the servers that hold these keys; answers why it could not, if it could not. */
  readonly learn: (keys: ReadonlyArray<string>) => Promise<CacheError | undefined>
  /** Finds out once more: somebody else knows better, or worse. Not more often than once a second. */
  readonly doubt: (keys: ReadonlyArray<string>) => Promise<CacheError | undefined>
  readonly close: () => void
}

/** What is known of one server. */
interface Knowledge {
  life: string | undefined
  askedAt: number
  asking: Promise<CacheError | undefined> | undefined
}

/** How often a server is asked again about which others say something else, in milliseconds. */
const doubtMillis = 1_000

/** Whether the server will never tell this user. */
const isRefusal = ({ code = "", reason }: CacheError): boolean =>
  reason === "Rejected" && ["NOPERM", "ERR"].includes(code)

/**
 * A life is told by the process that serves and by the history of its data, which changes when a replica takes over; and
 * also when the first replica is attached, which everybody finds out who meets a stamp from after it.
 */
const lifeIn = (info: string): string => {
  const [, run] = /^run_id:(\S+)/m.exec(info) ?? []
  const [, history] = /^master_replid:(\S+)/m.exec(info) ?? []
  return run === undefined ? "" : sha256(`${run} ${history}`).slice(0, 8)
}

const operation = "learn who the server is"

/** Asks one node of a cluster. */
const askNode = (node: Client): Promise<unknown> =>
  node.callBuffer("info").catch((error: unknown) => Promise.reject(toCacheError(operation, error, undefined)))

/** Asks the one server: whoever comes before it is connected waits as all others do. */
const askServer = (batcher: Batcher): Promise<unknown> =>
  new Promise((done, failed) => batcher.command({ operation, name: "info", args: [], done, failed }))

export const makeLives = (client: Client, batcher: Batcher): Lives => {
  const records = new Map<Client, Knowledge>()
  const listeners = new Map<Client, () => void>()
  let nodes = new Map<string, Client>()

  const forget = (server: Client) => {
    records.delete(server)
    listeners.get(server)?.()
    listeners.delete(server)
  }

  const ask = (server: Client): Promise<CacheError | undefined> => {
    const known = records.get(server)
    if (known?.asking !== undefined) return known.asking
    // What it was is believed until the answer is there.
    const record: Knowledge = { life: known?.life, askedAt: performance.now(), asking: undefined }
    record.asking = (server === client ? askServer(batcher) : askNode(server)).then(
      (reply) => {
        record.life = lifeIn(text(reply) ?? "")
        return undefined
      },
      // Whoever may not ask goes without; who got no answer asks again.
      (error: CacheError) => {
        record.life = isRefusal(error) ? "" : undefined
        return record.life === undefined ? error : undefined
      }
    ).finally(() => void (record.asking = undefined))
    records.set(server, record)
    if (!listeners.has(server)) {
      const onClose = () => forget(server)
      server.on("close", onClose)
      listeners.set(server, () => void server.removeListener("close", onClose))
    }
    return record.asking
  }

  const serverOf = (key: string): Client | undefined => {
    if (client.isCluster !== true) return client
    const node = nodeOf(client, key)
    const known = nodes.get(node)
    if (known !== undefined && known.status !== "end") return known
    nodes = new Map((client.nodes?.("master") ?? []).map((one) => [`${one.options.host}:${one.options.port}`, one]))
    return nodes.get(node)
  }

  const askAll = (keys: ReadonlyArray<string>, which: (record: Knowledge | undefined) => boolean) => {
    const servers = Array.from(new Set(keys.map(serverOf))).filter((server) => server !== undefined)
    return Promise.all(servers.filter((server) => which(records.get(server))).map(ask))
      .then((errors) => errors.find((error) => error !== undefined))
  }

  const onReady = () => void ask(client)
  if (client.isCluster !== true) {
    client.on("ready", onReady)
    if (client.status === "ready") onReady()
  }

  return {
    of: (key) => {
      const server = serverOf(key)
      return server === undefined ? undefined : records.get(server)?.life
    },
    learn: (keys) => askAll(keys, (record) => record?.life === undefined),
    doubt: (keys) =>
      askAll(keys, (record) =>
        record === undefined || record.asking !== undefined || performance.now() - record.askedAt > doubtMillis),
    close: () => {
      client.removeListener("ready", onReady)
      Array.from(listeners.keys()).forEach(forget)
    }
  }
}
