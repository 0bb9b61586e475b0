/**
 * What a write costs on a client with a cache, and what it leaves in the cache:
 *
 *     npx tsx test/bench/writes.ts [--rounds 9] [--each 150] [--rows 10000]
 *
 * PostgreSQL and Valkey (or Redis) are started for the run, on this machine, and stopped with it. PostgreSQL does not
 * wait for the disk, so that a write is as fast as it can be and what the cache adds is as large as it can be.
 */
import { PrismaPg } from "@prisma/adapter-pg"
import { prismaCache } from "effect-prisma-cache/PrismaCache"
import * as ValkeyCache from "effect-prisma-cache/ValkeyCache"
import { Redis } from "iovalkey"
import { readFile } from "node:fs/promises"
import { parseArgs } from "node:util"
import { PrismaClient } from "../prisma/generated/client/client.js"
import { createDatabase, runSql, startPostgres } from "../support/postgres.js"
import { startValkey } from "../support/valkey.js"
import { inRounds, table } from "./measure.js"
import { unhurried } from "../support/unhurried.js"

const { values } = parseArgs({
  options: {
    rounds: { type: "string", default: "9" },
    each: { type: "string", default: "150" },
    rows: { type: "string", default: "10000" }
  }
})
const [rounds, each, rows] = [Number(values.rounds), Number(values.each), Number(values.rows)]

const [postgres, valkey] = await Promise.all([startPostgres(), startValkey()])
const tables = await readFile(new URL("../prisma/schema.sql", import.meta.url), "utf8")

/** What the cache could not do: figures of a cache that does not work say nothing. */
const failures = new Set<string>()

/** A database with that many teams, and a client of it. */
const open = async (database: string) => {
  const url = await createDatabase(postgres.url, database, { sql: tables })
  const teams = `INSERT INTO "Team" (tenant, slug, name) SELECT 'acme', 'team-' || n, 'a team' FROM generate_series(1, ${rows}) n`
  await runSql(url, `${teams}; INSERT INTO "User" (email) VALUES ('ada@example.org'); ANALYZE`)
  return new PrismaClient({ adapter: new PrismaPg({ connectionString: url, max: 10 }) })
}

const cached = (bare: PrismaClient, consistency: "strict" | "after-commit", namespace: string) =>
  bare.$extends(
    prismaCache({
      ...unhurried,
      // Nothing here is about a slow machine.
      cache: ValkeyCache.layerServices(valkey.url, { commandTimeout: 20_000 }),
      namespace,
      invalidation: "auto",
      consistency,
      onEvent: (event) => {
        if (event._tag === "Failed") failures.add(event.error.message)
      }
    })
  )

type Client = ReturnType<typeof cached>

// ---------------------------------------------------------------------------------------------------------------------
// What it costs
// ---------------------------------------------------------------------------------------------------------------------

let counter = 0
const anUpdate = () => ({ where: { id: 1 + (counter++ % rows) }, data: { name: `name ${counter}` } })

const millis = (value: number) => value.toFixed(2)

const cost = async () => {
  const bare = await open("cost")
  const afterCommit = cached(bare, "after-commit", "cost-after-commit")
  const strict = cached(bare, "strict", "cost-strict")
  const measured = await inRounds({
    "bare": () => bare.team.update(anUpdate()),
    "after-commit": () => afterCommit.team.update(anUpdate()),
    "strict": () => strict.team.update(anUpdate())
  }, { rounds, each })
  const redis = new Redis(valkey.url)
  const { ping, select } = await inRounds({ ping: () => redis.ping(), select: () => bare.$queryRaw`SELECT 1` }, { rounds, each })
  redis.disconnect()
  const lines = Object.entries(measured).map(([name, { least, millis: middle, most, ratio }]) =>
    [name, millis(middle), `${millis(least)} - ${millis(most)}`, ratio.toFixed(2)])
  console.log(`One update by id, one after the other: ${rounds} rounds of ${each} by turns\n`)
  console.log(table([["client", "median ms", "medians of rounds", "ratio to bare"], ...lines]))
  console.log(`\nFor comparison: PING ${millis(ping.millis)} ms, SELECT 1 through the bare client ${millis(select.millis)} ms\n`)
  await Promise.all([afterCommit.$cache.close(), strict.$cache.close()])
  await bare.$disconnect()
}

// ---------------------------------------------------------------------------------------------------------------------
// What it leaves
// ---------------------------------------------------------------------------------------------------------------------

const atOnce = 50

