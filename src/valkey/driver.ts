/**
 * The connection over TCP: one that is opened here and closed with its scope, or a client of the caller's, which is
 * only ever borrowed.
 */
import type { ClusterOptions, RedisOptions } from "iovalkey"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import { CacheOptionsError } from "../CacheError.js"
import type { OptionProblem } from "../CacheError.js"
import { makeBatcher } from "./batcher.js"
import { databaseOf, keyPrefixOf, nodeOf } from "./client.js"
import type { Client } from "./client.js"
import { make as makeConnection, ValkeyConnection } from "./connection.js"
import { makeLives } from "./lives.js"
import { readConnection } from "./options.js"
import type { Connection, Target } from "./options.js"
import { makeSubscriber } from "./subscriber.js"

/**
 * How the connection behaves.
 *
 * @since 0.1.0
 * @category models
 */
export interface ConnectionOptions {
  /**
   * How long an answer is waited for, in milliseconds, connecting included. Default: the driver's `commandTimeout`
   * where one is set, else 1,000.
   */
  readonly commandTimeout?: number | undefined
}

const commandTimeoutDefault = 1_000

/** Pauses double from 50 ms to half a second, each shortened by chance, so that a fleet does not come back in one moment. */
const reconnectDelay = (times: number): number => {
  const longest = Math.min(500, 25 * 2 ** Math.min(times, 10))
  return Math.round(longest / 2 + Math.random() * (longest / 2))
}

/** What a connection of ours is made with, where the caller says nothing else. */
const defaults = (commandTimeout: number): RedisOptions => ({
  connectionName: "effect-prisma-cache",
  connectTimeout: 5_000,
  // A server that hangs does not answer a goodbye either.
  disconnectTimeout: 100,
  keepAlive: 30_000,
  // A command that was under way when the connection broke is sent again on the next one, and fails with the one after.
  maxRetriesPerRequest: 1,
  retryStrategy: reconnectDelay,
  // A peer that has vanished without a word is not believed in for longer than that.
  socketTimeout: commandTimeout + 500
})

/** What a connection of ours is made with in any case: the batcher relies on it. */
const requirements = (commandTimeout: number) => ({
  commandTimeout,
  enableAutoPipelining: false,
  enableOfflineQueue: false,
  // Who it is and whether it has loaded its data is asked by other means, and sooner.
  enableReadyCheck: false,
  stringNumbers: false
})

type Own = Exclude<Target, { readonly _tag: "Client" }>

/** Begins to connect. */
const connect = (target: Own, commandTimeout: number): Effect.Effect<Client> =>
  Effect.map(makeClient(target, commandTimeout), (client) => {
    // For good: what still fails when it is being closed is nobody's business, but the driver would print it.
    client.on("error", () => {})
    return client
  })

/** A server that has become a replica takes no writes: whoever its name stands for by now does. Asked once a connection. */
const withReconnect = (make: (options: RedisOptions) => Client): Client => {
  let isLeaving = false
  const client = make({
    reconnectOnError: (error) => error.message.startsWith("READONLY") && !isLeaving && (isLeaving = true)
  })
  client.on("close", () => (isLeaving = false))
  return client
}

const makeClient = (target: Own, commandTimeout: number): Effect.Effect<Client> =>
  Effect.map(Effect.promise(() => import("iovalkey")), ({ Cluster, Redis }): Client => {
    const required = requirements(commandTimeout)
    if (target._tag === "Server") return withReconnect((options) =>
      new Redis({ ...defaults(commandTimeout), ...options, ...target.options, ...required }))
    const { retryStrategy: _, ...nodeDefaults } = defaults(commandTimeout)
    const { enableOfflineQueue, ...nodeRequired } = required
    const options: ClusterOptions = {
      clusterRetryStrategy: reconnectDelay,
      // What its node does not answer after some tenths of a second the database does.
      maxRedirections: 5,
      ...target.options,
      enableAutoPipelining: false,
      enableOfflineQueue,
      redisOptions: { ...nodeDefaults, ...target.options.redisOptions, ...nodeRequired }
    }
    return new Cluster([...target.nodes], options)
  })

/** The masters of a cluster, so far as they are known: at first it takes whomever it was told of for one. */
const mastersOf = (client: Client): ReadonlyArray<Client> => client.status === "ready" ? client.nodes?.("master") ?? [] : []

/** Whether a node is one of a cluster's masters: who is no more may be out of touch with those who are. */
const isMasterOf = (client: Client, { options: { host, port } }: Client): boolean => {
  if (client.isCluster !== true || client.status !== "ready") return true
  return mastersOf(client).some(({ options }) => options.host === host && options.port === port)
}

/**
 * A second connection to the same server, which only listens. Of a cluster it is one to any of its masters, where all
 * messages come by; another one takes its place when it is lost.
 */
