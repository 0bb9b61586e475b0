import calculateSlot from "cluster-key-slot"
import type { Argument } from "./connection.js"

/** What the driver takes. A `Uint8Array` that is no `Buffer` would be sent as text. */
export type DriverArgument = string | number | Buffer

/** Bytes as the driver takes them. */
export const toDriver = (argument: Argument): DriverArgument =>
  typeof argument === "object" ? Buffer.from(argument.buffer, argument.byteOffset, argument.byteLength) : argument

type Reply = readonly [error: Error | null, reply?: unknown]

/** Commands that go out in one write and come back in one piece. */
export interface Pipeline {
  callBuffer(command: string, ...args: Array<DriverArgument>): unknown
  exec(): Promise<ReadonlyArray<Reply> | null>
}

/**
 * As much of a client as is used here: a `Redis` or a `Cluster`, of iovalkey in any version or of ioredis. Packages
 * bring copies of their own, so a client is known by its shape and not by its class.
 */
export interface Client {
  readonly status: string
  readonly isCluster?: boolean
  readonly options: {
    readonly commandTimeout?: unknown
    readonly redisOptions?: { readonly commandTimeout?: unknown } | undefined
    readonly enableAutoPipelining?: unknown
    readonly db?: unknown
    readonly host?: unknown
    readonly port?: unknown
    readonly keyPrefix?: unknown
    readonly scaleReads?: unknown
  }
  callBuffer(command: string, ...args: Array<DriverArgument>): Promise<unknown>
  pipeline(): Pipeline
  connect(): Promise<unknown>
  disconnect(reconnect?: boolean): void
  duplicate(...args: Array<unknown>): Client
  /** The socket of a client that is no cluster's. */
  readonly stream?: unknown
  /** Of a cluster: the nodes of each slot, its master first. */
  readonly slots?: ReadonlyArray<ReadonlyArray<string> | undefined>
  /** The nodes of a cluster. */
  nodes?(role?: "master"): ReadonlyArray<Client>
  on(event: string, listener: (...args: ReadonlyArray<unknown>) => void): unknown
  removeListener(event: string, listener: (...args: ReadonlyArray<unknown>) => void): unknown
}

/** Whether a command can be written: a socket may have ended before its client has heard of it. */
export const isOpen = (client: Client): boolean => {
  const { status, stream } = client
  const ended = typeof stream === "object" && stream !== null && "writable" in stream && stream.writable === false
  return status === "ready" && !ended
}

interface Corkable {
  cork(): void
  uncork(): void
}

const isCorkable = (value: unknown): value is Corkable =>
  typeof value === "object" && value !== null && "cork" in value && "uncork" in value

/** The sockets of a cluster's nodes, so far as they are connected. */
export const streamsOf = (client: Client): ReadonlyArray<Corkable> =>
  (client.nodes?.() ?? []).map((node) => node.stream).filter(isCorkable)

const methods = ["callBuffer", "pipeline", "connect", "disconnect", "duplicate", "on", "removeListener"]

/** Whether this is somebody's client. */
export const isClient = (value: unknown): value is Client =>
  typeof value === "object" && value !== null &&
  "status" in value && typeof value.status === "string" &&
  "options" in value && typeof value.options === "object" && value.options !== null &&
  methods.every((name) => typeof Reflect.get(value, name) === "function")

/** What the client puts in front of every key. It does not do so with channels. */
export const keyPrefixOf = (client: Client): string => {
  const { keyPrefix } = client.options
  return typeof keyPrefix === "string" ? keyPrefix : Buffer.isBuffer(keyPrefix) ? keyPrefix.toString("latin1") : ""
}

/** Keys belong to a database; channels are the same in all of them. */
export const databaseOf = (client: Client): number => typeof client.options.db === "number" ? client.options.db : 0

/** The node of a cluster that a key lives on, as far as the client knows. */
export const nodeOf = (client: Client, key: string): string =>
  client.slots?.[calculateSlot(keyPrefixOf(client) + key)]?.[0] ?? ""
