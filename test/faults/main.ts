/**
 * What an application notices of a cache server that something happens to, in one table: `npm run faults`, or with
 * `--state loading` for those whose name says so, with `--memory` where caches have a memory of their own: two of them in
 * one process, of which nothing happens to the second. Fails if any read failed, or saw what it must not: what one of
 * them writes the other may miss for as long as the documentation says, what it writes itself never.
 *
 * Times are milliseconds that a read spent in the library: from the call to the query, or the whole call of a hit.
 */
import { readFile, rm } from "node:fs/promises"
import { setTimeout as delay } from "node:timers/promises"
import { parseArgs } from "node:util"
import { launch } from "../fleet/fleet.js"
import { bundle } from "../support/bundle.js"
import { createDatabase, startPostgres } from "../support/postgres.js"
import type { Answer, Order, Report, Start, Times } from "./messages.js"
import type { State } from "./stage.js"
import { openStage, states } from "./stage.js"

const { values } = parseArgs({
  options: {
    state: { type: "string", default: "" },
    memory: { type: "boolean", default: false },
    readers: { type: "string", default: "200" },
    seconds: { type: "string" }
  }
})

/** How long a fault lasts: longer than it may take until a memory is not believed in any more. */
const millisOfFault = Number(values.seconds ?? (values.memory ? 4 : 2)) * 1_000

/** How long it may take until all is well again. */
const patience = 10_000

const nothing = async () => {}
const none: State = { name: "nothing at all", begin: nothing, end: nothing, invalidations: "acknowledged" }

const millis = (time: number) => Number.isNaN(time) ? "-" : time < 10 ? time.toFixed(2) : time.toFixed(0)
const times = ({ count, median, p99 }: Times) => count === 0 ? "-" : `${millis(median)} / ${millis(p99)} (${count})`

const header = [
  "fault",
  "reads",
  "failed",
  "wrong",
  "closed: median / p99 (reads)",
  "given up after",
  "open: median / p99 (reads)",
  "recovery",
  "hits",
  ...(values.memory ? ["of memory", "memory again", "missed for"] : []),
  "SQL",
  "invalidations: told, owed",
  "old elsewhere",
  "opened/closed",
  "lag"
]

const line = (name: string, report: Report): ReadonlyArray<string> => {
  const { events } = report.counts
  const { closed, counts, givenUp, health, hits, lag, memoryRecovery, oldElsewhere, open, queries, recovery, remembered } = report
  const again = (time: number | undefined) => time === undefined ? "never" : millis(time)
  return [
    name,
    `${counts.reads}`,
    `${counts.failed}`,
    `${counts.wrong + counts.behind}`,
    times(closed),
    givenUp === undefined ? "-" : millis(givenUp),
    times(open),
    again(recovery),
    `${hits}`,
    ...(values.memory ? [`${remembered}`, again(memoryRecovery), millis(counts.late)] : []),
    `${queries}`,
    `${counts.acknowledged}, ${counts.undelivered}`,
    `${oldElsewhere}`,
    `${events["BreakerOpened"] ?? 0}/${events["BreakerClosed"] ?? 0}${health === "ok" ? "" : ` ${health}`}`,
    millis(lag)
  ]
}

const postgres = await startPostgres()
const program = await bundle(new URL("./app.ts", import.meta.url))
const table: Array<ReadonlyArray<string>> = [header]
let isBad = false

const observe = async (state: State, database: "counted" | "prisma") => {
  const stage = await openStage()
  const sql = await readFile(new URL("../prisma/schema.sql", import.meta.url), "utf8")
  const url = database === "prisma" ? await createDatabase(postgres.url, "faults", { sql }) : ""
  const start: Start = { name: state.name, valkey: stage.url, undisturbed: stage.undisturbed, postgres: url, memory: values.memory }
  const app = await launch<Order, Answer>(program.file, start)
  try {
    const open: Order = { do: "open", namespace: "faults", database, readers: Number(values.readers) }
    if (state.fromTheStart === true) {
      await state.begin(stage)
      await app.ask(open)
      await app.ask({ do: "note", what: "fault" })
    } else {
      await app.ask(open)
      await app.ask({ do: "warm up" })
      await app.ask({ do: "note", what: "fault" })
      await state.begin(stage)
    }
    await delay(state.name === "stopped" ? Math.max(5_000, millisOfFault) : millisOfFault)
    await state.end(stage)
    await app.ask({ do: "note", what: "healthy" })
    await app.ask({ do: "recover", within: patience })
    const { report } = await app.ask({ do: "close" })
    if (report === undefined) throw new Error("there is no report")
    isBad ||= report.counts.failed + report.counts.wrong + report.counts.behind + report.oldElsewhere > 0
    table.push(line(database === "prisma" ? `${state.name}, through Prisma` : state.name, report))
    process.stderr.write(".")
  } finally {
    await app.signal("SIGKILL")
    await stage.stop()
  }
}

const startedAt = performance.now()
try {
  const isWanted = ({ name }: State) => name.includes(values.state)
  for (const state of [none, ...states].filter(isWanted)) await observe(state, "counted")
  for (const state of [none, ...states.slice(0, 1)].filter(isWanted)) await observe(state, "prisma")
} finally {
  await postgres.stop()
  await rm(program.file, { force: true })
}
const widths = header.map((_, column) => Math.max(...table.map((cells) => cells[column]?.length ?? 0)))
console.log()
for (const cells of table) console.log(cells.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(" | "))
console.log(`${values.readers} readers, ${((performance.now() - startedAt) / 1_000).toFixed(0)} s`)
process.exitCode = isBad ? 1 : 0
