import { PrismaPg } from "@prisma/adapter-pg"
import { Pool } from "pg"
import { PrismaClient } from "../prisma/generated/client/client.js"
import { runSql } from "../support/postgres.js"

/** How many rows there are. */
export const rowCount = 5_000

/** What is left is one column of every type that JSON has no form for, and a few that it has. */
const omit = {
  everything: {
    stringMaybe: true,
    stringList: true,
    intMaybe: true,
    intList: true,
    bigIntMaybe: true,
    bigIntList: true,
    floatMaybe: true,
    floatList: true,
    decimalMaybe: true,
    decimalList: true,
    booleanMaybe: true,
    booleanList: true,
    dateTimeMaybe: true,
    dateTimeList: true,
    date: true,
    time: true,
    timestamptz: true,
    jsonMaybe: true,
    jsonList: true,
    bytesMaybe: true,
    bytesList: true,
    uuid: true,
    roleMaybe: true,
    roleList: true
  }
} as const

const makeClient = (pool: Pool) => new PrismaClient({ adapter: new PrismaPg(pool), omit })

/** A client without a cache. */
export type Bare = ReturnType<typeof makeClient>

/** The rows that everybody reads. */
export interface World {
  readonly prisma: Bare
  /** How many statements PostgreSQL was sent. */
  readonly queries: () => number
  readonly close: () => Promise<void>
}

const rows = `
  INSERT INTO "Everything" ("id", "string", "int", "bigInt", "float", "decimal", "boolean", "dateTime", "json", "bytes", "role")
  SELECT n, 'the name of row ' || n, n, 9007199254740993 + n, n / 8.0, n + 0.0625, n % 2 = 0,
         TIMESTAMP '2024-01-01 12:30:15.250' + n * INTERVAL '1 minute',
         jsonb_build_object('colour', 'red', 'sizes', jsonb_build_array(n, n + 1)), sha256(n::text::bytea), 'EDITOR'
  FROM generate_series(1, ${rowCount}) n;
  ANALYZE`

/** Fills the database at `url`, which has the tables of the tests, and opens a client of it. */
export const openWorld = async (url: string): Promise<World> => {
  await runSql(url, rows)
  const pool = new Pool({ connectionString: url, max: 10 })
  let queries = 0
  const query = pool.query.bind(pool) as (...args: ReadonlyArray<unknown>) => unknown
  // Counted here, since Prisma's own log of queries costs time that nobody spends in production.
  Object.assign(pool, {
    query: (...args: ReadonlyArray<unknown>) => {
      queries++
      return query(...args)
    }
  })
  const prisma = makeClient(pool)
  return {
    prisma,
    queries: () => queries,
    close: async () => {
      await prisma.$disconnect()
      await pool.end()
    }
  }
}

/** A read: of one row by its id, or of so many rows from an offset on. */
export interface Query {
  readonly rows: number
  readonly at: number
  readonly tags?: ReadonlyArray<string>
}

/** What tells a query from all others, for caches that are told a key. */
export const keyOf = ({ at, rows, tags = [] }: Query): string => `rows:${rows}:${at}:${tags.join()}`

export const byId = (at: number) => ({ where: { id: BigInt(at) } })

export const page = ({ at, rows }: Query) => ({ skip: at, take: rows, orderBy: { id: "asc" } } as const)

/** The answer of the database. */
export const ask = (prisma: Bare, query: Query): Promise<unknown> =>
  query.rows === 1 ? prisma.everything.findUnique(byId(query.at)) : prisma.everything.findMany(page(query))

let writes = 0

export const change = (at: number) => ({ ...byId(at), data: { float: ++writes / 8 } })
