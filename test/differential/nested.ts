import type { Model, RelationField } from "../../src/prisma/schema/model.js"
import type { Random } from "../prisma/soundness/random.js"
import type { Queries, Query, RowsOf } from "../prisma/soundness/randomQueries.js"
import type { Schema } from "../prisma/soundness/schemaOf.js"
import { areLinked, each, isFoundBy, isKeyOf, isValues, whereOf } from "./rows.js"
import type { Values } from "./rows.js"

export interface Nested {
  /** The operations on relations in the data of a write, as `1-n update`, are put into the list; and how deep they go. */
  readonly operationsIn: (model: Model, data: unknown, into: Array<string>) => number
  /** Now and then the same write, done through relations of other rows, at any depth. */
  readonly deeper: (query: Query) => Query
  /** An operation on a relation that finds what it needs: the rows are there, they are linked, and a value is new. */
  readonly fitting: () => Query | undefined
}

const dataIn = (operation: string, list: boolean, item: unknown): ReadonlyArray<unknown> => {
  if (!isValues(item)) return []
  switch (operation) {
    case "create":
      return [item]
    case "connectOrCreate":
      return [item["create"]]
    case "upsert":
      return [item["create"], item["update"]]
    case "update":
      return [list || isValues(item["data"]) ? item["data"] : item]
    default:
      return []
  }
}

