/**
 * A `/metrics` page for Prometheus: `npx tsx examples/prometheus.ts`; with `PORT=9464` it stays up.
 *
 * The metrics are Effect's own, so whatever exports those exports these too. Here `metricsPage.ts` writes the text by
 * hand.
 */
import { MemoryCacheLive, QueryCache } from "effect-prisma-cache"
import { Config, Console, Effect } from "effect"
import { createServer } from "node:http"
import type { Server } from "node:http"
import type { AddressInfo } from "node:net"
import { metricsPage } from "./metricsPage.js"

/** Stands for a query that takes its time. */
const products = QueryCache.cached(
  (page: number) => Effect.as(Effect.sleep("20 millis"), { page, names: ["Lamp", "Chair"] }),
  { name: "products", strategy: { ttl: "1 minute", tags: ["products"] } }
)

const serve = (port: number) =>
  Effect.acquireRelease(
    Effect.async<Server>((resume) => {
      const server = createServer((request, response) => {
        const status = request.url === "/metrics" ? 200 : 404
        response.writeHead(status, { "content-type": "text/plain; version=0.0.4" })
        response.end(status === 200 ? Effect.runSync(metricsPage) : "")
      })
      server.listen(port, "127.0.0.1", () => resume(Effect.succeed(server)))
    }),
    (server) => Effect.async<void>((resume) => void server.close(() => resume(Effect.void)))
  )

const program = Effect.gen(function*() {
  const port = yield* Config.port("PORT").pipe(Config.withDefault(0))
  const server = yield* serve(port)
  const cache = yield* QueryCache.QueryCache

  // Ten callers at once share a query; those who come later find its answer.
  yield* Effect.replicateEffect(products(1), 10, { concurrency: "unbounded" })
  yield* Effect.repeatN(products(1), 99)
  yield* cache.invalidate({ tags: ["products"] })
  yield* products(1)

  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/metrics`
  yield* Console.log(url)
  if (port !== 0) return yield* Effect.never
  const text = yield* Effect.promise(async () => (await fetch(url)).text())
  // What is told of fibers is Effect's own.
  yield* Console.log(text.split("\n").filter((line) => line.includes("effect_prisma_cache")).join("\n"))
})

await Effect.runPromise(program.pipe(Effect.scoped, Effect.provide(MemoryCacheLive)))
