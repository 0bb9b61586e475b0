import type { PrismaInternals } from "../../src/prisma/client.js"
import type { Model, RelationField, ScalarField, UniqueKey } from "../../src/prisma/schema/model.js"
import type { Pools, RowsOf } from "../prisma/soundness/randomQueries.js"
import type { Random } from "../prisma/soundness/random.js"
import type { Schema } from "../prisma/soundness/schemaOf.js"
import { shown } from "./outcome.js"
import { templateOf } from "./raw.js"
import type { Tables } from "./raw.js"
import { isKeyOf, lowerFirst, whereOf } from "./rows.js"

type Values = Record<string, unknown>
type Row = Readonly<Values>

/** A query, as it can be sent to any client. */
export interface Read {
  /** Which of the kinds it is. */
  readonly kind: string
  readonly text: string
  /** The models that the answer is made of. */
  readonly models: ReadonlySet<string>
  /** For a query of nothing but the columns of one row by one of its keys: which row. */
  readonly row: { readonly model: Model; readonly values: Row } | undefined
  /** With the `cache` option for a client with a cache, without one for a bare client. */
  readonly send: (client: PrismaInternals, cache?: object) => PromiseLike<unknown>
}

/** What a kind makes of a model; `undefined` where the model has not what it takes. */
interface Shape {
  readonly operation: string
  readonly args?: Values
  /** For what only a client can say: its references to fields. */
  readonly argsFor?: (delegate: PrismaInternals) => Values
  /** The calls that follow on the first. */
  readonly calls?: ReadonlyArray<readonly [relation: string, args: Values]>
  readonly row?: Row
  readonly raw?: string
}

/** What stands for a client's references to fields where they are only shown. */
const fields = new Proxy({}, { get: (_, name) => `the field ${String(name)}` })

/** What no row has. */
const nowhere: Readonly<Values> = {
  Int: 4711,
  BigInt: 4711n,
  Float: 47.11,
  Decimal: "47.11",
  String: "zz",
  DateTime: new Date(Date.UTC(1999, 0, 1)),
  Bytes: new Uint8Array([47, 11])
}

const numeric = new Set(["Int", "BigInt", "Float", "Decimal"])

export interface Reads {
  readonly kinds: ReadonlyArray<string>
  readonly read: () => Read
  /** A query for the columns of this row, by one of its keys. */
  readonly about: (model: Model, row: Row) => Read | undefined
}

