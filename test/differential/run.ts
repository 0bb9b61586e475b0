import { prismaCache } from "effect-prisma-cache/PrismaCache"
import type { PrismaCacheOptions } from "effect-prisma-cache/PrismaCache"
import type { CacheEvent } from "effect-prisma-cache/CacheEvent"
import type { PrismaInternals } from "../../src/prisma/client.js"
import { makeChangeLog } from "../prisma/soundness/changeLog.js"
import type { Changes } from "../prisma/soundness/changeLog.js"
import { makeRandom } from "../prisma/soundness/random.js"
import { randomQueries } from "../prisma/soundness/randomQueries.js"
import { schemaOf } from "../prisma/soundness/schemaOf.js"
import { createDatabase, runSql } from "../support/postgres.js"
import { areTheSame, outcomeOf, shown, shownOutcome, written } from "./outcome.js"
import type { Outcome } from "./outcome.js"
import { rawWrites, tablesOf } from "./raw.js"
import { randomReads } from "./reads.js"
import type { Read } from "./reads.js"
import { lowerFirst, matches } from "./rows.js"
import type { Tally } from "./tally.js"
import { randomWrites } from "./writes.js"
import type { Write } from "./writes.js"
import { worlds } from "./worlds.js"
import { unhurried } from "../support/unhurried.js"

/** How many queries stand ready, and how many of them are compared after each write. */
const poolSize = 60
const dozen = 12
/** So many of those at most were compared before the write as well, so that what became of their entries is its doing. */
const again = 5
/** And so many at least, if there are any, are about models of which the write has changed rows. */
const concerned = 5
/** So many at most of the rows that a write has changed are asked for by themselves. */
const watched = 6

export interface Options {
  readonly world: string
  readonly seed: number
  /** So many writes have to come about. */
  readonly writes: number
  /** A PostgreSQL to create a database on. */
  readonly postgres: string
  readonly database: string
  readonly namespace: string
  /** Where the entries are, for every client. */
  readonly cache: () => NonNullable<PrismaCacheOptions["cache"]>
  readonly tally: Tally
  /** Ends it before its time. */
  readonly signal?: AbortSignal
}

interface Effects {
  readonly isDone: boolean
  readonly changes: Changes
}

/** A cached and a bare client do not agree. */
export class Disagreement extends Error {
  override readonly name = "Disagreement"
}

interface Client {
  readonly name: string
  readonly prisma: PrismaInternals
  /** How the last read was answered. */
  readonly status: () => CacheEvent["_tag"] | undefined
  readonly forget: () => void
}

/** A query of the pool, and what is known of its entry. */
interface Standing {
  readonly read: Read
  readonly cache: object
  /** The number of the write before which it was last in the cache for certain. */
  alive: number
  /** The last answer of the bare client. */
  answer: Outcome | undefined
}

