import KeyvValkey from "@keyv/valkey"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as ManagedRuntime from "effect/ManagedRuntime"
import * as Queue from "effect/Queue"
import { Cluster, Redis } from "iovalkey"
import { afterEach, describe, expect, it } from "vitest"
import { CacheError } from "../../src/CacheError.js"
import { CacheStore } from "../../src/CacheStore.js"
import type { Invalidation } from "../../src/CacheStore.js"
import { DistributedLock } from "../../src/DistributedLock.js"
import { readConnection } from "../../src/valkey/options.js"
import * as ValkeyCache from "../../src/ValkeyCache.js"
import { freePort, until } from "../support/process.js"
import { uniqueName, valkeyUrl } from "../support/servers.js"
import { startValkey } from "../support/valkey.js"
import { startProxy } from "./proxy.js"

const minute = 60_000
const entry = Buffer.alloc(200, "e")
const kill = (tag: string): Invalidation => ({ _tag: "kill", tag })

/** What a test opened, closed in the reverse order. */
const closing: Array<() => Promise<unknown>> = []
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close()
})

/** A server of the test's own, started with these arguments. */
const ownServer = async (...args: ReadonlyArray<string>) => {
  const server = await startValkey({ args })
  closing.push(() => server.stop())
  return server
}
const adminOf = (url: string) => {
  const admin = new Redis(url)
  admin.on("error", () => {})
  closing.push(async () => admin.disconnect())
  return admin
}
const ownProxy = async (port: number) => {
  const proxy = await startProxy(port)
  closing.push(() => proxy.stop())
  return proxy
}

/** The services in an application that lives until the test ends, or closes it. */
const open = async (connection: ValkeyCache.Connection, commandTimeout = 10_000) => {
  const runtime = ManagedRuntime.make(ValkeyCache.layerServices(connection, { commandTimeout }))
  closing.push(() => runtime.dispose())
  const [store, lock] = await runtime.runPromise(Effect.all([CacheStore, DistributedLock]))
  return { store, lock, close: () => runtime.dispose() }
}

const run = Effect.runPromise
/** Succeeds with the error that the effect fails with. */
const errorOf = (effect: Effect.Effect<unknown, CacheError>): Promise<CacheError> => run(Effect.flip(effect))
const answers = (effect: Effect.Effect<unknown, CacheError>) => run(Effect.isSuccess(effect))

