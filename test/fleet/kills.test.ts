import { Redis } from "iovalkey"
import { monitorEventLoopDelay } from "node:perf_hooks"
import { Client, Pool } from "pg"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { until } from "../support/process.js"
import { postgresUrl, uniqueName, valkeyUrl } from "../support/servers.js"
import { kinds } from "./script.js"
import type { CacheSettings, Kind, Mutant, Read, Scene, Seen, Step, Write } from "./script.js"
import { openStage, play } from "./stage.js"
import type { Actor, Play, Stage } from "./stage.js"

/** How long what a killed process was writing stays uncached. */
const intentTtl = 3_000

const transactions: ReadonlyArray<Kind> = ["interactive transaction", "batch"]

let url: string
let admin: Pool
let server: Redis
let stage: Stage
/** Those who read all along, and one who writes and is not killed. */
let readers: ReadonlyArray<Actor>
let survivor: Actor

beforeAll(async () => {
  url = await postgresUrl("fleet_kills")
  admin = new Pool({ connectionString: url, max: 4 })
  server = new Redis(valkeyUrl())
  stage = await openStage({ postgres: url, valkey: valkeyUrl() })
  ;[survivor, ...readers] = await Promise.all([stage.actor(), stage.actor(), stage.actor()])
})
afterAll(async () => {
  await stage?.stop()
  server?.disconnect()
  await admin?.end()
})

// ---------------------------------------------------------------------------------------------------------------------
// what stands in the database, and in the cache
// ---------------------------------------------------------------------------------------------------------------------

const insert = async (row: string) => {
  await admin.query(`INSERT INTO "Counter" (name, value) VALUES ($1, 1), ($1 || ', another', 1)`, [row])
}

const committed = async (row: string): Promise<number> => {
  const { rows } = await admin.query<{ value: number }>(`SELECT value FROM "Counter" WHERE name = $1`, [row])
  return rows[0]?.value ?? 0
}

/** How many sessions a process has of which that is true. */
const sessions = async ({ name }: Actor, what: string): Promise<number> => {
  const { rows } = await admin.query<{ count: number }>(
    `SELECT count(*)::int FROM pg_stat_activity WHERE application_name = $1 AND ${what}`,
    [name]
  )
  return rows[0]?.count ?? 0
}

const idleInside = "state LIKE 'idle in transaction%'"

/** Keeps others from writing the row, until what it returns is called. */
const lock = async (row: string): Promise<() => Promise<void>> => {
  const client = new Client({ connectionString: url })
  await client.connect()
  await client.query("BEGIN")
  await client.query(`SELECT FROM "Counter" WHERE name = $1 FOR UPDATE`, [row])
  return () => client.end()
}

/** Everything that the server holds for a namespace, by name. */
const contents = async ({ namespace }: CacheSettings): Promise<ReadonlyMap<string, string>> => {
  const names = (await server.keys(`epc1:${namespace}:*`)).sort()
  const values = names.length === 0 ? [] : await server.mgetBuffer(names)
  return new Map(names.map((name, i) => [name, values[i]?.toString("base64") ?? ""]))
}

const stampsOf = async (cache: CacheSettings): Promise<ReadonlyArray<string>> =>
  Array.from((await contents(cache)).keys()).filter((name) => !name.startsWith(`epc1:${cache.namespace}:e:`))

const isIntent = async (name: string) => (await server.get(name))?.startsWith("w:") === true

/** How long the intents of a namespace will last, each in milliseconds. */
const intents = async (cache: CacheSettings): Promise<ReadonlyArray<number>> => {
  const names = await stampsOf(cache)
  const lives = await Promise.all(names.map(async (name) => await isIntent(name) ? [await server.pttl(name)] : []))
  return lives.flat()
}

// ---------------------------------------------------------------------------------------------------------------------
// what readers see
// ---------------------------------------------------------------------------------------------------------------------

const isHit = ({ status }: Read) => status === "hit"

/** The versions that reads answered. */
const versions = (reads: ReadonlyArray<Read>) => Array.from(new Set(reads.map(({ value }) => value)))

/** The versions that everybody reads now. */
const seen = async ({ look }: Play) => versions(await look())

const newScene = async (settings: Partial<CacheSettings> = {}): Promise<Scene> => {
  const scene = { cache: { namespace: uniqueName("kills"), intentTtl, ...settings }, row: uniqueName("row") }
  await insert(scene.row)
  return scene
}

/** Reads until everybody is answered by the cache. */
const untilCached = (played: Play) =>
  until("all reads are answered by the cache", async () => (await played.look()).every(isHit))

/** A row that everybody reads all the time, and that is in the cache for everybody. */
const playWith = async (settings?: Partial<CacheSettings>): Promise<Play> => {
  const played = await play(await newScene(settings), readers)
  await untilCached(played)
  return played
}

