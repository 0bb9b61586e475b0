/**
 * A web service with a cache: `npx tsx examples/http.ts`, after `npm run generate`; with `PORT=8080` it stays up.
 *
 * What it serves is in examples/service.ts, and made of effects. Here stands what belongs to HTTP: the errors of Prisma
 * become states, a header says where an answer came from, and /metrics is for Prometheus. The server is Node's own, and
 * the service a function from `Request` to `Response`, as other servers take it too.
 */
import {
  HttpApi,
  HttpApiBuilder,
  HttpApiEndpoint,
  HttpApiGroup,
  HttpApiSchema,
  HttpApp,
  HttpServer,
  HttpServerResponse
} from "@effect/platform"
import { MemoryCache, ValkeyCache } from "effect-prisma-cache"
import { Config, Console, Effect, Layer, Option, Schema } from "effect"
import { createServer } from "node:http"
import type { IncomingMessage, Server, ServerResponse } from "node:http"
import type { AddressInfo } from "node:net"
import { text } from "node:stream/consumers"
import { metricsPage } from "./metricsPage.js"
import { Catalogue, Database, NoRate, Rates, UnknownProduct } from "./service.js"
import { openShop } from "./shop.js"

class Unavailable extends Schema.TaggedError<Unavailable>()("Unavailable", {}) {}

const Product = Schema.Struct({ sku: Schema.String, name: Schema.String, price: Schema.Number, stock: Schema.Number })
const Change = Schema.partialWith(Product.pick("name", "stock"), { exact: true })
const sku = HttpApiSchema.param("sku", Schema.String)
const currency = HttpApiSchema.param("currency", Schema.String)

class ShopApi extends HttpApi.make("shop")
  .add(
    HttpApiGroup.make("products")
      .add(HttpApiEndpoint.get("find")`/products/${sku}`.addSuccess(Product))
      .add(HttpApiEndpoint.patch("change")`/products/${sku}`.setPayload(Change).addSuccess(Product))
      .add(
        HttpApiEndpoint.get("price")`/products/${sku}/price/${currency}`
          .addSuccess(Schema.Number)
          .addError(NoRate, { status: 404 })
      )
      .addError(UnknownProduct, { status: 404 })
      .addError(Unavailable, { status: 503 })
  )
  .add(
    HttpApiGroup.make("operation")
      .add(HttpApiEndpoint.get("metrics", "/metrics").addSuccess(HttpApiSchema.Text()))
  )
{}

const setHeader = (name: string, value: string) =>
  HttpApp.appendPreResponseHandler((_, response) => Effect.succeed(HttpServerResponse.setHeader(response, name, value)))

/** A row as the API tells it. */
const told = (row: { sku: string; name: string; price: { toNumber: () => number }; stock: number }) => ({
  sku: row.sku,
  name: row.name,
  price: row.price.toNumber(),
  stock: row.stock
})

const isAnswer = Schema.is(Schema.Union(UnknownProduct, NoRate))
const passes = ["ConnectionFailed", "Timeout", "TransactionConflict"]

/** What the visitor can do something about is said. Anything else is a mistake of ours: a defect, and a 500. */
const expected = <A, E extends { readonly _tag: string }, R>(effect: Effect.Effect<A, E, R>) =>
  Effect.catchAll(effect, (error) =>
    isAnswer(error) || passes.includes(error._tag)
      ? Effect.fail(isAnswer(error) ? error : new Unavailable())
      : Effect.die(error))

const ProductsLive = HttpApiBuilder.group(ShopApi, "products", (handlers) =>
  Effect.gen(function*() {
    const catalogue = yield* Catalogue
    return handlers
      .handle("find", ({ path }) =>
        catalogue.find(path.sku).pipe(
          Effect.tap(({ info }) => setHeader("x-cache", info.status)),
          Effect.map(({ data }) => told(data)),
          expected
        ))
      .handle("change", ({ path, payload }) => expected(Effect.map(catalogue.change(path.sku, payload), told)))
      .handle("price", ({ path }) => expected(catalogue.priceIn(path.sku, path.currency)))
  }))

const OperationLive = HttpApiBuilder.group(ShopApi, "operation", (handlers) =>
  handlers.handle("metrics", () => metricsPage))

