/**
 * The identities of rows: one for each unique key whose values are known, the same in whatever form they are given.
 */
import { isMembers } from "./members.js"
import type { Members } from "./members.js"
import type { Model, Tag, UniqueKey } from "./schema/model.js"

/** `{ equals: x }` and `{ set: x }` say no more than `x`. */
const unwrapped = (value: unknown): unknown => {
  if (!isMembers(value)) return value
  const names = Object.keys(value)
  return names.length === 1 && (names[0] === "equals" || names[0] === "set") ? value[names[0]] : value
}

/**
 * The identity of a row with these values in the fields of a key; `undefined` if one is missing, `null` or no value of
 * its column, or if the database does not compare the key exactly.
 *
 * @internal
 */
export const identityOf = (key: UniqueKey, values: Members): Tag | undefined => {
  const { fields, forms } = key
  if (forms === undefined) return undefined
  let tag = key.prefix
  for (let i = 0; i < fields.length; i++) {
    const text = forms[i]?.(unwrapped(values[fields[i]!]))
    if (text === undefined) return undefined
    tag += fields.length === 1 ? text : `${text.length}:${text}`
  }
  return tag
}

/**
 * The identity that a member of `where` stands for: a field with a key of its own, or the name of a composite key.
 *
 * @internal
 */
export const identityInWhere = (key: UniqueKey, value: unknown): Tag | undefined => {
  if (key.fields.length > 1) return isMembers(value) ? identityOf(key, value) : undefined
  return identityOf(key, { [key.fields[0]!]: value })
}

/**
 * The identities in a `where` that is to find one row. Empty: which row is not known.
 *
 * @internal
 */
export const identitiesInWhere = (model: Model, where: unknown): ReadonlyArray<Tag> => {
  if (!isMembers(where)) return []
  const found: Array<Tag> = []
  for (const key of model.keys) {
    const value = where[key.name]
    const identity = value === undefined ? undefined : identityInWhere(key, value)
    if (identity !== undefined) found.push(identity)
  }
  return found
}

/**
 * The identities that can be told from the values of a row, or of the part of one.
 *
 * @internal
 */
export const identitiesIn = (model: Model, values: Members): ReadonlyArray<Tag> => {
  const found: Array<Tag> = []
  for (const key of model.keys) {
    const identity = identityOf(key, values)
    if (identity !== undefined) found.push(identity)
  }
  return found
}

/**
 * All identities of a row; `undefined` if the row does not tell them all. A key with a `null` in it finds no row.
 *
 * @internal
 */
export const allIdentities = (model: Model, row: Members): ReadonlyArray<Tag> | undefined => {
  const found: Array<Tag> = []
  for (const key of model.keys) {
    if (key.forms === undefined || key.fields.some((field) => row[field] === null)) continue
    const identity = identityOf(key, row)
    if (identity === undefined) return undefined
    found.push(identity)
  }
  return found
}
