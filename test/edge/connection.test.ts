import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Fiber from "effect/Fiber"
import * as ManagedRuntime from "effect/ManagedRuntime"
import * as Redacted from "effect/Redacted"
import { afterEach, beforeEach, describe, expect, it, onTestFinished, vi } from "vitest"
import type { CacheError } from "../../src/CacheError.js"
import { CacheOptionsError } from "../../src/CacheError.js"
import { CacheStore } from "../../src/CacheStore.js"
import * as HttpCache from "../../src/HttpCache.js"
import { until } from "../support/process.js"
import { uniqueName, valkeyUrl } from "../support/servers.js"
import { startValkey } from "../support/valkey.js"
import type { Fault } from "./bridge.js"
import { startBridge } from "./bridge.js"
import { nowhere, openStore, useBridge } from "./support.js"

const minute = 60_000

const bridge = useBridge()
beforeEach(() => bridge.current.reset())
afterEach(() => bridge.current.fail(undefined))

/** A patient bound where nothing is to run into it. */
const at = (options: HttpCache.ConnectionOptions = {}): HttpCache.ConnectionOptions => ({
  url: bridge.current.url,
  token: bridge.current.token,
  commandTimeout: 20_000,
  ...options
})

const names = (count: number) => Array.from({ length: count }, () => uniqueName("e:"))

const all = <A>(effects: ReadonlyArray<Effect.Effect<A, CacheError>>): Promise<ReadonlyArray<A>> =>
  Effect.runPromise(Effect.all(effects, { concurrency: "unbounded" }))

/** What an operation failed of. */
const failureOf = async (effect: Effect.Effect<unknown, CacheError>) => {
  const { code, reason } = Either.getOrThrow(Either.flip(await Effect.runPromise(Effect.either(effect))))
  return [reason, code]
}

const commandNames = () => bridge.current.requests.map(({ commands }) => commands.map(([name]) => name))

describe("requests", () => {
  it("carry all that is asked in one tick: the commands in order, and one reading of every key, once", async () => {
    const store = await openStore(at())
    const [first = "", second = "", ...others] = names(20)
    await all([
      store.lookup(first, others),
      store.invalidate([{ _tag: "kill", tag: first }], minute),
      store.lookup(second, others),
      Effect.asVoid(store.obtain([second], minute))
    ])
    // Commands that the server does not know yet are sent a second time, with their text.
    const [[...sent] = []] = commandNames()
    expect(sent).toEqual(["evalsha", "evalsha", "mget"])
    expect(bridge.current.requests[0]?.commands[2]).toEqual(["mget", first, ...others, second])
  })

  it("are split where they are long, and stay in order", async () => {
    const store = await openStore(at())
    const entries = names(5)
    const bytes = new Uint8Array(400_000).fill(65)
    expect(await all(entries.map((name) => store.replace(name, bytes, minute, null)))).toEqual(entries.map(() => true))
    for (const { commands, length } of bridge.current.requests) {
      expect(length).toBeLessThan(1_000_000)
      const order = commands.map(([, , , name = ""]) => entries.indexOf(name))
      expect(order).toEqual([...order].sort((a, b) => a - b))
    }
    expect(bridge.current.requests.length).toBeGreaterThan(2)
    // One that is longer than a request should be is sent all the same, alone.
    const [name = ""] = names(1)
    expect(await Effect.runPromise(store.replace(name, new Uint8Array(1_200_000).fill(66), minute, null))).toBe(true)
  })

  it("read more keys than one command takes", async () => {
    const store = await openStore(at())
    const tags = names(1_100)
    const stamps = await Effect.runPromise(store.obtain(tags, minute))
    const { states } = await Effect.runPromise(store.lookup(uniqueName("e:"), tags))
    expect(states).toEqual(stamps)
    expect(commandNames().at(-1)).toEqual(["mget", "mget", "mget"])
  })

  it("are POSTs of JSON with the token, that ask for base64 and for no cache in between", async () => {
    const inits: Array<RequestInit & { readonly cache?: string }> = []
    const store = await openStore(at({
      token: Redacted.make(bridge.current.token),
      fetch: (input, init) => {
        inits.push(init)
        return fetch(input, init)
      }
    }))
    await Effect.runPromise(store.lookup(uniqueName("e:"), []))
    expect(bridge.current.requests[0]).toMatchObject({
      path: "/pipeline",
      headers: { "content-type": "application/json", "upstash-encoding": "base64" }
    })
    expect(inits[0]).toMatchObject({ method: "POST", cache: "no-store" })
  })

  it("are sent by a `fetch` of yours, however its parameters are typed, with an address and nothing as `this`", async () => {
    const calls: Array<URL> = []
    const myFetch = (input: URL, init?: RequestInit): Promise<Response> => {
      calls.push(input)
      return fetch(input, init)
    }
    async function wide(this: unknown, input: string | URL | Request, init?: RequestInit) {
      expect(this).toBeUndefined()
      return myFetch(new URL(String(input)), init)
    }
    for (const given of [myFetch, wide, globalThis.fetch]) {
      const store = await openStore(at({ url: `${bridge.current.url}/`, fetch: given }))
      expect(await Effect.runPromise(store.lookup(uniqueName("e:"), []))).toEqual({ entry: null, states: [] })
    }
    expect(calls.map(String)).toEqual([`${bridge.current.url}/pipeline`, `${bridge.current.url}/pipeline`])
  })

  it("take text as it is, whatever it is made of, and names with halves of characters as TCP does", async () => {
    const store = await openStore(at())
    for (const odd of ["\ud800", "a\udfffb", "\u0000\u007f41\uffff\ufeff", "\u{1F600}", "\r\n\"\\"]) {
      const tag = uniqueName(odd)
      const [stamp] = await Effect.runPromise(store.obtain([tag], minute))
      expect((await Effect.runPromise(store.lookup(uniqueName("e:"), [tag]))).states).toEqual([stamp])
    }
  })

  it("say where the server last was, so that it reads from no older copy", async () => {
    let token = 0
    const own = await startBridge(valkeyUrl(), { syncToken: () => `t${++token}` })
    onTestFinished(() => own.stop())
    const store = await openStore({ url: own.url, token: own.token })
    for (let i = 0; i < 3; i++) await Effect.runPromise(store.lookup(uniqueName("e:"), []))
    expect(own.requests.map(({ headers }) => headers["upstash-sync-token"])).toEqual([undefined, "t1", "t2"])
  })

  it("send a script's text once, and then its hash", async () => {
    const own = await startBridge((await valkey()).url)
    onTestFinished(() => own.stop())
    const store = await openStore({ url: own.url, token: own.token, commandTimeout: 20_000 })
    const put = () => Effect.runPromise(store.replace(uniqueName("e:"), new Uint8Array([0, 0xff]), minute, null))
    expect([await put(), await put()]).toEqual([true, true])
    expect(own.requests.flatMap(({ commands }) => commands.map(([name]) => name))).toEqual(["evalsha", "eval", "evalsha"])
  })
})

