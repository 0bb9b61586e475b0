import { afterAll, beforeAll, describe, expect, inject, it } from "vitest"
import type { PrismaInternals } from "../../../src/prisma/client.js"
import { readDependencies } from "../../../src/prisma/dependencies.js"
import type { ReadDependencies } from "../../../src/prisma/dependencies.js"
import { identitiesIn } from "../../../src/prisma/identity.js"
import type { Members } from "../../../src/prisma/members.js"
import { writeReach } from "../../../src/prisma/reach.js"
import type { Reach } from "../../../src/prisma/reach.js"
import type { Tag } from "../../../src/prisma/schema/model.js"
import { makePrisma } from "../../support/database.js"
import { createDatabase } from "../../support/postgres.js"
import { postgresUrl } from "../../support/servers.js"
import { makeChangeLog } from "./changeLog.js"
import type { ChangeLog, Changes, RowChange } from "./changeLog.js"
import { makeRandom } from "./random.js"
import { randomQueries } from "./randomQueries.js"
import type { Pools, Queries, Query } from "./randomQueries.js"
import { schemaOf } from "./schemaOf.js"
import type { Enums, Schema } from "./schemaOf.js"
import { shapesClient, shapesSql } from "./shapes.js"
import { amount } from "../../support/amount.js"

interface World {
  readonly client: PrismaInternals
  readonly url: string
}

// More of either shows more: SOUNDNESS_SEEDS=2,3,4 SOUNDNESS_WRITES=1000
const seeds = (process.env["SOUNDNESS_SEEDS"] ?? "1").split(",").map(Number)
const writes = Number(process.env["SOUNDNESS_WRITES"] ?? amount(60, 150))

const uuids = [1, 2, 3, 4].flatMap((n) => [
  `0000000${n}-aaaa-4bbb-8ccc-dddddddddddd`,
  `0000000${n}-AAAA-4BBB-8CCC-DDDDDDDDDDDD`
])
const countries = ["aa", "bb", "cc"]

interface WorldOf {
  readonly enums: Enums
  readonly pools: Pools
  readonly open: (database: string) => Promise<World>
}

const worlds: Readonly<Record<string, WorldOf>> = {
  "the schema of the tests": {
    enums: {
      Role: { USER: "USER", EDITOR: "EDITOR", ADMIN: "ADMIN" },
      Visibility: { PUBLIC: "public", UNLISTED: "unlisted", PRIVATE: "private" }
    },
    pools: {
      "Session.id": uuids,
      "Everything.uuid": uuids,
      "Country.code": countries,
      "Address.countryCode": countries,
      "Everything.time": [new Date(0)]
    },
    open: async (name) => {
      const url = await postgresUrl(name)
      return { client: makePrisma(url).prisma as unknown as PrismaInternals, url }
    }
  },
  "a schema of odd shapes": {
    enums: { Kind: { CAR: "CAR", BIKE: "bicycle" } },
    pools: { "Car.id": uuids, "Person.handle": ["a", "A", "b", "B"] },
    open: async (name) => {
      const url = await createDatabase(inject("postgresUrl"), name, { sql: shapesSql() })
      return { client: await shapesClient(url), url }
    }
  }
}

const lowerFirst = (name: string) => name.slice(0, 1).toLowerCase() + name.slice(1)

const describeQuery = ({ args, model, operation }: Query) =>
  `${model}.${operation}(${JSON.stringify(args, (_, value) => (typeof value === "bigint" ? `${value}n` : value))})`

/** Why a change of a row could be missed by who has read the row, or has read that it is not there. */
const missed = ({ after, before, model }: RowChange, tags: ReadonlySet<Tag>): string | undefined => {
  const { absent, bulk, model: whole } = model.tags
  if (!tags.has(whole)) return `${whole} is not touched`
  if (tags.has(bulk)) return undefined
  const old = before === null ? [] : identitiesIn(model, before)
  const added = (after === null ? [] : identitiesIn(model, after)).filter((identity) => !old.includes(identity))
  if (before !== null && !old.some((identity) => tags.has(identity))) return `none of ${old.join(", ")} is touched`
  if (tags.has(absent)) return undefined
  const unseen = added.filter((identity) => !tags.has(identity))
  return unseen.length === 0 ? undefined : `${unseen.join(", ")} appeared`
}

const expectReached = (query: Query, reach: Reach, changes: Changes) => {
  const tags = new Set(reach.tags)
  const unreached = [...changes.models].filter((name) => !reach.models.includes(name) || !tags.has(`m:${name}`))
  expect(unreached, `models that ${describeQuery(query)} changed`).toEqual([])
  for (const change of changes.rows) {
    const reason = missed(change, tags)
    if (reason !== undefined) expect.fail(`${describeQuery(query)} touches ${reach.tags.join(" ")}, but ${reason}`)
  }
  const order = reach.tags.map((tag) => tag.startsWith("m:"))
  expect(order.lastIndexOf(true)).toBeLessThan(order.includes(false) ? order.indexOf(false) : order.length)
}

const isOfOneRow = ({ operation }: Query) => operation === "findUnique"

