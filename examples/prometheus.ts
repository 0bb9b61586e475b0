/**
 * A `/metrics` page for Prometheus: `npx tsx examples/prometheus.ts`; with `PORT=9464` it stays up.
 *
 * The metrics are Effect's own, so whatever exports those exports these too. Here the text is written by hand.
 */
import { MemoryCacheLive, QueryCache } from "effect-prisma-cache"
import { Config, Console, Effect, Metric, MetricKeyType, MetricState } from "effect"
import type { MetricPair } from "effect"
import { createServer } from "node:http"
import type { Server } from "node:http"
import type { AddressInfo } from "node:net"

/** Stands for a query that takes its time. */
const products = QueryCache.cached(
  (page: number) => Effect.as(Effect.sleep("20 millis"), { page, names: ["Lamp", "Chair"] }),
  { name: "products", strategy: { ttl: "1 minute", tags: ["products"] } }
)

const labels = (tags: ReadonlyArray<readonly [name: string, value: string]>): string =>
  tags.length === 0 ? "" : `{${tags.map(([name, value]) => `${name}=${JSON.stringify(value)}`).join()}}`

/** The lines of one metric in Prometheus' text format: its type, and a line for each number. */
const linesOf = ({ metricKey, metricState }: MetricPair.MetricPair.Untyped) => {
  const { keyType, name } = metricKey
  const tags = metricKey.tags.map(({ key, value }) => [key, value] as const)
  if (MetricState.isHistogramState(metricState)) {
    const lines = metricState.buckets.map(([bound, count]) =>
      `${name}_bucket${labels([...tags, ["le", bound === Infinity ? "+Inf" : String(bound)]])} ${count}`)
    const sums = [`${name}_sum${labels(tags)} ${metricState.sum}`, `${name}_count${labels(tags)} ${metricState.count}`]
    return { type: `# TYPE ${name} histogram`, lines: [...lines, ...sums] }
  }
  if (!MetricState.isCounterState(metricState)) return { type: "", lines: [] }
  // One that may fall is no counter to Prometheus.
  const grows = MetricKeyType.isCounterKey(keyType) && keyType.incremental
  const full = grows ? `${name}_total` : name
  return {
    type: `# TYPE ${full} ${grows ? "counter" : "gauge"}`,
    lines: [`${full}${labels(tags)} ${metricState.count}`]
  }
}

/** Metrics that differ in labels only stand together, under one line for their type. */
const page = Effect.map(Metric.snapshot, (pairs) => {
  const byType = new Map<string, Array<string>>()
  for (const pair of pairs) {
    const { lines, type } = linesOf(pair)
    byType.set(type, [...byType.get(type) ?? [], ...lines])
  }
  return Array.from(byType, ([type, lines]) => [type, ...lines].join("\n")).join("\n")
})

const serve = (port: number) =>
  Effect.acquireRelease(
    Effect.async<Server>((resume) => {
      const server = createServer((request, response) => {
        const status = request.url === "/metrics" ? 200 : 404
        response.writeHead(status, { "content-type": "text/plain; version=0.0.4" })
        response.end(status === 200 ? `${Effect.runSync(page)}\n` : "")
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
