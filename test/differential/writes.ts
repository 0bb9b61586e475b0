import type { PrismaInternals } from "../../src/prisma/client.js"
import type { Random } from "../prisma/soundness/random.js"
import type { Queries, Query, RowsOf } from "../prisma/soundness/randomQueries.js"
import type { Schema } from "../prisma/soundness/schemaOf.js"
import { nestedWrites } from "./nested.js"
import { shown } from "./outcome.js"
import { templateOf } from "./raw.js"
import type { RawWrite } from "./raw.js"
import type { Read } from "./reads.js"
import { idKeyOf, isValues, lowerFirst, whereOf } from "./rows.js"
import type { Values } from "./rows.js"

/** One query or one piece of SQL that writes. */
interface Statement {
  readonly text: string
  /** Its operation, and those that are nested in it, as `update > posts`. */
  readonly operations: ReadonlyArray<string>
  readonly depth: number
  /** What a batch can be made of. */
  readonly send: (client: PrismaInternals, cache?: object) => PromiseLike<unknown>
  /** What the result is a read of, if it is one. */
  readonly query: Query | undefined
}

/** Who else is there, and what can be done while a transaction is open. */
export interface Company {
  /** Another client of the same cache. */
  readonly other: PrismaInternals
  /** Looks at the database from outside. */
  readonly outside: () => Promise<void>
  /** Asks inside, after everything else: what it is told holds after the commit. */
  readonly inside: (transaction: PrismaInternals) => Promise<void>
}

/** What is written at once: it comes about or it does not. */
export interface Write {
  /** `update`, `raw SQL`, `batch`, … */
  readonly kind: string
  readonly text: string
  readonly operations: ReadonlyArray<string>
  readonly depth: number
  readonly run: (client: PrismaInternals, company: Company) => Promise<unknown>
  /** The read that finds the write's own result under its key. */
  readonly own?: (result: unknown) => Read | undefined
}

class Abandoned extends Error {
  override readonly name = "Abandoned"
}

