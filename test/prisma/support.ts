import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as path from "node:path"
import { afterAll, beforeAll, beforeEach, describe, expect, onTestFinished } from "vitest"
import type { CacheEvent } from "effect-prisma-cache/CacheEvent"
import type { CacheInfo } from "effect-prisma-cache/CacheInfo"
import * as CacheStore from "effect-prisma-cache/CacheStore"
import * as MemoryStore from "effect-prisma-cache/CacheStore/Memory"
import { DistributedLock } from "effect-prisma-cache/DistributedLock"
import * as MemoryLock from "effect-prisma-cache/DistributedLock/Memory"
import { prismaCache } from "effect-prisma-cache/PrismaCache"
import type { PrismaCacheOptions } from "effect-prisma-cache/PrismaCache"
import { makePrisma } from "../support/database.js"
import type { Database } from "../support/database.js"
import { postgresUrl, uniqueName, valkeyUrl } from "../support/servers.js"
import type { SqlLog } from "../support/sqlLog.js"
import { unhurried } from "../support/unhurried.js"

export type BaseClient = Database["prisma"]

/** Whether every cache has a memory tier. */
export const isMemoryOn = process.env["MEMORY"] === "on"

/** `SHORT_CUT=off` lets every read go through the hook, `MEMORY=on` puts a memory tier in front of every cache. */
const ways: PrismaCacheOptions = {
  ...process.env["SHORT_CUT"] === "off" ? { shortCut: false } : {},
  ...isMemoryOn ? { memory: { maxAge: "1 hour" } } : {}
}

const extend = (base: BaseClient, options: PrismaCacheOptions) =>
  base.$extends(prismaCache({ ...unhurried, ...ways, ...options }))

/** A client with the extension. */
export type CachedClient = ReturnType<typeof extend>

/** A read's promise, of whatever type. */
export interface Read<A = unknown> extends PromiseLike<A> {
  readonly withCacheInfo: () => PromiseLike<{ readonly data: A; readonly info: CacheInfo }>
}

/** A client whose models and operations are reached by names that the compiler does not know. */
export type Untyped = Record<string, Record<string, (args?: object) => Read>>

export const untyped = (client: object): Untyped => client as Untyped

// ---------------------------------------------------------------------------------------------------------------------
// databases
// ---------------------------------------------------------------------------------------------------------------------

export interface FileDatabase {
  readonly url: string
  /** A client without the extension. What it does the cache does not know of. */
  readonly base: BaseClient
  /** What reached PostgreSQL from this client and those made of it. */
  readonly sql: SqlLog
}

/** A database for the test file that calls this, with the rows that `prepare` puts there. */
export const useDatabase = (prepare: (base: BaseClient) => Promise<unknown> = async () => {}): FileDatabase => {
  let url = ""
  let database: Database | undefined
  const opened = () => {
    if (database === undefined) throw new Error("the database is there in tests and hooks only")
    return database
  }
  beforeAll(async () => {
    url = await postgresUrl(`prisma_${path.basename(expect.getState().testPath ?? "", ".test.ts").replace(/\W/g, "_")}`)
    database = makePrisma(url)
    await prepare(database.prisma)
  })
  afterAll(() => database?.close())
  return {
    get url() {
      return url
    },
    get base() {
      return opened().prisma
    },
    get sql() {
      return opened().sql
    }
  }
}

// ---------------------------------------------------------------------------------------------------------------------
// stores
// ---------------------------------------------------------------------------------------------------------------------

export type StoreName = "memory" | "Valkey"

/** An empty memory store for the `cache` option, the same for every cache that is made with it. */
export const memoryLayer = (): Layer.Layer<CacheStore.CacheStore | DistributedLock> =>
  Layer.merge(
    Layer.succeed(CacheStore.CacheStore, MemoryStore.make()),
    Layer.succeed(DistributedLock, MemoryLock.make())
  )

export interface AdjustableStore {
  readonly cache: Layer.Layer<CacheStore.CacheStore | DistributedLock>
  readonly advance: (millis: number) => void
}

/** A memory store whose entries age by `advance`, on top of real time. */
export const adjustableStore = (): AdjustableStore => {
  let ahead = 0
  const real = Clock.make()
  const clock: Clock.Clock = {
    ...real,
    unsafeCurrentTimeMillis: () => real.unsafeCurrentTimeMillis() + ahead,
    currentTimeMillis: Effect.map(real.currentTimeMillis, (now) => now + ahead)
  }
  const shifted = new Proxy(MemoryStore.make(), {
    get: (store, member) => {
      const primitive: unknown = Reflect.get(store, member)
      if (typeof primitive !== "function") return primitive
      return (...args: ReadonlyArray<unknown>) => Effect.withClock(primitive(...args) as Effect.Effect<unknown>, clock)
    }
  })
  return {
    cache: Layer.merge(Layer.succeed(CacheStore.CacheStore, shifted), MemoryLock.layerNoop),
    advance: (millis) => {
      ahead += millis
    }
  }
}

export interface World {
  /** A client with the extension, closed after the test. */
  readonly prisma: CachedClient
  readonly events: ReadonlyArray<CacheEvent>
  /** What the extension was made with: another one made with it shares its entries. */
  readonly options: PrismaCacheOptions
}

/** Makes a client with the extension on a store of this suite's kind, in a namespace that nobody else uses. */
export type Make = (options?: PrismaCacheOptions, base?: BaseClient) => World

