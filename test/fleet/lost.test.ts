import { PrismaPg } from "@prisma/adapter-pg"
import { Client } from "pg"
import { describe, expect, it } from "vitest"
import type { TestContext } from "vitest"
import { prismaCache } from "effect-prisma-cache/PrismaCache"
import { PrismaClient } from "../prisma/generated/client/client.js"
import { until } from "../support/process.js"
import { postgresUrl, uniqueName, valkeyUrl } from "../support/servers.js"
import { startProxy } from "../valkey/proxy.js"
import { unhurried } from "../support/unhurried.js"

const intentTtl = 5_000

/** A writer behind a connection that can be cut, a reader that nothing happens to, and a row that another transaction holds. */
const open = async (name: string, onTestFinished: TestContext["onTestFinished"]) => {
  const url = await postgresUrl(`fleet_lost_${name}`)
  const connect = async () => {
    const client = new Client({ connectionString: url })
    await client.connect()
    onTestFinished(() => client.end())
    return client
  }
  const [admin, holder] = [await connect(), await connect()]
  await admin.query(`INSERT INTO "Counter" (name, value) VALUES ('a', 1)`)
  const proxy = await startProxy(Number(new URL(url).port))
  onTestFinished(() => proxy.stop())
  const through = new URL(url)
  through.port = String(proxy.port)
  const options = { cache: valkeyUrl(), namespace: uniqueName("lost"), intentTtl }
  const client = (connectionString: string) => {
    const adapter = new PrismaPg({ connectionString, application_name: "writer" }, { onConnectionError: () => {}, onPoolError: () => {} })
    const extended = new PrismaClient({ adapter }).$extends(prismaCache({ ...unhurried, ...options }))
    onTestFinished(() => extended.$disconnect())
    return extended
  }
  await holder.query("BEGIN")
  return { admin, holder, proxy, reader: client(url), writer: client(through.toString()) }
}

type World = Awaited<ReturnType<typeof open>>

const update = { where: { name: "a" }, data: { value: 2 } }

const writes: Readonly<Record<string, (writer: World["writer"]) => Promise<unknown>>> = {
  update: (writer) => writer.counter.update(update),
  updateMany: (writer) => writer.counter.updateMany({ where: { name: { startsWith: "a" } }, data: { value: 2 } }),
  "raw SQL": (writer) => writer.$executeRaw`UPDATE "Counter" SET value = 2 WHERE name = 'a'`.touches("Counter"),
  batch: (writer) => writer.$transaction([writer.counter.update(update)])
}

describe("a write whose connection is lost while the database waits for a lock, and commits it later", () => {
  it.concurrent.for(Object.keys(writes))("leaves nothing stale, and what it touched is cached again in the end: %s", async (kind, { onTestFinished }) => {
    const { admin, holder, proxy, reader, writer } = await open(kind.toLowerCase().replace(" ", "_"), onTestFinished)
    const read = () => reader.counter.findUnique({ where: { name: "a" }, cache: true }).withCacheInfo()
    const isHit = async () => (await read()).info.status === "hit"
    const writersAre = (condition: string) => async () => {
      const { rows } = await admin.query<{ count: number }>(
        `SELECT count(*)::int AS count FROM pg_stat_activity WHERE datname = current_database() AND query LIKE 'UPDATE%' AND ${condition}`
      )
      return rows[0]?.count === 1
    }
    await until("the row is cached", isHit)
    await holder.query(`SELECT FROM "Counter" FOR UPDATE`)
    const failed = writes[kind]?.(writer).then(() => false, () => true)
    await until("the write waits for the row", writersAre("wait_event_type = 'Lock'"))
    proxy.cut()
    expect(await failed).toBe(true)
    // The database has not yet written, and nobody may keep what is there.
    expect(await read()).toMatchObject({ data: { value: 1 }, info: { status: "bypass" } })
    await holder.query("COMMIT")
    await until("the database has written", async () => {
      const { rows } = await admin.query<{ value: number }>(`SELECT value FROM "Counter"`)
      return rows[0]?.value === 2
    })
    for (let time = 0; time < 20; time++) expect((await read()).data).toMatchObject({ value: 2 })
    await until("the row is cached again", isHit)
    expect((await read()).data).toMatchObject({ value: 2 })
  })
})
