import { Redis } from "iovalkey"
import { loadavg, cpus } from "node:os"
import { isDeepStrictEqual } from "node:util"
import { setFlagsFromString } from "node:v8"
import { runInNewContext } from "node:vm"
import { Prisma } from "../prisma/generated/client/client.js"
import { until } from "../support/process.js"
import type { ValkeyServer } from "../support/valkey.js"
import { startProxy } from "../valkey/proxy.js"
import type { Contestant, Runner } from "./contestant.js"
import { median } from "./measure.js"
import { ask, openWorld, rowCount } from "./world.js"
import type { Query, World } from "./world.js"

export interface Options {
  /** An empty database with the tables of the tests, and a server with a database for each contestant, twice over. */
  readonly postgres: string
  readonly valkey: Pick<ValkeyServer, "url" | "port">
  readonly contestants: ReadonlyArray<Contestant>
  readonly rounds: number
  /** How much of everything: calls, concurrency, entries of a tag. */
  readonly scale: number
  /** Which rows, by a part of their name; all if there is none. */
  readonly only?: ReadonlyArray<string>
  /** Whether the row with a million entries of one tag is run. It takes minutes. */
  readonly million?: boolean
  readonly say?: (what: string) => void
}

/** What a contestant took for a row. */
export interface Figure {
  readonly contestant: string
  /** Microseconds of a call: the median of the rounds, the least, the most. */
  readonly micros: number
  readonly least: number
  readonly most: number
  /** The median of the rounds' ratios to the base of the row. */
  readonly ratio: number
  /** Microseconds of CPU that this process spent on a call, on all of its threads. */
  readonly cpuMicros: number
  /** Queries of a round. */
  readonly queries: number
}

export interface RowResult {
  readonly row: string
  /** Who has ratio 1. */
  readonly base: string
  readonly rounds: number
  /** Calls of a round. */
  readonly calls: number
  readonly figures: ReadonlyArray<Figure>
}

/** What does not depend on how fast anything is. */
export interface Facts {
  readonly contestant: string
  /** What a hit does to the answer: nothing, or what it loses. `undefined`: it has no hits. */
  readonly lost: ReadonlyArray<string> | undefined
  /** How often a call waits for the server. */
  readonly roundTrips: { readonly hit: number; readonly miss: number; readonly write: number | undefined }
  /** Queries of a burst of callers who ask for the same, and how many they were. */
  readonly stampede: { readonly callers: number; readonly queries: number }
}

export interface Memory {
  readonly contestant: string
  readonly entries: number
  /** Bytes of an entry of one row: in this process, and in the server. */
  readonly processBytes: number
  readonly serverBytes: number
}

export interface Report {
  readonly at: string
  readonly machine: {
    readonly node: string
    readonly processors: string
    readonly server: string
    /** Of the last minute, at the beginning and at the end. */
    readonly load: readonly [number, number]
  }
  readonly rounds: number
  readonly scale: number
  readonly facts: ReadonlyArray<Facts>
  readonly rows: ReadonlyArray<RowResult>
  readonly memory: ReadonlyArray<Memory>
  readonly failures: ReadonlyArray<string>
}

// ---------------------------------------------------------------------------------------------------------------------
// doing
// ---------------------------------------------------------------------------------------------------------------------

const oneByOne = async (times: number, call: (n: number) => PromiseLike<unknown>): Promise<void> => {
  for (let n = 0; n < times; n++) await call(n)
}

const together = async (times: number, call: (n: number) => PromiseLike<unknown>): Promise<void> => {
  await Promise.all(Array.from({ length: times }, (_, n) => call(n)))
}

/** So many calls, no more than some of them at a time. */
const inBatches = async (times: number, atOnce: number, call: (n: number) => PromiseLike<unknown>): Promise<void> => {
  for (let from = 0; from < times; from += atOnce) {
    await together(Math.min(atOnce, times - from), (n) => call(from + n))
  }
}

setFlagsFromString("--expose-gc")
const collectGarbage = runInNewContext("gc") as (options?: { readonly type: "minor" }) => void

const shuffled = <A>(values: ReadonlyArray<A>): ReadonlyArray<A> =>
  values.map((value) => [Math.random(), value] as const).sort(([a], [b]) => a - b).map(([, value]) => value)

const pause = () => new Promise<void>((resolve) => setImmediate(resolve))

/** How many rows a stampede is for. Not one: Prisma makes one query of reads of single rows that come together. */
const stampeding = 10

interface Seat {
  readonly contestant: Contestant
  readonly runner: Runner
  /** An id of a row that was never asked for here. */
  readonly freshId: () => number
}

