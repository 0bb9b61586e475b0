import type { PrismaInternals } from "../../../src/prisma/client.js"
import { makeDataModel } from "../../../src/prisma/schema/dataModel.js"
import type { RuntimeDataModel, RuntimeField } from "../../../src/prisma/schema/dataModel.js"
import type { DataModel, Model, RelationField } from "../../../src/prisma/schema/model.js"
import { makePrisma } from "../../support/database.js"

/**
 * Fields as `"id Int"`, `"role Role enum"`, `"address Address document"` and, with a relation's name,
 * `"posts Post PostToUser"`.
 */
export type Fields = Readonly<Record<string, ReadonlyArray<string>>>

const field = (text: string): RuntimeField => {
  const [name = "", type = "", more] = text.split(" ")
  if (more === undefined) return { name, kind: "scalar", type }
  if (more === "enum") return { name, kind: "enum", type }
  return { name, kind: "object", type, ...(more === "document" ? {} : { relationName: more }) }
}

/** What a client would know at run time. */
export const runtime = (models: Fields): RuntimeDataModel => ({
  models: Object.fromEntries(Object.entries(models).map(([name, fields]) => [name, { fields: fields.map(field) }]))
})

const datasource = (provider: string) => `datasource db {\n  provider = "${provider}"\n}\n`

/** The data model of a client with these models. */
export const dataModel = (models: Fields, schema: string, provider = "postgresql"): DataModel =>
  makeDataModel(runtime(models), datasource(provider) + schema)

/** A client without a database. It knows its schema all the same. */
export const idleClient = makePrisma("postgresql://nobody@127.0.0.1:1/nothing").prisma as unknown as PrismaInternals

/** The data model of schema.prisma. */
export const testModel: DataModel = makeDataModel(
  idleClient["_runtimeDataModel"],
  idleClient["_engineConfig"].inlineSchema
)

export const modelIn = (made: DataModel, name: string): Model => {
  const model = made.models.get(name)
  if (model === undefined) throw new Error(`there is no model ${name}`)
  return model
}

export const relationIn = (made: DataModel, model: string, name: string): RelationField => {
  const field = modelIn(made, model).fields.get(name)
  if (field?._tag !== "Relation") throw new Error(`${model}.${name} is no relation`)
  return field
}
