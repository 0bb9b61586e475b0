/** A server of Valkey, the network before it, and what can happen to the two. */
import { Redis } from "iovalkey"
import { mkdir, rm } from "node:fs/promises"
import * as path from "node:path"
import { freePort, until } from "../support/process.js"
import type { Proxy, ProxyOptions } from "../support/proxy.js"
import { startProxy } from "../support/proxy.js"
import type { ValkeyServer } from "../support/valkey.js"
import { startValkey } from "../support/valkey.js"

export interface Stage {
  readonly server: ValkeyServer
  readonly proxy: Proxy
  /** Through the network. The user's rights may be taken away. */
  readonly url: string
  /** The server itself, with all rights. */
  readonly undisturbed: string
  /** Asks the server itself, as its administrator. */
  readonly ask: (...command: ReadonlyArray<string>) => Promise<unknown>
  readonly stop: () => Promise<void>
}

const user = "app"
const password = "right"

/** Of the administrator: a user without a password would stand in for one whose password is wrong. */
const keyword = "admin"

const accounts = ["--user", user, "on", `>${password}`, "~*", "&*", "+@all", "--requirepass", keyword]

export const openStage = async (options?: ProxyOptions): Promise<Stage> => {
  const settings = ["--enable-protected-configs", "local", "--repl-diskless-sync-delay", "0"]
  const server = await startValkey({ args: [...accounts, ...settings] })
  const proxy = await startProxy(server.port, options)
  // A server that is out of order still answers its administrator.
  const admin = new Redis(server.url, { password: keyword, enableReadyCheck: false, retryStrategy: () => 20 })
  admin.on("error", () => {})
  return {
    server,
    proxy,
    url: `valkey://${user}:${password}@127.0.0.1:${proxy.port}`,
    undisturbed: `valkey://:${keyword}@127.0.0.1:${server.port}`,
    ask: (name = "", ...args) => admin.call(name, ...args),
    stop: async () => {
      admin.disconnect()
      await proxy.stop()
      await server.stop()
    }
  }
}

export interface Replica {
  readonly port: number
  /** Makes it a master of its own. */
  readonly promote: () => Promise<unknown>
  readonly stop: () => Promise<void>
}

/** A server that has all that the other one has, and gets what comes there. */
export const startReplica = async ({ server }: Stage): Promise<Replica> => {
  const replica = await startValkey({
    args: [...accounts, "--masterauth", keyword, "--replicaof", `127.0.0.1 ${server.port}`]
  })
  const admin = new Redis(replica.url, { password: keyword, enableReadyCheck: false })
  admin.on("error", () => {})
  await until("the replica has everything", async () =>
    (await admin.info("replication")).includes("master_link_status:up"))
  return {
    port: replica.port,
    promote: () => admin.call("REPLICAOF", "NO", "ONE"),
    stop: async () => {
      admin.disconnect()
      await replica.stop()
    }
  }
}

/** What an invalidation that starts in a state comes to. */
type Invalidations = "acknowledged" | "undelivered" | "either"

/** Something that happens to a server or on the way to it. */
export interface State {
  readonly name: string
  readonly begin: (stage: Stage) => Promise<unknown>
  readonly end: (stage: Stage) => Promise<unknown>
  readonly invalidations: Invalidations
  /** Whether it is so before anybody has connected. */
  readonly fromTheStart?: boolean
  /** Whether everything that is in the store gets lost. */
  readonly forgets?: boolean
}

const nothing = async () => {}
const clear = ({ proxy }: Stage) => proxy.set({})
const configure = (...settings: ReadonlyArray<string>) => ({ ask }: Stage) => ask("CONFIG", "SET", ...settings)
const permit = (...rules: ReadonlyArray<string>) => ({ ask }: Stage) => ask("ACL", "SETUSER", user, ...rules)
const kick = ({ ask }: Stage) => ask("CLIENT", "KILL", "USER", user)

