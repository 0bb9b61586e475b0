/**
 * The connection over HTTP: requests to a server that speaks Upstash's REST protocol. There is nothing to be connected
 * to, and nobody to hear messages from.
 */
import * as FetchHttpClient from "@effect/platform/FetchHttpClient"
import * as HttpClient from "@effect/platform/HttpClient"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Layer from "effect/Layer"
import * as Runtime from "effect/Runtime"
import type { CacheOptionsError } from "../CacheError.js"
import * as Store from "../CacheStore/Valkey.js"
import type { CacheStore } from "../CacheStore.js"
import * as Lock from "../DistributedLock/Valkey.js"
import type { DistributedLock } from "../DistributedLock.js"
import { anyLife } from "../internal/stamp.js"
import { make as makeConnection, ValkeyConnection } from "../valkey/connection.js"
import { makeBatcher } from "./batcher.js"
import { dialectOf } from "./dialect.js"
import { makeExchange, unknownFlags } from "./exchange.js"
import { readOptions } from "./options.js"
import type { ConnectionOptions, Fetch, Settings } from "./options.js"

/** Channels are the same over TCP, where somebody may listen who waits for a lock that is held here. */
const channelPrefix = "epc1:0:"

const make = ({ commandTimeout, waitUntil, ...place }: Settings) =>
  Effect.gen(function*() {
    const exchange = makeExchange(yield* HttpClient.HttpClient, place)
    const runtime = yield* Effect.runtime<never>()
    const batcher = yield* Effect.acquireRelease(
      Effect.sync(() =>
        makeBatcher(exchange, {
          timeoutMillis: commandTimeout,
          run: Runtime.runFork(runtime),
          waitUntil
        })
      ),
      (made) => made.close
    )
    const connection = makeConnection(batcher, {
      isCluster: false,
      // Behind an address is whoever answers.
      lifeOf: () => anyLife,
      learnLives: () => Effect.void,
      channel: (name) => channelPrefix + name,
      listen: () => Effect.void
    })

    let flags = true
    const scripts: ValkeyConnection["scripts"] = (operation, script, calls, options) =>
      Effect.suspend(() => {
        const flagged = flags
        const said = dialectOf(script, calls, flagged)
        return Effect.flatMap(connection.scripts(operation, said.script, said.calls, options), (results) => {
          const refused = results.some((result) => Either.isLeft(result) && result.left.code === unknownFlags)
          if (!refused || !flagged) return Effect.succeed(results)
          flags = false
          return scripts(operation, script, calls, options)
        })
      })
    return ValkeyConnection.of({
      ...connection,
      scripts,
      script: (operation, script, key, args) =>
        Effect.flatMap(scripts(operation, script, [{ key, args }]), ([result]) => result ?? Effect.succeed(null))
    })
  })

/** Frameworks that put a cache in front of `fetch` must not do so here; some runtimes do not even know of that wish. */
const uncached = (): RequestInit => {
  const init: RequestInit & { readonly cache: string } = { cache: "no-store" }
  try {
    void new Request("http://localhost", init)
    return init
  } catch {
    return {}
  }
}

/** The client over `fetch`: a given one, or that of the runtime. */
const fetchClient = (fetch: Fetch | undefined): Layer.Layer<HttpClient.HttpClient> => {
  const init = Layer.sync(FetchHttpClient.RequestInit, uncached)
  if (fetch === undefined) return Layer.provide(FetchHttpClient.layer, init)
  const given = Layer.succeed(FetchHttpClient.Fetch, (input, init) => fetch(new URL(String(input)), init ?? {}))
  return Layer.provide(FetchHttpClient.layer, Layer.merge(init, given))
}

/** The store and the lock over HTTP, by a client of the caller's, or by `fetch`. */
export const layer = (
  options: ConnectionOptions,
  client?: HttpClient.HttpClient
): Layer.Layer<CacheStore | DistributedLock, CacheOptionsError> => {
  const settings = readOptions(options)
  if (Either.isLeft(settings)) return Layer.fail(settings.left)
  const connection = Layer.provide(
    Layer.scoped(ValkeyConnection, make(settings.right)),
    client === undefined ? fetchClient(settings.right.fetch) : Layer.succeed(HttpClient.HttpClient, client)
  )
  return Layer.provide(Layer.merge(Store.layer, Lock.layer), connection)
}
