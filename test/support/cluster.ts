/** A cluster of masters with a replica each, and what happens to its nodes and slots. */
import { Redis } from "iovalkey"
import { until } from "./process.js"
import type { ValkeyServer } from "./valkey.js"
import { startValkeyCluster } from "./valkey.js"

/** How long nodes wait for each other before they call one lost, in milliseconds. */
const nodeTimeout = 500

/** A node as another one describes it. */
export interface Member {
  readonly id: string
  readonly server: ValkeyServer
  readonly isMaster: boolean
  /** Of a replica. */
  readonly masterId: string | undefined
  readonly isLost: boolean
  /** The slots of a master, from and to. */
  readonly slots: ReadonlyArray<readonly [number, number]>
}

export interface Cluster {
  readonly connection: { readonly cluster: { readonly nodes: ReadonlyArray<Pick<ValkeyServer, "host" | "port">> } }
  /** Asks a node. */
  readonly ask: (server: ValkeyServer, ...command: ReadonlyArray<string | number>) => Promise<unknown>
  /** All nodes, as one of those that live sees them. */
  readonly members: () => Promise<ReadonlyArray<Member>>
  /** Whether the living nodes, all of them, say that the cluster is down. */
  readonly isDown: () => Promise<boolean>
  /** The master that a key lives on, and its replica. */
  readonly homeOf: (key: string) => Promise<{ readonly master: Member; readonly replica: Member }>
  /** All keys with this beginning, wherever they are. */
  readonly keys: (prefix: string) => Promise<ReadonlyArray<string>>
  readonly kill: (member: Member) => Promise<void>
  /** Makes a node stand still, and go on. */
  readonly stall: (member: Member) => Promise<() => Promise<void>>
  /** Waits until others have taken over the slots of a master that is gone. */
  readonly takenOver: (master: Member) => Promise<void>
  /** Starts nodes again that were killed, lets those go on that stand still, and waits until all is well. */
  readonly repair: () => Promise<void>
  /** Begins to move the slots of these keys, with all that is in them, to other masters. What is answered ends it. */
  readonly move: (keys: ReadonlyArray<string>) => Promise<() => Promise<void>>
  readonly stop: () => Promise<void>
}

const parse = (line: string, servers: ReadonlyArray<ValkeyServer>): ReadonlyArray<Member> => {
  const [id = "", address = "", flags = "", masterId = "", , , , , ...slots] = line.split(" ")
  const port = Number(/:(\d+)@/.exec(address)?.[1])
  const server = servers.find((one) => one.port === port)
  if (server === undefined) return []
  const flagged = flags.split(",")
  return [{
    id,
    server,
    isMaster: flagged.includes("master"),
    masterId: masterId === "-" ? undefined : masterId,
    isLost: flagged.includes("fail"),
    slots: slots.filter((range) => !range.startsWith("[")).map((range) => {
      const [from = NaN, to = from] = range.split("-").map(Number)
      return [from, to] as const
    })
  }]
}

