/**
 * What a write touches, gathered while its arguments are walked.
 */
import { identitiesInWhere } from "./identity.js"
import { Odd } from "./members.js"
import { consequencesOfChange, consequencesOfDelete } from "./schema/consequences.js"
import type { Consequences } from "./schema/consequences.js"
import { everyTag } from "./schema/model.js"
import type { DataModel, Model, Tag } from "./schema/model.js"

interface Touched {
  /** Rows that the write does not name have changed. */
  bulk: boolean
  /** There may be rows that were not there, or that are found by something they were not found by. */
  absent: boolean
  readonly identities: Set<Tag>
}

/** @internal */
export class Gathering {
  private readonly touched = new Map<Model, Touched>()

  constructor(readonly dataModel: DataModel) {}

  /** The model of a name; a view's rows are those of other models, nobody knows of which. */
  modelOf(name: string): Model {
    const model = this.dataModel.models.get(name)
    if (model === undefined || model.view) throw new Odd()
    return model
  }

  /** What reads depend on that are not of one row. */
  model(model: Model): Touched {
    let touched = this.touched.get(model)
    if (touched === undefined) this.touched.set(model, touched = { bulk: false, absent: false, identities: new Set() })
    return touched
  }

  bulk(model: Model): void {
    this.model(model).bulk = true
  }

  absent(model: Model): void {
    this.model(model).absent = true
  }

  identities(model: Model, identities: ReadonlyArray<Tag>): void {
    const touched = this.model(model)
    for (const identity of identities) touched.identities.add(identity)
  }

  /** The row that a unique `where` finds; nobody knows which it is if that has no identity. */
  row(model: Model, where: unknown): void {
    const identities = identitiesInWhere(model, where)
    if (identities.length === 0) this.bulk(model)
    else this.identities(model, identities)
  }

  /** Rows are deleted that have been touched already. */
  deleted(model: Model): void {
    this.consequences(consequencesOfDelete(this.dataModel, model.name))
  }

  /** Fields have changed in rows that have been touched already. */
  changed(model: Model, fields: Iterable<string>): void {
    for (const name of fields) {
      const field = model.fields.get(name)
      // A field that Prisma does not know may be part of a key all the same.
      if (field === undefined || (field._tag === "Scalar" && field.unique)) this.absent(model)
      this.consequences(consequencesOfChange(this.dataModel, model.name, name))
    }
  }

  isBulk(model: Model): boolean {
    return this.touched.get(model)?.bulk === true
  }

  identitiesOf(model: Model): ReadonlySet<Tag> {
    return this.model(model).identities
  }

  models(): ReadonlyArray<string> {
    return [...this.touched.keys()].map(({ name }) => name)
  }

  /** The models first: a reader that finds one of them alive may rely on it that the rest is still alive too. */
  tags(): ReadonlyArray<Tag> {
    const tags: Array<Tag> = []
    for (const { tags: { model } } of this.touched.keys()) tags.push(model)
    for (const [model, { absent, bulk, identities }] of this.touched) {
      // Whatever depends on a row or on its absence depends on the bulk tag too.
      if (bulk) {
        tags.push(model.tags.bulk)
        continue
      }
      if (absent) tags.push(model.tags.absent)
      for (const identity of identities) tags.push(identity)
    }
    return tags
  }

  private consequences({ bulk, related }: Consequences): void {
    for (const name of bulk) {
      const model = this.dataModel.models.get(name)
      if (model !== undefined) this.bulk(model)
    }
    for (const name of related) {
      const model = this.dataModel.models.get(name)
      if (model !== undefined) this.model(model)
    }
  }
}

/**
 * What is touched when nothing is known about a write.
 *
 * @internal
 */
export const everyModel = (
  dataModel: DataModel
): { readonly models: ReadonlyArray<string>; readonly tags: ReadonlyArray<Tag> } => {
  const models = [...dataModel.models.values()]
  return {
    models: models.map(({ name }) => name),
    tags: models.length === 0
      ? [everyTag]
      : [...models.map(({ tags }) => tags.model), ...models.map(({ tags }) => tags.bulk)]
  }
}