/** Writes at random and compares what two cached clients and a bare one say, until they do not agree. */
export const differ = async (options: Options): Promise<void> => {
  const { database, namespace, seed, tally } = options
  const world = worlds[options.world]
  if (world === undefined) throw new Error(`There is no world ${options.world}: ${Object.keys(worlds).join(", ")}`)
  const url = await createDatabase(options.postgres, database, { sql: world.sql() })
  const bare = await world.client(url)

  const cached = async (name: string, consistency: "strict" | "after-commit"): Promise<Client> => {
    let last: CacheEvent["_tag"] | undefined
    const base = await world.client(url)
    const extension = prismaCache({
      ...unhurried,
      cache: options.cache(),
      namespace,
      invalidation: "auto",
      consistency,
      onEvent: (event) => {
        if (event._tag === "Hit" || event._tag === "Miss" || event._tag === "Joined") last = event._tag
        tally.event(event)
      }
    })
    const prisma: PrismaInternals = base["$extends"](extension)
    return { name: `${name}, ${consistency}`, prisma, status: () => last, forget: () => (last = undefined) }
  }

  // Two processes, as it were, on one cache: what one of them writes the other one has cached.
  const clients = [await cached("the first client", "strict"), await cached("the second client", "after-commit")]
  const schema = schemaOf(bare, world.enums)
  const log = await makeChangeLog(url, schema)
  const random = makeRandom(seed)
  const { chance, pick } = random
  const tables = tablesOf(bare, schema)
  const queries = randomQueries(schema, random, world.pools, log.rowsOf)
  const nextWrite = randomWrites(schema, queries, rawWrites(schema, tables, random), random, log.rowsOf)
  const { about, kinds, read: nextRead } = randomReads(schema, world.pools, tables, random, log.rowsOf)
  tally.kindsOfReads(kinds)

  const pool: Array<Standing> = []
  let lastDozen: ReadonlyArray<Standing> = []
  let numbered = 0
  const history: Array<string> = []

  const stand = (read: Read): Standing => {
    numbered++
    // Some under a name of their own, some with tags: what writes do to them is the same.
    const more = chance(0.1) ? { key: `query-${numbered}` } : chance(0.1) ? { tags: ["all", `some-${numbered % 5}`] } : {}
    const made: Standing = { read, cache: { ttl: "1 day", ...more }, alive: -1, answer: undefined }
    pool.push(made)
    return made
  }
  const renew = () => {
    pool.splice(0, Math.max(0, pool.length - poolSize + 2))
    while (pool.length < poolSize) {
      const read = nextRead()
      // Two that share an entry would keep it for each other, and nobody could say what a write has done to it.
      if (!pool.some((standing) => standing.read.text === read.text)) stand(read)
    }
  }

  const disagree = (what: string, client: Client, { read }: Pick<Standing, "read">, got: Outcome, truth: Outcome): never => {
    throw new Disagreement(
      [
        `${what}: ${client.name} (${client.status() ?? "no word of the cache"}) and the bare client do not agree`,
        `world ${options.world}, seed ${seed}, write ${history.length}`,
        `the last writes:\n  ${history.slice(-3).join("\n  ")}`,
        `the query (${read.kind}): ${read.text}`,
        `depends on: ${read.row === undefined ? "" : "one row of "}${[...read.models].join(", ")}`,
        `the cached client: ${shownOutcome(got)}`,
        `the bare client: ${shownOutcome(truth)}`
      ].join("\n")
    )
  }

  /** How a cached client answers. While an answer is being stored those who ask share it: they ask again. */
  const ask = async (client: Client, { cache, read }: Standing): Promise<Outcome> => {
    for (;;) {
      client.forget()
      const outcome = await outcomeOf(() => read.send(client.prisma, cache))
      if (client.status() !== "Joined" || "error" in outcome) return outcome
    }
  }

  /** Asks a cached client, then the bare one, then the cached one if it did not have the answer before. */
  const compare = async (standing: Standing, when: string, count: (status: string | undefined, truth: Outcome) => void): Promise<void> => {
    const client = pick(clients)
    const got = await ask(client, standing)
    const status = client.status()
    const truth = await outcomeOf(() => standing.read.send(bare))
    tally.compared(standing.read.kind, status, "error" in truth)
    if (!areTheSame(got, truth)) disagree(when, client, standing, got, truth)
    count(status, truth)
    standing.answer = truth
    if (status === "Hit") return
    const second = await ask(client, standing)
    tally.comparedAgain(client.status())
    if (!areTheSame(second, truth)) disagree(`${when}, the second time`, client, standing, second, truth)
    standing.alive = client.status() === "Hit" ? history.length : -1
  }

  const touchesRow = (changes: Changes, { row }: Read): boolean =>
    row !== undefined &&
    changes.rows.some(({ after, before, model }) =>
      model === row.model && [before, after].some((one) => one !== null && matches(one, row.values)))

  /** What became of an entry that was there before the write. */
  const outlived = (write: Write, read: Read, before: Outcome | undefined, now: Outcome, { changes, isDone }: Effects, hit: boolean) => {
    const same = before !== undefined && areTheSame(before, now)
    if (!isDone) return tally.survival("it did not come about", write.kind, hit)
    if (changes.models.size === 0) return tally.survival("nothing changed", write.kind, hit)
    if (![...read.models].some((name) => changes.models.has(name))) return tally.survival("other models", write.kind, hit)
    const isThere = before !== undefined && "answer" in before && before.answer !== null
    if (read.row !== undefined && isThere && !touchesRow(changes, read)) return tally.survival("other rows", write.kind, hit)
    return tally.survival(same ? "its models, same answer" : "another answer", write.kind, hit)
  }

  /** A dozen of the pool: some of those of the last time, some that the write concerns, the rest as it comes. */
  const dozenOf = (changed: ReadonlySet<string>): ReadonlyArray<Standing> => {
    const stayed = lastDozen.filter((standing) => pool.includes(standing) && chance(0.8))
    const rowsFirst = [...stayed.filter(({ read }) => read.row !== undefined), ...stayed.filter(({ read }) => read.row === undefined)]
    const chosen = new Set(rowsFirst.slice(0, again))
    const near = pool.filter(({ alive, read }) => alive >= 0 && [...read.models].some((name) => changed.has(name)))
    for (let i = 0; i < concerned && near.length > 0; i++) chosen.add(pick(near))
    while (chosen.size < dozen) chosen.add(pick(pool))
    return [...chosen]
  }

  /** Queries for rows that have been written, each by the row that it was made for. */
  const watch = new Map<string, Standing>()

  /** The rows that have changed, as they are and as whoever read them before has them in the cache. */
  const rowsOf = (changes: Changes): ReadonlyArray<Standing> => {
    const standings = changes.rows.flatMap(({ after, before, model }) =>
      [before, after].flatMap((row) => {
        if (row === null) return []
        const name = written([model.name, ...model.id.map((field) => row[field])])
        const known = chance(0.1) ? undefined : watch.get(name)
        const read = known === undefined ? about(model, row) : undefined
        if (read !== undefined) watch.set(name, { read, cache: { ttl: "1 day" }, alive: -1, answer: undefined })
        return watch.get(name) ?? []
      }))
    return [...new Set(standings)].slice(-watched)
  }

  const round = async (write: Write, effects: Effects) => {
    const when = effects.isDone ? "after a write" : "after a write that did not come about"
    const number = history.length
    lastDozen = dozenOf(effects.changes.models)
    for (const standing of lastDozen) {
      const { alive, answer } = standing
      await compare(standing, when, (status, truth) => {
        if (alive === number - 1) outlived(write, standing.read, answer, truth, effects, status === "Hit")
        if (status === "Hit") standing.alive = number
      })
    }
    for (const standing of rowsOf(effects.changes)) await compare(standing, when, () => {})
  }

  /** Rows to begin with, of which no cache has heard. */
  const populate = async () => {
    for (let tries = 0; tries < 150; tries++) {
      const { args, model, operation } = queries.write()
      await outcomeOf(() => bare[lowerFirst(model)][operation](args))
      await log.take()
    }
  }

  try {
    await populate()
    renew()
    for (let done = 0, tries = 0; done < options.writes && options.signal?.aborted !== true; tries++) {
      if (tries > 500 + 6 * options.writes) throw new Error("Most of the random writes are refused: they are not random, but wrong")
      const write = nextWrite()
      history.push(`${write.kind}: ${write.text}`)
      const client = pick(clients)
      const other = clients.find((one) => one !== client) ?? client
      // Asked while the write is under way, they may be told this or that: nobody after it may be told the same.
      const racing = chance(0.3) ? [pick(pool), pick(pool), pick(pool)] : []
      const races = racing.map(({ cache, read }) => outcomeOf(() => read.send(pick(clients).prisma, cache)))
      for (const standing of racing) standing.alive = -1
      const inside: Array<readonly [Read, Outcome]> = []
      const end = await outcomeOf(() =>
        write.run(client.prisma, {
          other: other.prisma,
          // Before the commit everybody sees what there was before, and what they store has to go with it.
          outside: async () => {
            const standing = pick(pool)
            await compare(standing, "while a transaction is open", () => {})
            standing.alive = -1
          },
          inside: async (transaction) => {
            const { cache, read } = pick(pool)
            const told = await outcomeOf(() => read.send(transaction, cache))
            if ("answer" in told) inside.push([read, told])
          }
        }))
      await Promise.all(races)
      const changes = await log.take()
      const isDone = "answer" in end
      tally.write(write, end, changes.models.size > 0)
      for (const [read, told] of isDone ? inside : []) {
        const truth = await outcomeOf(() => read.send(bare))
        if (!areTheSame(told, truth)) disagree("the last word in a transaction", client, { read }, told, truth)
      }
      const own = isDone ? write.own?.(end.answer) : undefined
      if (own !== undefined) {
        const standing: Standing = { read: own, cache: { ttl: "1 day" }, alive: -1, answer: undefined }
        await compare(standing, "a write's own result", (status) => tally.own(status === "Hit"))
        pool.push(standing)
      }
      await round(write, { changes, isDone })
      renew()
      if (!isDone) continue
      done++
      // The server's own housekeeping is off.
      if (done % 500 === 0) await runSql(url, "VACUUM")
    }
  } catch (error) {
    if (error instanceof Disagreement) throw error
    throw new Error(`world ${options.world}, seed ${seed}, after ${shown(history.slice(-3))}`, { cause: error })
  } finally {
    await log.close()
    await Promise.all([bare, ...clients.map(({ prisma }) => prisma)].map((client) => client["$disconnect"]()))
  }
}
