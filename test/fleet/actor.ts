/** One process of a script: reads and writes through a cache on Valkey as it is told, and stops where it is told to. */
import { PrismaPg } from "@prisma/adapter-pg"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { Redis } from "iovalkey"
import { setTimeout as delay } from "node:timers/promises"
import { Pool } from "pg"
import { CacheStore } from "effect-prisma-cache/CacheStore"
import { prismaCache } from "effect-prisma-cache/PrismaCache"
import * as ValkeyCache from "effect-prisma-cache/ValkeyCache"
import { PrismaClient } from "../prisma/generated/client/client.js"
import { around } from "../QueryCache/support.js"
import { intentsWithoutTokens, stampsAfterTheQuery, writesUnannounced } from "../staleness/mutants.js"
import type { Message, Start } from "./messages.js"
import { countersOnServer } from "./mutants.js"
import { count, kinds, nothingSeen, together } from "./script.js"
import type { Answer, CacheSettings, Look, Mutant, Order, Read, Scene, Seen, Step, Write } from "./script.js"
import { unhurried } from "../support/unhurried.js"

const start: Start = JSON.parse(process.argv[2] ?? "")

const tell = (message: Message<Answer, Step>) => void process.send?.(message)

// ---------------------------------------------------------------------------------------------------------------------
// stops
// ---------------------------------------------------------------------------------------------------------------------

interface Gate {
  readonly opened: Promise<void>
  readonly open: () => void
}

const gates = new Map<Step, Gate>()

/** Whoever comes to one of these steps waits there, until it is opened. */
const stopAt = (steps: ReadonlyArray<Step>) => {
  for (const step of steps) {
    if (gates.has(step)) continue
    let open = () => {}
    const opened = new Promise<void>((resolve) => (open = resolve))
    gates.set(step, { opened, open })
  }
}

const goOnFrom = (step: Step) => {
  gates.get(step)?.open()
  gates.delete(step)
}

const reach = async (step: Step): Promise<void> => {
  const gate = gates.get(step)
  if (gate === undefined) return
  tell({ said: step })
  await gate.opened
}

const reaching = (step: Step) => Effect.promise(() => reach(step))

/** The store, with the steps of a script in it. */
const scripted = (store: CacheStore): CacheStore =>
  around(store, ({ primitive, run }) => {
    const between = (before: Step, after: Step) =>
      Effect.zipRight(reaching(before), Effect.zipLeft(run, reaching(after)))
    switch (primitive) {
      case "begin":
        return Effect.zipRight(reaching("begin"), run)
      case "end":
      case "invalidate":
        return between("end", "return")
      case "replace":
        return between("store", "stored")
      default:
        return run
    }
  })

type Connected = Awaited<ReturnType<PrismaPg["connect"]>>

/** Statements, with the steps of a script before them. */
const withStops = <A extends Pick<Connected, "executeRaw" | "queryRaw">>(queryable: A): A => {
  const before = async (sql: string) => {
    if (sql.startsWith("UPDATE")) await reach("query")
    if (sql === "COMMIT") await reach("commit")
  }
  const executeRaw = queryable.executeRaw.bind(queryable)
  const queryRaw = queryable.queryRaw.bind(queryable)
  queryable.executeRaw = (query) => before(query.sql).then(() => executeRaw(query))
  queryable.queryRaw = (query) => before(query.sql).then(() => queryRaw(query))
  return queryable
}

class ScriptedPg extends PrismaPg {
  override async connect() {
    const connected = withStops(await super.connect())
    const startTransaction = connected.startTransaction.bind(connected)
    connected.startTransaction = async (isolation) => withStops(await startTransaction(isolation))
    return connected
  }
}

// ---------------------------------------------------------------------------------------------------------------------
// clients
// ---------------------------------------------------------------------------------------------------------------------

const server = new Redis(start.valkey, { lazyConnect: true })

const mutants: Record<Mutant, (store: CacheStore) => CacheStore> = {
  countersInPlaceOfStamps: (store) => countersOnServer(store, server),
  intentsWithoutTokens,
  stampsAfterTheQuery,
  writesUnannounced
}

const layerOf = (mutant: Mutant | undefined) => {
  const services = ValkeyCache.layerServices(start.valkey, { commandTimeout: 20_000 })
  const wrong = mutant === undefined ? (store: CacheStore) => store : mutants[mutant]
  return Layer.map(services, (made) => Context.add(made, CacheStore, scripted(wrong(Context.get(made, CacheStore)))))
}

const known = <A>(make: (key: string) => A) => {
  const all = new Map<string, A>()
  return {
    of: (key: string): A => {
      const found = all.get(key) ?? make(key)
      all.set(key, found)
      return found
    },
    forget: (key: string) => void all.delete(key)
  }
}

const bases = known((options) =>
  new PrismaClient({
    adapter: new ScriptedPg({ connectionString: start.postgres, application_name: start.name, max: 8, options })
  })
)

const extend = ({ mutant, ...settings }: CacheSettings, options: string) =>
  bases.of(options).$extends(prismaCache({ ...unhurried, ...settings, invalidation: "auto", cache: layerOf(mutant) }))

const clients = known((key) => {
  const [settings, options]: [CacheSettings, string] = JSON.parse(key)
  return extend(settings, options)
})

