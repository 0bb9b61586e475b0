import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as ManagedRuntime from "effect/ManagedRuntime"
import { prismaCache } from "effect-prisma-cache"
import type { CacheStrategy } from "effect-prisma-cache/CacheStrategy"
import { QueryCache } from "effect-prisma-cache/QueryCache"
import * as ValkeyCache from "effect-prisma-cache/ValkeyCache"
import { beforeEach, describe, expect, it, onTestFinished } from "vitest"
import { answerTo, statusOf, useDatabase } from "../prisma/support.js"
import { freePort, until } from "../support/process.js"
import { entryOf } from "../QueryCache/support.js"
import { useServer } from "./support.js"
import { canary, makeWitness } from "./witness.js"
import type { Witness } from "./witness.js"

const row = { email: canary("row_email"), name: canary("row_name"), secret: canary("row_secret") }

const database = useDatabase((base) => base.user.create({ data: row }))

const valkey = useServer()

beforeEach(async () => {
  const { admin } = valkey
  await admin.flushall()
  await admin.call("ACL", "SETUSER", canary("user"), "reset", "on", `>${canary("password")}`, "~*", "&*", "+@all")
})

const url = (port = valkey.server.port, password = canary("password")) =>
  `valkey://${canary("user")}:${password}@127.0.0.1:${port}`

/** What goes wrong in the database of an application. */
class QueryError extends Data.TaggedError("QueryError")<{ readonly message: string }> {}

/** A client of which everything that can have a canary has one. */
const clientAt = (cache: string, witness: Witness) => {
  const prisma = database.base.$extends(prismaCache({
    cache,
    namespace: canary("namespace"),
    lock: { prefix: canary("prefix") },
    budget: 300,
    varyBy: () => canary("tenant"),
    onEvent: (event) => {
      witness.note(`event ${event._tag}`, event)
      if (event._tag === "Failed") witness.note(`failed: ${event.error.reason} ${event.error.code}`, event.error)
    }
  }))
  onTestFinished(() => prisma.$cache.close())
  return prisma
}
type CanaryClient = ReturnType<typeof clientAt>

/** Reads and writes of every kind. Each answers as the database does. */
const useAll = async (prisma: CanaryClient, witness: Witness): Promise<void> => {
  const cache = { ttl: "1 minute", tags: [canary("tag")], key: canary("key"), namespace: canary("other_namespace") } as const
  const where = { email: row.email }
  const reads = [
    () => prisma.user.findUnique({ where, cache: { ttl: "1 minute", tags: [canary("tag")] } }),
    () => prisma.user.findFirst({ where: { name: { contains: row.name } }, cache }),
    () => prisma.user.findUnique({ where, cache: { ttl: "1 minute", key: (user) => `${canary("late_key")}${user?.id}` } }),
    () => prisma.user.findUnique({ where, cache: { ttl: 1, swr: "1 minute", staleIfError: "1 minute" } })
  ]
  for (const read of reads) {
    for (let i = 0; i < 3; i++) {
      const { data, info } = await answerTo(read)
      expect(data).toMatchObject(row)
      // What somebody named is told to whoever named it; what was asked and answered is not.
      witness.note("info", { ...info, key: undefined, tags: [] })
    }
  }
  const data = { name: row.name }
  await prisma.user.update({ where, data, uncache: { key: canary("key"), namespace: canary("other_namespace") } })
  await prisma.user.update({ where, data, cache: { ttl: "1 minute", key: canary("own_key") } })
  await prisma.user.updateMany({ where: { name: row.name }, data, uncache: () => canary("late_key") })
  await prisma.$transaction(async (tx) => {
    await tx.user.update({ where, data })
    await tx.user.findUnique({ where, cache: true })
  })
  await prisma.$transaction(async (tx) => {
    await tx.user.update({ where, data: { secret: canary("rolled_back") } })
    throw new Error("rolled back")
  }).catch(() => {})
  const ask = async (what: string, promise: PromiseLike<unknown>) => {
    await promise.then(() => {}, (error: unknown) => witness.note(`rejection of ${what}`, error))
  }
  await ask("invalidate", prisma.$cache.invalidate({ tags: [canary("tag")], keys: [canary("key")], models: ["User"] }))
  await ask("invalidateAll", prisma.$cache.invalidateAll())
  witness.note("stats", prisma.$cache.stats())
  witness.note("health", prisma.$cache.health())
}

interface Situation {
  readonly name: string
  /** Brings the server into it; answers where it is, and how to get it out of it. */
  readonly begin: () => Promise<{ readonly at: string; readonly end: () => Promise<unknown> }>
  /** What must have been heard, so that it is known to have been in it. */
  readonly shown: RegExp
}

const noEnd = async () => {}