/** Reads until nothing of it is a query any more. */
const cache = async (world: World, { contestant, runner }: Seat, queries: ReadonlyArray<Query>): Promise<void> => {
  if (contestant.caches === "none") return
  await until(`${contestant.name} answers from the cache`, async () => {
    const before = world.queries()
    await inBatches(queries.length, 20, (n) => runner.read(queries[n] as Query))
    return world.queries() === before
  })
}

// ---------------------------------------------------------------------------------------------------------------------
// rows
// ---------------------------------------------------------------------------------------------------------------------

interface Row {
  readonly name: string
  readonly calls: number
  readonly rounds?: number
  readonly takesPart: (contestant: Contestant, runner: Runner) => boolean
  /** What is not measured, and then gives what is. */
  readonly prepare: (seat: Seat) => Promise<() => Promise<void>>
}

const anybody = () => true

const caches = ({ caches }: Contestant): boolean => caches !== "constant"

const rowsOf = (world: World, scale: number, million: boolean): ReadonlyArray<Row> => {
  const some = (count: number, least = 1) => Math.max(least, Math.round(count * scale))
  // A hundred on any scale but those on which nothing is measured.
  const atOnce = Math.min(100, some(1_000, 5))

  const hit = (rows: number, calls: number, tags?: ReadonlyArray<string>): Row => ({
    name: `hit, ${rows === 1 ? "1 row" : `${rows} rows`}${tags === undefined ? "" : `, ${tags.length} tags`}`,
    calls,
    takesPart: (contestant) => tags === undefined || contestant.tags === true || contestant.caches === "none",
    prepare: async (seat) => {
      const query: Query = { rows, at: 1, ...(tags === undefined ? {} : { tags }) }
      await cache(world, seat, [query])
      await oneByOne(Math.ceil(calls / 10), () => seat.runner.read(query))
      return () => oneByOne(calls, () => seat.runner.read(query))
    }
  })

  /** Who has all of a row in the cache already: making sure again costs as much as the row itself. */
  const filled = new Set<string>()
  const hits = (rows: number, batches: number): Row => ({
    name: `hit, ${rows === 1 ? "1 row" : `${rows} rows`}, ${atOnce} at once`,
    calls: batches * atOnce,
    takesPart: anybody,
    prepare: async (seat) => {
      // Each is another query, so that nobody answers them with one look.
      const queries = Array.from({ length: atOnce }, (_, n): Query => ({ rows, at: n + 1 }))
      const name = `${rows} ${seat.contestant.name}`
      if (!filled.has(name)) await cache(world, seat, queries)
      filled.add(name)
      return () => oneByOne(batches, () => together(atOnce, (n) => seat.runner.read(queries[n] as Query)))
    }
  })

  const misses: Row = {
    name: "miss, 1 row",
    calls: some(60, 3),
    takesPart: caches,
    prepare: async (seat) => {
      await seat.runner.read({ rows: 1, at: seat.freshId() })
      return () => oneByOne(some(60, 3), () => seat.runner.read({ rows: 1, at: seat.freshId() }))
    }
  }

  const write: Row = {
    name: "write of a cached row",
    calls: some(60, 3),
    takesPart: (contestant, { update }) => caches(contestant) && update !== undefined,
    prepare: async (seat) => {
      const ids = Array.from({ length: some(60, 3) }, (_, n) => n + 1)
      await seat.runner.update?.(some(60, 3) + 1)
      await cache(world, seat, ids.map((at) => ({ rows: 1, at })))
      return () => oneByOne(ids.length, (n) => seat.runner.update?.(ids[n] as number) ?? Promise.resolve())
    }
  }

  const callers = some(1_000, 20)
  const stampede: Row = {
    name: `stampede of ${callers} callers`,
    calls: callers,
    takesPart: caches,
    prepare: async (seat) => {
      const query: Query = { rows: stampeding, at: seat.freshId() }
      return () => together(callers, () => seat.runner.read(query))
    }
  }

  let tags = 0
  const invalidate = (entries: number, rounds?: number): Row => ({
    name: `invalidate a tag of ${entries} ${entries === 1 ? "entry" : "entries"}`,
    calls: 1,
    ...(rounds === undefined ? {} : { rounds }),
    takesPart: (_, { invalidate, put }) => put !== undefined && invalidate !== undefined,
    prepare: async ({ runner }) => {
      const tag = `tag-${++tags}`
      await inBatches(entries, 100, async (n) => {
        await runner.put?.(tag, String(n))
        if (n % 1_000 === 999) await runner.settled?.()
      })
      await runner.settled?.()
      return async () => {
        await runner.invalidate?.(tag)
      }
    }
  })

  return [
    hit(1, some(300, 5)),
    hits(1, some(10)),
    hit(100, some(60, 3)),
    hits(100, some(2)),
    hit(1_000, some(12, 2)),
    hits(1_000, 1),
    hit(1, some(300, 5), ["red", "green", "blue"]),
    misses,
    write,
    stampede,
    invalidate(1),
    invalidate(some(10_000, 10)),
    ...(million ? [invalidate(some(1_000_000, 10), 1)] : [])
  ]
}