const keyOf = (cache: CacheSettings, session: Write["session"] = {}) =>
  JSON.stringify([cache, Object.entries(session).map(([name, value]) => `-c ${name}=${value}`).join(" ")])

// ---------------------------------------------------------------------------------------------------------------------
// reads
// ---------------------------------------------------------------------------------------------------------------------

const pool = new Pool({ connectionString: start.postgres, application_name: `${start.name}, looking`, max: 4 })

/** What a new transaction would see. */
const committed = async (row: string): Promise<number> => {
  const { rows } = await pool.query<{ value: number }>(`SELECT value FROM "Counter" WHERE name = $1`, [row])
  return rows[0]?.value ?? 0
}

const look = async ({ cache, row }: Scene): Promise<Look> => {
  const client = clients.of(keyOf(cache))
  const wish = { where: { name: row }, cache: { ttl: 600_000 } }
  const ways = {
    findUnique: async () => {
      const { data, info } = await client.counter.findUnique(wish).withCacheInfo()
      return { value: data?.value ?? 0, status: info.status }
    },
    findMany: async () => {
      const { data, info } = await client.counter.findMany(wish).withCacheInfo()
      return { value: data[0]?.value ?? 0, status: info.status }
    }
  }
  const before = await committed(row)
  const reads: Array<Read> = []
  await Promise.all(Object.entries(ways).map(async ([way, read]) => {
    // Who joins another's read is told nothing of where the answer came from: it reads again.
    do reads.push({ way, ...await read() })
    while (reads.findLast((one) => one.way === way)?.status === "joined")
  }))
  return { before, after: await committed(row), reads }
}

const watched = new Map<string, { readonly scene: Scene; seen: Seen }>()
let turn: Promise<void> | undefined

/** Looks at all scenes that are watched, one after the other, while there are any. */
const lookOn = async () => {
  while (watched.size > 0) {
    for (const watching of watched.values()) {
      turn = look(watching.scene).then((seen) => void (watching.seen = together(watching.seen, count(seen))))
      await turn
    }
    await delay(10)
  }
  turn = undefined
}

const watch = (scene: Scene) => {
  watched.set(scene.row, { scene, seen: nothingSeen })
  if (turn === undefined) void lookOn()
}

const leave = async ({ cache, row }: Scene): Promise<Seen> => {
  const watching = watched.get(row)
  watched.delete(row)
  // Whoever still looks would open the cache again.
  await turn
  const key = keyOf(cache)
  await clients.of(key).$cache.close()
  clients.forget(key)
  return watching?.seen ?? nothingSeen
}

// ---------------------------------------------------------------------------------------------------------------------
// writes
// ---------------------------------------------------------------------------------------------------------------------

const patient = { maxWait: 60_000, timeout: 60_000 }

const write = async ({ cache, fails, kind, row, session, value }: Write): Promise<unknown> => {
  const client = clients.of(keyOf(cache, session))
  const args = { where: { name: row }, data: { value } }
  switch (kind) {
    case "update":
      return client.counter.update(args)
    case "updateMany":
      return client.counter.updateMany(args)
    case "batch": {
      const another = { ...args, where: { name: fails === undefined ? `${row}, another` : `${row}, which is nowhere` } }
      return client.$transaction([client.counter.update(args), client.counter.update(another)])
    }
    case "interactive transaction":
      return client.$transaction(async (tx) => {
        await tx.counter.update(args)
        const inside = await tx.counter.findUnique({ where: { name: row }, cache: true })
        if (inside?.value !== value) throw new Error("a transaction does not see what it wrote")
        await reach("inside")
        if (fails === "by an error") throw new RangeError("the application thought better of it")
        while (fails === "by taking too long") await tx.counter.count()
      }, fails === "by taking too long" ? { ...patient, timeout: 3_000 } : patient)
  }
}

const nameOf = (error: unknown): string => {
  const { code, name } = error as { readonly code?: unknown; readonly name: string }
  return typeof code === "string" ? code : name
}

const carryOut = async (order: Order): Promise<Answer> => {
  switch (order.do) {
    case "write": {
      stopAt(order.write.stops ?? [])
      return write(order.write).then(() => ({ error: undefined }), (error: unknown) => ({ error: nameOf(error) }))
    }
    case "look": {
      stopAt(order.stops ?? [])
      return { look: await look(order.scene) }
    }
    case "watch": {
      watch(order.scene)
      return { seen: nothingSeen }
    }
    case "leave":
      return { seen: await leave(order.scene) }
    case "go on": {
      goOnFrom(order.from)
      return { seen: nothingSeen }
    }
  }
}

process.on("message", ({ id, ...order }: Order & { readonly id: number }) =>
  void carryOut(order).then((report) => tell({ id, report })))
process.on("disconnect", () => process.exit())

// All that is done later has been done once: what a script waits for is not the loading of code.
const nowhere: Scene = { cache: { namespace: `warm ${start.name} ${process.pid}` }, row: "nobody" }
await Promise.all([look(nowhere), ...kinds.map((kind) => write({ ...nowhere, kind, value: 0 }).catch(() => {}))])
await leave(nowhere)
tell({ ready: true })
