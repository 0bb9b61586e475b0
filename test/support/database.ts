import { PrismaPg } from "@prisma/adapter-pg"
import type { Prisma } from "../prisma/generated/client/client.js"
import { PrismaClient } from "../prisma/generated/client/client.js"
import type { SqlLog } from "./sqlLog.js"
import { makeSqlLog } from "./sqlLog.js"

export interface Database<Omit extends Prisma.GlobalOmitConfig | undefined = undefined> {
  readonly prisma: PrismaClient<"query", Omit>
  readonly sql: SqlLog
  readonly close: () => Promise<void>
}

export interface DatabaseOptions<Omit> {
  /** Prints every statement. */
  readonly log?: boolean
  /** The client's global `omit`. */
  readonly omit?: Omit
  /** How many connections the client may hold, 10 unless told. */
  readonly connections?: number
}

/** A base client on the database at `url`, with a log of the SQL that it sends. */
export const makePrisma = <const Omit extends Prisma.GlobalOmitConfig | undefined = undefined>(
  url: string,
  options: DatabaseOptions<Omit> = {}
): Database<Omit> => {
  const { record, sql } = makeSqlLog(options.log ?? false)
  // The client's constructor infers its `omit` from a literal only, so the type has to be said again.
  const prisma = new PrismaClient({
    adapter: new PrismaPg({ connectionString: url, max: options.connections ?? 10 }),
    log: [{ emit: "event", level: "query" }],
    ...(options.omit === undefined ? {} : { omit: options.omit })
  }) as PrismaClient<"query", Omit>
  prisma.$on("query", record)
  return { prisma, sql, close: () => prisma.$disconnect() }
}