/** Nobody saw what was older than it might be, or what was not there; and there was something to see. */
const expectTruth = (...all: ReadonlyArray<Seen>) => {
  for (const seen of all) {
    expect(seen).toMatchObject({ stale: 0, early: 0 })
    expect(seen.hits).toBeGreaterThan(0)
  }
}

/** A play, and the kind of write that it is about. */
type PlayOf = readonly [Kind, Play]

const playsWith = (of: ReadonlyArray<Kind>, settings?: Partial<CacheSettings>): Promise<ReadonlyArray<PlayOf>> =>
  Promise.all(of.map(async (kind) => [kind, await playWith(settings)] as const))

/** What is so of each play, by the kind of write. */
const ofEach = async <A>(plays: ReadonlyArray<PlayOf>, what: (played: Play) => Promise<A>) =>
  Object.fromEntries(await Promise.all(plays.map(async ([kind, played]) => [kind, await what(played)] as const)))

/** The same, as it should be. */
const each = <A>(some: ReadonlyArray<Kind>, value: (kind: Kind) => A) =>
  Object.fromEntries(some.map((kind) => [kind, value(kind)]))

const writeOf = ({ cache, row }: Scene, kind: Kind, more: Partial<Write> = {}): Write =>
  ({ cache, row, kind, value: 2, ...more })

/** Kills a process, and tells when it was gone. */
const kill = async (actor: Actor): Promise<number> => {
  await actor.signal("SIGKILL")
  return performance.now()
}

/**
 * Waits until everybody is answered by the cache again, which is to be as soon as the intents have run out of a process
 * that was gone at that time. A machine that keeps this process waiting keeps the others waiting, too.
 */
const expectCachedAgain = async (played: Play, killedAt: number) => {
  const lag = monitorEventLoopDelay({ resolution: 5 })
  lag.enable()
  let slowest = 0
  await until("all reads are answered by the cache again", async () => {
    const startedAt = performance.now()
    const reads = await played.look()
    slowest = Math.max(slowest, performance.now() - startedAt)
    return reads.every(isHit)
  })
  lag.disable()
  // The intents may run out when a look has just begun; the next one finds nothing, and the one after that a hit.
  const slack = 250 + 3 * slowest + lag.max / 1e6
  expect(performance.now() - killedAt).toBeLessThan((played.cache.intentTtl ?? 0) + slack)
  expect(await intents(played.cache)).toEqual([])
}

// ---------------------------------------------------------------------------------------------------------------------

describe.concurrent("a process that is killed in the middle of writes of all kinds leaves nothing stale", () => {
  interface Moment {
    readonly when: string
    readonly step: Step
    /** What a row holds then and from then on. */
    readonly value: number
    /** Whether the writes are under way: nothing is stored until their intents have run out. */
    readonly isUnderWay?: boolean
    readonly of?: ReadonlyArray<Kind>
  }
  const moments: ReadonlyArray<Moment> = [
    { when: "before their intents are set", step: "begin", value: 1 },
    { when: "when their intents are set", step: "query", value: 1, isUnderWay: true },
    { when: "between UPDATE and COMMIT", step: "commit", value: 1, isUnderWay: true, of: transactions },
    // A write that has come to its end prolongs its intents no more.
    { when: "after COMMIT, before the cache is told", step: "end", value: 2 },
    { when: "when the cache has been told", step: "return", value: 2 }
  ]
  for (const { isUnderWay = false, of = kinds, step, value, when } of moments) {
    it(when, async () => {
      const plays = await playsWith(of)
      const writer = await stage.actor()
      await writer.writeUpTo(step, ...plays.map(([kind, played]) => writeOf(played, kind)))
      const reads = await ofEach(plays, ({ look }) => look())
      expect(Object.values(reads).map(versions)).toEqual(of.map(() => [value]))
      if (isUnderWay) expect(Object.values(reads).flat().filter(isHit)).toEqual([])
      const killedAt = await kill(writer)
      for (const millis of Object.values(await ofEach(plays, ({ cache }) => intents(cache)))) {
        expect(Math.max(0, ...millis)).toBeLessThanOrEqual(intentTtl)
      }
      expect(await ofEach(plays, seen)).toEqual(each(of, () => [value]))
      await ofEach(plays, (played) => expectCachedAgain(played, killedAt))
      expect(await ofEach(plays, seen)).toEqual(each(of, () => [value]))
      expect(await ofEach(plays, ({ row }) => committed(row))).toEqual(each(of, () => value))
      expectTruth(...Object.values(await ofEach(plays, ({ end }) => end())))
    })
  }

  it("while each waits for a row that is locked, and is let go of then", async () => {
    // Nobody is there any more to prolong the intents while the database is at it.
    const plays = await playsWith(kinds, { intentTtl: 5_000 })
    const writer = await stage.actor()
    const letGo = await Promise.all(plays.map(([, { row }]) => lock(row)))
    for (const [kind, played] of plays) void writer.write(writeOf(played, kind)).catch(() => {})
    await until("all of them wait", async () => await sessions(writer, "wait_event_type = 'Lock'") === kinds.length)
    expect(await ofEach(plays, seen)).toEqual(each(kinds, () => [1]))
    const killedAt = await kill(writer)
    for (const go of letGo) await go()
    await until("PostgreSQL is through with them", async () => await sessions(writer, "true") === 0)
    // It commits a statement of its own although nobody is there any more, and a transaction it does not.
    const value = (kind: Kind) => transactions.includes(kind) ? 1 : 2
    expect(await ofEach(plays, ({ row }) => committed(row))).toEqual(each(kinds, value))
    expect(await ofEach(plays, seen)).toEqual(each(kinds, (kind) => [value(kind)]))
    await ofEach(plays, (played) => expectCachedAgain(played, killedAt))
    expect(await ofEach(plays, seen)).toEqual(each(kinds, (kind) => [value(kind)]))
    expectTruth(...Object.values(await ofEach(plays, ({ end }) => end())))
  })
})