const CacheLive = Layer.unwrapEffect(
  Effect.map(Config.option(Config.string("VALKEY_URL")), Option.match({
    onNone: () => MemoryCache.layer({ namespace: "http" }),
    // What runs for show is to wait longer for Valkey than a shop should, which is 50 ms unless it says otherwise.
    onSome: (connection) => ValkeyCache.layer({ connection, namespace: "http", budget: 10_000, commandTimeout: 10_000 })
  }))
)

const DatabaseLive = Database.layer(
  Effect.map(
    Effect.acquireRelease(Effect.promise(openShop), ({ close }) => Effect.promise(close)),
    ({ client }) => client
  )
)

const AppLive = HttpApiBuilder.api(ShopApi).pipe(
  Layer.provide([ProductsLive, OperationLive]),
  Layer.provide(Catalogue.Default),
  Layer.provide([DatabaseLive, Rates.layer]),
  Layer.provide(CacheLive),
  Layer.merge(HttpServer.layerContext)
)

/** Answers a request of Node's. With @effect/platform-node its `NodeHttpServer` would do that. */
const answer = async (
  handler: (request: Request) => Promise<Response>,
  incoming: IncomingMessage,
  outgoing: ServerResponse
): Promise<void> => {
  const method = incoming.method ?? "GET"
  const response = await handler(
    new Request(new URL(incoming.url ?? "/", "http://localhost"), {
      method,
      headers: Object.entries(incoming.headers).map(([name, value]): [string, string] => [name, String(value)]),
      ...(method === "GET" || method === "HEAD" ? {} : { body: await text(incoming) })
    })
  )
  outgoing.writeHead(response.status, Object.fromEntries(response.headers))
  outgoing.end(await response.text())
}

const serve = (port: number) =>
  Effect.gen(function*() {
    const { handler } = yield* Effect.acquireRelease(
      Effect.sync(() => HttpApiBuilder.toWebHandler(AppLive)),
      ({ dispose }) => Effect.promise(dispose)
    )
    const server = yield* Effect.acquireRelease(
      Effect.async<Server>((resume) => {
        const server = createServer((incoming, outgoing) => {
          answer(handler, incoming, outgoing).catch((error: unknown) => outgoing.destroy(error as Error))
        })
        server.listen(port, "127.0.0.1", () => resume(Effect.succeed(server)))
      }),
      (server) => Effect.async<void>((resume) => void server.close(() => resume(Effect.void)))
    )
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  })

const program = Effect.gen(function*() {
  const port = yield* Config.port("PORT").pipe(Config.withDefault(0))
  const url = yield* serve(port)
  if (port !== 0) {
    yield* Console.log(url)
    return yield* Effect.never
  }

  const ask = (method: string, path: string, body?: unknown) =>
    Effect.promise(async () => {
      const headers = { "content-type": "application/json" }
      const json = body === undefined ? {} : { body: JSON.stringify(body), headers }
      const response = await fetch(url + path, { method, ...json })
      return { status: response.status, cache: response.headers.get("x-cache") ?? "", text: await response.text() }
    })
  const show = (method: string, path: string, body?: unknown) =>
    Effect.flatMap(ask(method, path, body), ({ cache, status, text }) =>
      Console.log([method.padEnd(5), path.padEnd(29), status, cache.padEnd(6), text].join(" ")))

  yield* show("GET", "/products/SKU-0001")
  yield* show("GET", "/products/SKU-0001")
  yield* show("PATCH", "/products/SKU-0001", { name: "The first product" })
  yield* show("GET", "/products/SKU-0001")
  yield* show("GET", "/products/SKU-0002/price/JPY")
  yield* show("GET", "/products/SKU-9999")
  yield* show("PATCH", "/products/SKU-9999", { stock: 1 })
  yield* show("GET", "/products/SKU-0002/price/ZZZ")

  const crowd = yield* Effect.replicateEffect(ask("GET", "/products/SKU-0003"), 100, { concurrency: "unbounded" })
  yield* Console.log(`100 requests: ${crowd.filter(({ cache }) => cache === "miss").length} query`)

  const { text } = yield* ask("GET", "/metrics")
  yield* Console.log(text.split("\n").filter((line) => /^effect_prisma_cache_\w+_total/.test(line)).join("\n"))
})

await Effect.runPromise(Effect.scoped(program))
