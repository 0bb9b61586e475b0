/**
 * The unique keys of a model, as its schema declares them.
 */
import type { UniqueKey, ValueForm } from "./model.js"
import type { Argument, Attribute, Expression, ParsedField, ParsedModel } from "./parse.js"
import { formOf } from "./values.js"

/**
 * The argument of an attribute under a name or, as the `index`-th of those without one, by its place.
 *
 * @internal
 */
export const argumentOf = (args: ReadonlyArray<Argument>, name: string, index: number): Expression | undefined => {
  const found = args.find((argument) => argument.name === name) ??
    args.filter((argument) => argument.name === undefined)[index]
  return found?.value
}

/** @internal */
export const textOf = (value: Expression | undefined): string | undefined =>
  value?._tag === "Text" ? value.text : undefined

/**
 * The names in a list, without what stands behind them in parentheses.
 *
 * @internal
 */
export const namesOf = (value: Expression | undefined): ReadonlyArray<string> =>
  value?._tag === "List" ? value.items.flatMap((item) => (item._tag === "Name" ? [item.name] : [])) : []

const nativeType = (field: ParsedField): { readonly native: string; readonly size: string | undefined } => {
  const attribute = field.attributes.find(({ name }) => name.includes("."))
  const size = attribute?.args[0]?.value
  return {
    native: attribute === undefined ? "" : attribute.name.slice(attribute.name.indexOf(".") + 1),
    size: size === undefined ? undefined : size._tag === "Name" ? size.name : "?"
  }
}

const fieldForm = (provider: string | undefined, field: ParsedField, isEnum: boolean): ValueForm | undefined => {
  // A time that Prisma sets with every write is in no write's arguments.
  if (field.list || field.attributes.some(({ name }) => name === "updatedAt")) return undefined
  return formOf(provider, { type: field.type, ...nativeType(field) }, isEnum)
}

/** A key with a condition does not hold for all rows: it may find several. */
const isPartial = ({ args }: Attribute): boolean => args.some(({ name }) => name === "where")

interface Declared {
  readonly name: string
  readonly fields: ReadonlyArray<string>
  readonly partial: boolean
}

const declared = (model: ParsedModel): ReadonlyArray<Declared> => {
  const keys: Array<Declared> = []
  for (const { attributes, name } of model.fields) {
    const attribute = attributes.find((attribute) => attribute.name === "id" || attribute.name === "unique")
    if (attribute !== undefined) keys.push({ name, fields: [name], partial: isPartial(attribute) })
  }
  for (const attribute of model.attributes) {
    if (attribute.name !== "id" && attribute.name !== "unique") continue
    const fields = namesOf(argumentOf(attribute.args, "fields", 0))
    const composed = fields.map((field) => field.replaceAll(".", "_")).join("_")
    const name = fields.length === 1 ? composed : textOf(argumentOf(attribute.args, "name", 1)) ?? composed
    keys.push({ name, fields, partial: isPartial(attribute) })
  }
  return keys
}

/** @internal */
export const keysOf = (
  provider: string | undefined,
  model: ParsedModel,
  isEnum: (field: string) => boolean
): ReadonlyArray<UniqueKey> => {
  const keys = new Map<string, UniqueKey>()
  for (const { fields, name, partial } of declared(model)) {
    const forms: Array<ValueForm> = []
    for (const member of fields) {
      const field = model.fields.find((field) => field.name === member)
      const form = field === undefined ? undefined : fieldForm(provider, field, isEnum(member))
      if (form !== undefined) forms.push(form)
    }
    const exact = !partial && fields.length > 0 && forms.length === fields.length
    keys.set(name, { name, fields, forms: exact ? forms : undefined, prefix: `r:${model.name}:${name}:` })
  }
  return [...keys.values()]
}
