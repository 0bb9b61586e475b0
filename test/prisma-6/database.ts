import { PrismaPg } from "@prisma/adapter-pg"
import type { SqlLog } from "../support/sqlLog.js"
import { makeSqlLog } from "../support/sqlLog.js"
import { PrismaClient } from "./generated/client/client.js"

export interface DatabaseOfPrisma6 {
  readonly prisma: PrismaClient<"query">
  readonly sql: SqlLog
  readonly close: () => Promise<void>
}

/** What `makePrisma` of test/support gives, with Prisma 6. It lives here to find that version's packages. */
export const makePrisma6 = (url: string, options: { readonly log?: boolean } = {}): DatabaseOfPrisma6 => {
  const { record, sql } = makeSqlLog(options.log ?? false)
  const prisma = new PrismaClient({
    adapter: new PrismaPg({ connectionString: url }),
    log: [{ emit: "event", level: "query" }]
  })
  prisma.$on("query", record)
  return { prisma, sql, close: () => prisma.$disconnect() }
}