/** Overwrites everything that the server holds. */
const overwrite = async (change: (key: string) => Promise<unknown>) => {
  for (const key of await valkey.admin.keys("*")) await change(key)
}

const situations: ReadonlyArray<Situation> = [
  { name: "is well", begin: async () => ({ at: url(), end: noEnd }), shown: /^event Hit$/ },
  {
    name: "is not there",
    begin: async () => ({ at: url(await freePort()), end: noEnd }),
    shown: /^failed: Unavailable ECONNREFUSED$/
  },
  {
    name: "does not accept the password",
    begin: async () => {
      // Otherwise who has not logged in is the default user, who may do anything.
      await valkey.admin.call("ACL", "SETUSER", "default", "resetpass", ">another")
      return {
        at: url(valkey.server.port, canary("wrong_password")),
        end: () => valkey.admin.call("ACL", "SETUSER", "default", "nopass")
      }
    },
    shown: /^failed: Unavailable WRONGPASS$/
  },
  {
    name: "permits nothing",
    begin: async () => {
      await valkey.admin.call("ACL", "SETUSER", canary("user"), "-@all", "+info", "+client")
      return { at: url(), end: noEnd }
    },
    shown: /^failed: Rejected NOPERM$/
  },
  {
    name: "permits other keys only",
    begin: async () => {
      await valkey.admin.call("ACL", "SETUSER", canary("user"), "resetkeys", "resetchannels", "~other:*")
      return { at: url(), end: noEnd }
    },
    shown: /^failed: Rejected NOPERM$/
  },
  {
    name: "has no memory left",
    begin: async () => {
      await valkey.admin.config("SET", "maxmemory", "1")
      return { at: url(), end: () => valkey.admin.config("SET", "maxmemory", "0") }
    },
    shown: /^failed: Rejected OOM$/
  },
  {
    name: "is a replica",
    begin: async () => {
      await valkey.admin.call("REPLICAOF", "127.0.0.1", await freePort())
      return { at: url(), end: () => valkey.admin.call("REPLICAOF", "NO", "ONE") }
    },
    shown: /^failed: Rejected READONLY$/
  },
  {
    name: "hangs",
    begin: async () => ({
      at: url(),
      end: noEnd
    }),
    shown: /^failed: Timeout undefined$/
  }
]