/** A server that has met no script yet, until the test is over. */
const valkey = async () => {
  const server = await startValkey()
  onTestFinished(() => server.stop())
  return server
}

describe("failures", () => {
  const status = (code: number, body = ""): Fault => (response) => void response.writeHead(code).end(body)

  const kinds: ReadonlyArray<readonly [what: string, fault: Fault, failure: readonly [reason: string, code: string | undefined]]> = [
    ["a server's own fault", status(500, "oops"), ["Unavailable", "HTTP_500"]],
    ["a proxy that finds nobody", status(502, "<html>"), ["Unavailable", "HTTP_502"]],
    ["too many requests", status(429, "{}"), ["Rejected", "HTTP_429"]],
    ["another server", status(404, "<html>"), ["Rejected", "HTTP_404"]],
    ["a request that is refused as a whole", status(400, `{"error":"ERR max request size exceeded"}`), ["Rejected", "ERR"]],
    ["the same, called a success", status(200, `{"error":"OOM command not allowed"}`), ["Rejected", "OOM"]],
    ["an answer that is no JSON", status(200, "<html>"), ["Unavailable", "EPROTO"]],
    ["no answer", status(200), ["Unavailable", "EPROTO"]],
    ["JSON of another kind", status(200, `{"result":null}`), ["Unavailable", "EPROTO"]],
    ["too many answers", status(200, `[{"result":null},{"result":null}]`), ["Unavailable", "EPROTO"]],
    ["an answer that is none", status(200, `[7]`), ["Unavailable", "EPROTO"]],
    ["an answer of another kind", status(200, `[{"result":7}]`), ["Unavailable", "EPROTO"]],
    ["text that is no base64", status(200, `[{"result":["s:plain.0"]}]`), ["Unavailable", "EPROTO"]],
    ["a connection that breaks", (response) => void response.destroy(), ["Unavailable", "UND_ERR_SOCKET"]],
    ["a body that breaks off", (response) => {
      response.writeHead(200, { "content-length": "100" }).write("[")
      setImmediate(() => response.destroy())
    }, ["Unavailable", "UND_ERR_SOCKET"]]
  ]
  for (const [what, fault, failure] of kinds) {
    it(`${what}: ${failure.join(", ")}`, async () => {
      const store = await openStore(at())
      bridge.current.fail(fault)
      expect(await failureOf(store.lookup(uniqueName("e:"), []))).toEqual(failure)
    })
  }

  it("a wrong token: Rejected, WRONGPASS", async () => {
    const store = await openStore(at({ token: "wrong" }))
    expect(await failureOf(store.lookup(uniqueName("e:"), []))).toEqual(["Rejected", "WRONGPASS"])
  })

  it("nobody there: Unavailable, ECONNREFUSED", async () => {
    const store = await openStore(at({ url: await nowhere() }))
    expect(await failureOf(store.lookup(uniqueName("e:"), []))).toEqual(["Unavailable", "ECONNREFUSED"])
  })

  it("no head, or a body without an end: Timeout", async () => {
    const store = await openStore(at({ commandTimeout: 100 }))
    bridge.current.fail(() => {})
    expect(await failureOf(store.lookup(uniqueName("e:"), []))).toEqual(["Timeout", undefined])
    bridge.current.fail((response) => void response.writeHead(200).write("["))
    expect(await failureOf(store.lookup(uniqueName("e:"), []))).toEqual(["Timeout", undefined])
    expect(await failureOf(store.invalidate([{ _tag: "kill", tag: uniqueName("t:") }], minute))).toEqual(["Timeout", undefined])
  })

  it("a `fetch` of yours that throws, rejects, or gives something else: Unavailable", async () => {
    const wrong: ReadonlyArray<NonNullable<HttpCache.ConnectionOptions["fetch"]>> = [
      () => {
        throw new Error("thrown")
      },
      () => Promise.reject(new Error("rejected")),
      () => Promise.reject(undefined),
      () => Promise.resolve(undefined as never),
      () => undefined as never,
      () => Promise.resolve({ status: 200 } as never)
    ]
    for (const given of wrong) {
      const store = await openStore(at({ fetch: given }))
      const [reason] = await failureOf(store.lookup(uniqueName("e:"), []))
      expect(reason).toBe("Unavailable")
    }
  })

  it("one command that is refused says nothing about the others", async () => {
    const store = await openStore(at())
    bridge.current.fail((response, { commands }) =>
      commands.length === 1 ? "pass" : void response.writeHead(200).end(
        JSON.stringify(commands.map(([name]) => name === "mget" ? { result: [null] } : { error: "OOM command not allowed" }))
      ))
    const refused = Effect.either(store.invalidate([{ _tag: "kill", tag: uniqueName("t:") }], minute))
    const [answer, found] = await Effect.runPromise(
      Effect.all([refused, store.lookup(uniqueName("e:"), [])], { concurrency: "unbounded" })
    )
    expect(Either.getLeft(answer)).toMatchObject({ value: { reason: "Rejected", code: "OOM" } })
    expect(found).toEqual({ entry: null, states: [] })
  })

  it("an invalidation is sent once more where a read is not", async () => {
    const store = await openStore(at())
    const tag = uniqueName("t:")
    await Effect.runPromise(store.obtain([tag], minute))
    let failing = 1
    bridge.current.fail((response) => failing-- > 0 ? void response.destroy() : "pass")
    const [, read] = await Effect.runPromise(Effect.all([
      store.invalidate([{ _tag: "kill", tag }], minute),
      Effect.either(store.lookup(uniqueName("e:"), []))
    ], { concurrency: "unbounded" }))
    expect(Either.isLeft(read)).toBe(true)
    expect((await Effect.runPromise(store.lookup(uniqueName("e:"), [tag]))).states).toEqual([null])
    bridge.current.fail((response) => void response.destroy())
    expect((await failureOf(store.invalidate([{ _tag: "kill", tag }], minute)))[0]).toBe("Unavailable")
  })

  it("what is read when the connection is closed: Closed, and the request is given up", async () => {
    const runtime = ManagedRuntime.make(HttpCache.layerServices(at()))
    const store = await runtime.runPromise(CacheStore)
    let gone = false
    bridge.current.fail((response) => void response.on("close", () => (gone = true)))
    const waiting = failureOf(store.lookup(uniqueName("e:"), []))
    await until("the request is there", () => bridge.current.requests.length > 0)
    const unsent = failureOf(store.lookup(uniqueName("e:"), []))
    await runtime.dispose()
    expect(await Promise.all([waiting, unsent])).toEqual([["Closed", undefined], ["Closed", undefined]])
    expect(await failureOf(store.lookup(uniqueName("e:"), []))).toEqual(["Closed", undefined])
    await until("the request is given up", () => gone)
  })
})