/** Reads rows by their ids, and says which of them were not in the cache. */
const missingOf = async (client: Client, ids: ReadonlyArray<number>): Promise<ReadonlyArray<number>> => {
  const left = [...ids]
  const missing: Array<number> = []
  await Promise.all(
    Array.from({ length: atOnce }, async () => {
      for (let id = left.pop(); id !== undefined; id = left.pop()) {
        const { info } = await client.team.findUnique({ where: { id }, cache: { ttl: "1 hour" } }).withCacheInfo()
        if (info.status !== "hit") missing.push(id)
      }
    })
  )
  return missing
}

/** Reads these rows until all of them are in the cache. */
const fill = async (client: Client, ids: ReadonlyArray<number>) => {
  let missing = ids
  for (let tries = 0; missing.length > 0; tries++) {
    if (tries === 20) throw new Error(`${missing.length} rows do not stay in the cache`)
    missing = await missingOf(client, missing)
  }
}

/** Those that take a row away come last: a row that is not there depends on what is created. */
const writes: Readonly<Record<string, (client: Client) => PromiseLike<unknown>>> = {
  "no write": async () => {},
  "update by id": (client) => client.team.update({ where: { id: 2 }, data: { name: "b" } }),
  "update by another unique key": (client) =>
    client.team.update({ where: { tenant_slug: { tenant: "acme", slug: "team-3" } }, data: { name: "c" } }),
  "update of another unique key": (client) => client.team.update({ where: { id: 4 }, data: { slug: "four" } }),
  "update, nested create of another model": (client) =>
    client.team.update({ where: { id: 5 }, data: { memberships: { create: { userId: 1 } } } }),
  "upsert of a row that is there": (client) =>
    client.team.upsert({
      where: { id: 6 },
      create: { tenant: "acme", slug: "none", name: "d" },
      update: { name: "d" }
    }),
  "create": (client) => client.team.create({ data: { tenant: "acme", slug: "new", name: "e" } }),
  "createMany": (client) => client.team.createMany({ data: [{ tenant: "acme", slug: "newer", name: "f" }] }),
  "a transaction of two updates": (client) =>
    client.$transaction(async (tx) => {
      await tx.team.update({ where: { id: 7 }, data: { name: "g" } })
      await tx.team.update({ where: { id: 8 }, data: { name: "h" } })
    }),
  "a batch of two updates": (client) =>
    client.$transaction([
      client.team.update({ where: { id: 7 }, data: { name: "i" } }),
      client.team.update({ where: { id: 8 }, data: { name: "j" } })
    ]),
  "a transaction that is rolled back": (client) =>
    client.$transaction(async (tx) => {
      await tx.team.update({ where: { id: 9 }, data: { name: "k" } })
      throw new Error("rolled back")
    }).catch(() => {}),
  "an update that the database refuses": (client) =>
    client.team.update({ where: { id: 10 }, data: { slug: "team-11" } }).catch(() => {}),
  "raw SQL on one row, touches another model": (client) =>
    client.$executeRaw`UPDATE "User" SET name = 'l'`.touches("User"),
  "raw SQL on one row, touches its model": (client) =>
    client.$executeRaw`UPDATE "Team" SET name = 'm' WHERE id = 12`.touches("Team"),
  "updateMany of one row": (client) => client.team.updateMany({ where: { id: 13 }, data: { name: "n" } }),
  "deleteMany of no row": (client) => client.team.deleteMany({ where: { id: -1 } }),
  "update of the primary key": (client) => client.team.update({ where: { id: 14 }, data: { id: rows + 1_000 } }),
  "delete": (client) => client.team.delete({ where: { id: 15 } })
}

/** How many of the rows are no hits any more after each of the writes. */
const missingAfter = async (consistency: "strict" | "after-commit"): Promise<ReadonlyArray<number>> => {
  const bare = await open(`left_${consistency.replace("-", "_")}`)
  const client = cached(bare, consistency, `left-${consistency}`)
  const ids = Array.from({ length: rows }, (_, i) => i + 1)
  const counts: Array<number> = []
  await fill(client, ids)
  for (const write of Object.values(writes)) {
    await write(client)
    const missing = await missingOf(client, ids)
    counts.push(missing.length)
    await fill(client, missing)
  }
  await client.$cache.close()
  await bare.$disconnect()
  return counts
}

const left = async () => {
  const [afterCommit, strict] = [await missingAfter("after-commit"), await missingAfter("strict")]
  const lines = Object.keys(writes).map((name, i) => [name, String(afterCommit[i]), String(strict[i])])
  console.log(`${rows} rows, each cached by a findUnique of its own; a write; so many of them are no hits any more\n`)
  console.log(table([["write", "after-commit", "strict"], ...lines]))
}

try {
  await cost()
  await left()
  if (failures.size > 0) throw new Error(`The cache has failed: ${[...failures].join("; ")}`)
} finally {
  await valkey.stop()
  await postgres.stop()
}