describe.concurrent("what the database does for a process that is gone, when its intents have run out", () => {
  const lockedOut = async (session: Write["session"], intentTtl: number) => {
    const played = await playWith({ intentTtl })
    const writer = await stage.actor()
    const letGo = await lock(played.row)
    void writer.write(writeOf(played, "update", { session })).catch(() => {})
    await until("the UPDATE waits", async () => await sessions(writer, "wait_event_type = 'Lock'") === 1)
    return { played, writer, letGo, killedAt: await kill(writer) }
  }

  it("is seen by no reader who is answered by the cache: what is left open", async () => {
    const { letGo, played } = await lockedOut({}, 1_000)
    await untilCached(played)
    await letGo()
    await until("it is committed", async () => await committed(played.row) === 2)
    expect(await played.look()).toMatchObject(Array(4).fill({ value: 1, status: "hit" }))
    const { early, stale } = await played.end()
    expect(early).toBe(0)
    expect(stale).toBeGreaterThanOrEqual(4)
  })

  it.each(["client_connection_check_interval", "statement_timeout"])("is nothing, if it has a %s", async (limit) => {
    const session = { [limit]: "3s" }
    const { killedAt, letGo, played, writer } = await lockedOut(session, 6_000)
    await until("PostgreSQL has given up", async () => await sessions(writer, "true") === 0)
    await expectCachedAgain(played, killedAt)
    await letGo()
    expect(await played.look()).toMatchObject(Array(4).fill({ value: 1, status: "hit" }))
    expect(await committed(played.row)).toBe(1)
    expectTruth(await played.end())
  })

  it("is nothing, if it was stopped and has an idle_in_transaction_session_timeout", async () => {
    const played = await playWith({ intentTtl: 6_000 })
    const writer = await stage.actor()
    const session = { idle_in_transaction_session_timeout: "3s" }
    const writing = await writer.writeUpTo("commit", writeOf(played, "interactive transaction", { session }))
    await writer.signal("SIGSTOP")
    await until("PostgreSQL has given up", async () => await sessions(writer, idleInside) === 0)
    await untilCached(played)
    await writer.signal("SIGCONT")
    await writer.goOn("commit")
    expect(await writing.ended).not.toEqual([undefined])
    expect(versions(await played.look())).toEqual([1])
    expect(await committed(played.row)).toBe(1)
    await untilCached(played)
    expectTruth(await played.end())
    stage.giveBack(writer)
  })
})

describe.concurrent("a transaction that is rolled back", () => {
  const failures = [["by an error", "RangeError"], ["by taking too long", "P2028"]] as const
  for (const [fails, error] of failures) {
    it(`${fails} leaves in the cache all that there was, and shows nothing of what it wrote`, async () => {
      const played = await playWith()
      const before = await contents(played.cache)
      const writer = await stage.actor()
      const writing = await writer.writeUpTo("inside", writeOf(played, "interactive transaction", { fails }))
      expect(await seen(played)).toEqual([1])
      const isOver = async () => await sessions(writer, idleInside) === 0
      if (fails === "by taking too long") await until("its time is over", isOver)
      await writer.goOn("inside")
      expect(await writing.ended).toEqual([error])
      expect((await played.look()).filter((read) => !isHit(read))).toEqual([])
      expect(await contents(played.cache)).toEqual(before)
      expectTruth(await played.end())
      stage.giveBack(writer)
    })
  }

  it("because a statement of a batch failed shows nothing of what the others wrote", async () => {
    const played = await playWith()
    const writer = await stage.actor()
    const writing = await writer.writeUpTo("query", writeOf(played, "batch", { fails: "by an error" }))
    expect(await seen(played)).toEqual([1])
    await writer.goOn("query")
    expect(await writing.ended).toEqual(["P2025"])
    await untilCached(played)
    expect(await seen(played)).toEqual([1])
    expectTruth(await played.end())
    stage.giveBack(writer)
  })
})