describe("close", () => {
  it("carries out what was said before it, by a script that the server has not met", async () => {
    const own = await startBridge((await valkey()).url)
    onTestFinished(() => own.stop())
    const place = { url: own.url, token: own.token, commandTimeout: 20_000 }
    const runtime = ManagedRuntime.make(HttpCache.layerServices(place))
    const store = await runtime.runPromise(CacheStore)
    const put = Effect.runFork(store.replace("e:1", new Uint8Array([1]), minute, null))
    Effect.runFork(Fiber.interrupt(put))
    await runtime.dispose()
    const next = await openStore(place)
    expect((await Effect.runPromise(next.lookup("e:1", []))).entry).toEqual(new Uint8Array([1]))
    expect(await failureOf(store.replace("e:2", new Uint8Array([1]), minute, null))).toEqual(["Closed", undefined])
  })

  it("waits for nobody longer than an answer is waited for", async () => {
    const runtime = ManagedRuntime.make(HttpCache.layerServices(at({ commandTimeout: 100 })))
    const store = await runtime.runPromise(CacheStore)
    bridge.current.fail(() => {})
    const put = failureOf(store.replace(uniqueName("e:"), new Uint8Array([1]), minute, null))
    await runtime.dispose()
    expect(await put).toEqual(["Timeout", undefined])
  })
})

