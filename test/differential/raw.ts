import type { PrismaInternals } from "../../src/prisma/client.js"
import type { Model } from "../../src/prisma/schema/model.js"
import type { Random } from "../prisma/soundness/random.js"
import type { Schema } from "../prisma/soundness/schemaOf.js"

/** The names that SQL has for what a client names otherwise. */
export interface Tables {
  readonly table: (model: Model) => string
  readonly column: (model: Model, field: string) => string
  /** The columns of the primary key. */
  readonly id: (model: Model) => string
  /** The tables of implicit relations, and the models at their ends. */
  readonly joins: ReadonlyArray<{ readonly table: string; readonly ends: readonly [string, string] }>
}

interface Runtime {
  readonly models: Readonly<
    Record<
      string,
      {
        readonly dbName: string | null
        readonly fields: ReadonlyArray<{ readonly name: string; readonly dbName?: string; readonly relationName?: string }>
      }
    >
  >
}

/** What a template without values gives to its tag. */
export const templateOf = (text: string): TemplateStringsArray => Object.assign([text], { raw: [text] })

const quoted = (name: string) => `"${name}"`

export const tablesOf = (client: PrismaInternals, schema: Schema): Tables => {
  const { models }: Runtime = client["_runtimeDataModel"]
  const column = (model: Model, field: string) =>
    quoted(models[model.name]?.fields.find(({ name }) => name === field)?.dbName ?? field)
  const joins = new Map<string, readonly [string, string]>()
  for (const model of schema.dataModel.models.values()) {
    for (const { link, name, target } of schema.relations(model)) {
      const relation = models[model.name]?.fields.find((field) => field.name === name)?.relationName
      if (link._tag === "JoinTable") joins.set(`_${relation}`, [model.name, target])
    }
  }
  return {
    table: ({ name }) => quoted(models[name]?.dbName ?? name),
    column,
    id: (model) => model.id.map((field) => column(model, field)).join(", "),
    joins: Array.from(joins, ([table, ends]) => ({ table: quoted(table), ends }))
  }
}

/** SQL that writes, and the models that it has to say it touches. */
export interface RawWrite {
  readonly sql: string
  readonly touches: ReadonlyArray<string>
}

/** Random SQL that writes rows without Prisma's knowing how. It names the tables that it writes, not those it cascades to. */
export const rawWrites = (schema: Schema, tables: Tables, random: Random): (() => RawWrite) => {
  const { below, chance, pick } = random
  const models = [...schema.dataModel.models.values()]

  const someRow = (model: Model) => {
    const table = tables.table(model)
    return `ctid = (SELECT ctid FROM ${table} ORDER BY ${tables.id(model)} OFFSET ${below(4)} LIMIT 1)`
  }

  const update = (model: Model): string => {
    const table = tables.table(model)
    // A row takes over a value of another one: nothing has to be known of types.
    const fields = schema.scalars(model).filter(({ name, unique }) => !unique || (chance(0.2) && !model.id.includes(name)))
    const column = tables.column(model, pick(fields.length === 0 ? schema.scalars(model) : fields).name)
    const other = `(SELECT ${column} FROM ${table} ORDER BY ${tables.id(model)} DESC OFFSET ${below(4)} LIMIT 1)`
    const where = chance(0.8) ? `WHERE ${someRow(model)} AND EXISTS ${other}` : `WHERE EXISTS ${other}`
    return `UPDATE ${table} SET ${column} = ${other} ${where}`
  }

  const remove = (model: Model): string => `DELETE FROM ${tables.table(model)} WHERE ${someRow(model)}`

  const insert = (model: Model): string | undefined => {
    const table = tables.table(model)
    const [id, ...more] = model.id
    const counted = more.length === 0 && ["Int", "BigInt"].includes(typeOf(model, id))
    const free = schema.scalars(model).every(({ name, unique }) => !unique || name === id)
    if (!counted || !free) return undefined
    const columns = schema.scalars(model).filter(({ name }) => name !== id).map(({ name }) => tables.column(model, name)).join(", ")
    return `INSERT INTO ${table} (${columns}) SELECT ${columns} FROM ${table} ORDER BY ${tables.id(model)} OFFSET ${below(3)} LIMIT 1`
  }

  const typeOf = (model: Model, name: string | undefined): string =>
    schema.scalars(model).find((field) => field.name === name)?.type ?? ""

  /** The key of a row that others refer to, by which they go with it. */
  const rename = (model: Model): string | undefined => {
    const [key] = model.referencedBy
    const [field] = key?.references ?? []
    if (field === undefined || typeOf(model, field) !== "Int") return undefined
    const column = tables.column(model, field)
    return `UPDATE ${tables.table(model)} SET ${column} = ${column} + 10 WHERE ${someRow(model)} AND ${column} < 100`
  }

  const join = (): RawWrite | undefined => {
    if (tables.joins.length === 0) return undefined
    const { ends, table } = pick(tables.joins)
    const [a, b] = ends.map((name) => schema.dataModel.models.get(name)!)
    const idIn = (model: Model) =>
      `(SELECT ${tables.id(model)} FROM ${tables.table(model)} ORDER BY ${tables.id(model)} OFFSET ${below(4)} LIMIT 1)`
    const sql = chance(0.5)
      ? `DELETE FROM ${table} WHERE ctid = (SELECT ctid FROM ${table} ORDER BY "A", "B" OFFSET ${below(3)} LIMIT 1)`
      : `INSERT INTO ${table} SELECT * FROM (SELECT ${idIn(a!)} AS a, ${idIn(b!)} AS b) AS pair ` +
        "WHERE a IS NOT NULL AND b IS NOT NULL ON CONFLICT DO NOTHING"
    return { sql, touches: ends }
  }

  return () => {
    const model = pick(models)
    const joined = chance(0.2) ? join() : undefined
    if (joined !== undefined) return joined
    const statement = pick([update, update, update, remove, insert, rename])(model) ?? update(model)
    return { sql: statement, touches: [model.name] }
  }
}
