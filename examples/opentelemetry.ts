/**
 * What OpenTelemetry sees of the cache: `npx tsx examples/opentelemetry.ts`.
 *
 * The exporters keep everything in memory, to be printed at the end; an application takes those of its vendor.
 */
import { NodeSdk } from "@effect/opentelemetry"
import { AggregationTemporality, InMemoryMetricExporter, PeriodicExportingMetricReader } from "@opentelemetry/sdk-metrics"
import { InMemorySpanExporter, SimpleSpanProcessor } from "@opentelemetry/sdk-trace-base"
import { MemoryCacheLive, QueryCache } from "effect-prisma-cache"
import { Data, Effect, Layer } from "effect"

class UnknownProduct extends Data.TaggedError("UnknownProduct")<{ readonly sku: string }> {}

/** Stands for a query that takes its time. */
const findProduct = QueryCache.cached(
  (sku: string) =>
    sku === "SKU-9999"
      ? Effect.fail(new UnknownProduct({ sku }))
      : Effect.as(Effect.sleep("20 millis"), { sku, name: "Lamp" }).pipe(Effect.withSpan("SELECT product")),
  { name: "find product", strategy: { ttl: "1 minute", tags: ["products"] } }
)

const program = Effect.gen(function*() {
  const request = (name: string, sku: string) => Effect.withSpan(Effect.ignore(findProduct(sku)), name)
  yield* request("a first request", "SKU-0001")
  yield* request("a second request", "SKU-0001")
  yield* Effect.all([request("two at once: one", "SKU-0002"), request("two at once: the other", "SKU-0002")], {
    concurrency: "unbounded"
  })
  yield* request("a request that fails", "SKU-9999")
})

const spans = new InMemorySpanExporter()
const metrics = new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE)
const reader = new PeriodicExportingMetricReader({ exporter: metrics, exportIntervalMillis: 60_000 })

const Telemetry = NodeSdk.layer(() => ({
  resource: { serviceName: "shop" },
  spanProcessor: new SimpleSpanProcessor(spans),
  metricReader: reader
}))

const told = Effect.promise(async () => {
  await reader.forceFlush()
  const ended = spans.getFinishedSpans()
  const print = (parent: string | undefined, indent: string) => {
    for (const span of ended) {
      if (span.parentSpanContext?.spanId !== parent) continue
      const attributes = Object.entries(span.attributes)
        .filter(([name]) => name.startsWith("effect_prisma_cache.") || name === "error.type")
        .map(([name, value]) => `${name.replace("effect_prisma_cache.", "")}=${String(value)}`)
      console.log([`${indent}${span.name}`, ...attributes].join("  "))
      print(span.spanContext().spanId, `${indent}  `)
    }
  }
  print(undefined, "")
  for (const { descriptor, dataPoints } of metrics.getMetrics().at(-1)?.scopeMetrics.flatMap(({ metrics }) => metrics) ?? []) {
    for (const { attributes, value } of dataPoints) {
      if (typeof value === "number" && descriptor.name.startsWith("effect_prisma_cache")) {
        console.log(descriptor.name, attributes["kind"] ?? "", value)
      }
    }
  }
})

await Effect.runPromise(Effect.zipRight(program, told).pipe(Effect.provide(Layer.merge(MemoryCacheLive, Telemetry))))
