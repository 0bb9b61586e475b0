/**
 * What a read depends on. Whatever its arguments mention counts, whether or not it can change the answer; arguments
 * that are not understood make it depend on every model.
 */
import { isMembers, isSkip, Odd } from "./members.js"
import { readRow } from "./rowRead.js"
import type { RowRead } from "./rowRead.js"
import { everyTag } from "./schema/model.js"
import type { DataModel, Model, Tag } from "./schema/model.js"

/** @internal */
export interface ReadDependencies {
  /** Those that are known before the query. */
  readonly tags: ReadonlyArray<Tag>
  /** The models that the answer is made of. */
  readonly models: ReadonlyArray<string>
  /** For a read of one row by a unique key, which does not depend on its model as a whole. */
  readonly row: RowRead | undefined
}

/** The models that a walk through the arguments has come by. */
class Walk {
  readonly models: Array<Model> = []
  constructor(readonly dataModel: DataModel) {}
  enter(name: string): Model {
    const model = this.dataModel.models.get(name)
    if (model === undefined || model.view) throw new Odd()
    if (!this.models.includes(model)) this.models.push(model)
    return model
  }
}

/**
 * What a read of a model depends on. `dataPath` is that of a fluent call, empty for any other.
 *
 * @internal
 */
export const readDependencies = (
  dataModel: DataModel,
  name: string,
  operation: string,
  args: unknown,
  dataPath: ReadonlyArray<string>
): ReadDependencies => {
  const walk = new Walk(dataModel)
  try {
    const model = walk.enter(name)
    if (operation === "aggregateRaw") throw new Odd()
    if (operation !== "findRaw") walkArguments(walk, model, args)
    walkPath(walk, model, dataPath)
    const ofOneRow = dataModel.known && dataPath.length === 0 && findsUnique.has(operation)
    const row = ofOneRow ? readRow(model, args) : undefined
    if (row !== undefined) return { tags: row.tags, models: [name], row: row.read }
  } catch {
    // Arguments nested beyond what the stack holds end here too.
    return dependOnEverything(dataModel)
  }
  return dependOn(walk.models)
}

/**
 * What a raw query depends on that reads these models. Left out, or with a name that is no model's: everything.
 *
 * @internal
 */
export const readsOf = (dataModel: DataModel, names: ReadonlyArray<string> | undefined): ReadDependencies => {
  const walk = new Walk(dataModel)
  try {
    if (names === undefined) throw new Odd()
    for (const name of names) walk.enter(name)
  } catch {
    return dependOnEverything(dataModel)
  }
  return dependOn(walk.models)
}

const findsUnique = new Set(["findUnique", "findUniqueOrThrow"])

const single = new WeakMap<Model, ReadDependencies>()

const dependOn = (models: ReadonlyArray<Model>): ReadDependencies => {
  const [first] = models
  const alone = models.length === 1 ? first : undefined
  const known = alone === undefined ? undefined : single.get(alone)
  if (known !== undefined) return known
  const made = { tags: models.map(({ tags }) => tags.model), models: models.map(({ name }) => name), row: undefined }
  if (alone !== undefined) single.set(alone, made)
  return made
}

const dependOnEverything = (dataModel: DataModel): ReadDependencies => ({
  tags: dataModel.models.size === 0 ? [everyTag] : [...dataModel.models.values()].map(({ tags }) => tags.model),
  models: [...dataModel.models.keys()],
  row: undefined
})

// ---------------------------------------------------------------------------------------------------------------------
// the walk
// ---------------------------------------------------------------------------------------------------------------------

const walkArguments = (walk: Walk, model: Model, args: unknown): void => {
  if (args === undefined || args === null || args === true) return
  if (!isMembers(args)) throw new Odd()
  for (const name in args) {
    const value = args[name]
    if (value === undefined) continue
    switch (name) {
      case "where":
      case "cursor":
      case "having":
        walkFilter(walk, model, value, false)
        break
      case "orderBy":
        walkOrder(walk, model, value)
        break
      case "select":
      case "include":
        // What `count` selects are fields, and the number of rows as `_all`.
        walkSelection(walk, model, value)
        break
      case "take":
      case "skip":
      case "distinct":
      case "omit":
      case "by":
      case "relationLoadStrategy":
      case "_count":
      case "_avg":
      case "_sum":
      case "_min":
      case "_max":
        break
      default:
        throw new Odd()
    }
  }
}