/** The rows' names, as they are at a scale. */
export const rowNames = (scale: number, million: boolean): ReadonlyArray<string> =>
  rowsOf({} as World, scale, million).map(({ name }) => name)

interface Sample {
  readonly micros: number
  readonly cpuMicros: number
  readonly queries: number
}

const sample = async (world: World, row: Row, seat: Seat): Promise<Sample> => {
  const run = await row.prepare(seat)
  await pause()
  // What others left behind is not for this one to clear away.
  collectGarbage({ type: "minor" })
  const queries = world.queries()
  const cpu = process.cpuUsage()
  const startedAt = performance.now()
  await run()
  const elapsed = performance.now() - startedAt
  const { system, user } = process.cpuUsage(cpu)
  return {
    micros: elapsed * 1_000 / row.calls,
    cpuMicros: (system + user) / row.calls,
    queries: world.queries() - queries
  }
}

const measure = async (world: World, row: Row, seats: ReadonlyArray<Seat>, rounds: number): Promise<RowResult> => {
  const those = seats.filter(({ contestant, runner }) => row.takesPart(contestant, runner))
  const samples = new Map<Seat, Array<Sample>>(those.map((seat) => [seat, []]))
  // Before the first round everybody has had time to be compiled; where a round takes minutes nobody has.
  const warmUps = rounds === 1 ? 0 : row.calls === 1 ? 1 : Math.min(10, Math.ceil(300 / row.calls))
  for (let round = -warmUps; round < rounds; round++) {
    for (const seat of shuffled(those)) {
      const taken = await sample(world, row, seat)
      if (round >= 0) samples.get(seat)?.push(taken)
    }
  }
  const [first] = those
  const base = first === undefined ? [] : samples.get(first) ?? []
  return {
    row: row.name,
    base: first?.contestant.name ?? "",
    rounds,
    calls: row.calls,
    figures: those.map((seat): Figure => {
      const own = samples.get(seat) ?? []
      const micros = own.map((each) => each.micros)
      return {
        contestant: seat.contestant.name,
        micros: median(micros),
        least: Math.min(...micros),
        most: Math.max(...micros),
        ratio: median(micros.map((each, round) => each / (base[round]?.micros ?? NaN))),
        cpuMicros: median(own.map((each) => each.cpuMicros)),
        queries: median(own.map((each) => each.queries))
      }
    })
  }
}

// ---------------------------------------------------------------------------------------------------------------------
// facts
// ---------------------------------------------------------------------------------------------------------------------

/** What a row from the cache has lost, by the names of its types. */
const lostOf = (truth: unknown, hit: unknown): ReadonlyArray<string> => {
  if (isDeepStrictEqual(truth, hit)) return []
  const names = Object.entries(truth as object).flatMap(([name, value]) => {
    if (isDeepStrictEqual(value, Object(hit)[name])) return []
    if (Prisma.Decimal.isDecimal(value)) return ["Decimal"]
    if (value instanceof Date) return ["Date"]
    if (value instanceof Uint8Array) return ["Bytes"]
    if (typeof value === "bigint") return ["BigInt"]
    return [name]
  })
  return names.length === 0 ? ["more than values"] : Array.from(new Set(names))
}

const factsOf = async (
  world: World,
  seat: Seat,
  roundTrips: () => number,
  callers: number
): Promise<Facts> => {
  const { contestant, runner } = seat
  const query: Query = { rows: 1, at: seat.freshId() }
  const truth = await ask(world.prisma, query)
  const tripsOf = async (times: number, call: (n: number) => PromiseLike<unknown>): Promise<number> => {
    const before = roundTrips()
    await oneByOne(times, call)
    // What goes on after the answer belongs to it.
    await runner.settled?.()
    await pause()
    return (roundTrips() - before) / times
  }
  await cache(world, seat, [query])
  // A hit is what the last of these is; and what is asked once in a while is asked by then.
  const answer = await runner.read(query)
  const hit = await tripsOf(10, () => runner.read(query))
  const miss = contestant.caches === "constant" ? 0 : await tripsOf(10, () => runner.read({ rows: 1, at: seat.freshId() }))
  const { update } = runner
  let write: number | undefined
  if (update !== undefined) {
    const ids = Array.from({ length: 10 }, () => seat.freshId())
    await cache(world, seat, ids.map((at) => ({ rows: 1, at })))
    write = await tripsOf(10, (n) => update(ids[n] as number))
  }
  const before = world.queries()
  const cold: Query = { rows: stampeding, at: seat.freshId() }
  await together(callers, () => runner.read(cold))
  const queries = world.queries() - before
  return {
    contestant: contestant.name,
    lost: contestant.caches === undefined || contestant.caches === "all" ? lostOf(truth, answer) : undefined,
    roundTrips: { hit, miss, write },
    stampede: { callers, queries }
  }
}

