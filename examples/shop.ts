/**
 * The shop that the examples query: a PostgreSQL of this run's own on a free loopback port, with the tables and rows of
 * examples/prisma, and a log of the SQL that reaches it.
 */
import { PrismaPg } from "@prisma/adapter-pg"
import { readFile } from "node:fs/promises"
import { createDatabase, startPostgres } from "../test/support/postgres.js"
import { makeSqlLog } from "../test/support/sqlLog.js"
import { PrismaClient } from "./prisma/generated/client/client.js"

const content = async (): Promise<string> => {
  const files = ["schema.sql", "seed.sql"].map((name) => new URL(`./prisma/${name}`, import.meta.url))
  return (await Promise.all(files.map((file) => readFile(file, "utf8")))).join("\n")
}

/** Opens the shop. `close` disconnects the client and stops the server. */
export const openShop = async () => {
  const postgres = await startPostgres()
  const connectionString = await createDatabase(postgres.url, "shop", { sql: await content() })
  const client = new PrismaClient({
    adapter: new PrismaPg({ connectionString }),
    log: [{ emit: "event", level: "query" }]
  })
  const { record, sql } = makeSqlLog(false)
  client.$on("query", record)
  return {
    client,
    sql,
    close: async (): Promise<void> => {
      await client.$disconnect()
      await postgres.stop()
    }
  }
}