describe("nothing of what is asked, answered, named or used to log in gets out", () => {
  it.each(situations)("while the server $name", async ({ begin, name, shown }) => {
    const { at, end } = await begin()
    const witness = makeWitness()
    const prisma = clientAt(at, witness)
    try {
      if (name === "hangs") {
        await until("it answers", async () => (await statusOf(() => prisma.user.findMany({ cache: true }))) === "hit")
        await valkey.server.kill("SIGSTOP")
      }
      await useAll(prisma, witness)
      await prisma.$cache.close()
    } finally {
      await valkey.server.kill("SIGCONT")
      await end()
    }
    expect(Array.from(witness.heard()).filter((what) => shown.test(what))).not.toEqual([])
    expect(witness.leaks()).toEqual([])
  })

  it.each<[string, (key: string) => Promise<unknown>]>([
    ["noise", (key) => valkey.admin.set(key, `${canary("noise")}${"x".repeat(200)}`)],
    ["other types", (key) => valkey.admin.del(key).then(() => valkey.admin.lpush(key, canary("noise")))],
    ["damaged entries", async (key) => {
      const value = await valkey.admin.getBuffer(key)
      if (value !== null && value.length > 100) await valkey.admin.set(key, Buffer.concat([value, Buffer.from(canary("tail"))]))
    }]
  ])("while the server holds %s", async (_, change) => {
    const witness = makeWitness()
    const prisma = clientAt(url(), witness)
    const read = () => prisma.user.findUnique({ where: { email: row.email }, cache: { ttl: "1 minute", tags: [canary("tag")] } })
    for (let i = 0; i < 3; i++) {
      await until("it is stored", async () => ["hit", "bypass"].includes(await statusOf(read)))
      await overwrite(change)
      expect(await read()).toMatchObject(row)
    }
    await useAll(prisma, witness)
    expect(Array.from(witness.heard()).some((what) => /^event (Corrupt|Failed)$/.test(what))).toBe(true)
    expect(witness.leaks()).toEqual([])
  })

  it("by logs and spans of an application of Effect, whose query fails too", async () => {
    const witness = makeWitness()
    for (const at of [url(), url(await freePort())]) {
      const cacheLayer = ValkeyCache.layer({
        connection: at,
        namespace: canary("namespace"),
        consistency: "strict",
        budget: 300,
        onEvent: (event) => witness.note(`event ${event._tag}`, event)
      })
      const runtime = ManagedRuntime.make(
        cacheLayer.pipe(
          Layer.provideMerge(Layer.merge(Logger.replace(Logger.defaultLogger, witness.logger), Layer.setTracer(witness.tracer)))
        )
      )
      onTestFinished(() => runtime.dispose())
      const run = <A, E>(what: (cache: QueryCache) => Effect.Effect<A, E>) =>
        runtime.runPromise(Effect.exit(Effect.flatMap(QueryCache, what)).pipe(Effect.withSpan("the application's")))
      const request = (query: string, strategy: Partial<CacheStrategy> = {}) => ({
        key: { query: canary(query) },
        strategy: { ttl: "1 minute", tags: [canary("tag")], ...strategy } as const,
        keys: [{ key: canary("key") }],
        dependencies: [canary("dependency")]
      })
      const stale = { ttl: 1, swr: "1 minute" } as const
      for (let i = 0; i < 2; i++) {
        await run((cache) => cache.fetch(request("a"), Effect.succeed({ value: canary("value") })))
        await run((cache) => cache.fetch(request("b", stale), Effect.succeed(canary("value"))))
        await run((cache) => cache.fetch(request("b", stale), Effect.fail(new QueryError({ message: canary("error") }))))
        await run((cache) => cache.fetch(request("c"), Effect.fail(new QueryError({ message: canary("error") }))))
        await run((cache) => cache.fetch(request("d"), Effect.die(new Error(canary("defect")))))
        await run((cache) => cache.fetch(request("e"), Effect.succeed(() => canary("function"))))
      }
      const noKey = { secret: (() => canary("function")) as never }
      await run((cache) => cache.fetch({ key: noKey, strategy: { ttl: 1 } }, Effect.succeed(1)))
      const own = { key: { key: canary("key") }, strategy: { ttl: "1 minute" }, entry: entryOf } as const
      const touches = { tags: [canary("tag")] }
      await run((cache) => cache.write({ label: "write", touches, own }, Effect.succeed(canary("value"))))
      await run((cache) => cache.write({ label: "write", touches: { all: true } }, Effect.fail(new QueryError({ message: canary("error") }))))
      await run((cache) =>
        cache.write(
          {
            label: "write",
            touches: {},
            late: () => {
              throw new Error(canary("late"))
            }
          },
          Effect.succeed(canary("value"))
        ))
      const error = await runtime.runPromise(
        Effect.flatMap(QueryCache, (cache) => Effect.either(cache.invalidate({ ...touches, keys: [{ key: canary("key") }] })))
      )
      witness.note("error", error)
    }
    const heard = Array.from(witness.heard())
    for (const what of ["span", "error", "event Warning", "event NotStored", "event Failed"]) expect(heard).toContain(what)
    expect(witness.leaks()).toEqual([])
  })

  const tells = async (make: () => unknown) => {
    const witness = makeWitness()
    try {
      await make()
    } catch (error) {
      witness.note("error", error)
    }
    expect(Array.from(witness.heard())).toContain("error")
    expect(witness.leaks()).toEqual([])
  }
  const build = (options: ValkeyCache.Options) => Effect.runPromise(Effect.scoped(Layer.build(ValkeyCache.layer(options))))
  it.each<[string, () => unknown]>([
    ["a URL of another kind", () => prismaCache({ cache: `http://${canary("user")}:${canary("password")}@localhost` })],
    ["what is no URL", () => prismaCache({ cache: canary("password") })],
    [
      "a password that is not encoded",
      () => build({ connection: `valkey://user:%${canary("password")}@localhost`, commandTimeout: -1 })
    ],
    ["a URL with a wrong path", () => build({ connection: `valkey://user:${canary("password")}@localhost/x` })],
    ["options with a wrong member", () => prismaCache({ cache: { password: canary("password"), port: 1 }, budget: -1 })]
  ])("in an error about %s", (_, make) => tells(make))

  it("in an error about an option that there is not", () => tells(() => prismaCache({ url: url() } as object)))
})

describe("the witness", () => {
  it("hears a canary wherever it is", () => {
    const witness = makeWitness()
    console.warn("%s", canary("a"))
    process.stderr.write(canary("b"))
    witness.note("deep", { a: { b: { c: { d: [canary("c")] } } } })
    witness.note("cause", new Error("x", { cause: new Error(canary("d")) }))
    witness.note("hex", Buffer.from(canary("e")).toString("hex"))
    for (const before of ["", "a", "ab", "abc"]) {
      witness.note(`base64 ${before}`, Buffer.from(before + canary("f")).toString("base64"))
    }
    const told = new Set(witness.leaks().map((leak) => leak.split(":")[0]))
    expect(Array.from(told)).toEqual([
      "console.warn",
      "stderr",
      "deep",
      "cause",
      "hex",
      "base64 ",
      "base64 a",
      "base64 ab",
      "base64 abc"
    ])
  })
})
