/**
 * An application that works while one thing after the other happens to its cache server: `npm run soak`, for two
 * minutes, or `npm run soak -- --minutes 60`. Fails if a read failed or saw what it must not, or anything is left.
 */
import { parseArgs } from "node:util"
import { startPostgres } from "../support/postgres.js"
import type { Stock } from "./messages.js"
import { soak } from "./soak.js"

const { values } = parseArgs({
  options: { minutes: { type: "string", default: "2" }, seed: { type: "string", default: "1" } }
})

const sum = (numbers: ReadonlyArray<number>) => numbers.reduce((one, other) => one + other, 0)
const megabytes = (bytes: number) => `${(bytes / 1e6).toFixed(1)} MB`

const postgres = await startPostgres()
const startedAt = performance.now()
try {
  const { before, connections, faults, left, report } = await soak({
    postgres: postgres.url,
    seconds: Number(values.minutes) * 60,
    seed: Number(values.seed),
    onFault: (name, recovery) => {
      const seconds = ((performance.now() - startedAt) / 1_000).toFixed(0)
      console.error(`${seconds} s  ${name}: ${recovery === undefined ? "NOT RECOVERED" : `${Math.round(recovery)} ms`}`)
    }
  })
  const { acknowledged, behind, errors, events, operations, statuses, stock, undelivered, wrong } = report
  console.log(`\n${((performance.now() - startedAt) / 60_000).toFixed(1)} minutes\n`)
  for (const [name, tally] of Object.entries(operations)) {
    console.log(`${name.padEnd(36)} ${String(tally.done).padStart(8)} done, ${tally.failed} failed`)
  }
  const done = sum(Object.values(operations).map((tally) => tally.done))
  const failed = sum(Object.values(operations).map((tally) => tally.failed))
  console.log(`\nall ${done}, failed ${failed}, wrong ${wrong}, behind ${behind}`)
  console.log(`explicit invalidations: ${acknowledged} acknowledged, ${undelivered} owed for a while`)
  console.log("reads", statuses)
  console.log("events", events)
  for (const [name, error] of Object.entries(errors)) console.log(`${name}: ${error}`)

  const recoveries = faults.flatMap(({ recovery }) => recovery ?? []).sort((one, other) => one - other)
  const last = recoveries.length - 1
  const at = (share: number) => Math.round(recoveries[Math.min(last, Math.floor(recoveries.length * share))] ?? NaN)
  console.log(`\nfaults ${faults.length}, recovered ${recoveries.length}`)
  console.log(`ms until all was well again: median ${at(0.5)}, p90 ${at(0.9)}, longest ${at(1)}`)
  const line = (what: string, tell: (stock: Stock) => string) =>
    console.log(`${what.padEnd(12)} ${tell(before).padEnd(60)} ${tell(stock)}`)
  console.log("\nwhat is held with everything closed: at the start, and at the end")
  line("heap", ({ heap }) => megabytes(heap))
  line("resources", ({ resources }) => JSON.stringify(resources))
  line("fibers", ({ fibers }) => `${fibers}`)
  line("listeners", ({ listeners }) => `${listeners}`)
  console.log("connections to the server", connections.valkeyBefore, connections.valkey)
  console.log("left in the server", left)
  const { intents, locks, withoutExpiry } = left
  const isBad = failed + wrong + behind + locks + intents + withoutExpiry > 0 || recoveries.length < faults.length
  process.exitCode = isBad ? 1 : 0
} finally {
  await postgres.stop()
}