describe("a server that does not answer", () => {
  it("is known to be away as soon as it refuses to connect", async () => {
    const { lock, store } = await open(`valkey://127.0.0.1:${await freePort()}`, 60_000)
    for (const effect of [store.lookup("e", ["t"]), store.obtain(["t"], minute), lock.acquire("l", "t", minute)]) {
      expect(await errorOf(effect)).toMatchObject({ reason: "Unavailable", code: "ECONNREFUSED" })
    }
  })

  it("is waited for no longer than the bound, and not at all when the connection is known to be lost", async () => {
    const server = await ownServer()
    const { store } = await open(server.url, 150)
    await until("the server answers", () => answers(store.lookup("e", [])))
    await server.kill("SIGSTOP")
    const [, ...others] = await Promise.all([
      errorOf(store.lookup("e", ["t"])),
      errorOf(store.replace("e", entry, minute, null)),
      errorOf(store.invalidate([kill("t")], minute))
    ])
    for (const error of others) expect(error).toMatchObject({ _tag: "CacheError", reason: "Timeout" })
    await server.kill("SIGCONT")
    await until("the server answers again", () => answers(store.lookup("e", ["t"])))
  })

  it("is waited for by each read in plain code as long as that says, and by the others all the same", async () => {
    const server = await ownServer()
    const { store } = await open(server.url, 20_000)
    await until("the server answers", () => answers(store.lookup("e", [])))
    await server.kill("SIGSTOP")
    const order: Array<string> = []
    const look = (millis: number) =>
      new Promise<void>((resolve) =>
        store.lookup.unsafe?.("e", ["t"], { clock: Clock.make(), millis }, (answer) => {
          order.push(`${millis}: ${Either.isLeft(answer) ? answer.left.reason : "answered"}`)
          resolve()
        })
      )
    const patient = look(Infinity)
    await Promise.all([look(100), look(50)])
    expect(order).toEqual(["50: Timeout", "100: Timeout"])
    await server.kill("SIGCONT")
    await patient
    expect(order[2]).toBe("Infinity: answered")
  })

  it("is waited for as long as the driver was told to, where nothing else is said", async () => {
    const server = await ownServer()
    const storeAt = async (url: string) => {
      const runtime = ManagedRuntime.make(ValkeyCache.layerServices(url))
      closing.push(() => runtime.dispose())
      const store = await runtime.runPromise(CacheStore)
      await until("the server answers", () => answers(store.lookup("e", [])))
      return store
    }
    const [usual, short] = [await storeAt(server.url), await storeAt(`${server.url}?commandTimeout=100`)]
    await server.kill("SIGSTOP")
    const order: Array<string> = []
    await Promise.all([
      errorOf(usual.lookup("e", [])).then(({ reason }) => order.push(`usual: ${reason}`)),
      errorOf(short.lookup("e", [])).then(({ reason }) => order.push(`short: ${reason}`))
    ])
    expect(order).toEqual(["short: Timeout", "usual: Timeout"])
    await server.kill("SIGCONT")
  })

  it("is used again when it is back, by those who were there before", async () => {
    const server = await ownServer()
    const { lock, store } = await open(server.url)
    const [before] = await run(store.obtain(["t"], minute))
    await server.kill("SIGKILL")
    await until("it is away", async () => !(await answers(store.lookup("e", []))))
    await server.restart()
    await until("it is back", () => answers(store.lookup("e", [])))
    // It has forgotten everything, the scripts included: what was stored under the old stamp is dead.
    const [after] = await run(store.obtain(["t"], minute))
    expect(after).not.toBe(before)
    expect(await run(lock.acquire("l", "t", minute))).toBe(true)
    expect(await run(lock.release("l", "t", "stored"))).toBe(true)
  })

  it("gives up a lock that it may have granted without saying so in time", async () => {
    const server = await ownServer()
    const { lock, store } = await open(server.url, 200)
    await until("the server answers", () => answers(store.lookup("e", [])))
    await server.kill("SIGSTOP")
    expect(await errorOf(lock.acquire("l", "lost", minute))).toMatchObject({ reason: "Timeout" })
    await server.kill("SIGCONT")
    const other = await open(server.url)
    await until("somebody else gets the lock", () => run(Effect.orElseSucceed(other.lock.acquire("l", "next", minute), () => false)))
  })
})

describe("a connection that breaks", () => {
  const broken = async () => {
    const server = await ownServer()
    const proxy = await ownProxy(server.port)
    const services = await open(`valkey://127.0.0.1:${proxy.port}`)
    await run(services.store.obtain([uniqueName("warm")], minute))
    return { ...services, proxy, admin: adminOf(server.url) }
  }

  it("before the answer to a command came: the command is sent again, and answers as it did", async () => {
    const { lock, proxy, store } = await broken()
    const commands: ReadonlyArray<readonly [string, Effect.Effect<boolean, CacheError>]> = [
      ["acquire", lock.acquire("l", "token", minute)],
      ["replace nothing", store.replace("e", entry, minute, null)],
      ["replace an entry", store.replace("e", Buffer.alloc(50, "f"), minute, entry.subarray(0, 17))],
      ["extend", lock.extend("l", "token", minute)]
    ]
    // Once in vain, so that the server knows the scripts.
    await run(Effect.all([store.remove("e", entry), store.replace("e", entry, minute, entry), lock.extend("l", "t", minute)]))
    for (const [name, command] of commands) {
      proxy.cutBeforeNextAnswer()
      expect(await run(command), name).toBe(true)
    }
    expect(Buffer.from((await run(store.lookup("e", []))).entry ?? []).toString()).toBe("f".repeat(50))
    expect(proxy.connections()).toBeGreaterThan(4)
  })

  it("while an invalidation is under way: it waits for the next connection, reads do not", async () => {
    const { admin, proxy, store } = await broken()
    await run(store.obtain(["a", "b"], minute))
    let delivered = 0
    let unavailable = 0
    for (let i = 0; i < 20; i++) {
      proxy.cut()
      const [tag, read] = [`tag-${i}`, Effect.isSuccess(store.lookup("e", []))]
      await admin.set(tag, "s:x.0")
      const [, ok] = await Promise.all([run(store.invalidate([kill(tag)], minute)).then(() => delivered++), run(read)])
      if (!ok) unavailable++
      expect(await admin.get(tag)).toBeNull()
      await until("it is connected", () => answers(store.lookup("e", [])))
    }
    expect(delivered).toBe(20)
    expect(unavailable).toBeGreaterThan(0)
  })

  it("wakes up again for those who wait for news", async () => {
    const { admin, lock } = await broken()
    const waiting = Effect.scoped(Effect.flatMap(lock.news("lock:{l}"), Queue.take))
    const hear = async () => {
      const heard = Effect.runFork(waiting)
      let done = false
      heard.addObserver(() => (done = true))
      await until("the news is heard", async () => {
        await run(Effect.ignore(Effect.zipRight(lock.acquire("lock:{l}", "t", minute), lock.release("lock:{l}", "t", "free"))))
        return done
      })
      return run(Fiber.join(heard))
    }
    expect(await hear()).toBe("free")
    expect(await admin.call("CLIENT", "KILL", "TYPE", "pubsub")).toBeGreaterThan(0)
    expect(await hear()).toBe("free")
  })
})

