/**
 * What Effect counts, in Prometheus' text format. Libraries that export Effect's metrics do the same.
 */
import { Effect, Metric, MetricKeyType, MetricState } from "effect"
import type { MetricPair } from "effect"

const labels = (tags: ReadonlyArray<readonly [name: string, value: string]>): string =>
  tags.length === 0 ? "" : `{${tags.map(([name, value]) => `${name}=${JSON.stringify(value)}`).join()}}`

/** The lines of one metric: its type, and a line for each number. */
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

/** The page. Metrics that differ in labels only stand together, under one line for their type. */
export const metricsPage: Effect.Effect<string> = Effect.map(Metric.snapshot, (pairs) => {
  const byType = new Map<string, Array<string>>()
  for (const pair of pairs) {
    const { lines, type } = linesOf(pair)
    byType.set(type, [...byType.get(type) ?? [], ...lines])
  }
  return `${Array.from(byType, ([type, lines]) => [type, ...lines].join("\n")).join("\n")}\n`
})
