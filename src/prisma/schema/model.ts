/**
 * What is known of a client's models: enough to say which rows a query reads and which rows a write can change.
 */

/**
 * The name of a cache tag, within one datasource: `m:User` stands for everything about a model, `b:User` for whatever a
 * write did to rows that it does not name, `a:User` for rows that are not there, `r:User:id:5` for one row.
 *
 * @internal
 */
export type Tag = string

/**
 * The one tag of a client of whose models nothing is known, not even their names.
 *
 * @internal
 */
export const everyTag: Tag = "m:*"

/** @internal */
export interface DataModel {
  /** Whether the schema's text was there and understood. If not, nothing is said about keys and relations. */
  readonly known: boolean
  readonly models: ReadonlyMap<string, Model>
}

/** @internal */
export interface Model {
  readonly name: string
  /** A view shows the rows of other models, and nobody knows of which. */
  readonly view: boolean
  readonly fields: ReadonlyMap<string, Field>
  readonly keys: ReadonlyArray<UniqueKey>
  /** The unique keys by what they are called in `where`. */
  readonly keysByName: ReadonlyMap<string, UniqueKey>
  /** The fields of all keys that are compared exactly. A result with them tells all that its row can be found by. */
  readonly identifying: ReadonlyArray<string>
  /** The foreign keys of other models, and of this one, that refer to this model. */
  readonly referencedBy: ReadonlyArray<ForeignKey>
  /** The models at the other end of implicit many-to-many relations, whose join tables refer to `id`. */
  readonly joinedWith: ReadonlyArray<string>
  readonly id: ReadonlyArray<string>
  readonly tags: { readonly model: Tag; readonly bulk: Tag; readonly absent: Tag }
}

/** @internal */
export type Field = ScalarField | RelationField | CompositeField

/** @internal */
export interface ScalarField {
  readonly _tag: "Scalar"
  readonly name: string
  readonly type: string
  readonly list: boolean
  readonly optional: boolean
  /** Whether some unique key has it. */
  readonly unique: boolean
}

/** @internal */
export interface RelationField {
  readonly _tag: "Relation"
  readonly name: string
  readonly target: string
  readonly list: boolean
  readonly optional: boolean
  /** Where the relation is kept. `unknown`: any row at either end may change with it. */
  readonly link: Link
}

/** @internal */
export type Link =
  /** In the columns of one end or, in MongoDB, of both. `here` is the end that the field belongs to. */
  | {
    readonly _tag: "Columns"
    readonly here: ForeignKey | undefined
    readonly there: ForeignKey | undefined
    /** Whether neither end can have more than one row. */
    readonly oneToOne: boolean
  }
  /** In a table of its own, which is no model. */
  | { readonly _tag: "JoinTable" }
  | { readonly _tag: "Unknown" }

/**
 * A document within a document, in MongoDB.
 *
 * @internal
 */
export interface CompositeField {
  readonly _tag: "Composite"
  readonly name: string
}

/** @internal */
export interface UniqueKey {
  /** In `where`. */
  readonly name: string
  readonly fields: ReadonlyArray<string>
  /**
   * The parts of a row's identity, in the order of `fields`. `undefined` where the database may find a row by a value
   * that is not the one in the row.
   */
  readonly forms: ReadonlyArray<ValueForm> | undefined
  /** What the identities of this key begin with. */
  readonly prefix: Tag
}

/**
 * A value as text: the same for all that the database takes for the same, whatever form it was written in.
 * `undefined` for what is no value of the column.
 *
 * @internal
 */
export type ValueForm = (value: unknown) => string | undefined

/** @internal */
export interface ForeignKey {
  /** The model with the columns. */
  readonly model: string
  readonly fields: ReadonlyArray<string>
  /** Whether none of its columns takes a `null`, so that a row cannot be without it. */
  readonly required: boolean
  readonly target: string
  readonly references: ReadonlyArray<string>
  /** What happens to rows with this key when the row that they refer to is deleted. */
  readonly onDelete: "Delete" | "Change" | "Nothing"
  /** What happens to rows with this key when a referenced column changes. */
  readonly onUpdate: "Change" | "Nothing"
}
