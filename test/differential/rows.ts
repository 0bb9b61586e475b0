/** Rows, as the database has them and as arguments name them. */
import type { Model, RelationField, UniqueKey } from "../../src/prisma/schema/model.js"

export type Values = Readonly<Record<string, unknown>>

export const lowerFirst = (name: string): string => name.slice(0, 1).toLowerCase() + name.slice(1)

export const isValues = (value: unknown): value is Values =>
  typeof value === "object" && value !== null && [Object.prototype, null].includes(Object.getPrototypeOf(value))

export const each = (value: unknown): ReadonlyArray<unknown> => (Array.isArray(value) ? value : [value])

/** The same in every form that a value has in a row and in arguments. */
const asText = (value: unknown): string =>
  value instanceof Date
    ? value.toISOString()
    : ArrayBuffer.isView(value)
      ? Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString("hex")
      : String(value).toLowerCase()

export const matches = (row: Values, values: Values): boolean =>
  Object.entries(values).every(([name, value]) => asText(row[name]) === asText(value))

/** A `where` for one row, by a key of which the row has every value. */
export const whereOf = (key: UniqueKey, row: Values): Values => {
  const values = Object.fromEntries(key.fields.map((name) => [name, row[name]]))
  return key.fields.length === 1 ? values : { [key.name]: values }
}

export const isKeyOf = (row: Values) => ({ fields }: UniqueKey): boolean =>
  fields.every((name) => row[name] !== null && row[name] !== undefined)

export const idKeyOf = ({ id, keys }: Model): UniqueKey | undefined =>
  keys.find(({ fields }) => fields.length === id.length && fields.every((name) => id.includes(name)))

/** Whether this is a row that the `where` is about, as far as its keys tell. */
export const isFoundBy = (model: Model, row: Values, where: Values): boolean =>
  model.keys.some((key) => {
    const given = key.fields.length === 1 ? where : where[key.name]
    return isValues(given) && key.fields.every((name) => name in given && asText(given[name]) === asText(row[name]))
  })

/** Whether a row is linked to another one by a relation of its; where a table of its own says so, nobody knows. */
export const areLinked = ({ link }: RelationField, row: Values, target: Values): boolean | undefined => {
  if (link._tag !== "Columns") return undefined
  const refers = (from: Values, to: Values, fields: ReadonlyArray<string>, references: ReadonlyArray<string>) =>
    fields.every((name, i) => from[name] !== null && asText(from[name]) === asText(to[references[i] ?? ""]))
  if (link.here !== undefined) return refers(row, target, link.here.fields, link.here.references)
  return link.there !== undefined && refers(target, row, link.there.fields, link.there.references)
}
