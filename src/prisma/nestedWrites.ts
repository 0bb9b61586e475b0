/**
 * The rows that the data of a write creates and changes, in its own model and through relations. Which rows a nested
 * write changes depends on where the relation is kept: the end with the foreign key changes when a link does.
 */
import { identitiesIn } from "./identity.js"
import { each, isMembers, isSkip, members, Odd } from "./members.js"
import type { Members } from "./members.js"
import type { ForeignKey, Model, RelationField } from "./schema/model.js"
import type { Gathering } from "./touched.js"

/**
 * A row of the model is created with this data.
 *
 * @internal
 */
export const rowCreated = (into: Gathering, model: Model, data: unknown): void => {
  into.absent(model)
  const values = data === undefined ? {} : members(data)
  writeValues(into, model, values, true)
  into.identities(model, identitiesIn(model, values))
}

/**
 * A row of the model, or several, which have been touched already, are given this data.
 *
 * @internal
 */
export const rowsUpdated = (into: Gathering, model: Model, data: unknown): void => {
  const values = members(data)
  into.changed(model, writeValues(into, model, values, false))
  into.identities(model, identitiesIn(model, values))
}

/** Writes through the relations in the data, and answers which fields of the row itself change. */
const writeValues = (into: Gathering, model: Model, values: Members, created: boolean): Set<string> => {
  const changed = new Set<string>()
  for (const name in values) {
    const value = values[name]
    if (value === undefined) continue
    const field = model.fields.get(name)
    if (field === undefined) throw new Odd()
    if (field._tag === "Relation") {
      if (isMembers(value)) new RelationWrite(into, model, field, created, changed).run(value)
      else if (!isSkip(value)) throw new Odd()
      continue
    }
    changed.add(name)
    // `{ increment: 1 }`: what comes of it is in no argument.
    if (field._tag === "Scalar" && field.unique && !created && isMembers(value) && !("set" in value)) into.bulk(model)
  }
  return changed
}

/** What is done to the rows at the other end of one relation. */
class RelationWrite {
  private readonly target: Model
  private readonly here: ForeignKey | undefined
  private readonly there: ForeignKey | undefined
  private readonly oneToOne: boolean

  constructor(
    private readonly into: Gathering,
    private readonly model: Model,
    private readonly field: RelationField,
    /** Whether the row at this end is new, so that nothing was linked to it. */
    private readonly created: boolean,
    /** Gathers the fields that change in the row at this end. */
    private readonly changed: Set<string>
  ) {
    const { link, target } = field
    this.target = into.modelOf(target)
    this.here = link._tag === "Columns" ? link.here : undefined
    this.there = link._tag === "Columns" ? link.there : undefined
    this.oneToOne = link._tag === "Columns" && link.oneToOne
    if (link._tag === "Unknown") throw new Odd()
    if (link._tag === "JoinTable") {
      into.model(model)
      into.model(this.target)
    }
  }

  run(operations: Members): void {
    for (const name in operations) {
      const operand = operations[name]
      if (operand !== undefined) this.operation(name, operand)
    }
  }

  private operation(name: string, operand: unknown): void {
    switch (name) {
      case "create":
        for (const data of each(operand)) this.create(data)
        return
      case "createMany":
        this.into.absent(this.target)
        this.linkedToThis()
        return
      case "connect":
        for (const where of each(operand)) this.connect(where)
        return
      case "connectOrCreate":
        for (const item of each(operand)) {
          const { create, where } = members(item)
          this.connect(where)
          this.create(create)
        }
        return
      case "set":
        this.unlinkAll()
        for (const where of each(operand)) this.connect(where)
        return
      case "disconnect":
        if (this.field.list) for (const where of each(operand)) this.unlink(where)
        else this.unlinkAll()
        return
      case "delete":
        this.leaveHere()
        this.targetRows(operand)
        this.into.deleted(this.target)
        return
      case "deleteMany":
        this.leaveHere()
        this.into.bulk(this.target)
        this.into.deleted(this.target)
        return
      case "update":
        for (const item of each(operand)) this.update(members(item))
        return
      case "updateMany":
        this.into.bulk(this.target)
        for (const item of each(operand)) rowsUpdated(this.into, this.target, members(item)["data"])
        return
      case "upsert":
        for (const item of each(operand)) {
          const { create, update, where } = members(item)
          this.targetRows(where)
          this.create(create)
          rowsUpdated(this.into, this.target, update)
        }
        return
      default:
        throw new Odd()
    }
  }

  /** The rows of the target that are found by unique keys; the one row of a relation to one is found by none. */
  private targetRows(where: unknown): void {
    if (!this.field.list) this.into.bulk(this.target)
    else for (const one of each(where)) this.into.row(this.target, one)
  }

  private create(data: unknown): void {
    rowCreated(this.into, this.target, data)
    this.linkedToThis()
    this.leaveHere()
  }

  private update(item: Members): void {
    const { data, where } = item
    this.targetRows(where)
    // To one: the data itself, or `where` and `data`. Which of them it is, a field of the name `data` leaves open.
    if (!this.field.list && isMembers(data) && this.target.fields.has("data")) throw new Odd()
    rowsUpdated(this.into, this.target, this.field.list || isMembers(data) ? data : item)
  }

  private connect(where: unknown): void {
    const { here, into, there } = this
    this.leaveHere()
    if (here !== undefined && this.oneToOne && !here.required) {
      // The row that the target was linked to before loses it.
      into.bulk(this.model)
      into.changed(this.model, here.fields)
    }
    if (there !== undefined) {
      into.row(this.target, where)
      into.changed(this.target, there.fields)
    }
    this.linkedToThis()
  }

  /**
   * A row of the target is linked to this one, which may part this one from the row that it was linked to. Where that row
   * cannot be without a link, Prisma refuses.
   */
  private linkedToThis(): void {
    if (this.field.list || this.created || this.there === undefined || this.there.required) return
    this.into.bulk(this.target)
    this.into.changed(this.target, this.there.fields)
  }

  /** The row at this end is linked to another one or to none, where that stands in its own columns. */
  private leaveHere(): void {
    for (const name of this.here?.fields ?? []) this.changed.add(name)
  }

  private unlink(where: unknown): void {
    this.leaveHere()
    if (this.there === undefined) return
    this.into.row(this.target, where)
    this.into.changed(this.target, this.there.fields)
  }

  private unlinkAll(): void {
    this.leaveHere()
    if (this.there === undefined) return
    this.into.bulk(this.target)
    this.into.changed(this.target, this.there.fields)
  }
}
