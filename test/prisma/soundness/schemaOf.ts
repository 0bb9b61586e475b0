import { makeDataModel } from "../../../src/prisma/schema/dataModel.js"
import type { DataModel, ForeignKey, Model, RelationField, ScalarField } from "../../../src/prisma/schema/model.js"
import type { PrismaInternals } from "../../../src/prisma/client.js"

/** What the tests know of a client's schema beside its data model: where the columns are. */
export interface Schema {
  readonly dataModel: DataModel
  /** The model of a table; the two models of a join table. */
  readonly modelsOfTable: (table: string) => ReadonlyArray<Model>
  /** A row as the database has it, as Prisma would give it. */
  readonly decode: (model: Model, row: Readonly<Record<string, unknown>>) => Readonly<Record<string, unknown>>
  readonly enumValues: (type: string) => ReadonlyArray<string>
  /** The field at the other end. */
  readonly opposite: (model: Model, field: RelationField) => string | undefined
  readonly scalars: (model: Model) => ReadonlyArray<ScalarField>
  readonly relations: (model: Model) => ReadonlyArray<RelationField>
  /** Whether the field is a column of a foreign key. */
  readonly isForeign: (model: Model, field: string) => boolean
  readonly foreignKeyOf: (model: Model, field: string) => ForeignKey | undefined
}

/** The names of an enum's values and what they are called in the database, which a client does not know at run time. */
export type Enums = Readonly<Record<string, Readonly<Record<string, string>>>>

interface Runtime {
  readonly models: Record<
    string,
    {
      readonly dbName: string | null
      readonly fields: ReadonlyArray<{
        readonly name: string
        readonly kind: string
        readonly type: string
        readonly dbName?: string
        readonly relationName?: string
      }>
    }
  >
}

export const dataModelOf = (client: PrismaInternals): DataModel =>
  makeDataModel(client["_runtimeDataModel"], client["_engineConfig"].inlineSchema)

export const schemaOf = (client: PrismaInternals, enums: Enums): Schema => {
  const runtime: Runtime = client["_runtimeDataModel"]
  const dataModel = dataModelOf(client)
  const modelOf = (name: string) => dataModel.models.get(name)!
  const tables = new Map<string, ReadonlyArray<Model>>()
  for (const [name, { dbName, fields }] of Object.entries(runtime.models)) {
    tables.set(dbName ?? name, [modelOf(name)])
    for (const { kind, relationName, type } of fields) {
      if (kind === "object") tables.set(`_${relationName}`, [modelOf(name), modelOf(type)])
    }
  }
  const value = (type: string, raw: unknown): unknown => {
    if (raw === null) return null
    if (type === "DateTime") return new Date(/[Z+]/.test(String(raw)) ? String(raw) : `${String(raw)}Z`)
    if (type === "Bytes") return Buffer.from(String(raw).slice(2), "hex")
    if (type === "Decimal") return String(raw)
    return Object.entries(enums[type] ?? {}).find(([, dbName]) => dbName === raw)?.[0] ?? raw
  }
  const foreignKeyOf = (model: Model, name: string): ForeignKey | undefined => {
    for (const field of model.fields.values()) {
      if (field._tag === "Relation" && field.link._tag === "Columns" && field.link.here?.fields.includes(name) === true)
        return field.link.here
    }
    return undefined
  }
  return {
    dataModel,
    modelsOfTable: (table) => {
      const found = tables.get(table)
      if (found === undefined) throw new Error(`no model has the table ${table}`)
      return found
    },
    decode: (model, row) =>
      Object.fromEntries(
        runtime.models[model.name]!.fields.filter(({ kind }) => kind !== "object").map(({ dbName, name, type }) => [
          name,
          value(type, row[dbName ?? name])
        ])
      ),
    enumValues: (type) => Object.keys(enums[type] ?? {}),
    opposite: (model, field) => {
      const relation = runtime.models[model.name]!.fields.find(({ name }) => name === field.name)?.relationName
      return runtime.models[field.target]!.fields.find(
        ({ name, relationName }) => relationName === relation && (field.target !== model.name || name !== field.name)
      )?.name
    },
    scalars: (model) => [...model.fields.values()].filter((field) => field._tag === "Scalar"),
    relations: (model) => [...model.fields.values()].filter((field) => field._tag === "Relation"),
    isForeign: (model, name) => foreignKeyOf(model, name) !== undefined,
    foreignKeyOf
  }
}
