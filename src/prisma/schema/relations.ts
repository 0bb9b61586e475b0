/**
 * Where the relations of a schema are kept, and what deleting and changing rows does to the rows that refer to them.
 */
import { argumentOf, namesOf, textOf } from "./keys.js"
import type { ForeignKey, Link } from "./model.js"
import type { Expression, ParsedField, ParsedModel, ParsedSchema } from "./parse.js"

const relationOf = (field: ParsedField) => field.attributes.find(({ name }) => name === "relation")

const relationName = (field: ParsedField): string | undefined =>
  textOf(argumentOf(relationOf(field)?.args ?? [], "name", 0))

/** @internal */
export const idOf = (model: ParsedModel): ReadonlyArray<string> => {
  const single = model.fields.find(({ attributes }) => attributes.some(({ name }) => name === "id"))
  if (single !== undefined) return [single.name]
  const composite = model.attributes.find(({ name }) => name === "id")
  return composite === undefined ? [] : namesOf(argumentOf(composite.args, "fields", 0))
}

const actionOf = (value: Expression | undefined): string | undefined =>
  value === undefined ? undefined : value._tag === "Name" ? value.name : "?"

const onDelete = (action: string): ForeignKey["onDelete"] => {
  if (action === "Restrict" || action === "NoAction") return "Nothing"
  return action === "SetNull" || action === "SetDefault" ? "Change" : "Delete"
}

const foreignKeyOf = (model: ParsedModel, field: ParsedField, target: ParsedModel): ForeignKey | undefined => {
  const args = relationOf(field)?.args ?? []
  const fields = namesOf(argumentOf(args, "fields", Infinity))
  if (fields.length === 0) return undefined
  const references = namesOf(argumentOf(args, "references", Infinity))
  const columns = fields.map((name) => model.fields.find((column) => column.name === name))
  const required = !field.list && !field.optional &&
    columns.every((column) => column?.optional === false && !column.list)
  const deleted = actionOf(argumentOf(args, "onDelete", Infinity)) ?? (required ? "Restrict" : "SetNull")
  const updated = actionOf(argumentOf(args, "onUpdate", Infinity)) ?? "Cascade"
  return {
    model: model.name,
    fields,
    required,
    target: target.name,
    references: references.length === 0 ? idOf(target) : references,
    onDelete: onDelete(deleted),
    onUpdate: updated === "Restrict" || updated === "NoAction" ? "Nothing" : "Change"
  }
}

/** @internal */
export interface Relations {
  /** Where the relation is kept that a field of a model stands for. */
  readonly linkOf: (model: string, field: string) => Link
  readonly referencesTo: (model: string) => ReadonlyArray<ForeignKey>
  readonly joinedWith: (model: string) => ReadonlyArray<string>
}

/** @internal */
export const relationsOf = (schema: ParsedSchema): Relations => {
  const models = new Map(schema.models.map((model) => [model.name, model]))
  const links = new Map<string, Link>()
  const references = new Map<string, Array<ForeignKey>>()
  const joined = new Map<string, Array<string>>()

  const linkOf = (model: ParsedModel, field: ParsedField, target: ParsedModel): Link => {
    const name = relationName(field)
    const opposites = target.fields.filter((other) =>
      other.type === model.name && relationName(other) === name && (target !== model || other !== field))
    const [opposite] = opposites
    const here = foreignKeyOf(model, field, target)
    if (opposite === undefined || opposites.length > 1) {
      if (here === undefined) return { _tag: "Unknown" }
      return { _tag: "Columns", here, there: undefined, oneToOne: !field.list }
    }
    const there = foreignKeyOf(target, opposite, model)
    if (here !== undefined || there !== undefined) {
      return { _tag: "Columns", here, there, oneToOne: !field.list && !opposite.list }
    }
    return field.list && opposite.list ? { _tag: "JoinTable" } : { _tag: "Unknown" }
  }

  for (const model of schema.models) {
    for (const field of model.fields) {
      const target = models.get(field.type)
      if (target === undefined) continue
      const link = linkOf(model, field, target)
      links.set(`${model.name}.${field.name}`, link)
      if (link._tag === "Columns" && link.here !== undefined) {
        references.set(target.name, [...references.get(target.name) ?? [], link.here])
      }
      if (link._tag === "JoinTable") joined.set(model.name, [...joined.get(model.name) ?? [], target.name])
    }
  }

  return {
    linkOf: (model, field) => links.get(`${model}.${field}`) ?? { _tag: "Unknown" },
    referencesTo: (model) => references.get(model) ?? [],
    joinedWith: (model) => [...new Set(joined.get(model))]
  }
}
