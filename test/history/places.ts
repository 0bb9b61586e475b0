/** Where histories are made, and what happens there meanwhile. */
import { Redis } from "iovalkey"
import { setTimeout as delay } from "node:timers/promises"
import type * as ValkeyCache from "effect-prisma-cache/ValkeyCache"
import type { ValkeyServer } from "../support/valkey.js"
import { startValkey, startValkeyCluster } from "../support/valkey.js"
import type { Options } from "./history.js"

export interface Place {
  readonly valkey: ValkeyCache.Connection
  readonly mischief?: NonNullable<Options["mischief"]>
  /** What the mischief came to, to be looked at in the end. */
  readonly harm?: () => Promise<{ readonly [what: string]: number }>
  readonly losesIntents?: boolean
  readonly isSkewed?: boolean
  readonly stop: () => Promise<void>
}

const infoOf = async (admin: Redis, name: string): Promise<number> =>
  Number(new RegExp(`^${name}:(\\d+)`, "m").exec(await admin.info())?.[1] ?? 0)

/** Until it is over, without ever being in a hurry. */
const again = async (signal: AbortSignal, everyMillis: number, body: () => Promise<unknown>) => {
  while (!signal.aborted) {
    await body()
    await delay(everyMillis)
  }
}

export const oneNode = async (): Promise<Place> => {
  const server = await startValkey()
  return { valkey: server.url, stop: () => server.stop() }
}

export const skewed = async (): Promise<Place> => ({ ...await oneNode(), isSkewed: true })

export const cluster = async (): Promise<Place> => {
  const { nodes, stop } = await startValkeyCluster()
  return { valkey: { cluster: { nodes: nodes.map(({ host, port }) => ({ host, port })) } }, stop }
}

const administered = (server: ValkeyServer) => {
  const admin = new Redis(server.url)
  return {
    admin,
    stop: async () => {
      admin.disconnect()
      await server.stop()
    }
  }
}

/** Entries, stamps, intents and locks are evicted at random all the time. */
export const evicting = async (): Promise<Place> => {
  const server = await startValkey()
  const { admin, stop } = administered(server)
  let evicted = 0
  return {
    valkey: server.url,
    losesIntents: true,
    mischief: (signal) =>
      again(signal, 10, async () => {
        const name = await admin.randomkey()
        if (name !== null) evicted += await admin.unlink(name)
      }),
    harm: async () => ({ evicted }),
    stop
  }
}

const filler = "x".repeat(50_000)

/** A server whose memory others fill, so that it evicts whatever has not been used for longest. */
export const tight = async (): Promise<Place> => {
  const server = await startValkey({ args: ["--maxmemory", "6mb", "--maxmemory-policy", "allkeys-lru", "--maxmemory-samples", "3"] })
  const { admin, stop } = administered(server)
  let fillers = 0
  return {
    valkey: server.url,
    losesIntents: true,
    mischief: (signal) => again(signal, 10, () => admin.set(`filler ${++fillers}`, filler)),
    harm: async () => ({ evicted: await infoOf(admin, "evicted_keys") }),
    stop
  }
}

/** A server that has no room for anything new, now and then. */
export const full = async (): Promise<Place> => {
  const server = await startValkey({ args: ["--maxmemory", "8mb", "--maxmemory-policy", "noeviction"] })
  const { admin, stop } = administered(server)
  let fillers = 0
  return {
    valkey: server.url,
    mischief: async (signal) => {
      await again(signal, 1, async () => {
        if (fillers >= 0) {
          await admin.set(`filler ${fillers++}`, filler).catch(() => (fillers = -200))
        } else if (++fillers === 0) {
          const names = await admin.keys("filler *")
          if (names.length > 0) await admin.unlink(names)
        }
      })
    },
    harm: async () => ({ refused: Number(/errorstat_OOM:count=(\d+)/.exec(await admin.info("errorstats"))?.[1] ?? 0) }),
    stop
  }
}

export const places = { "one node": oneNode, "three nodes": cluster, "skewed clocks": skewed, "evicting": evicting, "allkeys-lru": tight, "noeviction": full }