describe.concurrent("the same scripts show a stale read where", () => {
  /** The same script for a right cache and for a wrong one. */
  const both = async (mutant: Mutant, isQuiet: boolean) => {
    const scenes = [await newScene({ intentTtl: 60_000 }), await newScene({ intentTtl: 60_000, mutant })]
    const [right, wrong] = await Promise.all(scenes.map((scene) => play(scene, readers, isQuiet))) as [Play, Play]
    return { right, wrong, plays: [right, wrong] }
  }

  const expectDifference = async ({ right, wrong }: { readonly right: Play; readonly wrong: Play }) => {
    const [one, other] = await Promise.all([right.end(), wrong.end()])
    expect(one).toMatchObject({ stale: 0, early: 0 })
    expect(other.stale).toBeGreaterThanOrEqual(4)
  }

  const staleHits = (value: number) => Array(4).fill({ value, status: "hit" })

  const unannounced: ReadonlyArray<readonly [what: string, Partial<CacheSettings>]> = [
    ["the cache is told after COMMIT alone", { consistency: "after-commit" }],
    ["writes leave no trace until they end", { mutant: "writesUnannounced" }]
  ]
  it.each(unannounced)("%s, and the process is killed in between", async (_, settings) => {
    const plays = await playsWith(kinds, settings)
    const writer = await stage.actor()
    await writer.writeUpTo("end", ...plays.map(([kind, played]) => writeOf(played, kind)))
    await kill(writer)
    expect(await ofEach(plays, ({ row }) => committed(row))).toEqual(each(kinds, () => 2))
    expect(await ofEach(plays, ({ look }) => look())).toMatchObject(each(kinds, () => staleHits(1)))
    const all = Object.values(await ofEach(plays, ({ end }) => end()))
    expect(Math.min(...all.map(({ stale }) => stale))).toBeGreaterThanOrEqual(4)
  })

  it("stamps are taken after the query, and a reader is held up before it stores", async () => {
    const { plays, right, wrong } = await both("stampsAfterTheQuery", true)
    const late = await stage.actor()
    for (const { cache, row } of plays) {
      expect(versions((await late.look({ cache, row }, ["store", "stored"])).reads)).toEqual([1])
    }
    await late.reached("store", 4)
    for (const played of plays) expect(await survivor.write(writeOf(played, "update"))).toBeUndefined()
    await late.goOn("store")
    await late.reached("stored", 4)
    expect(versions(await right.look())).toEqual([2])
    expect(await wrong.look()).toMatchObject(staleHits(1))
    await late.goOn("stored")
    await untilCached(right)
    await expectDifference({ right, wrong })
    stage.giveBack(late)
  })

  it("counters are in the place of stamps, and what an invalidation counted on is evicted", async () => {
    const { plays, right, wrong } = await both("countersInPlaceOfStamps", true)
    for (const played of plays) {
      await untilCached(played)
      expect(await survivor.write(writeOf(played, "update"))).toBeUndefined()
      await server.del(...await stampsOf(played.cache))
    }
    expect(versions(await right.look())).toEqual([2])
    expect(await wrong.look()).toMatchObject(staleHits(1))
    await untilCached(right)
    await expectDifference({ right, wrong })
  })

  it("intents have no tokens, one of two writes of a row ends, and the other is killed after COMMIT", async () => {
    const { plays, right, wrong } = await both("intentsWithoutTokens", false)
    await Promise.all(plays.map(untilCached))
    const [first, second] = await Promise.all([stage.actor(), stage.actor()])
    const writing = await first.writeUpTo("end", ...plays.map((played) => writeOf(played, "update")))
    const more = { value: 3, stops: ["end"] } as const
    await second.writeUpTo("query", ...plays.map((played) => writeOf(played, "update", more)))
    await first.goOn("end")
    expect(await writing.ended).toEqual([undefined, undefined])
    stage.giveBack(first)
    await untilCached(wrong)
    for (let i = 0; i < 3; i++) {
      expect((await right.look()).filter(isHit)).toEqual([])
      expect(versions(await wrong.look())).toEqual([2])
    }
    await second.goOn("query")
    await second.reached("end", 2)
    await kill(second)
    expect(versions(await right.look())).toEqual([3])
    expect(await wrong.look()).toMatchObject(staleHits(2))
    await expectDifference({ right, wrong })
  })
})
