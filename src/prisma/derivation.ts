/**
 * What is derived from queries: what a read depends on and what a write touches. Off where invalidation is manual.
 */
import type { Touches } from "../QueryCache.js"
import type { PrismaInternals } from "./client.js"
import { readDependencies, readsOf } from "./dependencies.js"
import type { ReadDependencies } from "./dependencies.js"
import type { Query } from "./entryKeys.js"
import { isRead, selectionArguments } from "./operations.js"
import type { Settings } from "./settings.js"
import { rawReach, writeReach } from "./reach.js"
import { makeDataModel } from "./schema/dataModel.js"
import type { DataModel } from "./schema/model.js"
import type { Explanation } from "./types/client.js"

/** @internal */
export interface DerivedReach {
  readonly first: ReadonlyArray<string>
  readonly rest: ReadonlyArray<string>
  readonly late: ((result: unknown) => ReadonlyArray<string>) | undefined
  /** What stands for the rows of a write whose result nobody has. */
  readonly unknown: ReadonlyArray<string>
}

/** @internal */
export interface Derivation {
  /** What a read depends on; `undefined` where nobody asked for that. */
  readonly dependencies: (query: Query) => ReadDependencies | undefined
  /** What a write's own result depends on when it is read under a custom key. */
  readonly selectionDependencies: (query: Query) => ReadonlyArray<string> | undefined
  /** What a write touches; `undefined` for nothing. */
  readonly reach: (query: Query) => DerivedReach | undefined
  /** The names of all models. */
  readonly models: ReadonlySet<string>
  /** What raw SQL depends on, or touches, that says which models it reads or writes. */
  readonly declaredReads: (models: ReadonlyArray<string>) => ReadonlyArray<string>
  readonly declaredTouches: (models: ReadonlyArray<string>) => Touches
  /** The same for people: see `$cache.explain`. */
  readonly explain: (model: string, operation: string, args: unknown) => Omit<Explanation, "key">
}

const dataModels = new WeakMap<object, DataModel>()

/** @internal */
export const dataModelOf = (client: PrismaInternals): DataModel => {
  const runtime = client["_runtimeDataModel"]
  const known = dataModels.get(runtime)
  if (known !== undefined) return known
  const made = makeDataModel(runtime, client["_engineConfig"]?.inlineSchema)
  dataModels.set(runtime, made)
  return made
}

/** The model that a tag is about: `r:User:id:5` is about `User`. */
const modelOfTag = (tag: string) => tag.split(":", 2)[1] ?? ""

const isModelTag = (tag: string) => tag.startsWith("m:")

/** The tags of models are dealt with before the others. */
const split = (tags: ReadonlyArray<string>) => ({
  first: tags.filter(isModelTag),
  rest: tags.filter((tag) => !isModelTag(tag))
})

const explain = (dataModel: DataModel, model: string, operation: string, args: unknown): Omit<Explanation, "key"> => {
  if (isRead(operation)) {
    const { models, row, tags } = readDependencies(dataModel, model, operation, args, [])
    return {
      kind: "read",
      precision: row === undefined ? "model" : "row",
      models,
      tags,
      invalidatedBy: row === undefined
        ? models.map((name) => `any write to ${name}`)
        : [`a write to this row of ${model}, by any of its unique keys`, `a bulk, raw or cascading write to ${model}`]
    }
  }
  const { models, tags } = writeReach(dataModel, model, operation, args)
  const isRow = tags.some((tag) => tag.startsWith("r:"))
  return { kind: "write", precision: isRow ? "row" : "model", models, tags, invalidatedBy: [] }
}

/** @internal */
export const makeDerivation = (settings: Settings, base: PrismaInternals): Derivation => {
  const dataModel = dataModelOf(base)
  const declared = {
    models: new Set(dataModel.models.keys()),
    declaredReads: (models: ReadonlyArray<string>) => models.length === 0 ? [] : readsOf(dataModel, models).tags,
    declaredTouches: (models: ReadonlyArray<string>): Touches => split(rawReach(dataModel, models).tags),
    explain: (model: string, operation: string, args: unknown) => explain(dataModel, model, operation, args)
  }
  if (settings.invalidation === "manual") {
    return {
      ...declared,
      dependencies: () => undefined,
      selectionDependencies: () => undefined,
      reach: () => undefined
    }
  }
  const isManual = (model: string) => settings.manualModels.has(model)
  return {
    ...declared,
    dependencies: ({ args, dataPath, model, operation }) => readDependencies(dataModel, model, operation, args, dataPath),
    selectionDependencies: ({ args, model }) => {
      const selection = Object.fromEntries(
        selectionArguments.filter((name) => name in args).map((name) => [name, args[name]])
      )
      return readDependencies(dataModel, model, "findMany", selection, []).tags
    },
    reach: ({ args, dataPath, model, operation }) => {
      const reach = writeReach(dataModel, model, operation, args)
      const tags = reach.tags.filter((tag) => !isManual(modelOfTag(tag)))
      if (tags.length === 0) return undefined
      return {
        ...split(tags),
        // The result of a fluent call is of another model.
        late: dataPath.length === 0 && !isManual(model) ? reach.late : undefined,
        unknown: reach.late === undefined ? [] : reach.models.filter((name) => !isManual(name)).map((name) => `b:${name}`)
      }
    }
  }
}