describe("an answer that is an error", () => {
  it("is told by its code, and fails nobody but who asked", async () => {
    const { lock, store } = await open(valkeyUrl())
    const admin = adminOf(valkeyUrl())
    const [list = "", tag = "", name = ""] = Array.from({ length: 3 }, () => uniqueName("secret"))
    await admin.lpush(list, "x")
    const results: ReadonlyArray<Either.Either<unknown, CacheError>> = await run(Effect.all([
      Effect.either(store.replace(list, entry, minute, null)),
      Effect.either(lock.acquire(list, "t", minute)),
      Effect.either(store.obtain([list], minute)),
      Effect.either(store.obtain([tag, list], minute)),
      Effect.either(store.replace(name, entry, minute, null)),
      Effect.either(store.lookup(name, [list]))
    ], { concurrency: "unbounded" }))
    const rejected = Either.left(expect.objectContaining({ _tag: "CacheError", reason: "Rejected", code: "WRONGTYPE" }))
    expect(results.slice(0, 3)).toEqual([rejected, rejected, rejected])
    expect(results[3]).toEqual(Either.right([expect.stringMatching(/^s:/), null]))
    expect(results[4]).toEqual(Either.right(true))
    expect(results[5]).toMatchObject({ right: { states: [null] } })
    for (const result of results) {
      if (Either.isRight(result)) continue
      expect(`${result.left.message} ${JSON.stringify(result.left)} ${result.left.stack}`).not.toContain("secret")
    }
    await admin.del(list)
  })

  it("full memory: nothing is stored, what is there is read, invalidated and unlocked", async () => {
    const server = await ownServer()
    const { lock, store } = await open(server.url)
    const admin = adminOf(server.url)
    const [stamp] = await run(store.obtain(["known"], minute))
    await run(store.replace("e", entry, minute, null))
    await run(lock.acquire("l", "t", minute))
    await admin.config("SET", "maxmemory-policy", "noeviction")
    await admin.config("SET", "maxmemory", "1")
    const full = { reason: "Rejected", code: "OOM" }
    expect(await errorOf(store.replace("other", entry, minute, null))).toMatchObject(full)
    expect(await errorOf(store.obtain(["new"], minute))).toMatchObject(full)
    expect(await errorOf(lock.acquire("other", "t", minute))).toMatchObject(full)
    expect(await run(store.obtain(["new", "known"], 2 * minute))).toEqual([null, stamp])
    expect((await run(store.lookup("e", ["known"]))).states).toEqual([stamp])
    expect(await run(store.invalidate([
      { _tag: "expire", tag: "known" },
      { _tag: "kill", tag: "known" }
    ], minute))).toEqual([false, false])
    expect((await run(store.lookup("e", ["known"]))).states).toEqual([null])
    expect(await run(lock.extend("l", "t", minute))).toBe(true)
    expect(await run(lock.release("l", "t", "free"))).toBe(true)
    await run(store.remove("e", entry.subarray(0, 17)))
    expect((await run(store.lookup("e", []))).entry).toBeNull()
  })

  it("a password that is missing or wrong, without telling it", async () => {
    const server = await ownServer("--requirepass", "right")
    for (const [user, code] of [["", "NOAUTH"], [":wrong-secret@", "WRONGPASS"]] as const) {
      const { store } = await open(`valkey://${user}127.0.0.1:${server.port}`)
      await until("it says why", async () => (await errorOf(store.lookup("e", []))).code === code)
      const error = await errorOf(store.lookup("e", []))
      expect(error.reason).toMatch(/Unavailable|Rejected/)
      expect(`${error.message} ${JSON.stringify(error)} ${error.stack}`).not.toContain("secret")
    }
    const { store } = await open(`valkey://:right@127.0.0.1:${server.port}`)
    await run(store.lookup("e", []))
  })

  it("a user who may neither publish nor listen still locks and unlocks, only quietly", async () => {
    const server = await ownServer()
    await adminOf(server.url).call("ACL", "SETUSER", "app", "on", ">pass", "~*", "+@all", "resetchannels")
    const { lock } = await open(`valkey://app:pass@127.0.0.1:${server.port}`)
    await run(Effect.scoped(Effect.gen(function*() {
      const news = yield* lock.news("lock:{l}")
      expect(yield* lock.acquire("lock:{l}", "t", minute)).toBe(true)
      expect(yield* lock.release("lock:{l}", "t", "stored")).toBe(true)
      expect(yield* lock.acquire("lock:{l}", "other", minute)).toBe(true)
      expect(yield* Queue.size(news)).toBe(0)
    })))
  })

  it("scripts that the server has forgotten are sent anew, and the order of the steps stays", async () => {
    const server = await ownServer()
    const { store } = await open(server.url)
    const admin = adminOf(server.url)
    for (let i = 0; i < 3; i++) {
      const stamps = await run(store.obtain(["a", "b"], minute))
      await admin.script("FLUSH")
      const steps: ReadonlyArray<Invalidation> = [
        { _tag: "swap", tag: "a", expected: String(stamps[0]), next: "s:1!any.0" },
        { _tag: "swap", tag: "a", expected: "s:1!any.0", next: "s:2!any.0" },
        kill("b")
      ]
      expect(await run(store.invalidate(steps, minute))).toEqual([true, true, false])
      expect((await run(store.lookup("e", ["a", "b"]))).states).toEqual(["s:2!any.0", null])
    }
  })
})

