/**
 * What the database does by itself when rows are deleted or referenced columns change: cascades, `SET NULL`,
 * `SET DEFAULT` and the join tables of implicit relations, as far as they go.
 */
import type { DataModel } from "./model.js"

/** @internal */
export interface Consequences {
  /** The models of which any row may change. */
  readonly bulk: ReadonlyArray<string>
  /** The models of which no row changes, but what it is related to. */
  readonly related: ReadonlyArray<string>
}

/** A field, or all of a row. */
interface Event {
  readonly model: string
  readonly field: string | undefined
}

const follow = (dataModel: DataModel, first: Event): Consequences => {
  const bulk = new Set<string>()
  const related = new Set<string>()
  const seen = new Set<string>()
  const pending = [first]
  const push = (event: Event) => {
    const name = `${event.model}.${event.field ?? ""}`
    if (seen.has(name)) return
    seen.add(name)
    pending.push(event)
  }
  for (let event = pending.pop(); event !== undefined; event = pending.pop()) {
    const model = dataModel.models.get(event.model)
    if (model === undefined) continue
    const { field } = event
    if (field === undefined || model.id.includes(field)) {
      for (const other of model.joinedWith) related.add(other)
    }
    for (const key of model.referencedBy) {
      if (field !== undefined && !key.references.includes(field)) continue
      const action = field === undefined ? key.onDelete : key.onUpdate
      if (action === "Nothing") continue
      bulk.add(key.model)
      if (action === "Delete") push({ model: key.model, field: undefined })
      else for (const changed of key.fields) push({ model: key.model, field: changed })
    }
  }
  return { bulk: [...bulk], related: [...related].filter((name) => !bulk.has(name)) }
}

const known = new WeakMap<DataModel, Map<string, Consequences>>()

const remembered = (dataModel: DataModel, event: Event): Consequences => {
  let ofModel = known.get(dataModel)
  if (ofModel === undefined) known.set(dataModel, ofModel = new Map())
  const name = `${event.model}.${event.field ?? ""}`
  const found = ofModel.get(name)
  if (found !== undefined) return found
  const made = follow(dataModel, event)
  ofModel.set(name, made)
  return made
}

/**
 * What else happens when rows of a model are deleted.
 *
 * @internal
 */
export const consequencesOfDelete = (dataModel: DataModel, model: string): Consequences =>
  remembered(dataModel, { model, field: undefined })

/**
 * What else happens when a field of a model's rows changes.
 *
 * @internal
 */
export const consequencesOfChange = (dataModel: DataModel, model: string, field: string): Consequences =>
  remembered(dataModel, { model, field })