/** A dump cannot take the place of a folder. */
const blockade = ({ server }: Stage) => path.join(server.directory, "blocked.rdb")

const endless = "while true do end"

const manyKeys = "for i = 1, 3000 do redis.call('SET', 'other ' .. i, string.rep('x', 500)) end"

/** Something that goes on until it is told not to. */
const recurring = (everyMillis: number, body: (stage: Stage) => void) => {
  let timer: NodeJS.Timeout | undefined
  return {
    begin: async (stage: Stage) => {
      body(stage)
      timer = setInterval(() => body(stage), everyMillis)
    },
    end: async () => clearInterval(timer)
  }
}

const restart = async ({ proxy, server }: Stage, ...args: ReadonlyArray<string>) => {
  await server.restart(args)
  await proxy.set({})
}

const info = async (stage: Stage, section: string) => String(await stage.ask("INFO", section))

export const states: ReadonlyArray<State> = [
  {
    name: "killed, and started again",
    begin: async ({ proxy, server }) => {
      await server.kill("SIGKILL")
      // Nobody listens behind the proxy, so nobody shall before it.
      await proxy.set({ refused: true })
    },
    end: restart,
    invalidations: "undelivered",
    forgets: true
  },
  {
    name: "not there from the start",
    begin: ({ proxy }) => proxy.set({ refused: true }),
    end: clear,
    invalidations: "undelivered",
    fromTheStart: true
  },
  {
    name: "stopped",
    begin: ({ server }) => server.kill("SIGSTOP"),
    end: ({ server }) => server.kill("SIGCONT"),
    invalidations: "undelivered"
  },
  {
    name: "slow, +500 ms",
    begin: ({ proxy }) => proxy.set({ latency: { toClient: 500 } }),
    end: clear,
    invalidations: "acknowledged"
  },
  { name: "cut off again and again", ...recurring(100, ({ proxy }) => proxy.cut()), invalidations: "either" },
  {
    name: "half-open: nothing comes through",
    begin: ({ proxy }) => proxy.set({ silent: "both" }),
    end: clear,
    invalidations: "undelivered"
  },
  {
    name: "half-open: no answer comes through",
    begin: ({ proxy }) => proxy.set({ silent: "toClient" }),
    end: clear,
    invalidations: "undelivered"
  },
  {
    name: "half-open, and cut in the end",
    begin: ({ proxy }) => proxy.set({ silent: "both" }),
    end: async ({ proxy }) => {
      proxy.cut()
      await proxy.set({})
    },
    invalidations: "undelivered"
  },
  {
    name: "behind a trickle of 500 bytes a second",
    begin: ({ proxy }) => proxy.set({ bytesPerSecond: 500 }),
    end: clear,
    invalidations: "either"
  },
  {
    name: "speaking garbage",
    begin: ({ proxy }) => proxy.set({ garbled: true }),
    end: clear,
    invalidations: "undelivered"
  },
  {
    name: "answering with what nobody asked for",
    begin: ({ proxy }) => proxy.set({ answer: ([name]) => name === "info" ? "$9\r\nloading:0\r\n" : "*0\r\n" }),
    end: clear,
    invalidations: "undelivered"
  },
  {
    name: "loading",
    begin: async (stage) => {
      await stage.ask("EVAL", manyKeys, "0")
      await stage.ask("SAVE")
      await stage.server.kill("SIGKILL")
      // Every other key it looks up from its work: half a minute of it, unless it is told otherwise.
      await stage.server.restart(["--key-load-delay", "10000", "--loading-process-events-interval-bytes", "1024"])
      await until("it is loading", async () => (await info(stage, "persistence")).includes("loading:1"))
    },
    end: async (stage) => {
      await stage.ask("CONFIG", "SET", "key-load-delay", "0")
      await until("it has loaded", async () => (await info(stage, "persistence")).includes("loading:0"))
    },
    invalidations: "undelivered"
  },
  {
    name: "a replica that reads are allowed on",
    begin: async ({ ask }) => ask("REPLICAOF", "127.0.0.1", String(await freePort())),
    end: ({ ask }) => ask("REPLICAOF", "NO", "ONE"),
    invalidations: "undelivered"
  },
  {
    name: "a replica that has lost its master",
    begin: async ({ ask }) => {
      await ask("CONFIG", "SET", "replica-serve-stale-data", "no")
      await ask("REPLICAOF", "127.0.0.1", String(await freePort()))
    },
    end: ({ ask }) => ask("REPLICAOF", "NO", "ONE"),
    invalidations: "undelivered"
  },
  {
    name: "full",
    begin: configure("maxmemory", "1", "maxmemory-policy", "noeviction"),
    end: configure("maxmemory", "0"),
    invalidations: "acknowledged"
  },
  {
    name: "unable to save",
    begin: async (stage) => {
      await mkdir(path.join(blockade(stage), "in the way"), { recursive: true })
      await stage.ask("CONFIG", "SET", "dbfilename", path.basename(blockade(stage)), "save", "3600 1000000")
      await stage.ask("BGSAVE")
      await until("it could not save", async () =>
        (await info(stage, "persistence")).includes("rdb_last_bgsave_status:err"))
    },
    end: async (stage) => {
      await rm(blockade(stage), { recursive: true, force: true })
      await stage.ask("CONFIG", "SET", "dbfilename", "dump.rdb", "save", "")
    },
    invalidations: "undelivered"
  },
  {
    name: "busy with a script",
    begin: async ({ ask, server }) => {
      await ask("CONFIG", "SET", "busy-reply-threshold", "10")
      const another = new Redis(server.url, { password: keyword })
      another.eval(endless, 0).catch(() => {}).finally(() => another.disconnect())
      await until("it is busy", () => ask("PING").then(() => false, () => true))
    },
    end: ({ ask }) => ask("SCRIPT", "KILL"),
    invalidations: "undelivered"
  },
  {
    name: "of another password",
    begin: async (stage) => {
      await permit("resetpass", ">other")(stage)
      await kick(stage)
    },
    end: permit("resetpass", `>${password}`),
    invalidations: "undelivered"
  },
  {
    name: "forbidding scripts",
    begin: permit("-eval", "-evalsha"),
    end: permit("+eval", "+evalsha"),
    invalidations: "undelivered"
  },
  {
    name: "forbidding to read",
    begin: permit("-mget"),
    end: permit("+mget"),
    invalidations: "acknowledged"
  },
  {
    name: "forbidding to delete",
    begin: permit("-unlink"),
    end: permit("+unlink"),
    invalidations: "undelivered"
  },
  {
    name: "forbidding to ask who it is",
    begin: async (stage) => {
      await permit("-info")(stage)
      await kick(stage)
    },
    end: permit("+info"),
    invalidations: "either"
  },
  {
    name: "of no room for another client",
    begin: async (stage) => {
      await stage.ask("CONFIG", "SET", "maxclients", "1")
      await kick(stage)
    },
    end: configure("maxclients", "1000"),
    invalidations: "undelivered"
  },
  {
    name: "started again, having forgotten everything",
    begin: async ({ server }) => {
      await server.kill("SIGKILL")
      await server.restart()
    },
    end: nothing,
    invalidations: "either",
    forgets: true
  },
  {
    name: "made to forget everything",
    begin: ({ ask }) => ask("FLUSHALL"),
    end: nothing,
    invalidations: "acknowledged",
    forgets: true
  },
  {
    name: "made to forget its scripts, again and again",
    ...recurring(20, ({ ask }) => void ask("SCRIPT", "FLUSH").catch(() => {})),
    invalidations: "either"
  }
]

export const stateOf = (name: string): State => {
  const state = states.find((one) => one.name === name)
  if (state === undefined) throw new Error(`there is no state ${name}`)
  return state
}