const serverName = async (admin: Redis): Promise<string> => {
  const info = await admin.info("server")
  const [, name = "", version = ""] = /^(valkey|redis)_version:(\S+)/m.exec(info.replace(/^redis_version:.*(?=[^]*^valkey_version:)/m, "")) ?? []
  return `${name} ${version}`
}

const serverBytes = async (admin: Redis): Promise<number> => {
  const [, bytes] = /^used_memory:(\d+)/m.exec(await admin.info("memory")) ?? []
  return Number(bytes)
}

const processBytes = (): number => {
  collectGarbage()
  collectGarbage()
  const { arrayBuffers, heapUsed } = process.memoryUsage()
  return heapUsed + arrayBuffers
}

const memoryOf = async (world: World, seat: Seat, admin: Redis, entries: number): Promise<Memory> => {
  const queries = Array.from({ length: entries }, (_, n): Query => ({ rows: 1, at: n + 1 }))
  // Whatever is made on the first use is there before anything is counted.
  await cache(world, seat, [{ rows: 1, at: rowCount }])
  const [server, own] = [await serverBytes(admin), processBytes()]
  await cache(world, seat, queries)
  await pause()
  return {
    contestant: seat.contestant.name,
    entries,
    processBytes: Math.round((processBytes() - own) / entries),
    serverBytes: Math.round((await serverBytes(admin) - server) / entries)
  }
}

// ---------------------------------------------------------------------------------------------------------------------
// a run
// ---------------------------------------------------------------------------------------------------------------------

export const run = async (options: Options): Promise<Report> => {
  const { contestants, million = false, only = [], postgres, rounds, scale, say = () => {}, valkey } = options
  const wanted = (name: string) => only.length === 0 || only.some((part) => name.includes(part))
  const [load = NaN] = loadavg()
  const world = await openWorld(postgres)
  const failures = new Set<string>()
  const admin = new Redis(valkey.url)
  const server = await serverName(admin)
  let databases = 0
  const seatOf = async (contestant: Contestant, port: number): Promise<Seat> => {
    const place = { world, valkey: `valkey://127.0.0.1:${port}/${databases++}`, failed: (message: string) => failures.add(message) }
    let id = 200
    return { contestant, runner: await contestant.open(place), freshId: () => 200 + (id++ % (rowCount - 200)) }
  }
  const facts: Array<Facts> = []
  const rows: Array<RowResult> = []
  const memory: Array<Memory> = []
  const seats: Array<Seat> = []
  const proxy = await startProxy(valkey.port)
  try {
    for (const contestant of wanted("facts") ? contestants : []) {
      say(`facts: ${contestant.name}`)
      const seat = await seatOf(contestant, proxy.port)
      facts.push(await factsOf(world, seat, proxy.roundTrips, Math.max(20, Math.round(1_000 * scale))))
      await seat.runner.close()
    }
    for (const contestant of wanted("memory") ? contestants : []) {
      if (contestant.caches === "constant") continue
      say(`memory: ${contestant.name}`)
      const seat = await seatOf(contestant, valkey.port)
      memory.push(await memoryOf(world, seat, admin, Math.max(50, Math.round(2_000 * scale))))
      await seat.runner.close()
    }
    for (const contestant of contestants) seats.push(await seatOf(contestant, valkey.port))
    for (const row of rowsOf(world, scale, million)) {
      if (!wanted(row.name)) continue
      say(row.name)
      rows.push(await measure(world, row, seats, row.rounds ?? rounds))
    }
  } finally {
    for (const { runner } of seats) await runner.close()
    admin.disconnect()
    await proxy.stop()
    await world.close()
  }
  const [model] = cpus()
  return {
    at: new Date().toISOString(),
    machine: {
      node: process.version,
      processors: `${cpus().length} x ${model?.model ?? "unknown"}`,
      server,
      load: [load, loadavg()[0] ?? NaN]
    },
    rounds,
    scale,
    facts,
    rows,
    memory,
    failures: Array.from(failures)
  }
}