type Suite = (make: Make, store: StoreName) => void

const onStores =
  (...stores: ReadonlyArray<StoreName>) =>
  (database: FileDatabase, name: string, suite: Suite): void =>
    describe.each<StoreName>(stores)(`${name}, on %s`, (store) => {
      beforeEach(() => database.sql.reset())
      suite((given, base = database.base) => {
        const events: Array<CacheEvent> = []
        const options: PrismaCacheOptions = {
          cache: store === "memory" ? memoryLayer() : valkeyUrl(),
          namespace: uniqueName("prisma"),
          // What writes make invalid without being told is a matter of its own.
          invalidation: "manual",
          onEvent: (event) => events.push(event),
          ...given
        }
        const prisma = extend(base, options)
        onTestFinished(() => prisma.$cache.close())
        return { prisma, events, options }
      }, store)
    })

/** Runs a suite on each kind of store. */
export const onEveryStore = onStores("memory", "Valkey")

export const onMemory = onStores("memory")

export const onValkey = onStores("Valkey")

// ---------------------------------------------------------------------------------------------------------------------
// looking
// ---------------------------------------------------------------------------------------------------------------------

export interface Gate {
  /** Resolves when somebody stands before the gate. */
  readonly reached: Promise<void>
  /** Waits until the gate is open. */
  readonly pass: () => Promise<void>
  readonly open: () => void
}

/** A gate, closed: it holds a query at the place where a test wants to look. */
export const makeGate = (): Gate => {
  let reach = () => {}
  let open = () => {}
  const reached = new Promise<void>((resolve) => (reach = resolve))
  const opened = new Promise<void>((resolve) => (open = resolve))
  return { reached, pass: () => (reach(), opened), open: () => open() }
}

/** An extension to be added after the cache, so that it stands between the cache and the database. */
export const between = (
  around: (
    query: { readonly model: string; readonly operation: string; readonly args: object },
    run: () => Promise<unknown>
  ) => Promise<unknown>
) => ({
  name: "between",
  query: {
    $allModels: {
      $allOperations: (input: {
        readonly model: string
        readonly operation: string
        readonly args: object
        readonly query: (args: never) => Promise<unknown>
        // What Prisma's types say of the hook's result is made from all operations at once.
      }) => around(input, () => input.query(input.args as never)) as Promise<never>
    }
  }
})

/**
 * A read's answer. An answer is there before it is stored, and who asks in between joins those who have it: to a test
 * that reads twice this is neither a hit nor a miss, so that it asks again.
 */
export const answerTo = async <A>(read: () => Read<A>): Promise<{ readonly data: A; readonly info: CacheInfo }> => {
  const answer = await read().withCacheInfo()
  return answer.info.status === "joined" ? answerTo(read) : answer
}

/** How a read is answered. */
export const statusOf = async (read: () => Read): Promise<CacheInfo["status"]> => (await answerTo(read)).info.status

const className = (value: object): string =>
  Object.getPrototypeOf(value) === null ? "null" : String(Object.getPrototypeOf(value).constructor.name)

/**
 * A value in full, as text: prototypes, own keys in their order, `undefined`, `-0`. Says the same of two values only if
 * nothing tells them apart.
 */
export const exactly = (value: unknown): string => {
  if (typeof value === "number") return Object.is(value, -0) ? "-0" : `${value}`
  if (typeof value === "string") return JSON.stringify(value)
  if (typeof value === "bigint") return `${value}n`
  if (typeof value === "function") return "function"
  if (typeof value !== "object" || value === null) return String(value)
  if (value instanceof Date) return `Date(${value.getTime()})`
  if (ArrayBuffer.isView(value))
    return `${className(value)}(${Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString("hex")})`
  const members = Reflect.ownKeys(value).map((key) => {
    const hidden = Object.prototype.propertyIsEnumerable.call(value, key) ? "" : "hidden "
    return `${hidden}${String(key)}: ${exactly(Reflect.get(value, key))}`
  })
  return `${className(value)}{${members.join(", ")}}`
}

interface Requesting {
  _request: (this: unknown, ...args: Array<unknown>) => unknown
}

/** How often Prisma's own machinery is entered, until the test is over. */
export const watchPrisma = (base: BaseClient) => {
  const client = base as unknown as Requesting
  const request = client._request
  let entered = 0
  client._request = function(...args) {
    entered++
    return request.apply(this, args)
  }
  onTestFinished(() => void (client._request = request))
  return {
    entered: async (body: () => PromiseLike<unknown>) => {
      entered = 0
      await body()
      return entered
    }
  }
}

/** What a read answers the first time and the second, which has to come from the cache. */
export const missThenHit = async <A>(sql: SqlLog, read: () => Read<A>): Promise<readonly [miss: A, hit: A]> => {
  const miss = await answerTo(read)
  sql.reset()
  const hit = await answerTo(read)
  expect([miss.info.status, hit.info.status]).toEqual(["miss", "hit"])
  expect(sql.count()).toBe(0)
  return [miss.data, hit.data]
}

/** Expects that the first read misses, the second hits without SQL, and that neither can be told from the truth. */
export const expectHitEqualsMiss = async (sql: SqlLog, truth: unknown, read: () => Read): Promise<void> => {
  for (const data of await missThenHit(sql, read)) {
    expect(data).toStrictEqual(truth)
    expect(exactly(data)).toBe(exactly(truth))
  }
}