/** Random queries of every kind, about rows that are there for the most part. */
export const randomReads = (schema: Schema, own: Pools, tables: Tables, random: Random, rowsOf: RowsOf): Reads => {
  const { below, chance, pick } = random
  // As often as they are written.
  const models = [...schema.dataModel.models.values()].flatMap((model) => [model, ...schema.relations(model).map(() => model)])
  const modelOf = (name: string) => schema.dataModel.models.get(name)!
  const asc = () => pick(["asc", "desc"])

  /** The models that the query in the making has come by. */
  let seen = new Set<string>()
  const targetOf = ({ target }: RelationField): Model => {
    seen.add(target)
    return modelOf(target)
  }

  const pickOr = <A>(list: ReadonlyArray<A>): A | undefined => (list.length === 0 ? undefined : pick(list))

  // -------------------------------------------------------------------------------------------------------------------
  // values
  // -------------------------------------------------------------------------------------------------------------------

  const isUuid = (model: Model, { name }: ScalarField) => String(own[`${model.name}.${name}`]?.[0]).length === 36

  const absentValue = (model: Model, field: ScalarField): unknown =>
    isUuid(model, field)
      ? "ffffffff-ffff-4fff-8fff-ffffffffffff"
      : (nowhere[field.type] ?? pickOr(schema.enumValues(field.type)) ?? true)

  const usable = (value: unknown) =>
    value !== null && value !== undefined && !(value instanceof Date && Number.isNaN(value.getTime()))

  /** A value that some row has in a field, else one that none has. */
  const valueIn = (model: Model, field: ScalarField): unknown => {
    const values = rowsOf(model).map((row) => row[field.name]).filter(usable)
    return values.length > 0 && chance(0.9) ? pick(values) : absentValue(model, field)
  }

  // -------------------------------------------------------------------------------------------------------------------
  // fields
  // -------------------------------------------------------------------------------------------------------------------

  const scalars = (model: Model) => schema.scalars(model)
  const comparable = (model: Model) =>
    scalars(model).filter(({ list, type }) => !list && !["Json", "Bytes"].includes(type))
  const isEnum = ({ type }: ScalarField) => schema.enumValues(type).length > 0
  const ordered = (model: Model) => comparable(model).filter((field) => !isEnum(field) && field.type !== "Boolean")
  /** Those of which a `where` for one row takes conditions, which it would take for another key otherwise. */
  const conditional = (model: Model) => comparable(model).filter(({ unique }) => !unique)
  const lists = (model: Model) => schema.relations(model).filter(({ list }) => list)
  const ones = (model: Model) => schema.relations(model).filter(({ list }) => !list)

  const stable = (model: Model): ReadonlyArray<Values> => model.id.map((name) => ({ [name]: "asc" }))

  const columns = (model: Model): Values => {
    const some = scalars(model).filter(() => chance(0.4))
    return Object.fromEntries((some.length === 0 ? [pick(scalars(model))] : some).map(({ name }) => [name, true]))
  }

  // -------------------------------------------------------------------------------------------------------------------
  // conditions
  // -------------------------------------------------------------------------------------------------------------------

  const condition = (model: Model, fields = comparable(model)): Values => {
    const field = pickOr(fields)
    if (field === undefined) return {}
    const value = valueIn(model, field)
    if (field.type === "Boolean" || isEnum(field)) return { [field.name]: value }
    const operators = ["equals", "not", "lt", "gte", "in", "notIn"]
    const isText = field.type === "String" && !isUuid(model, field)
    const operator = pick(isText ? [...operators, "contains", "startsWith"] : operators)
    if (operator === "in" || operator === "notIn") return { [field.name]: { [operator]: [value, valueIn(model, field)] } }
    return { [field.name]: chance(0.3) ? value : { [operator]: value } }
  }

  const where = (model: Model, depth = 0): Values => {
    const relation = depth > 0 && chance(0.5) ? pickOr(schema.relations(model)) : undefined
    if (relation === undefined) return chance(0.8) ? condition(model) : { [pick(["AND", "OR", "NOT"])]: [condition(model), condition(model)] }
    return through(relation, pick(relation.list ? ["some", "every", "none"] : ["is", "isNot"]), depth)
  }

  const through = (relation: RelationField, quantifier: string, depth: number): Values => {
    const target = targetOf(relation)
    return { [relation.name]: { [quantifier]: chance(0.2) ? {} : where(target, depth - 1) } }
  }

  const related = (model: Model, quantifier: string): Shape | undefined => {
    const relation = pickOr(["is", "isNot"].includes(quantifier) ? ones(model) : lists(model))
    if (relation === undefined) return undefined
    return { operation: "findMany", args: { where: through(relation, quantifier, 1), orderBy: stable(model) } }
  }

  // -------------------------------------------------------------------------------------------------------------------
  // one row
  // -------------------------------------------------------------------------------------------------------------------

  /** The values of a key in a row that is there, and the row; or values that no row has. */
  const keyed = (model: Model, key: UniqueKey, absent = chance(0.1)): { readonly where: Values; readonly row: Row } => {
    const known = absent ? undefined : pickOr(rowsOf(model).filter((row) => key.fields.every((name) => usable(row[name]))))
    const values = Object.fromEntries(
      key.fields.map((name) => {
        const field = model.fields.get(name) as ScalarField
        return [name, known === undefined ? absentValue(model, field) : known[name]]
      })
    )
    return { where: key.fields.length === 1 ? values : { [key.name]: values }, row: values }
  }

  type Which = "id" | "unique" | "compound" | "any"

  const keyOf = (model: Model, which: Which): UniqueKey | undefined => {
    const isId = ({ fields }: UniqueKey) => fields.length === model.id.length && fields.every((name) => model.id.includes(name))
    return pickOr(
      model.keys.filter((key) =>
        which === "any" ? true : which === "id" ? isId(key) : which === "unique" ? !isId(key) && key.fields.length === 1 : key.fields.length > 1
      )
    )
  }

  const one = (
    which: Which,
    operation: string,
    more: (model: Model) => Values | undefined,
    isOfColumns: boolean,
    absent?: boolean
  ) =>
  (model: Model): Shape | undefined => {
    const key = keyOf(model, which)
    const rest = key === undefined ? undefined : more(model)
    if (key === undefined || rest === undefined) return undefined
    const found = keyed(model, key, absent)
    const { where: conditions, ...args } = rest
    return {
      operation,
      args: { where: { ...(conditions as Values), ...found.where }, ...args },
      ...(isOfColumns ? { row: found.row } : {})
    }
  }

  const all = () => ({})
  const selected = (model: Model) => ({ select: columns(model) })
  const omitted = (model: Model) => {
    const left = pickOr(scalars(model).filter(({ name }) => scalars(model).length > 1 && name !== scalars(model)[0]?.name))
    return left && { omit: { [left.name]: true } }
  }
  const conditioned = (model: Model) => {
    const fields = conditional(model)
    return fields.length === 0 ? undefined : { where: condition(model, fields) }
  }

  // -------------------------------------------------------------------------------------------------------------------
  // selections
  // -------------------------------------------------------------------------------------------------------------------

  const rows = (model: Model, depth: number): Values => ({
    ...(chance(0.5) ? { where: where(model, 1) } : {}),
    orderBy: [...(chance(0.3) ? [{ [pick(comparable(model)).name]: asc() }] : []), ...stable(model)],
    ...(chance(0.4) ? { take: 1 + below(3) } : {}),
    ...(chance(0.1) ? { skip: 1 } : {}),
    ...(depth > 0 ? deeper(model, depth) : {})
  })

  const deeper = (model: Model, depth: number): Values => {
    const relation = pickOr(schema.relations(model))
    if (relation === undefined || chance(0.2)) return {}
    const target = targetOf(relation)
    const inner = relation.list ? rows(target, depth - 1) : depth > 1 && chance(0.5) ? deeper(target, depth - 1) : {}
    const asked = Object.keys(inner).length === 0 ? true : inner
    return chance(0.5) ? { include: { [relation.name]: asked } } : { select: { ...columns(model), [relation.name]: asked } }
  }

  const including = (among: (model: Model) => ReadonlyArray<RelationField>, inner: (target: Model, list: boolean) => unknown) => (model: Model) => {
    const relation = pickOr(among(model))
    return relation && { include: { [relation.name]: inner(targetOf(relation), relation.list) } }
  }
  const toOne = including(ones, () => true)
  const toMany = including(lists, (target) => ({ orderBy: stable(target) }))
  const toSome = including(lists, (target) => rows(target, 0))
  const nested = including(schema.relations, (target, list) => (list ? rows(target, 2) : orTrue(deeper(target, 2))))
  const orTrue = (inner: Values): unknown => (Object.keys(inner).length === 0 ? true : inner)

  const counting = (filtered: boolean) => (model: Model) => {
    const relation = pickOr(lists(model))
    if (relation === undefined) return undefined
    if (!filtered && chance(0.5)) {
      for (const other of lists(model)) targetOf(other)
      return { include: { _count: true } }
    }
    const target = targetOf(relation)
    return { include: { _count: { select: { [relation.name]: filtered ? { where: where(target, 1) } : true } } } }
  }

  const selectedThrough = (model: Model) => {
    const relation = pickOr(schema.relations(model))
    if (relation === undefined) return undefined
    const target = targetOf(relation)
    const asked = relation.list ? rows(target, 1) : orTrue(deeper(target, 1))
    return { select: { ...columns(model), [relation.name]: asked } }
  }

  // -------------------------------------------------------------------------------------------------------------------
  // many rows
  // -------------------------------------------------------------------------------------------------------------------

  const many = (operation: string, more: (model: Model) => Values | undefined) => (model: Model): Shape | undefined => {
    const args = more(model)
    return args && { operation, args: { orderBy: stable(model), ...args } }
  }

  const byRelation = (counted: boolean) => (model: Model): Values | undefined => {
    const relation = pickOr(counted ? lists(model) : ones(model))
    if (relation === undefined) return undefined
    const target = targetOf(relation)
    const order = counted ? { _count: asc() } : { [pick(comparable(target)).name]: asc() }
    return { ...(chance(0.5) ? { where: where(model) } : {}), orderBy: [{ [relation.name]: order }, ...stable(model)] }
  }

  const distinct = (model: Model): Values => {
    const { name } = pick(comparable(model))
    return { distinct: [name], orderBy: [{ [name]: asc() }, ...stable(model)], ...(chance(0.5) ? { where: where(model, 1) } : {}) }
  }

  const cursor = (model: Model): Values => ({
    cursor: keyed(model, pick(model.keys)).where,
    take: pick([-2, 1, 3]),
    ...(chance(0.5) ? { skip: 1 } : {}),
    ...(chance(0.3) ? deeper(model, 1) : {})
  })

  const compared = (model: Model): Shape | undefined => {
    const [one, other] = [pickOr(ordered(model)), pickOr(ordered(model))]
    if (one === undefined || other === undefined || one.type !== other.type) return undefined
    return {
      operation: "findMany",
      argsFor: (delegate) => ({ where: { [one.name]: { lte: delegate["fields"][other.name] } }, orderBy: stable(model) })
    }
  }

  // -------------------------------------------------------------------------------------------------------------------
  // figures
  // -------------------------------------------------------------------------------------------------------------------

  const figures = (model: Model): Values => {
    const numbers = scalars(model).filter(({ list, type }) => !list && numeric.has(type))
    const field = pickOr(numbers)
    const least = pickOr(ordered(model))
    return {
      _count: chance(0.5) ? { _all: true } : { _all: true, [pick(scalars(model)).name]: true },
      ...(field === undefined ? {} : { _sum: { [field.name]: true }, _avg: { [field.name]: true } }),
      ...(least === undefined ? {} : { _min: { [least.name]: true }, _max: { [least.name]: true } })
    }
  }

  const groups = (size: number, more: (model: Model, by: ReadonlyArray<ScalarField>) => Values | undefined) => (model: Model): Shape | undefined => {
    const by = comparable(model).filter(() => chance(0.5)).slice(0, size)
    const rest = by.length === 0 ? undefined : more(model, by)
    if (rest === undefined) return undefined
    const orderBy = by.map(({ name }) => ({ [name]: "asc" }))
    return { operation: "groupBy", args: { by: by.map(({ name }) => name), orderBy, ...rest } }
  }

  const having = (model: Model, [first]: ReadonlyArray<ScalarField>): Values | undefined => {
    if (first === undefined) return undefined
    const number = pickOr(scalars(model).filter(({ list, type }) => !list && numeric.has(type)))
    const figure = number === undefined || chance(0.4)
      ? { [first.name]: { _count: { [pick(["gt", "lte", "equals"])]: 1 } } }
      : { [number.name]: { [pick(["_min", "_max", "_avg"])]: { gte: 2 } } }
    return { _count: { _all: true }, having: chance(0.2) ? { OR: [figure, condition(model, [first])] } : figure }
  }

  // -------------------------------------------------------------------------------------------------------------------
  // calls on calls, and raw SQL
  // -------------------------------------------------------------------------------------------------------------------

  const fluent = (
    operation: string,
    first: (model: Model) => ReadonlyArray<RelationField>,
    second?: (model: Model) => ReadonlyArray<RelationField>
  ) =>
  (model: Model): Shape | undefined => {
    const relation = pickOr(first(model))
    if (relation === undefined) return undefined
    const found = keyed(model, pick(model.keys))
    const args = (field: RelationField, target: Model): Values =>
      field.list ? rows(target, 1) : chance(0.3) ? { select: columns(target) } : {}
    const target = targetOf(relation)
    const next = second === undefined ? undefined : pickOr(second(target))
    if (second !== undefined && next === undefined) return undefined
    const calls: Array<readonly [string, Values]> = next === undefined
      ? [[relation.name, args(relation, target)]]
      : [[relation.name, {}], [next.name, args(next, targetOf(next))]]
    return { operation, args: { where: found.where }, calls }
  }

  const table = (model: Model): Shape => {
    const columns = scalars(model).filter(() => chance(0.7)).map(({ name }) => tables.column(model, name))
    const list = columns.length === 0 ? "count(*) AS n" : `${columns.join(", ")}`
    const order = columns.length === 0 ? "" : ` ORDER BY ${tables.id(model)}`
    return { operation: "$queryRaw", raw: `SELECT ${list} FROM ${tables.table(model)}${order}` }
  }

  const joined = (model: Model): Shape | undefined => {
    const key = pickOr(
      schema.relations(model).flatMap((field) =>
        field.link._tag === "Columns" && field.link.here !== undefined ? [{ field, key: field.link.here }] : [])
    )
    if (key === undefined) return undefined
    const target = targetOf(key.field)
    const on = key.key.fields
      .map((name, i) => `a.${tables.column(model, name)} = b.${tables.column(target, key.key.references[i] ?? "")}`)
      .join(" AND ")
    const both = `${tables.table(model)} a JOIN ${tables.table(target)} b ON ${on}`
    return { operation: "$queryRaw", raw: `SELECT count(*) AS n FROM ${both}` }
  }

  const implicitly = (): Shape | undefined => {
    const join = pickOr(tables.joins)
    if (join === undefined) return undefined
    seen = new Set(join.ends)
    return { operation: "$queryRaw", raw: `SELECT "A", "B" FROM ${join.table} ORDER BY "A", "B"` }
  }

  const kinds: Readonly<Record<string, (model: Model) => Shape | undefined>> = {
    "findUnique by id": one("id", "findUnique", all, true),
    "findUnique by a unique field": one("unique", "findUnique", all, true),
    "findUnique by a compound key": one("compound", "findUnique", all, true),
    "findUnique by id, select": one("id", "findUnique", selected, true),
    "findUnique by a unique field, select": one("unique", "findUnique", selected, true),
    "findUnique by a compound key, select": one("compound", "findUnique", selected, true),
    "findUnique, omit": one("any", "findUnique", omitted, true),
    "findUnique of no row": one("any", "findUnique", all, false, true),
    "findUnique with conditions": one("any", "findUnique", conditioned, false),
    "findUnique with a condition on a relation": one("any", "findUnique", (model) => {
      const relation = pickOr(schema.relations(model))
      return relation && { where: through(relation, pick(relation.list ? ["some", "every", "none"] : ["is", "isNot"]), 1) }
    }, false),
    "findUnique, include one": one("any", "findUnique", toOne, false),
    "findUnique, include many": one("any", "findUnique", toMany, false),
    "findUnique, include with where, orderBy, take": one("any", "findUnique", toSome, false),
    "findUnique, nested include": one("any", "findUnique", nested, false),
    "findUnique, select through a relation": one("any", "findUnique", selectedThrough, false),
    "findUnique, _count": one("any", "findUnique", counting(false), false),
    "findUnique, filtered _count": one("any", "findUnique", counting(true), false),
    "findUniqueOrThrow by id": one("id", "findUniqueOrThrow", all, true),
    "findUniqueOrThrow, select": one("any", "findUniqueOrThrow", selected, true),
    "findUniqueOrThrow of no row": one("any", "findUniqueOrThrow", all, false, true),
    "findUniqueOrThrow, include": one("any", "findUniqueOrThrow", nested, false),
    "findFirst": many("findFirst", (model) => ({ where: where(model) })),
    "findFirst by a relation": many("findFirst", (model) => ({ where: where(model, 2), ...(chance(0.5) ? { skip: 1 } : {}) })),
    "findFirst, include": many("findFirst", nested),
    "findFirstOrThrow": many("findFirstOrThrow", (model) => ({ where: where(model, 1), ...deeper(model, 1) })),
    "findMany": many("findMany", all),
    "findMany, where": many("findMany", (model) => ({ where: where(model) })),
    "findMany, AND OR NOT": many("findMany", (model) => ({ where: { OR: [where(model, 1), { NOT: where(model, 1) }], AND: [where(model)] } })),
    "findMany, some": (model) => related(model, "some"),
    "findMany, every": (model) => related(model, "every"),
    "findMany, none": (model) => related(model, "none"),
    "findMany, is": (model) => related(model, "is"),
    "findMany, isNot": (model) => related(model, "isNot"),
    "findMany, a relation that is null": many("findMany", (model) => {
      const relation = pickOr(ones(model).filter(({ optional }) => optional))
      if (relation === undefined) return undefined
      targetOf(relation)
      return { where: { [relation.name]: chance(0.5) ? null : { isNot: null } } }
    }),
    "findMany, conditions two relations away": many("findMany", (model) => {
      const relation = pickOr(schema.relations(model))
      const next = relation === undefined ? undefined : pickOr(schema.relations(modelOf(relation.target)))
      if (relation === undefined || next === undefined) return undefined
      targetOf(relation)
      const inner = through(next, next.list ? "some" : "isNot", 1)
      return { where: { [relation.name]: { [relation.list ? "some" : "is"]: inner } } }
    }),
    "findMany, fields compared": compared,
    "findMany, orderBy a relation's field": many("findMany", byRelation(false)),
    "findMany, orderBy a relation's count": many("findMany", byRelation(true)),
    "findMany, distinct": many("findMany", distinct),
    "findMany, cursor": many("findMany", cursor),
    "findMany, take and skip": many("findMany", (model) => ({ take: pick([-2, -1, 1, 2, 3]), skip: below(2), where: where(model, 1) })),
    "findMany, nested include": many("findMany", nested),
    "findMany, select through a relation": many("findMany", selectedThrough),
    "findMany, _count": many("findMany", counting(false)),
    "findMany, filtered _count": many("findMany", counting(true)),
    "findMany, omit": many("findMany", omitted),
    "count": (model) => ({ operation: "count", args: chance(0.3) ? {} : { where: where(model) } }),
    "count by a relation": (model) => ({ operation: "count", args: { where: where(model, 2) } }),
    "count, select": (model) => ({ operation: "count", args: { select: { _all: true, ...columns(model) } } }),
    "count of a page": (model) => ({ operation: "count", args: { orderBy: stable(model), take: 2, skip: below(2) } }),
    "aggregate": (model) => ({ operation: "aggregate", args: figures(model) }),
    "aggregate by a relation": (model) => ({ operation: "aggregate", args: { where: where(model, 1), ...figures(model) } }),
    "groupBy": groups(1, (model) => figures(model)),
    "groupBy two fields": groups(2, (model) => ({ where: where(model, 1), ...figures(model) })),
    "groupBy, having": groups(1, having),
    "fluent to one": fluent("findUnique", ones),
    "fluent to many": fluent("findUnique", lists),
    "fluent on findUniqueOrThrow": fluent("findUniqueOrThrow", schema.relations),
    "fluent, two calls": fluent("findUnique", ones, schema.relations),
    "raw SQL on a table": table,
    "raw SQL on two tables": joined,
    "raw SQL on a join table": implicitly,
    "a query that Prisma rejects": (model) => ({
      operation: pick(["findMany", "findFirst"]),
      args: { where: { nosuchfield: below(5) }, orderBy: stable(model) }
    })
  }

  const make = (kind: string, model: Model, shape: Shape): Read => {
    const { argsFor, calls = [], operation, raw, row } = shape
    const reached = [...seen]
    const argsOf = (client: PrismaInternals): Values => argsFor?.(client[lowerFirst(model.name)]) ?? shape.args ?? {}
    const isTemplate = chance(0.5)
    const late = calls.length > 0 && chance(0.5)
    const ofModel = (client: PrismaInternals, cache: object | undefined): PromiseLike<unknown> => {
      const asking = (args: Values, here: boolean) => (cache !== undefined && here ? { ...args, cache } : args)
      let promise: PrismaInternals = client[lowerFirst(model.name)][operation](asking(argsOf(client), !late))
      calls.forEach(([relation, args], i) => {
        promise = promise[relation](asking(args, late && i === calls.length - 1))
      })
      return promise as PromiseLike<unknown> & PrismaInternals
    }
    const ofSql = (client: PrismaInternals, cache: object | undefined): PromiseLike<unknown> => {
      const promise = isTemplate ? client["$queryRaw"](templateOf(raw ?? "")) : client["$queryRawUnsafe"](raw)
      return cache === undefined ? promise : promise.cached({ ...cache, reads: reached })
    }
    const called = calls.map(([relation, args]) => `.${relation}(${shown(args)})`).join("")
    return {
      kind,
      text: raw === undefined
        ? `${model.name}.${operation}(${shown(argsFor === undefined ? shape.args : argsFor({ fields }))})${called}`
        : `$queryRaw ${raw} (reads ${reached.join(", ")})`,
      models: new Set(reached),
      row: row === undefined ? undefined : { model, values: row },
      send: raw === undefined ? ofModel : ofSql
    }
  }

  const names = Object.keys(kinds)
  /** Those of one row: they have the finest dependencies, so that there is the most to get wrong. */
  const rowwise = names.filter((name) => /^findUnique(OrThrow)?( by|, select$|, omit)/.test(name))

  const read = (): Read => {
    for (;;) {
      const kind = pick(chance(0.2) ? rowwise : names)
      for (let attempt = 0; attempt < 10; attempt++) {
        const model = pick(models)
        if (rowsOf(model).length === 0 && chance(0.7)) continue
        seen = new Set([model.name])
        const shape = kinds[kind]?.(model)
        if (shape !== undefined) return make(kind, model, shape)
      }
    }
  }

  const about = (model: Model, row: Row): Read | undefined => {
    const key = pickOr(model.keys.filter(isKeyOf(row)))
    if (key === undefined) return undefined
    seen = new Set([model.name])
    const args = { where: whereOf(key, row), ...(chance(0.4) ? selected(model) : {}) }
    const values = Object.fromEntries(key.fields.map((name) => [name, row[name]]))
    return make("findUnique of a row that was written", model, { operation: "findUnique", args, row: values })
  }

  return { kinds: names, read, about }
}
