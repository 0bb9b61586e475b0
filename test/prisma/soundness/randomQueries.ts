import type { Model, RelationField, ScalarField, UniqueKey } from "../../../src/prisma/schema/model.js"
import type { Random } from "./random.js"
import type { Schema } from "./schemaOf.js"

export interface Query {
  readonly model: string
  readonly operation: string
  readonly args: object
}

export interface Queries {
  readonly write: () => Query
  readonly read: () => Query
}

type Values = Record<string, unknown>

/** The values of a field that has a form of its own, `Model.field` or a type; few, so that queries meet. */
export type Pools = Readonly<Record<string, ReadonlyArray<unknown>>>

const instants = [1, 2, 3, 4, 5].map((day) => new Date(Date.UTC(2024, 0, day)))

const pools: Pools = {
  Int: [1, 2, 3, 4, 5, 6],
  BigInt: [1, 2n, 3n, "4", 5, 6n],
  Float: [0.5, 1],
  Decimal: ["1", "1.00", 2, "2.5", "3.50", 4, "5e0"],
  Boolean: [true, false],
  String: ["a", "b", "c", "d", "e", "f"],
  DateTime: [...instants, "2024-01-01T00:00:00.000Z", "2024-01-02T01:00:00.000+01:00"],
  Bytes: [1, 2, 3, 4, 5, 6].map((byte) => (byte % 2 === 0 ? Buffer.from([byte]) : new Uint8Array([byte]))),
  Json: [{ a: 1 }, [1]]
}

/** The rows that there are now. */
export type RowsOf = (model: Model) => ReadonlyArray<Row>

type Row = Readonly<Values>

const same = (one: unknown, other: unknown): boolean => {
  const text = (value: unknown) =>
    value instanceof Date
      ? value.toISOString()
      : ArrayBuffer.isView(value)
        ? Array.from(value as Uint8Array).join()
        : String(value)
  return text(one) === text(other)
}