const duplicate = (client: Client): Client | undefined => {
  const overrides = {
    // Its own attempt at that goes unobserved when it fails, which ends the process.
    autoResubscribe: false,
    commandTimeout: undefined,
    enableOfflineQueue: false,
    lazyConnect: false,
    // What was not answered on one connection is asked anew on the next one, and must not pile up until there is one.
    maxRetriesPerRequest: 0,
    socketTimeout: undefined
  }
  if (client.isCluster !== true) return client.duplicate(overrides)
  const masters = mastersOf(client)
  return masters[Math.floor(Math.random() * masters.length)]?.duplicate({ ...overrides, readOnly: false, retryStrategy: null })
}

/** The bound that the driver was given, if it was given one. */
const driverTimeout = (target: Target): unknown => {
  switch (target._tag) {
    case "Server":
      return target.options.commandTimeout
    case "Cluster":
      return target.options.redisOptions?.commandTimeout
    case "Client":
      return target.client.options.commandTimeout ?? target.client.options.redisOptions?.commandTimeout
  }
}

const readCommandTimeout = (
  options: ConnectionOptions,
  target: Either.Either<Target, unknown>
): Either.Either<number, ReadonlyArray<OptionProblem>> => {
  const given = options.commandTimeout ?? (Either.isRight(target) ? driverTimeout(target.right) : undefined)
  const commandTimeout = given ?? commandTimeoutDefault
  return typeof commandTimeout === "number" && Number.isFinite(commandTimeout) && commandTimeout >= 1
    ? Either.right(commandTimeout)
    : Either.left([{ path: "commandTimeout", message: `got ${String(commandTimeout)}, allowed: milliseconds, 1 or more` }])
}

const problemsOf = <A>(read: Either.Either<A, ReadonlyArray<OptionProblem>>): ReadonlyArray<OptionProblem> =>
  Either.isLeft(read) ? read.left : []

const noTimeout = Effect.logWarning(
  "effect-prisma-cache: the Valkey client that was given has no commandTimeout; what is asked of a server that hangs is kept until it answers"
)

/**
 * Connects, or borrows the client that was given. Does not wait for the connection. Fails with what is wrong with the
 * options, never repeating them, since they may hold a password.
 *
 * @since 0.1.0
 * @category constructors
 */
export const make = (
  connection: Connection,
  options: ConnectionOptions = {}
): Effect.Effect<ValkeyConnection, CacheOptionsError, Scope.Scope> =>
  Effect.gen(function*() {
    const target = readConnection("connection", connection)
    const timeout = readCommandTimeout(options, target)
    if (Either.isLeft(target) || Either.isLeft(timeout)) {
      const problems = [...problemsOf(target), ...problemsOf(timeout)]
      return yield* Effect.fail(new CacheOptionsError("the connection to Valkey", problems))
    }
    if (target.right._tag === "Client" && driverTimeout(target.right) === undefined) yield* noTimeout
    const client = target.right._tag === "Client"
      ? target.right.client
      : yield* Effect.acquireRelease(connect(target.right, timeout.right), (made) => Effect.sync(() => made.disconnect()))
    return yield* over(client, timeout.right)
  })

const over = (client: Client, commandTimeout: number): Effect.Effect<ValkeyConnection, never, Scope.Scope> =>
  Effect.gen(function*() {
    const batcher = yield* Effect.acquireRelease(
      Effect.sync(() => makeBatcher(client, commandTimeout)),
      (made) => Effect.sync(() => made.close())
    )
    const subscriber = yield* Effect.acquireRelease(
      Effect.sync(() => makeSubscriber(() => duplicate(client), (listener) => isMasterOf(client, listener))),
      (made) => Effect.sync(() => made.close())
    )
    const lives = yield* Effect.acquireRelease(
      Effect.sync(() => makeLives(client, batcher)),
      (made) => Effect.sync(() => made.close())
    )
    const channelPrefix = `epc1:${databaseOf(client)}:${keyPrefixOf(client)}`
    return makeConnection(batcher, {
      isCluster: client.isCluster === true,
      nodeOf: client.isCluster === true ? (key) => nodeOf(client, key) : undefined,
      lifeOf: lives.of,
      learnLives: (keys, again = false) =>
        Effect.flatMap(Effect.promise(() => again ? lives.doubt(keys) : lives.learn(keys)), (error) =>
          error === undefined ? Effect.void : Effect.fail(error)),
      channel: (name) => `${channelPrefix}${name}`,
      listen: (channel, onMessage) =>
        Effect.async((resume) => subscriber.subscribe(channel, onMessage, () => resume(Effect.void))),
      watch: (channel, watcher) =>
        Effect.asVoid(Effect.acquireRelease(
          Effect.sync(() => subscriber.watch(channel, watcher)),
          (stop) => Effect.sync(stop)
        ))
    })
  })

/**
 * The connection as a layer.
 *
 * @since 0.1.0
 * @category layers
 */
export const layer = (
  connection: Connection,
  options?: ConnectionOptions
): Layer.Layer<ValkeyConnection, CacheOptionsError> => Layer.scoped(ValkeyConnection, make(connection, options))
