import { sha256 } from "./hash.js"

/**
 * Everything the cache keeps in a store, by its full name. Parts that users choose come last or escaped, so that no
 * two of them can meet in one name. The braces give an entry and its locks one slot on a cluster, so that a command
 * about the one sent after a command about the other is also carried out after it.
 *
 * @internal
 */
export interface Names {
  readonly namespace: string
  readonly namespaceTag: string
  /** Whether a tag belongs to the namespace. */
  readonly has: (tag: string) => boolean
  readonly guard: string
  /** Where nothing is kept, and what is asked of it says whether the store answers. */
  readonly probe: string
  /** The entry of a digest; `scope` is the namespace of its custom key where that is another. */
  readonly entry: (digest: string, scope?: string) => string
  readonly lock: (prefix: string, digest: string, generation: string) => string
  readonly tag: (tag: string) => string
  readonly key: (key: string) => string
  /** What is derived from a query: a model, a row. */
  readonly dependency: (name: string) => string
}

/** The version of the store's layout. Another layout never meets this one's names. */
const root = "epc1"

/** Longer names are hashed: a name costs memory and bandwidth at every read. */
const short = (text: string): string => text.length <= 96 ? `=${text}` : `#${sha256(text)}`

/**
 * The tag of the namespace that a name belongs to.
 *
 * @internal
 */
export const namespaceTagOf = (name: string): string => `${name.split(":", 2).join(":")}:n`

/** @internal */
export const makeNames = (namespace: string, format: string): Names => {
  const prefix = `${root}:${encodeURIComponent(namespace)}:`
  const entryPrefix = `${prefix}e:${encodeURIComponent(format)}:`
  return {
    namespace,
    namespaceTag: `${prefix}n`,
    has: (tag) => tag.startsWith(prefix),
    guard: `${prefix}g`,
    probe: `${prefix}p`,
    entry: (digest, scope) => `${entryPrefix}${scope === undefined ? "" : encodeURIComponent(scope)}/{${digest}}`,
    lock: (lockPrefix, digest, generation) => `${lockPrefix}:${entryPrefix}{${digest}}:${generation}`,
    tag: (tag) => `${prefix}t:${short(tag)}`,
    key: (key) => `${prefix}k:${short(key)}`,
    // The name of a row holds values of it, which have no place among the names of a server.
    dependency: (name) => `${prefix}d:${name.startsWith("r:") ? `#${sha256(name)}` : short(name)}`
  }
}