export const nestedWrites = (schema: Schema, queries: Queries, random: Random, rowsOf: RowsOf): Nested => {
  const { chance, pick } = random
  const modelOf = (name: string) => schema.dataModel.models.get(name)!
  const pickOr = <A>(list: ReadonlyArray<A>): A | undefined => (list.length === 0 ? undefined : pick(list))
  const related = [...schema.dataModel.models.values()].flatMap((model) => schema.relations(model).map((field) => ({ field, model })))

  const operationsIn = (model: Model, data: unknown, into: Array<string>): number => {
    let depth = 0
    for (const values of each(data)) {
      if (!isValues(values)) continue
      for (const [name, value] of Object.entries(values)) {
        const field = model.fields.get(name)
        if (field?._tag !== "Relation" || !isValues(value)) continue
        for (const [operation, operand] of Object.entries(value)) {
          into.push(`${field.link._tag === "JoinTable" ? "m-n" : field.list ? "1-n" : "to one"} ${operation}`)
          const inner = each(operand).flatMap((item) => dataIn(operation, field.list, item))
          depth = Math.max(depth, 1 + operationsIn(modelOf(field.target), inner, into))
        }
      }
    }
    return depth
  }

  /** Data without the relation through which they are written, and without its columns. */
  const without = (model: Model, relation: string | undefined, data: unknown): unknown => {
    const field = relation === undefined ? undefined : model.fields.get(relation)
    if (field?._tag !== "Relation" || !isValues(data)) return data
    const columns = field.link._tag === "Columns" ? (field.link.here?.fields ?? []) : []
    return Object.fromEntries(Object.entries(data).filter(([name]) => name !== relation && !columns.includes(name)))
  }

  const updateOf = (model: Model, row: Values, field: RelationField, operations: Values): Query | undefined => {
    const key = pickOr(model.keys.filter(isKeyOf(row)))
    return key && { model: model.name, operation: "update", args: { where: whereOf(key, row), data: { [field.name]: operations } } }
  }

  const throughRelation = (query: Query): Query | undefined => {
    const target = modelOf(query.model)
    const { create, data, update, where } = query.args as Values
    const back = pickOr(schema.relations(target))
    const model = back && modelOf(back.target)
    const relation = back && schema.opposite(target, back)
    const field = relation === undefined ? undefined : model?.fields.get(relation)
    if (back === undefined || model === undefined || field?._tag !== "Relation") return undefined
    const clean = (values: unknown) => without(target, back.name, values)
    const found = isValues(where) ? rowsOf(target).find((row) => isFoundBy(target, row, where)) : undefined
    const row = pickOr(rowsOf(model).filter((row) => found === undefined || areLinked(field, row, found) !== false))
    const operations = (): Values | undefined => {
      switch (query.operation) {
        case "create":
          return { create: clean(data) }
        case "createMany":
          return field.list && field.link._tag === "Columns" ? { createMany: { data: each(data).map(clean) } } : undefined
        case "update":
          return { update: field.list ? { where, data: clean(data) } : clean(data) }
        case "upsert":
          return { upsert: { ...(field.list ? { where } : {}), create: clean(create), update: clean(update) } }
        case "delete":
          return field.list ? { delete: where } : field.optional ? { delete: true } : undefined
        case "updateMany":
          return field.list ? { updateMany: { where, data: clean(data) } } : undefined
        case "deleteMany":
          return field.list ? { deleteMany: where } : undefined
        default:
          return undefined
      }
    }
    const nested = operations()
    return nested === undefined || row === undefined ? undefined : updateOf(model, row, field, nested)
  }

  const deeper = (query: Query): Query => {
    const nested = chance(0.25) ? throughRelation(query) : undefined
    return nested === undefined ? query : deeper(nested)
  }

  // -------------------------------------------------------------------------------------------------------------------
  // operations that fit
  // -------------------------------------------------------------------------------------------------------------------

  let fresh = 0

  /** A value that a row does not have yet, for a field that is in no key. */
  const change = (model: Model, given: ReadonlyArray<string>): Values | undefined => {
    const fields = schema.scalars(model).filter(({ list, name, type, unique }) =>
      !list && !unique && !given.includes(name) && !schema.isForeign(model, name) && ["Int", "String", "Boolean", "DateTime"].includes(type))
    const field = pickOr(fields)
    if (field === undefined) return undefined
    fresh++
    const values: Values = {
      Int: fresh,
      String: `text ${fresh}`,
      Boolean: chance(0.5),
      DateTime: new Date(Date.UTC(2025, 0, 1) + fresh * 86_400_000)
    }
    return { [field.name]: values[field.type] }
  }

  const creation = (model: Model, relation: string | undefined): unknown => {
    for (let tries = 0; tries < 300; tries++) {
      const query = queries.write()
      if (query.model === model.name && query.operation === "create") return without(model, relation, (query.args as Values)["data"])
    }
    return undefined
  }

  const fitting = (): Query | undefined => {
    const { field, model } = pick(related)
    const target = modelOf(field.target)
    const opposite = schema.opposite(model, field)
    const there = field.link._tag === "Columns" ? (field.link.there?.fields ?? []) : []
    const row = pickOr(rowsOf(model).filter((row) => rowsOf(target).some((other) => areLinked(field, row, other) !== false)))
    if (row === undefined) return undefined
    const linked = rowsOf(target).filter((other) => areLinked(field, row, other) !== false)
    const whereFrom = (among: ReadonlyArray<Values>): Values | undefined => {
      const other = pickOr(among)
      const key = other && pickOr(target.keys.filter(isKeyOf(other)))
      return other && key && whereOf(key, other)
    }
    const data = change(target, there)
    const where = whereFrom(linked)
    const any = whereFrom(rowsOf(target))
    const create = () => creation(target, opposite)
    const all = chance(0.6) ? {} : (where ?? {})
    // Only what no key knows by itself is a condition here.
    const alone = Object.keys(all).every((name) => target.fields.has(name)) ? all : {}
    const toMany: ReadonlyArray<() => Values> = [
      () => ({ disconnect: where }),
      () => ({ disconnect: [where] }),
      () => ({ set: [] }),
      () => ({ set: [where] }),
      () => ({ set: [any] }),
      () => ({ connect: any }),
      () => ({ delete: where }),
      () => ({ deleteMany: alone }),
      () => ({ deleteMany: [alone] }),
      () => ({ update: { where, data } }),
      () => ({ updateMany: { where: alone, data } }),
      () => ({ updateMany: [{ where: alone, data }] }),
      () => ({ upsert: { where, update: data, create: create() } }),
      () => ({ upsert: { where: any, update: data, create: create() } }),
      () => ({ connectOrCreate: { where: any, create: create() } }),
      () => ({ create: create() })
    ]
    const toOne: ReadonlyArray<() => Values> = [
      () => ({ disconnect: true }),
      () => ({ disconnect: data ?? true }),
      () => ({ connect: any }),
      () => ({ delete: true }),
      () => ({ update: data }),
      () => ({ update: { where: {}, data } }),
      () => ({ upsert: { update: data, create: create() } }),
      () => ({ connectOrCreate: { where: any, create: create() } }),
      () => ({ create: create() })
    ]
    const operations = pick(field.list ? toMany : toOne)()
    return updateOf(model, row, field, operations)
  }

  return { operationsIn, deeper, fitting }
}
