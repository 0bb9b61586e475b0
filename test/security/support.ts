import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as ManagedRuntime from "effect/ManagedRuntime"
import type { CacheEvent } from "effect-prisma-cache/CacheEvent"
import { QueryCache } from "effect-prisma-cache/QueryCache"
import type { Consistency } from "effect-prisma-cache/QueryCache"
import * as ValkeyCache from "effect-prisma-cache/ValkeyCache"
import { Redis } from "iovalkey"
import { afterAll, beforeAll, onTestFinished } from "vitest"
import { until } from "../support/process.js"
import { startValkey } from "../support/valkey.js"
import type { ValkeyServer } from "../support/valkey.js"
import { read, readKey } from "../QueryCache/support.js"

export interface OwnServer {
  readonly server: ValkeyServer
  /** A connection to it, of a user who may do anything. */
  readonly admin: Redis
}

/** A server for the tests beside this call. */
export const useServer = (): OwnServer => {
  let server: ValkeyServer
  let admin: Redis
  beforeAll(async () => {
    server = await startValkey()
    admin = new Redis(server.url)
  })
  afterAll(async () => {
    admin.disconnect()
    await server.stop()
  })
  return {
    get server() {
      return server
    },
    get admin() {
      return admin
    }
  }
}

export interface Opened {
  readonly events: ReadonlyArray<CacheEvent>
  /** What went wrong, by operation, reason and code. */
  readonly failures: () => ReadonlyArray<string>
  readonly use: <A, E>(what: (cache: QueryCache) => Effect.Effect<A, E>) => Promise<A>
  readonly close: () => Promise<void>
}

/** A cache in an application of its own, closed after the test. A test says nothing about how fast the machine is. */
export const open = (
  connection: ValkeyCache.Connection,
  options: Omit<ValkeyCache.Options, "connection" | "onEvent"> = {}
): Opened => {
  const events: Array<CacheEvent> = []
  const runtime = ManagedRuntime.make(
    ValkeyCache.layer({
      namespace: "shop",
      budget: 10_000,
      commandTimeout: 10_000,
      ...options,
      connection,
      onEvent: (event) => events.push(event)
    })
  )
  onTestFinished(() => runtime.dispose())
  return {
    events,
    failures: () =>
      events.flatMap((event) =>
        event._tag === "Failed" ? [`${event.operation}: ${event.error.reason} ${event.error.code}`] : []),
    use: (what) => runtime.runPromise(Effect.flatMap(QueryCache, what)),
    close: () => runtime.dispose()
  }
}

export interface Round {
  /** How often the query ran of an entry that two caches asked for at the same time, before it was there. */
  readonly cold: number
  /** The status of a read of it afterwards. */
  readonly warm: string
  /** The same after a write, a write that was rolled back, and each kind of invalidation. */
  readonly invalidated: ReadonlyArray<string>
  /** The status of a read of what a write has left under its key. */
  readonly kept: string
}

/**
 * Everything that a cache does, on two of them, one of which writes. Each answer is checked, what is wrong throws: a row
 * that is older than the last write is wrong unless it is the other one's and the server was not `obeying`.
 */
export const round = async (
  make: (consistency: Consistency) => Opened,
  consistency: Consistency,
  obeying = true
): Promise<Round> => {
  const [one, other] = [make(consistency), make(consistency)]
  const name = `round ${consistency}`
  let row = 1
  let queries = 0
  const query = Effect.map(Effect.sleep("50 millis"), () => {
    queries++
    return row
  })
  const asked = read<number>(name, { tags: ["tag"] }, { dependencies: ["model", "row"] })
  const status = async (cache: Opened, request = asked) => {
    const { info, value } = await cache.use((given) => given.answer(request, query))
    if (value !== row && (obeying || cache === one)) throw new Error(`${name}: ${value} instead of ${row}`)
    return info.status
  }
  /** An answer is there before it is stored. */
  const settled = () =>
    until("nothing is under way", async () => {
      const flying = await Promise.all([one, other].map((cache) => cache.use(({ activity }) => activity)))
      return flying.every(({ flights }) => flights === 0)
    })
  const both = async () => {
    queries = 0
    await Promise.all([status(one), status(other)])
    const cold = queries
    await settled()
    return cold
  }
  // Once in vain, so that both are connected and listen before it counts.
  await Promise.all([one, other].map((cache) => cache.use((given) => given.fetch(read<number>(`${name} warm`), query))))
  await settled()
  const cold = await both()
  const warm = await status(other)

  const invalidated: Array<string> = []
  const after = async (what: (cache: QueryCache) => Effect.Effect<unknown, unknown>) => {
    await one.use((cache) => Effect.exit(what(cache)))
    invalidated.push(await status(other))
    await both()
  }
  const write = (change: () => void) =>
    Effect.sync(() => {
      change()
      return row
    })
  const increase = () => void row++
  const touches = { first: ["model"], rest: ["row"], tags: ["tag"], keys: [{ key: "k" }] }
  await after((cache) => cache.write({ label: "write", touches }, write(increase)))
  await after((cache) =>
    cache.write({ label: "rollback", touches: { tags: ["tag"] }, isRolledBack: () => true }, Effect.fail("refused")))
  await after((cache) => cache.invalidate({ tags: ["tag"] }))
  await after((cache) => cache.invalidate({ tags: ["tag"], mode: "expire" }))
  await after((cache) => cache.invalidateAll())

  // A write's own result, under a key.
  const key = readKey("k")
  const own = { key: { key: "k" }, strategy: { ttl: "1 minute" }, entry: () => key.key as never } as const
  await one.use((cache) => cache.write({ label: "own", touches: {}, own }, write(increase)))
  const kept = await status(other, key)
  // Over what is there already.
  await one.use((cache) => cache.fetch({ ...key, mode: "refresh" }, query))
  await status(other, key)

  const brief = read<number>(`${name} brief`, { ttl: 200, swr: 1 })
  await status(one, brief)
  await settled()
  await until("it is over", async () => !["hit", "stale"].includes(await status(other, brief)), 5_000)
  if (obeying) await until("what was over is stored again", async () => (await status(one, brief)) === "hit")

  // A query that is given up lets go of the lock.
  const exit = await one.use((cache) =>
    Effect.flatMap(Effect.fork(cache.fetch(read<number>(`${name} given up`), Effect.never)), (fiber) =>
      Effect.zipRight(Effect.sleep("20 millis"), Fiber.interrupt(fiber))))
  if (Exit.isSuccess(exit)) throw new Error("it cannot have succeeded")

  await Promise.all([one.close(), other.close()])
  return { cold, warm, invalidated, kept }
}