/** Random writes of every kind: alone, raw, in batches and in transactions, some of which are rolled back. */
export const randomWrites = (
  schema: Schema,
  queries: Queries,
  raw: () => RawWrite,
  random: Random,
  rowsOf: RowsOf
): (() => Write) => {
  const { below, chance, pick } = random
  const modelOf = (name: string) => schema.dataModel.models.get(name)!

  const nested = nestedWrites(schema, queries, random, rowsOf)

  // -------------------------------------------------------------------------------------------------------------------
  // statements
  // -------------------------------------------------------------------------------------------------------------------

  const statementOf = (query: Query): Statement => {
    const { args, model, operation } = query
    const { create, data, update } = args as Values
    const operations: Array<string> = []
    const depth = Math.max(...[create, data, update].map((values) => nested.operationsIn(modelOf(model), values, operations)))
    return {
      text: `${model}.${operation}(${shown(args)})`,
      operations,
      depth,
      send: (client, cache) => client[lowerFirst(model)][operation](cache === undefined ? args : { ...args, cache }),
      query
    }
  }

  const rawStatement = (): Statement => {
    const { sql, touches } = raw()
    const member = pick(["$executeRaw", "$executeRaw", "$executeRawUnsafe", "$queryRaw", "$queryRawUnsafe"])
    const text = member.startsWith("$query") ? `${sql} RETURNING 1 AS one` : sql
    return {
      text: `${member} ${text} (touches ${touches.join(", ")})`,
      operations: [`raw ${sql.slice(0, 6)}`],
      depth: 0,
      send: (client) => client[member](member.endsWith("Unsafe") ? text : templateOf(text)).touches(...touches),
      query: undefined
    }
  }

  const query = () => statementOf(nested.deeper((chance(0.5) ? nested.fitting() : undefined) ?? queries.write()))
  const statement = () => (chance(0.15) ? rawStatement() : query())
  const some = (least: number, more: number) => Array.from({ length: least + below(more) }, statement)

  const writeOf = (kind: string, statements: ReadonlyArray<Statement>, run: Write["run"]): Write => ({
    kind,
    text: statements.map(({ text }) => text).join("\n  then "),
    operations: statements.flatMap(({ operations }) => operations),
    depth: Math.max(0, ...statements.map(({ depth }) => depth)),
    run
  })

  // -------------------------------------------------------------------------------------------------------------------
  // kinds
  // -------------------------------------------------------------------------------------------------------------------

  const single = (): Write => {
    const made = query()
    return writeOf(`${made.query?.operation}${made.depth > 0 ? ", nested" : ""}`, [made], async (client) => made.send(client))
  }

  const rawAlone = (): Write => {
    const made = rawStatement()
    return writeOf("raw SQL", [made], async (client) => made.send(client))
  }

  let keys = 0

  /** A write whose result is kept under a key, and the read that finds it there until the row is written again. */
  const kept = (): Write => {
    let query = queries.write()
    while (!["create", "update", "upsert"].includes(query.operation)) query = queries.write()
    const model = modelOf(query.model)
    const lists = schema.relations(model).filter(({ list }) => list)
    const list = lists.length > 0 && chance(0.4) ? pick(lists) : undefined
    const selection = list === undefined
      ? {}
      : { include: { [list.name]: { orderBy: modelOf(list.target).id.map((name) => ({ [name]: "asc" })) } } }
    const made = statementOf({ ...query, args: { ...query.args, ...selection } })
    const key = `own-${++keys}`
    const own = (result: unknown): Read | undefined => {
      if (!isValues(result)) return undefined
      const id = idKeyOf(model)
      if (id === undefined) return undefined
      const args = { where: whereOf(id, result), ...selection }
      return {
        kind: "a write's own result",
        text: `${model.name}.findUnique(${shown(args)}), of the key of ${made.text}`,
        models: new Set(list === undefined ? [model.name] : [model.name, list.target]),
        row: undefined,
        send: (client, cache) =>
          client[lowerFirst(model.name)].findUnique(cache === undefined ? args : { ...args, cache: { ...cache, key } })
      }
    }
    return {
      ...writeOf(`${query.operation}, its result kept`, [made], async (client) => made.send(client, { key, ttl: "1 day" })),
      own
    }
  }

  const limits = { timeout: 60_000, maxWait: 60_000 }

  const interactive = (isRolledBack: boolean): Write => {
    const statements = some(1, 3)
    return writeOf(isRolledBack ? "transaction, rolled back" : "transaction", statements, (client, { inside, outside }) =>
      client["$transaction"](async (tx: PrismaInternals) => {
        for (const { send } of statements) {
          await send(tx)
          if (chance(0.3)) await outside()
        }
        if (isRolledBack) throw new Abandoned()
        await inside(tx)
      }, limits))
  }

  /** A transaction in a transaction, whose own writes do not come about. */
  const savepoint = (): Write => {
    const [outer, inner] = [statement(), statement()]
    return writeOf("transaction with one that is rolled back", [outer, inner], (client, { inside, outside }) =>
      client["$transaction"](async (tx: PrismaInternals) => {
        await outer.send(tx)
        const within = tx["$transaction"](async (nested: PrismaInternals) => {
          await inner.send(nested)
          throw new Abandoned()
        })
        await within.catch((error: unknown) => {
          if (!(error instanceof Abandoned)) throw error
        })
        await outside()
        await inside(tx)
      }, limits))
  }

  const batch = (): Write => {
    const statements = some(2, 2)
    return writeOf("batch", statements, (client) => client["$transaction"](statements.map(({ send }) => send(client))))
  }

  const failingBatch = (): Write => {
    const statements = some(1, 2)
    return writeOf("batch, rolled back", statements, (client) =>
      client["$transaction"]([
        ...statements.map(({ send }) => send(client)),
        client["$executeRawUnsafe"]("SELECT 1 / 0").touches()
      ]))
  }

  /** Two at a time, of which one may have to wait for the other, or stand in its way. */
  const together = (): Write => {
    const statements = [statement(), statement()]
    return writeOf("two at a time", statements, async (client, { other }) => {
      const ends = await Promise.allSettled(statements.map(async ({ send }, i) => send(i === 0 ? client : other)))
      const failed = ends.find((end) => end.status === "rejected")
      if (ends.every((end) => end.status === "rejected")) throw failed?.reason
    })
  }

  return () => {
    if (chance(0.6)) return single()
    return pick([
      rawAlone,
      rawAlone,
      kept,
      batch,
      failingBatch,
      savepoint,
      together,
      () => interactive(false),
      () => interactive(false),
      () => interactive(true)
    ])()
  }
}
