/**
 * Where Valkey is, as users may say it, read once and made precise.
 */
import type { Cluster, ClusterNode, ClusterOptions, Redis, RedisOptions } from "iovalkey"
import * as Either from "effect/Either"
import * as Redacted from "effect/Redacted"
import type { OptionProblem } from "../CacheError.js"
import { isClient } from "./client.js"
import type { Client } from "./client.js"

/**
 * The nodes to begin with, and iovalkey's own options.
 *
 * @since 0.1.0
 * @category models
 */
export interface ClusterConnection {
  readonly cluster: {
    readonly nodes: ReadonlyArray<ClusterNode>
    readonly options?: ClusterOptions | undefined
  }
}

/**
 * A client of iovalkey or ioredis, of whatever version, recognised by its shape.
 *
 * @since 0.1.0
 * @category models
 */
export interface ClientLike {
  readonly status: string
  readonly options: object
  readonly duplicate: (...args: never) => unknown
}

/**
 * Where Valkey is.
 *
 * - a URL: `valkey://`, `valkeys://` (TLS), `redis://`, `rediss://`
 * - iovalkey's own options, or the nodes of a cluster: the connection is made, and closed with the cache
 * - a client of yours, `Redis` or `Cluster`: it is used and never closed
 *
 * @since 0.1.0
 * @category models
 */
export type Connection =
  | string
  | Redacted.Redacted<string>
  | RedisOptions
  | ClusterConnection
  | Redis
  | Cluster
  | ClientLike

/** Where Valkey is, made precise. */
export type Target =
  | { readonly _tag: "Server"; readonly options: RedisOptions }
  | { readonly _tag: "Cluster"; readonly nodes: ReadonlyArray<ClusterNode>; readonly options: ClusterOptions }
  | { readonly _tag: "Client"; readonly client: Client }

const allowed = "a URL (valkey://, valkeys://, redis://, rediss://), iovalkey options, " +
  "{ cluster: { nodes, options } }, or a client of iovalkey or ioredis"

const isObject = (value: unknown): value is object =>
  typeof value === "object" && value !== null && !Array.isArray(value)

const masterOnly = "allowed: \"master\"; a replica may not know of an invalidation yet"

const isMaster = (scaleReads: unknown): boolean => scaleReads === undefined || scaleReads === "master"

const isCluster = (value: object): value is ClusterConnection => "cluster" in value && isObject(value.cluster)

/** What has a life of its own is no set of options. */
const isOptions = (value: object): value is RedisOptions => !("duplicate" in value || "status" in value)

/** Nothing of what was given is repeated in a problem: it may hold a password. */
export const readConnection = (
  path: string,
  connection: Connection
): Either.Either<Target, ReadonlyArray<OptionProblem>> => {
  const problem = (at: string, message: string) => Either.left([{ path: at, message }])
  if (Redacted.isRedacted(connection)) return readConnection(path, Redacted.value(connection))
  if (typeof connection === "string") {
    return Either.mapBoth(readUrl(connection), {
      onLeft: (message) => [{ path, message }],
      onRight: (options) => ({ _tag: "Server", options })
    })
  }
  if (!isObject(connection)) return problem(path, `got ${typeof connection}, allowed: ${allowed}`)
  if (isClient(connection)) {
    return isMaster(connection.options.scaleReads)
      ? Either.right({ _tag: "Client", client: connection })
      : problem(`${path}.options.scaleReads`, masterOnly)
  }
  if (isCluster(connection)) {
    const { nodes, options = {} } = connection.cluster
    if (!Array.isArray(nodes) || nodes.length === 0) {
      return problem(`${path}.cluster.nodes`, "allowed: at least one node, { host, port } or a URL")
    }
    if (!isMaster(options.scaleReads)) return problem(`${path}.cluster.options.scaleReads`, masterOnly)
    return Either.right({ _tag: "Cluster", nodes, options })
  }
  return isOptions(connection)
    ? Either.right({ _tag: "Server", options: connection })
    : problem(path, `got something like a client that lacks methods which clients have, allowed: ${allowed}`)
}

const secureSchemes = ["valkeys:", "rediss:"]
const schemes = ["valkey:", "redis:", ...secureSchemes]

const readUrl = (text: string): Either.Either<RedisOptions, string> => {
  if (!URL.canParse(text)) return Either.left(`got a text that is no URL, allowed: ${allowed}`)
  const url = new URL(text)
  if (!schemes.includes(url.protocol)) return Either.left(`got a URL that begins with ${url.protocol}, allowed: ${allowed}`)
  if (url.hostname === "") return Either.left("got a URL without a host")
  const database = url.pathname.slice(1)
  if (!/^\d*$/.test(database)) return Either.left("got a URL whose path is no database number")
  try {
    return Either.right({
      ...Object.fromEntries(Array.from(url.searchParams, ([name, value]) => [name, plain(value)])),
      host: url.hostname.replace(/^\[|\]$/g, ""),
      ...(url.port === "" ? {} : { port: Number(url.port) }),
      ...(url.username === "" ? {} : { username: decodeURIComponent(url.username) }),
      ...(url.password === "" ? {} : { password: decodeURIComponent(url.password) }),
      ...(database === "" ? {} : { db: Number(database) }),
      ...(secureSchemes.includes(url.protocol) ? { tls: {} } : {})
    })
  } catch {
    return Either.left("got a URL whose user or password is not percent-encoded as it has to be")
  }
}

/** iovalkey takes a number that is written as text for no number at all. */
const plain = (value: string): string | number | boolean =>
  value === "true" ? true : value === "false" ? false : /^\d+$/.test(value) ? Number(value) : value
