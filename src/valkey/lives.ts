/**
 * The lives of servers. One that was started again, maybe from an old copy of its data, or that has taken over from
 * another one, may hold stamps which were taken away before: they say in whose life they were made, and are of no worth
 * in another one.
 */
import { sha256 } from "../internal/hash.js"
import { nodeOf } from "./client.js"
import type { Client } from "./client.js"
import { text } from "./convert.js"
import { replyCodeOf } from "./errors.js"

export interface Lives {
  /** The life of the server that holds a key: `undefined` until it is known, empty where the server does not tell. */
  readonly of: (key: string) => string | undefined
  /** Finds out about the servers that hold these keys, and answers when it has, or cannot. */
  readonly learn: (keys: ReadonlyArray<string>) => Promise<unknown>
  readonly close: () => void
}

interface Record {
  life: string | undefined
  asking: Promise<void> | undefined
}

/** A life is told by the process that serves and by the history of its data, which changes when a replica takes over. */
const lifeIn = (info: string): string => {
  const [, run] = /^run_id:(\S+)/m.exec(info) ?? []
  const [, history] = /^master_replid:(\S+)/m.exec(info) ?? []
  return run === undefined ? "" : sha256(`${run} ${history}`).slice(0, 8)
}

export const makeLives = (client: Client): Lives => {
  const records = new Map<Client, Record>()
  let nodes = new Map<string, Client>()

  const forget = (server: Client) => {
    records.delete(server)
    listeners.get(server)?.()
    listeners.delete(server)
  }
  const listeners = new Map<Client, () => void>()

  const ask = (server: Client): Promise<void> => {
    const known = records.get(server)
    if (known?.asking !== undefined) return known.asking
    const record: Record = { life: undefined, asking: undefined }
    record.asking = server.callBuffer("info").then(
      (reply) => void (record.life = lifeIn(text(reply) ?? "")),
      // Whoever may not ask goes without.
      (error: unknown) => void (record.life = replyCodeOf(error) === undefined ? undefined : "")
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
    learn: (keys) => {
      const servers = new Set(keys.map(serverOf))
      const unknown = Array.from(servers).filter((server) => server !== undefined && records.get(server)?.life === undefined)
      return Promise.all(unknown.map((server) => server === undefined ? undefined : ask(server)))
    },
    close: () => {
      client.removeListener("ready", onReady)
      Array.from(listeners.keys()).forEach(forget)
    }
  }
}