export const startCluster = async (...args: ReadonlyArray<string>): Promise<Cluster> => {
  const { nodes, stop } = await startValkeyCluster({
    replicas: 1,
    args: [
      ...["--cluster-node-timeout", String(nodeTimeout), "--cluster-replica-validity-factor", "0"],
      ...["--repl-diskless-sync-delay", "0", "--appendonly", "no"],
      ...args
    ]
  })
  const admins = new Map(nodes.map((server) => {
    const admin = new Redis(server.url, { enableReadyCheck: false, retryStrategy: () => 20, lazyConnect: true })
    admin.on("error", () => {})
    return [server, admin] as const
  }))
  const killed = new Set<ValkeyServer>()
  const stalled = new Set<ValkeyServer>()

  const ask: Cluster["ask"] = async (server, name = "", ...rest) => admins.get(server)?.call(String(name), ...rest)
  const living = () => nodes.filter((server) => !killed.has(server) && !stalled.has(server))
  const seenBy = async (server: ValkeyServer): Promise<ReadonlyArray<Member>> =>
    String(await ask(server, "CLUSTER", "NODES")).trim().split("\n").flatMap((line) => parse(line, nodes))
  const members = async () => {
    const [first] = living()
    if (first === undefined) throw new Error("no node lives")
    return seenBy(first)
  }
  const slotOf = async (key: string) => {
    const [first] = living()
    return first === undefined ? NaN : Number(await ask(first, "CLUSTER", "KEYSLOT", key))
  }
  const mastersIn = (all: ReadonlyArray<Member>) =>
    all.filter(({ isLost, isMaster, slots }) => isMaster && !isLost && slots.length > 0)
  const ownerIn = (all: ReadonlyArray<Member>, slot: number): Member => {
    const owner = all.find(({ slots }) => slots.some(([from, to]) => from <= slot && slot <= to))
    if (owner === undefined) throw new Error(`nobody has slot ${slot}`)
    return owner
  }
  const isOk = async (server: ValkeyServer) => String(await ask(server, "CLUSTER", "INFO")).includes("cluster_state:ok")

  return {
    connection: { cluster: { nodes: nodes.map(({ host, port }) => ({ host, port })) } },
    ask,
    members,
    isDown: async () => (await Promise.all(living().map(isOk))).every((ok) => !ok),
    homeOf: async (key) => {
      const all = await members()
      const master = ownerIn(all, await slotOf(key))
      const replica = all.find(({ isLost, masterId }) => masterId === master.id && !isLost)
      if (replica === undefined) throw new Error("that master has no replica")
      return { master, replica }
    },
    keys: async (prefix) => {
      const found = await Promise.all(mastersIn(await members()).map(({ server }) => ask(server, "KEYS", `${prefix}*`)))
      return found.flatMap((some) => Array.isArray(some) ? some.map(String) : [])
    },
    kill: async ({ server }) => {
      killed.add(server)
      await server.kill("SIGKILL")
    },
    stall: async ({ server }) => {
      stalled.add(server)
      await server.kill("SIGSTOP")
      return async () => {
        await server.kill("SIGCONT")
        stalled.delete(server)
      }
    },
    takenOver: ({ id, slots }) => {
      const has = ([from, to]: readonly [number, number], { slots }: Member) =>
        slots.some(([f, t]) => f <= from && to <= t)
      return until("another master has taken over", async () =>
        (await Promise.all(living().map(seenBy))).every((all) =>
          slots.every((range) => mastersIn(all).some((one) => one.id !== id && has(range, one)))))
    },
    repair: async () => {
      for (const server of stalled) await server.kill("SIGCONT")
      for (const server of killed) await server.restart()
      killed.clear()
      stalled.clear()
      await until("every node is well", async () => {
        const [views, states] = await Promise.all([Promise.all(nodes.map(seenBy)), Promise.all(nodes.map(isOk))])
        const isWhole = (all: ReadonlyArray<Member>) =>
          all.length === nodes.length && all.every(({ isLost }) => !isLost)
        return states.every(Boolean) && views.every(isWhole)
      })
      await until("every replica is up to date", async () => {
        const replicas = (await members()).filter(({ isMaster }) => !isMaster)
        const infos = await Promise.all(replicas.map(({ server }) => ask(server, "INFO", "replication")))
        return infos.every((info) => String(info).includes("master_link_status:up"))
      })
    },
    move: async (keys) => {
      const all = await members()
      const masters = mastersIn(all)
      const slots = Array.from(new Set(await Promise.all(keys.map(slotOf))))
      const moves = slots.map((slot) => {
        const from = ownerIn(all, slot)
        const to = masters[(masters.findIndex(({ id }) => id === from.id) + 1) % masters.length] ?? from
        return { slot, from, to }
      })
      const moveKeys = async ({ from, slot, to }: (typeof moves)[number]) => {
        const found = await ask(from.server, "CLUSTER", "GETKEYSINSLOT", slot, 1_000)
        const moving = Array.isArray(found) ? found.map(String) : []
        const { host, port } = to.server
        if (moving.length > 0) await ask(from.server, "MIGRATE", host, port, "", 0, 5_000, "REPLACE", "KEYS", ...moving)
      }
      for (const move of moves) {
        const { from, slot, to } = move
        await ask(to.server, "CLUSTER", "SETSLOT", slot, "IMPORTING", from.id)
        await ask(from.server, "CLUSTER", "SETSLOT", slot, "MIGRATING", to.id)
        await moveKeys(move)
      }
      return async () => {
        for (const move of moves) {
          const { from, slot, to } = move
          await moveKeys(move)
          for (const { server } of [to, from, ...masters]) await ask(server, "CLUSTER", "SETSLOT", slot, "NODE", to.id)
        }
      }
    },
    stop: async () => {
      admins.forEach((admin) => admin.disconnect())
      await stop()
    }
  }
}
