/**
 * What a write touches: every row that it may change, by a tag that whatever was made of the row depends on.
 */
import { identitiesIn } from "./identity.js"
import { each, isMembers, members, Odd } from "./members.js"
import type { Members } from "./members.js"
import { rowCreated, rowsUpdated } from "./nestedWrites.js"
import type { DataModel, Model, Tag } from "./schema/model.js"
import { everyModel, Gathering } from "./touched.js"

/** @internal */
export interface Reach {
  /** The models of which rows may change, and those that are related otherwise than before. */
  readonly models: ReadonlyArray<string>
  /** In the order in which they have to be invalidated: the models first. */
  readonly tags: ReadonlyArray<Tag>
  /** The identities of the row in a result that are not among the tags. Left out where a result cannot tell more. */
  readonly late: ((result: unknown) => ReadonlyArray<Tag>) | undefined
}

/**
 * What a write of a model touches. Arguments that are not understood, and any write of a client whose schema is not
 * known, touch everything.
 *
 * @internal
 */
export const writeReach = (dataModel: DataModel, name: string, operation: string, args: unknown): Reach => {
  const into = new Gathering(dataModel)
  try {
    if (!dataModel.known) throw new Odd()
    const model = into.modelOf(name)
    into.model(model)
    write(into, model, operation, args === undefined ? {} : members(args))
    const named = singleRow.has(operation) && !into.isBulk(model)
    return {
      models: into.models(),
      tags: into.tags(),
      late: named ? lateIdentities(model, into.identitiesOf(model)) : undefined
    }
  } catch {
    // Arguments nested beyond what the stack holds end here too.
    return { ...everyModel(dataModel), late: undefined }
  }
}

/**
 * What a raw statement touches that changes rows of these models, in whatever way, and the rows that depend on those.
 * Left out, or with a name that is no model's: everything.
 *
 * @internal
 */
export const rawReach = (dataModel: DataModel, names: ReadonlyArray<string> | undefined): Reach => {
  const into = new Gathering(dataModel)
  try {
    if (!dataModel.known || names === undefined) throw new Odd()
    for (const model of names.map((name) => into.modelOf(name))) {
      into.bulk(model)
      into.deleted(model)
      into.changed(model, model.id)
      for (const { references } of model.referencedBy) into.changed(model, references)
    }
    return { models: into.models(), tags: into.tags(), late: undefined }
  } catch {
    return { ...everyModel(dataModel), late: undefined }
  }
}

const write = (into: Gathering, model: Model, operation: string, args: Members): void => {
  const { create, data, update, where } = args
  switch (operation) {
    case "create":
      return rowCreated(into, model, data)
    case "createMany":
    case "createManyAndReturn":
      // Rows that were not there can have been read as absent, and in no other way.
      return into.absent(model)
    case "update":
      into.row(model, where)
      return rowsUpdated(into, model, data)
    case "updateMany":
    case "updateManyAndReturn":
      into.bulk(model)
      for (const one of each(data)) rowsUpdated(into, model, one)
      return
    case "upsert":
      into.row(model, where)
      rowCreated(into, model, create)
      return rowsUpdated(into, model, update)
    case "delete":
      into.row(model, where)
      return into.deleted(model)
    case "deleteMany":
      into.bulk(model)
      return into.deleted(model)
    default:
      throw new Odd()
  }
}

const singleRow = new Set(["create", "update", "upsert", "delete"])

const lateIdentities = (model: Model, known: ReadonlySet<Tag>) => (result: unknown): ReadonlyArray<Tag> =>
  isMembers(result) ? identitiesIn(model, result).filter((identity) => !known.has(identity)) : []
