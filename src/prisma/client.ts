/**
 * What the extension relies on inside a Prisma client, in one place: when Prisma's internals move, this file moves.
 * Holds for 6.16 to 7.10, with both generators.
 */
import { canonical } from "../internal/canonical.js"
import { sha256 } from "../internal/hash.js"
import type { ValueType, ValueTypes } from "../Serializer.js"

/** @internal */
export interface PrismaInternals {
  readonly [member: string | symbol]: any // Prisma types none of its internals
}

interface ExtensionNode {
  readonly extension: { readonly name?: string; readonly query?: object; readonly result?: object }
  readonly previous?: ExtensionNode
}

interface DataModelField {
  readonly name: string
  readonly kind: string
  readonly type: string
}

/** @internal */
export type PromiseOf = (args?: unknown) => PromiseLike<unknown>

/** @internal */
export const extensionName = "effect-prisma-cache"

const models = (client: PrismaInternals): Record<string, { readonly fields: ReadonlyArray<DataModelField> }> =>
  client["_runtimeDataModel"]?.models ?? {}

/**
 * The name of a model's table.
 *
 * @internal
 */
export const tableOf = (client: PrismaInternals, model: string): string =>
  client["_runtimeDataModel"]?.models?.[model]?.dbName ?? model

/**
 * Prisma's name for what kind of database it is, if it says so.
 *
 * @internal
 */
export const providerOf = (client: PrismaInternals): string | undefined =>
  client["_activeProvider"] ?? client["_engineConfig"]?.adapter?.provider

const lowerFirst = (name: string) => name.slice(0, 1).toLowerCase() + name.slice(1)

/**
 * The models of a client by the property they are reached under: `prisma.user`, and `prisma.User` too.
 *
 * @internal
 */
export const modelProperties = (client: PrismaInternals): ReadonlySet<string> =>
  new Set(Object.keys(models(client)).flatMap((name) => [name, lowerFirst(name)]))

/**
 * The relations of a model, which a promise for one of its rows has as methods.
 *
 * @internal
 */
export const relationsOf = (client: PrismaInternals, model: string): ReadonlySet<string> =>
  new Set((models(client)[model]?.fields ?? []).filter(({ kind }) => kind === "object").map(({ name }) => name))

/**
 * The same with the models at their other ends.
 *
 * @internal
 */
export const relationTargets = (
  client: PrismaInternals,
  model: string
): ReadonlyArray<readonly [relation: string, model: string]> =>
  (models(client)[model]?.fields ?? []).filter(({ kind }) => kind === "object").map(({ name, type }) => [name, type])

/**
 * The operations of a model that extensions have put their own in the place of: what those take and return is theirs.
 *
 * @internal
 */
export const overriddenOperations = (client: PrismaInternals, model: string): ReadonlySet<string> =>
  new Set(Object.keys(client["_extensions"]?.getAllModelExtensions(model) ?? {}))

/**
 * The query extensions that were added to a client after the cache: nearest to the database last.
 *
 * @internal
 */
export const laterQueryExtensions = (client: PrismaInternals): ReadonlyArray<string> => {
  const names: Array<string> = []
  for (let node: ExtensionNode | undefined = client["_extensions"]?.head; node !== undefined; node = node.previous) {
    if (node.extension.name === extensionName) return names.reverse()
    if (node.extension.query !== undefined) names.push(node.extension.name ?? "an extension without a name")
  }
  return names.reverse()
}

/**
 * Whether extensions added after the cache compute fields: those make Prisma read columns that nobody selected.
 *
 * @internal
 */
export const hasLaterResultExtensions = (client: PrismaInternals): boolean => {
  for (let node: ExtensionNode | undefined = client["_extensions"]?.head; node !== undefined; node = node.previous) {
    if (node.extension.name === extensionName) return false
    if (node.extension.result !== undefined) return true
  }
  return false
}

/**
 * Whether the cache is the only extension of a client that has a say in its queries or results.
 *
 * @internal
 */
export const isAlone = (client: PrismaInternals): boolean => {
  const known = alone.get(client)
  if (known !== undefined) return known
  let made = client["_extensions"] !== undefined
  for (let node: ExtensionNode | undefined = client["_extensions"]?.head; node !== undefined; node = node.previous) {
    const { name, query, result } = node.extension
    if (name !== extensionName && (query !== undefined || result !== undefined)) made = false
  }
  alone.set(client, made)
  return made
}

