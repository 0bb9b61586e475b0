/**
 * Reads of one row by a unique key. Such a read depends on the row and not on its model: on every identity that the row
 * can be found by, since a write names it by any of them. So the result has to hold every field of the unique keys;
 * those that were not asked for are selected and taken away again.
 */
import { allIdentities, identityInWhere } from "./identity.js"
import { isMembers } from "./members.js"
import type { Members } from "./members.js"
import type { Model, Tag } from "./schema/model.js"

/** @internal */
export interface RowRead {
  readonly model: string
  /** The tag of the model, which the read falls back on. */
  readonly guard: Tag
  /** The tag of the rows of the model that are not there. */
  readonly absent: Tag
  /** The arguments with every field of the unique keys selected; the very same ones if they are. */
  readonly select: (args: Members) => Members
  /** The row as it was asked for; the very same one if nothing was added to it. */
  readonly strip: (row: unknown) => unknown
  /** What the result depends on besides; `undefined` if that cannot be told, so that it depends on the model. */
  readonly late: (row: unknown) => ReadonlyArray<Tag> | undefined
}

/** What a `where` says about the row that it is to find. */
interface Found {
  readonly identities: ReadonlyArray<Tag>
  /** Whether the row must also have something that does not identify it, so that it may be there and not be found. */
  readonly filtered: boolean
}

const find = (model: Model, where: unknown): Found | undefined => {
  if (!isMembers(where)) return undefined
  const identities: Array<Tag> = []
  let filtered = false
  for (const name in where) {
    const value = where[name]
    if (value === undefined) continue
    const key = model.keysByName.get(name)
    if (key === undefined && model.fields.get(name)?._tag !== "Scalar") return undefined
    const identity = key === undefined ? undefined : identityInWhere(key, value)
    if (identity === undefined || identities.length > 0) filtered = true
    if (identity !== undefined) identities.push(identity)
  }
  return identities.length === 0 ? undefined : { identities, filtered }
}

const nothing: ReadonlyArray<string> = []

/** The fields of unique keys that a selection leaves out; `undefined` if it is not made of fields alone. */
const missingIn = (model: Model, selection: Members): ReadonlyArray<string> | undefined => {
  let selected = false
  for (const name in selection) {
    const value = selection[name]
    if (value !== false && value !== true) return undefined
    // What a computed field needs is known to Prisma alone, and must not be taken away.
    if (model.fields.get(name)?._tag !== "Scalar") return undefined
    selected ||= value
  }
  // Prisma rejects a selection of nothing, which must not become one of something.
  if (!selected) return undefined
  return model.identifying.every((name) => selection[name] === true)
    ? nothing
    : model.identifying.filter((name) => selection[name] !== true)
}

const missing = (model: Model, args: Members): ReadonlyArray<string> | undefined => {
  let left: ReadonlyArray<string> | undefined = nothing
  for (const name in args) {
    const value = args[name]
    if (name === "where" || name === "relationLoadStrategy" || value === undefined) continue
    if (!isMembers(value)) return undefined
    if (name === "select") left = missingIn(model, value)
    else if (name === "omit") {
      // Computed fields may need what is omitted: that has to reach Prisma as it asked for it.
      for (const field of model.identifying) if (value[field] !== undefined && value[field] !== false) return undefined
    } else if (name !== "include" || Object.keys(value).length > 0) return undefined
    if (left === undefined) return undefined
  }
  return left
}

/**
 * The tags of a row-level read that are known before it is sent, and the rest of it. `undefined` for other reads.
 *
 * @internal
 */
export const readRow = (
  model: Model,
  args: unknown
): { readonly tags: ReadonlyArray<Tag>; readonly read: RowRead } | undefined => {
  if (!isMembers(args) || model.identifying.length === 0) return undefined
  const found = find(model, args["where"])
  if (found === undefined) return undefined
  const added = missing(model, args)
  if (added === undefined) return undefined
  const { absent, bulk, model: guard } = model.tags
  const tags = [...found.identities, bulk]
  return {
    tags,
    read: {
      model: model.name,
      guard,
      absent,
      select: (args) => added.length === 0 ? args : withSelected(args, added),
      strip: (row) => added.length === 0 || !isMembers(row) ? row : without(row, added),
      late: (row) => {
        // Which row did not meet the conditions, and by which of its identities it may come to meet them, is not known.
        if (row === null) return found.filtered ? undefined : [absent]
        const identities = isMembers(row) ? allIdentities(model, row) : undefined
        if (identities === undefined) return undefined
        // A row that is found by a value other than its own: the comparison is looser than the schema says.
        if (!found.identities.every((identity) => identities.includes(identity))) return undefined
        return identities.filter((identity) => !found.identities.includes(identity))
      }
    }
  }
}

/** In the order of the user's selection; what is added comes last. */
const withSelected = (args: Members, added: ReadonlyArray<string>): Members => {
  const selection: Record<string, unknown> = { ...args["select"] as Members }
  for (const name of added) selection[name] = true
  return { ...args, select: selection }
}

const without = (row: Members, names: ReadonlyArray<string>): Members => {
  const left: Record<string, unknown> = {}
  for (const name of Object.keys(row)) if (!names.includes(name)) left[name] = row[name]
  return left
}