describe("closing", () => {
  it("fails what is under way and all that comes after it as closed", async () => {
    const server = await ownServer()
    const { close, store } = await open(server.url)
    await run(store.lookup("e", []))
    await server.kill("SIGSTOP")
    const underWay = errorOf(store.lookup("e", []))
    await run(Effect.yieldNow())
    await close()
    expect(await underWay).toMatchObject({ reason: "Closed" })
    expect(await errorOf(store.lookup("e", []))).toMatchObject({ reason: "Closed" })
    await server.kill("SIGCONT")
  })

  it("still delivers what was said before it", async () => {
    const { close, lock } = await open(valkeyUrl())
    const admin = adminOf(valkeyUrl())
    const name = uniqueName("lock")
    await run(lock.release(name, "t", "free"))
    await run(lock.acquire(name, "t", minute))
    const released = Effect.runFork(lock.release(name, "t", "free"))
    await close()
    await until("the lock is released", async () => (await admin.exists(name)) === 0)
    await run(Fiber.await(released))
  })

  it("leaves no connection behind, the one that listens included", async () => {
    const server = await ownServer()
    const admin = adminOf(server.url)
    const connections = async () => String(await admin.client("LIST")).trim().split("\n").length
    const before = await connections()
    const { close, lock } = await open(server.url)
    await run(Effect.scoped(Effect.asVoid(lock.news("l"))))
    expect(await connections()).toBe(before + 2)
    await close()
    await until("the connections are gone", async () => (await connections()) === before)
  })
})