const asText = (value: unknown): string =>
  JSON.stringify(value, (_, part) => (typeof part === "bigint" ? `${part}n` : part)) ?? "undefined"

/** What a cache would keep of a read. */
interface Entry {
  readonly query: Query
  readonly answer: string
  readonly tags: ReadonlyArray<Tag>
}

describe.each(Object.entries(worlds))("on %s", (name, { enums, open, pools }) => {
  describe.each(seeds)("and random queries of seed %i", (seed) => {
    let world: World
    let schema: Schema
    let log: ChangeLog
    let queries: Queries

    beforeAll(async () => {
      world = await open(`soundness_${Object.keys(worlds).indexOf(name)}_${seed}`)
      schema = schemaOf(world.client, enums)
      log = await makeChangeLog(world.url, schema)
      queries = randomQueries(schema, makeRandom(seed), pools, log.rowsOf)
    })
    afterAll(async () => {
      await log?.close()
      await world?.client["$disconnect"]()
    })

    const run = ({ args, model, operation }: Query): Promise<unknown> =>
      world.client[lowerFirst(model)][operation](args)

    const attempt = (query: Query): Promise<{ readonly value: unknown } | undefined> =>
      run(query).then((value) => ({ value }), () => undefined)

    const reachOf = ({ args, model, operation }: Query) => writeReach(schema.dataModel, model, operation, args)

    /** Writes until so many writes have succeeded. */
    const writeRandomly = async (
      wanted: number,
      each: (query: Query, result: unknown, changes: Changes) => unknown
    ) => {
      for (let done = 0, tries = 0; done < wanted; tries++) {
        // Otherwise the queries are not random, but wrong.
        expect(tries).toBeLessThan(200 + 4 * wanted)
        const query = queries.write()
        const result = await attempt(query)
        const changes = await log.take()
        if (result === undefined) continue
        done++
        await each(query, result.value, changes)
      }
    }

    it("a write touches every row that it changes", async () => {
      let narrow = 0
      await writeRandomly(writes, (query, result, changes) => {
        const reach = reachOf(query)
        if (reach.models.length < schema.dataModel.models.size) narrow++
        expectReached(query, reach, changes)
        // By then the row of a delete has no identities any more.
        const late = query.operation === "delete" ? undefined : reach.late?.(result)
        const model = schema.dataModel.models.get(query.model)
        if (late === undefined || model === undefined) return
        expect([...reach.tags, ...late]).toEqual(expect.arrayContaining([...identitiesIn(model, result as Members)]))
      })
      // Were nothing understood, everything would be touched.
      expect(narrow / writes).toBeGreaterThan(0.9)
    }, 300_000)

    /** The answer of a read and what it depends on, in the way a cache would send it. */
    const fill = async (query: Query): Promise<Entry | undefined> => {
      const found: ReadDependencies = readDependencies(schema.dataModel, query.model, query.operation, query.args, [])
      const { row, tags } = found
      try {
        if (row === undefined) return { query, answer: asText(await run(query)), tags }
        const raw = await run({ ...query, args: row.select(query.args as Members) })
        return { query, answer: asText(row.strip(raw)), tags: [...tags, ...(row.late(raw) ?? [row.guard])] }
      } catch {
        return undefined
      }
    }

    it("no answer outlives a write that changes it", async () => {
      const reads: Array<Query> = []
      const entries = new Map<Query, Entry>()
      const renew = async () => {
        for (const query of reads.splice(0, 4)) entries.delete(query)
        while (reads.length < 40) {
          const query = queries.read()
          if ((await attempt(query)) !== undefined) reads.push(query)
        }
      }
      let kept = 0
      let changed = 0
      await renew()
      await writeRandomly(writes / 3, async (write) => {
        const touched = new Set(reachOf(write).tags)
        const now = new Map<Query, string>()
        const answer = async (query: Query) => now.set(query, asText((await attempt(query))?.value))
        await Promise.all(reads.filter((query) => !isOfOneRow(query)).map(answer))
        // One after the other: Prisma takes reads of one row together, and then finds none by a UUID in capitals.
        for (const query of reads.filter(isOfOneRow)) await answer(query)
        for (const [query, answer] of now) {
          const entry = entries.get(query)
          if (entry === undefined) continue
          const dropped = entry.tags.some((tag) => touched.has(tag))
          if (dropped) entries.delete(query)
          if (entry.answer !== answer) changed++
          else if (!dropped) kept++
          if (entry.answer !== answer && !dropped) {
            expect.fail(
              `${describeQuery(query)}, which depends on ${entry.tags.join(" ")}, outlives ` +
                `${describeQuery(write)}, which touches ${[...touched].join(" ")}`
            )
          }
        }
        for (const query of reads) {
          const entry = entries.has(query) ? undefined : await fill(query)
          if (entry !== undefined) entries.set(query, entry)
        }
        for (const [query, answer] of now) expect(entries.get(query)?.answer).toBe(answer)
        await renew()
      })
      // Were every answer dropped by every write, or were none ever changed, this would prove nothing.
      expect(kept).toBeGreaterThan(0)
      expect(changed).toBeGreaterThan(0)
    }, 300_000)
  })
})