// What a client is made of never changes, and asking one for a member takes longer than looking here.
const alone = new WeakMap<PrismaInternals, boolean>()
const fingerprints = new WeakMap<PrismaInternals, string>()

/**
 * All of a client that decides what a query returns and does not stand in the query: the schema, the database, global
 * `omit`, and which columns computed fields need.
 *
 * @internal
 */
export const fingerprint = (client: PrismaInternals): string => {
  const known = fingerprints.get(client)
  if (known !== undefined) return known
  const needs = Object.keys(models(client)).map((model) => [
    model,
    Object.values<{ name: string; needs: ReadonlyArray<string> }>(client["_extensions"]?.getAllComputedFields(model) ?? {})
      .map(({ name, needs }) => [name, [...needs]])
  ])
  const made = sha256(canonical([
    client["_engineConfig"]?.inlineSchema ?? JSON.stringify(client["_runtimeDataModel"]),
    datasource(client),
    client["_globalOmit"] ?? null,
    needs
  ]))
  fingerprints.set(client, made)
  return made
}

/** Where in a driver adapter's configuration the address of the database stands; never a password. */
const addressFields = ["host", "hostname", "server", "port", "database", "db", "dbName", "schema", "user", "socketPath", "path"]

/** Which database a client speaks to, as far as its driver adapter tells: of a URL all but the password. */
const datasource = (client: PrismaInternals): ReadonlyArray<unknown> => {
  const engine = client["_engineConfig"] ?? {}
  const adapter = engine.adapter ?? {}
  const sources = [adapter.config, adapter.externalPool?.options, adapter.options, engine.overrideDatasources?.db]
  return [
    providerOf(client) ?? null,
    ...sources.map((source) => {
      if (typeof source === "string") return address(source)
      if (typeof source !== "object" || source === null) return null
      return [
        address(source.connectionString ?? source.url ?? source.uri),
        ...addressFields.map((field) => (typeof source[field] === "object" ? null : source[field] ?? null))
      ]
    })
  ]
}

const address = (text: unknown): string | null => {
  if (typeof text !== "string") return null
  try {
    const url = new URL(text)
    return `${url.protocol}//${url.username}@${url.host}${url.pathname}${url.search}`
  } catch {
    return text
  }
}

interface Decimal {
  readonly valueOf: () => string
}

/**
 * How the values of a client that JSON does not have a form for are written and read: its own `Decimal`s. The class is
 * found by asking the client (another copy of the package would give one that its `instanceof` does not know): Prisma
 * clones arguments before a hook sees them, and makes whatever looks like a decimal one of its own. No query is sent.
 *
 * @internal
 */
export const valueTypes = async (client: PrismaInternals): Promise<ValueTypes> => {
  const model = Object.keys(models(client))[0]
  if (model === undefined) return []
  let found: (new(value: string | Decimal) => Decimal) | undefined
  // Extensions that were added before would see a query that nobody made, and may refuse it.
  const probe = (client["_originalClient"] ?? client)["$extends"]({
    query: {
      $allModels: {
        $allOperations: ({ args }: { readonly args: { readonly probe: { readonly constructor: typeof found } } }) => {
          found = args.probe.constructor
          return Promise.resolve(null)
        }
      }
    }
  })
  await probe[lowerFirst(model)].findFirst({ probe: { s: 1, e: 0, d: [1], toFixed: () => "1" } }).catch(() => null)
  const Decimal = found
  if (Decimal === undefined) return []
  const decimal: ValueType<Decimal> = {
    code: "decimal",
    is: (value): value is Decimal => value instanceof Decimal,
    encode: (value) => value.valueOf(),
    decode: (text) => new Decimal(text),
    copy: (value) => new Decimal(value)
  }
  return [decimal]
}

/**
 * An error with a code, of the class that the client's own errors have. The class is found by asking the client, since
 * another copy of the package would give one that `instanceof` does not know. Without one it is an error like others.
 *
 * @internal
 */
export const knownError = (client: PrismaInternals, code: string, message: string): Error => {
  const clientVersion: unknown = client["_clientVersion"]
  try {
    // Prisma makes its own of what an engine says went wrong.
    client["_requestHandler"].handleRequestError({ error: Object.assign(new Error(message), { code }), args: {} })
  } catch (error) {
    if (error instanceof Error && error.name === "PrismaClientKnownRequestError") return error
  }
  return Object.assign(new Error(message), { name: "PrismaClientKnownRequestError", code, clientVersion })
}
