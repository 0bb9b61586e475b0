/**
 * Makes the data model of a client out of the two halves that a client holds: its run-time data model, which says what
 * the arguments of a query mean, and the text of its schema, which says how the rows are tied together.
 */
import { keysOf } from "./keys.js"
import type { DataModel, Field, Model, UniqueKey } from "./model.js"
import { parseSchema } from "./parse.js"
import type { ParsedField, ParsedModel, ParsedSchema } from "./parse.js"
import { idOf, relationsOf } from "./relations.js"
import type { Relations } from "./relations.js"

/**
 * What a client knows of its models at run time.
 *
 * @internal
 */
export interface RuntimeDataModel {
  readonly models: Readonly<Record<string, { readonly fields: ReadonlyArray<RuntimeField> }>>
}

/** @internal */
export interface RuntimeField {
  readonly name: string
  /** `scalar`, `enum`, `object` or `unsupported`. */
  readonly kind: string
  readonly type: string
  readonly relationName?: string | undefined
}

/**
 * A client without a schema's text, with one that is not understood, or with one that is about other models, has a data
 * model that is not `known`: nothing is said about its relations, and each of its writes can change every row.
 *
 * @internal
 */
export const makeDataModel = (runtime: RuntimeDataModel | undefined, schema: string | undefined): DataModel => {
  const models = Object.entries(runtime?.models ?? {})
  const parsed = schema === undefined ? undefined : parseSchema(schema)
  const fits = parsed !== undefined && models.every(([name, { fields }]) => isAbout(parsed, name, fields))
  if (!fits || models.length === 0) {
    return { known: false, models: new Map(models.map(([name, { fields }]) => [name, unknownModel(name, fields)])) }
  }
  const relations = relationsOf(parsed)
  return {
    known: true,
    models: new Map(parsed.models.map((model) => {
      const { name } = model
      const fields = runtime?.models[name]?.fields
      const made = fields === undefined
        ? ignoredModel(model, relations)
        : knownModel(parsed, model, fields, relations)
      return [name, made]
    }))
  }
}

const tagsOf = (name: string): Model["tags"] => ({ model: `m:${name}`, bulk: `b:${name}`, absent: `a:${name}` })

const isRelation = (field: RuntimeField): boolean =>
  field.kind === "object" && field.relationName !== undefined && field.relationName !== null

const isAbout = ({ models }: ParsedSchema, name: string, fields: ReadonlyArray<RuntimeField>): boolean => {
  const model = models.find((model) => model.name === name)
  return model !== undefined && fields.every((field) =>
    model.fields.some(({ name, type }) => name === field.name && (type === field.type || field.kind === "unsupported")))
}

const fieldOf = (
  model: string,
  field: RuntimeField,
  parsed: ParsedField | undefined,
  unique: boolean,
  relations: Relations | undefined
): Field => {
  const { name, type } = field
  const list = parsed?.list ?? false
  const optional = parsed?.optional ?? true
  if (isRelation(field)) {
    const link = relations?.linkOf(model, name) ?? { _tag: "Unknown" }
    return { _tag: "Relation", name, target: type, list, optional, link }
  }
  return field.kind === "object" ? { _tag: "Composite", name } : { _tag: "Scalar", name, type, list, optional, unique }
}

const unknownModel = (name: string, fields: ReadonlyArray<RuntimeField>): Model => ({
  name,
  view: false,
  fields: new Map(fields.map((field) => [field.name, fieldOf(name, field, undefined, true, undefined)])),
  keys: [],
  keysByName: new Map(),
  identifying: [],
  referencedBy: [],
  joinedWith: [],
  id: [],
  tags: tagsOf(name)
})

/** No query names a model with `@@ignore`, but what happens to its rows can happen to rows that refer to them. */
const ignoredModel = (parsed: ParsedModel, relations: Relations): Model => ({
  name: parsed.name,
  view: parsed.view,
  fields: new Map(),
  keys: [],
  keysByName: new Map(),
  identifying: [],
  referencedBy: relations.referencesTo(parsed.name),
  joinedWith: relations.joinedWith(parsed.name),
  id: idOf(parsed),
  tags: tagsOf(parsed.name)
})

const knownModel = (
  { provider }: ParsedSchema,
  parsed: ParsedModel,
  fields: ReadonlyArray<RuntimeField>,
  relations: Relations
): Model => {
  const { name, view } = parsed
  // What the client does not know cannot be asked for, so no row is found by it.
  const keys = keysOf(provider, parsed, (field) => fields.some(({ kind, name }) => kind === "enum" && name === field))
    .filter((key) => key.fields.every((member) => usable(fields, member)))
  const byName = new Map(parsed.fields.map((field) => [field.name, field]))
  const isUnique = (field: string) => keys.some((key) => key.fields.includes(field))
  return {
    name,
    view,
    fields: new Map(fields.map((field) => [
      field.name,
      fieldOf(name, field, byName.get(field.name), isUnique(field.name), relations)
    ])),
    keys,
    keysByName: new Map(keys.map((key) => [key.name, key])),
    identifying: identifying(keys),
    referencedBy: relations.referencesTo(name),
    joinedWith: relations.joinedWith(name),
    id: idOf(parsed),
    tags: tagsOf(name)
  }
}

/** The first part of a path is enough: a key on part of a document has no form, but counts as a key. */
const usable = (fields: ReadonlyArray<RuntimeField>, member: string): boolean =>
  fields.some(({ kind, name }) => name === member.split(".")[0] && kind !== "unsupported")

const identifying = (keys: ReadonlyArray<UniqueKey>): ReadonlyArray<string> => [
  ...new Set(keys.flatMap((key) => (key.forms === undefined ? [] : key.fields)))
]