describe("waitUntil", () => {
  it("is told of all that follows on each other, and that it is over when it is", async () => {
    const told: Array<Promise<void>> = []
    const store = await openStore(at({ waitUntil: (promise) => void told.push(promise) }))
    let over = false
    const think = Effect.promise(async () => {
      for (let i = 0; i < 200; i++) await null
    })
    const follow = store.lookup(uniqueName("e:"), []).pipe(
      Effect.zipRight(think),
      Effect.zipRight(store.obtain(names(1), minute)),
      Effect.zipRight(think),
      Effect.zipRight(Effect.sync(() => expect(over).toBe(false))),
      Effect.zipRight(store.obtain(names(1), minute))
    )
    const answered = Effect.runPromise(follow)
    await until("it was told", () => told.length > 0)
    void told[0]?.then(() => (over = true))
    await answered
    await told[0]
    expect(told).toHaveLength(1)
    await Effect.runPromise(store.lookup(uniqueName("e:"), []))
    expect(told).toHaveLength(2)
    await told[1]
  })

  it("may throw", async () => {
    const store = await openStore(at({
      waitUntil: () => {
        throw new Error("outside of a request")
      }
    }))
    expect(await Effect.runPromise(store.lookup(uniqueName("e:"), []))).toEqual({ entry: null, states: [] })
  })
})

describe("options", () => {
  afterEach(() => vi.unstubAllEnvs())

  const problemsOf = async (options: HttpCache.ConnectionOptions): Promise<ReadonlyArray<string>> => {
    const failed = await Effect.runPromise(Effect.flip(Effect.scoped(Effect.provide(Effect.void, HttpCache.layerServices(options)))))
    expect(failed).toBeInstanceOf(CacheOptionsError)
    expect(failed.message).not.toContain("secret")
    return failed.problems.map(({ path }) => path)
  }

  it("that cannot be used are named all at once, and nothing of them is repeated", async () => {
    expect(await problemsOf({})).toEqual(["url", "token"])
    expect(await problemsOf({ url: "secret", token: "se cret", commandTimeout: 0 })).toEqual(["url", "token", "commandTimeout"])
    expect(await problemsOf({ url: "redis://secret@localhost", token: "secret" })).toEqual(["url"])
    expect(await problemsOf({ url: "https://user:secret@localhost", token: "secret" })).toEqual(["url"])
    expect(await problemsOf({ url: "https://localhost/?_token=secret", token: "secret" })).toEqual(["url"])
    const untyped = { url: 7, token: {}, fetch: 7, waitUntil: "now" } as never
    expect(await problemsOf(untyped)).toEqual(["url", "token", "fetch", "waitUntil"])
  })

  it("left out are the environment's", async () => {
    vi.stubEnv("UPSTASH_REDIS_REST_URL", bridge.current.url)
    vi.stubEnv("UPSTASH_REDIS_REST_TOKEN", bridge.current.token)
    const store = await openStore({})
    expect(await Effect.runPromise(store.lookup(uniqueName("e:"), []))).toEqual({ entry: null, states: [] })
    vi.stubEnv("UPSTASH_REDIS_REST_URL", "")
    expect(await problemsOf({})).toEqual(["url"])
  })
})