/** Random queries, most of them valid, on the rows of a small world. */
export const randomQueries = (schema: Schema, random: Random, own: Pools, rowsOf: RowsOf): Queries => {
  const { chance, pick } = random
  // The more relations a model has, the more there is to get wrong.
  const models = [...schema.dataModel.models.values()].flatMap((model) => [
    model,
    ...schema.relations(model).map(() => model)
  ])
  const modelOf = (name: string) => schema.dataModel.models.get(name)!
  const some = <A>(make: () => A): ReadonlyArray<A> => Array.from({ length: 1 + random.below(2) }, make)
  const oneOrSome = <A>(make: () => A): A | ReadonlyArray<A> => (chance(0.5) ? make() : some(make))

  const value = (model: Model, field: ScalarField): unknown => {
    const values = own[`${model.name}.${field.name}`] ?? pools[field.type] ?? schema.enumValues(field.type)
    return field.list ? { set: [pick(values)] } : pick(values)
  }

  /** A value that no row has where no two may have the same, and one that a row has where it must. */
  const fittingValue = (model: Model, field: ScalarField): unknown => {
    const alone = model.keys.some(({ fields }) => fields.length === 1 && fields[0] === field.name)
    const key = schema.foreignKeyOf(model, field.name)
    if (key !== undefined && chance(0.9)) {
      const targets = rowsOf(modelOf(key.target))
      if (targets.length > 0) return pick(targets)[key.references[key.fields.indexOf(field.name)]!]
    }
    for (let attempt = 0; alone && attempt < 5; attempt++) {
      const candidate = value(model, field)
      if (!rowsOf(model).some((row) => same(row[field.name], candidate))) return candidate
    }
    return value(model, field)
  }

  /** Text in capitals or small letters, where the values of the field have both. */
  const otherwiseWritten = (model: Model, field: ScalarField, text: unknown): unknown => {
    const written = (own[`${model.name}.${field.name}`] ?? []).filter(
      (other) => typeof other === "string" && other.toLowerCase() === String(text).toLowerCase()
    )
    return written.length === 0 ? text : pick(written)
  }

  const keyOf = (model: Model, key: UniqueKey, row?: Row): Values => {
    const known = row !== undefined && key.fields.every((name) => row[name] !== null)
    const valueIn = (name: string) => {
      const field = model.fields.get(name) as ScalarField
      return known ? otherwiseWritten(model, field, row[name]) : value(model, field)
    }
    const parts = key.fields.map((name) => [name, valueIn(name)] as const)
    return key.fields.length === 1 ? Object.fromEntries(parts) : { [key.name]: Object.fromEntries(parts) }
  }

  const whereUnique = (model: Model, among: ReadonlyArray<Row> = rowsOf(model), known = 0.8): Values => {
    const row = among.length > 0 && chance(known) ? pick(among) : undefined
    const where = keyOf(model, pick(model.keys), row)
    if (chance(0.1)) Object.assign(where, keyOf(model, pick(model.keys), row))
    return chance(0.1) ? { ...filter(model, 1, plainOnly), ...where } : where
  }

  const findRow = (model: Model, where: Values): Row | undefined =>
    rowsOf(model).find((row) =>
      model.keys.some((key) => {
        const values = key.fields.length === 1 ? where : (where[key.name] as Values | undefined)
        return values !== undefined && key.fields.every((name) => name in values && same(values[name], row[name]))
      })
    )

  const keyFilter = (model: Model): Values =>
    Object.fromEntries(model.id.map((name) => [name, value(model, model.fields.get(name) as ScalarField)]))

  const filterable = (model: Model) =>
    schema.scalars(model).filter((field) => !field.list && field.type !== "Json" && field.type !== "Bytes")

  /** Not the fields of keys, of which a `where` for one row takes no conditions. */
  const plainOnly = (model: Model) => {
    const plain = filterable(model).filter(({ unique }) => !unique)
    return plain.length === 0 ? filterable(model) : plain
  }

  const filter = (model: Model, depth: number, fields = filterable): Values => {
    const where: Values = {}
    const relations = schema.relations(model)
    const related = depth > 0 && relations.length > 0 && chance(0.6)
    if (related) {
      const relation = pick(relations)
      const inner = chance(0.4) ? {} : filter(modelOf(relation.target), depth - 1)
      const quantifier = pick(relation.list ? ["some", "every", "none"] : ["is", "isNot"])
      where[relation.name] = relation.list || chance(0.5) ? { [quantifier]: inner } : inner
    }
    if (!related || chance(0.3)) {
      const field = pick(fields(model))
      const operand = value(model, field)
      const plain = field.type === "Boolean" || schema.enumValues(field.type).length > 0 || chance(0.4)
      where[field.name] = plain ? operand : { [pick(["lt", "gte", "not", "equals"])]: operand }
    }
    return chance(0.2) ? { [pick(["AND", "OR", "NOT"])]: [where] } : where
  }

  // -------------------------------------------------------------------------------------------------------------------
  // data
  // -------------------------------------------------------------------------------------------------------------------

  /** True for about one and a half relations of a model: each more is one more that can make the whole query fail. */
  const few = (model: Model) => chance(1.5 / schema.relations(model).length)

  /** With the columns of foreign keys (unchecked) or with the relations that they stand for. */
  const createData = (model: Model, depth: number, parent: string | undefined): Values => {
    const unchecked = chance(0.5)
    const data: Values = {}
    const given = parent === undefined ? [] : foreignFields(model, parent)
    for (const field of schema.scalars(model)) {
      if (given.includes(field.name)) continue
      if (schema.isForeign(model, field.name) && !unchecked) continue
      if (field.optional || field.list ? chance(0.4) : isCounted(field) ? unchecked && chance(0.8) : true) {
        data[field.name] = fittingValue(model, field)
      }
    }
    for (const field of schema.relations(model)) {
      if (field.name === parent) continue
      const here = isHere(field)
      if (here && (unchecked || (field.optional && chance(0.5)))) continue
      if (!here && (depth === 0 || !few(model))) continue
      data[field.name] = relationWrites(model, field, undefined, depth)
    }
    return data
  }

  const updateData = (model: Model, depth: number, parent: string | undefined, row: Row = {}): Values => {
    const unchecked = chance(0.5)
    const data: Values = {}
    const given = parent === undefined ? [] : foreignFields(model, parent)
    for (const field of schema.scalars(model)) {
      if (given.includes(field.name) || (schema.isForeign(model, field.name) && !unchecked)) continue
      if (chance(0.8) || (isCounted(field) && !unchecked)) continue
      const numeric = ["Int", "BigInt", "Decimal"].includes(field.type) && !field.list
      data[field.name] =
        numeric && chance(0.2)
          ? { increment: 1 }
          : chance(0.3) && !field.list
            ? { set: fittingValue(model, field) }
            : fittingValue(model, field)
    }
    for (const field of schema.relations(model)) {
      if (field.name === parent || (isHere(field) && unchecked)) continue
      if (depth > 0 && few(model)) data[field.name] = relationWrites(model, field, row, depth)
    }
    return data
  }

  /** A number that the database gives, which only unchecked data may hold. */
  const isCounted = ({ name, type }: ScalarField) => name === "id" && type !== "String"

  const isHere = ({ link }: RelationField) => link._tag === "Columns" && link.here !== undefined

  const foreignFields = (model: Model, relation: string): ReadonlyArray<string> => {
    const field = model.fields.get(relation) as RelationField
    return field.link._tag === "Columns" ? (field.link.here?.fields ?? []) : []
  }

  /** `row` is the row at this end, if it is not a new one. */
  const relationWrites = (model: Model, field: RelationField, row: Row | undefined, depth: number): Values => {
    const created = row === undefined
    const target = modelOf(field.target)
    const there = field.link._tag === "Columns" ? field.link.there : undefined
    const linked =
      there === undefined || row === undefined
        ? rowsOf(target)
        : rowsOf(target).filter((other) =>
            there.fields.every((name, i) => same(other[name], row[there.references[i]!]))
          )
    const parent = schema.opposite(model, field)
    const create = () => createData(target, depth - 1, parent)
    const update = () => updateData(target, depth - 1, parent)
    const where = () => whereUnique(target)
    const whereLinked = () => whereUnique(target, linked)
    const many = () =>
      Object.fromEntries(
        Object.entries(updateData(target, 0, parent)).filter(([name]) => target.fields.get(name)?._tag === "Scalar")
      )
    const operations: Record<string, () => unknown> = {
      create: field.list ? () => oneOrSome(create) : create,
      connect: field.list ? () => oneOrSome(where) : where,
      connectOrCreate: field.list
        ? () => oneOrSome(() => ({ where: where(), create: create() }))
        : () => ({ where: where(), create: create() })
    }
    if (field.list && field.link._tag === "Columns") {
      operations["createMany"] = () => ({ data: some(() => plainRow(target, parent)), skipDuplicates: chance(0.5) })
    }
    if (!created && field.list) {
      Object.assign(operations, {
        set: () => (chance(0.3) ? [] : oneOrSome(where)),
        disconnect: () => oneOrSome(whereLinked),
        delete: () => oneOrSome(whereLinked),
        deleteMany: () => oneOrSome(() => ({ ...filter(target, 1), ...keyFilter(target) })),
        update: () => oneOrSome(() => ({ where: whereLinked(), data: update() })),
        updateMany: () => oneOrSome(() => ({ where: filter(target, 1), data: many() })),
        upsert: () => oneOrSome(() => ({ where: whereLinked(), create: create(), update: update() }))
      })
    }
    if (!created && !field.list) {
      Object.assign(operations, {
        update: () =>
          chance(0.5) ? update() : { ...(chance(0.5) ? { where: filter(target, 1) } : {}), data: update() },
        upsert: () => ({ create: create(), update: update(), ...(chance(0.3) ? { where: filter(target, 1) } : {}) })
      })
      // From a row that has none Prisma takes none away.
      if (field.optional && (there === undefined || linked.length > 0)) {
        operations["disconnect"] = () => (chance(0.7) ? true : filter(target, 1))
        operations["delete"] = () => (chance(0.7) ? true : filter(target, 1))
      }
    }
    const names =
      field.list && chance(0.2)
        ? [pick(Object.keys(operations)), pick(Object.keys(operations))]
        : [pick(Object.keys(operations))]
    return Object.fromEntries(names.map((name) => [name, operations[name]!()]))
  }

  /** A row of nothing but columns. */
  const plainRow = (model: Model, parent?: string): Values => {
    const given = parent === undefined ? [] : foreignFields(model, parent)
    const fields = schema
      .scalars(model)
      .filter(({ name, optional }) => !given.includes(name) && (!optional || chance(0.5)))
    return Object.fromEntries(fields.map((field) => [field.name, fittingValue(model, field)]))
  }

  const write = (): Query => {
    const model = pick(models)
    const depth = pick([0, 1, 1, 2])
    const where = () => whereUnique(model)
    const create = () => createData(model, depth, undefined)
    const columns = () =>
      Object.fromEntries(
        Object.entries(updateData(model, 0, undefined)).filter(([name]) => model.fields.get(name)?._tag === "Scalar")
      )
    const writes: Record<string, () => object> = {
      create: () => ({ data: create() }),
      createMany: () => ({
        data: chance(0.3) ? plainRow(model) : some(() => plainRow(model)),
        skipDuplicates: chance(0.5)
      }),
      createManyAndReturn: () => ({ data: some(() => plainRow(model)) }),
      update: () => {
        const found = where()
        return { where: found, data: updateData(model, depth, undefined, findRow(model, found)) }
      },
      updateMany: () => ({ where: filter(model, 1), data: columns() }),
      updateManyAndReturn: () => ({ where: filter(model, 1), data: columns() }),
      upsert: () => {
        const found = where()
        return { where: found, create: create(), update: updateData(model, depth, undefined, findRow(model, found)) }
      },
      delete: () => ({ where: where() }),
      // Of few rows, or soon there would be none.
      deleteMany: () => ({ where: { AND: [filter(model, 1), keyFilter(model)] } })
    }
    const operation = pick([
      "create",
      "create",
      "create",
      "upsert",
      "upsert",
      "upsert",
      "update",
      "update",
      "update",
      "update",
      ...Object.keys(writes)
    ])
    return { model: model.name, operation, args: writes[operation]!() }
  }

  // -------------------------------------------------------------------------------------------------------------------
  // reads
  // -------------------------------------------------------------------------------------------------------------------

  const orderOf = (model: Model): Values => {
    const relations = schema.relations(model)
    if (relations.length === 0 || chance(0.5)) return { [pick(filterable(model)).name]: "asc" }
    const relation = pick(relations)
    return {
      [relation.name]: relation.list ? { _count: "desc" } : { [pick(filterable(modelOf(relation.target))).name]: "asc" }
    }
  }

  const stable = (model: Model) => model.id.map((name) => ({ [name]: "asc" }))

  const rows = (model: Model, depth: number): Values => ({
    ...(chance(0.5) ? { where: filter(model, 1) } : {}),
    orderBy: [...(chance(0.3) ? [orderOf(model)] : []), ...stable(model)],
    ...selection(model, depth)
  })

  const selection = (model: Model, depth: number): Values => {
    const scalars = Object.fromEntries(
      schema
        .scalars(model)
        .filter(() => chance(0.4))
        .map(({ name }) => [name, true])
    )
    const relations: Values = {}
    if (depth > 0) {
      for (const field of schema.relations(model)) {
        if (chance(0.6)) continue
        const inner = selection(modelOf(field.target), depth - 1)
        relations[field.name] = field.list
          ? rows(modelOf(field.target), depth - 1)
          : Object.keys(inner).length === 0
            ? true
            : inner
      }
      const lists = schema.relations(model).filter(({ list }) => list)
      if (lists.length > 0 && chance(0.3)) {
        const list = pick(lists)
        relations["_count"] = chance(0.3)
          ? true
          : { select: { [list.name]: chance(0.5) ? true : { where: filter(modelOf(list.target), 0) } } }
      }
    }
    if (chance(0.4) && Object.keys({ ...scalars, ...relations }).length > 0)
      return { select: { ...scalars, ...relations } }
    return Object.keys(relations).length === 0 ? {} : { include: relations }
  }

  const read = (): Query => {
    const model = pick(models)
    const reads: Record<string, () => object> = {
      // Most of them of one row: those have the finest dependencies.
      findUnique: () => ({ where: whereUnique(model, undefined, 0.5), ...selection(model, pick([0, 0, 0, 1])) }),
      findFirst: () => rows(model, 1),
      findMany: () => rows(model, 2),
      count: () => ({ where: filter(model, 2) }),
      aggregate: () => ({ where: filter(model, 1), _count: { _all: true } }),
      groupBy: () => {
        const by = pick(filterable(model)).name
        return { by: [by], where: filter(model, 1), _count: true, orderBy: { [by]: "asc" } }
      }
    }
    const operation = pick(["findUnique", "findUnique", "findUnique", ...Object.keys(reads)])
    return { model: model.name, operation, args: reads[operation]!() }
  }

  return { write, read }
}