describe("a client of the caller's", () => {
  it("may come from another copy of the driver, as that of a Keyv store does", async () => {
    const keyv = new KeyvValkey(valkeyUrl())
    closing.push(() => keyv.disconnect())
    const client: unknown = keyv.redis
    expect(client).not.toBeInstanceOf(Redis)
    const { close, lock, store } = await open(keyv.redis)
    const [tag = "", name = ""] = [uniqueName("keyv"), uniqueName("keyv")]
    const [stamp] = await run(store.obtain([tag], minute))
    expect(await run(store.replace(name, entry, minute, null))).toBe(true)
    expect(await run(store.lookup(name, [tag]))).toEqual({ entry: new Uint8Array(entry), states: [stamp] })
    await run(Effect.scoped(Effect.gen(function*() {
      const news = yield* lock.news(`${name}:lock`)
      yield* lock.acquire(`${name}:lock`, "t", minute)
      yield* lock.release(`${name}:lock`, "t", "free")
      expect(yield* Queue.take(news)).toBe("free")
    })))
    await close()
    expect(await keyv.redis.ping()).toBe("PONG")
  })

  it("need not have a bound of its own: a server that hangs is waited for no longer than ours", async () => {
    const server = await ownServer()
    const client = new Redis(server.url)
    closing.push(async () => client.disconnect())
    const { store } = await open(client, 150)
    await until("the server answers", () => answers(store.lookup("e", [])))
    await server.kill("SIGSTOP")
    expect(await errorOf(store.lookup("e", []))).toMatchObject({ reason: "Timeout" })
    await server.kill("SIGCONT")
    await until("the server answers again", () => answers(store.lookup("e", [])))
  })

  it("that was closed by its owner is a cache that is away", async () => {
    const client = new Redis(valkeyUrl())
    await client.ping()
    const { store } = await open(client)
    await run(store.lookup("e", []))
    client.disconnect()
    await until("it is away", async () => !(await answers(store.lookup("e", []))))
    expect(await errorOf(store.lookup("e", []))).toMatchObject({ reason: "Unavailable" })
    const late = await open(client)
    expect(await errorOf(late.store.lookup("e", []))).toMatchObject({ reason: "Unavailable" })
  })
})

describe("an address", () => {
  const optionsOf = (url: string) => {
    const target = Either.getOrThrow(readConnection("connection", url))
    return target._tag === "Server" ? target.options : undefined
  }

  it("may be written with either name, and with an s for TLS", () => {
    expect(optionsOf("valkey://localhost")).toEqual({ host: "localhost" })
    expect(optionsOf("redis://localhost:6380")).toEqual({ host: "localhost", port: 6380 })
    for (const scheme of ["valkeys", "rediss"]) {
      expect(optionsOf(`${scheme}://cache.example.com:6380`)).toEqual({ host: "cache.example.com", port: 6380, tls: {} })
    }
  })

  it("may hold a user, a password, a database and options of the driver", () => {
    expect(optionsOf("valkey://me:p%40ss%2F@[::1]:7000/2?connectTimeout=100&keyPrefix=a&noDelay=false")).toEqual({
      host: "::1",
      port: 7000,
      username: "me",
      password: "p@ss/",
      db: 2,
      connectTimeout: 100,
      keyPrefix: "a",
      noDelay: false
    })
    expect(optionsOf("valkey://:only@localhost/")).toEqual({ host: "localhost", password: "only" })
  })
})

describe("options that cannot be used", () => {
  const problemsOf = async (connection: ValkeyCache.Connection, options?: ValkeyCache.ConnectionOptions) => {
    const error = await run(Effect.flip(Effect.scoped(Layer.build(ValkeyCache.layerServices(connection, options)))))
    expect(error).toMatchObject({ name: "CacheOptionsError" })
    expect(error.message).not.toContain("secret")
    return error.problems.map(({ path }) => path)
  }

  it("are named by their path, and never repeated: they may hold a password", async () => {
    for (
      const url of [
        "",
        "secret",
        "valkey://:secret@",
        "http://:secret@localhost",
        "valkey://user:secret%@localhost",
        "valkey://:secret@localhost:port",
        "valkey://:secret@localhost/database"
      ]
    ) expect(await problemsOf(url), url).toEqual(["connection"])
    expect(await problemsOf({ cluster: { nodes: [] } })).toEqual(["connection.cluster.nodes"])
    expect(await problemsOf({ cluster: { nodes: [{ port: 1 }], options: { scaleReads: "slave" } } })).toEqual([
      "connection.cluster.options.scaleReads"
    ])
    const replicas = new Cluster([{ port: await freePort() }], { scaleReads: "all", lazyConnect: true })
    expect(await problemsOf(replicas)).toEqual(["connection.options.scaleReads"])
    expect(await problemsOf({ status: "ready", options: {}, duplicate: () => {} })).toEqual(["connection"])
    expect(await problemsOf("valkey://localhost", { commandTimeout: 0 })).toEqual(["commandTimeout"])
    expect(await problemsOf("nowhere", { commandTimeout: Number.NaN })).toEqual(["connection", "commandTimeout"])
  })
})