const connectives = new Set(["AND", "OR", "NOT"])
const quantifiers = new Set(["some", "every", "none", "is", "isNot"])

/** A filter on a model, or on a relation to it: there it may stand behind a quantifier. */
const walkFilter = (walk: Walk, model: Model, filter: unknown, related: boolean): void => {
  if (filter === null || filter === undefined) return
  if (Array.isArray(filter)) {
    for (const one of filter) walkFilter(walk, model, one, related)
    return
  }
  if (!isMembers(filter)) {
    if (isSkip(filter)) return
    throw new Odd()
  }
  for (const name in filter) {
    const value = filter[name]
    if (value === undefined) continue
    // First, as a field may be called `some` or `is`.
    if (related && quantifiers.has(name)) {
      walkFilter(walk, model, value, false)
      continue
    }
    const field = model.fields.get(name)
    if (field === undefined) {
      if (connectives.has(name)) walkFilter(walk, model, value, false)
      else if (!isCompositeKey(walk, model, name, value)) throw new Odd()
    } else if (field._tag === "Relation") walkFilter(walk, walk.enter(field.target), value, true)
  }
}

/** Without a schema the names of composite keys are not known: they have nothing but fields in them. */
const isCompositeKey = ({ dataModel }: Walk, model: Model, name: string, value: unknown): boolean => {
  if (dataModel.known) return model.keysByName.has(name)
  return isMembers(value) && Object.keys(value).every((field) => model.fields.get(field)?._tag === "Scalar")
}

const walkOrder = (walk: Walk, model: Model, order: unknown): void => {
  if (Array.isArray(order)) {
    for (const one of order) walkOrder(walk, model, one)
    return
  }
  if (!isMembers(order)) throw new Odd()
  for (const name in order) {
    const value = order[name]
    const field = model.fields.get(name)
    if (value === undefined || isAggregate(name)) continue
    if (field === undefined) throw new Odd()
    if (field._tag === "Relation") walkOrder(walk, walk.enter(field.target), value)
  }
}

/** `_count`, `_avg`, `_relevance`, …: of the fields of one model. A relation's `_count` is walked with the relation. */
const isAggregate = (name: string): boolean => name.startsWith("_")

const walkSelection = (walk: Walk, model: Model, selection: unknown): void => {
  if (!isMembers(selection)) throw new Odd()
  for (const name in selection) {
    const value = selection[name]
    if (value === undefined || value === false || value === null) continue
    const field = model.fields.get(name)
    if (field?._tag === "Relation") walkArguments(walk, walk.enter(field.target), value)
    else if (field === undefined && name === "_count") walkCounts(walk, model, value)
    // A computed field is made of fields of its model, which are never relations.
    else if (field === undefined && value !== true) throw new Odd()
  }
}

const walkCounts = (walk: Walk, model: Model, counts: unknown): void => {
  if (counts === true) {
    for (const field of model.fields.values()) {
      // Without a schema nobody knows which relations have many rows.
      if (field._tag === "Relation" && (field.list || !walk.dataModel.known)) walk.enter(field.target)
    }
    return
  }
  if (!isMembers(counts)) throw new Odd()
  for (const name in counts) {
    if (name !== "select") throw new Odd()
    walkSelection(walk, model, counts[name])
  }
}

/** The way of a fluent call: `select` and the name of a relation by turns. */
const walkPath = (walk: Walk, model: Model, dataPath: ReadonlyArray<string>): void => {
  let at = model
  for (let i = 1; i < dataPath.length; i += 2) {
    const field = at.fields.get(dataPath[i]!)
    if (field?._tag !== "Relation") throw new Odd()
    at = walk.enter(field.target)
  }
}
