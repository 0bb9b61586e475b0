/**
 * What a cached query costs, here and elsewhere; see docs/performance.md.
 *
 *     npm run bench -- [--rounds 9] [--scale 1] [--only "hit, 1 row"] [--who ours] [--million] [--json FILE]
 *
 * PostgreSQL and Valkey (or Redis) are started for the run, on this machine, and stopped with it.
 */
import { readFile, writeFile } from "node:fs/promises"
import * as path from "node:path"
import { parseArgs } from "node:util"
import { createDatabase, startPostgres } from "../support/postgres.js"
import { startValkey } from "../support/valkey.js"
import { contestants } from "./contestants.js"
import { textOf } from "./report.js"
import { rowNames, run } from "./run.js"

const { values } = parseArgs({
  options: {
    rounds: { type: "string", default: "9" },
    scale: { type: "string", default: "1" },
    only: { type: "string", multiple: true, default: [] },
    who: { type: "string", multiple: true, default: [] },
    million: { type: "boolean", default: false },
    json: { type: "string" },
    list: { type: "boolean", default: false }
  }
})
const [rounds, scale] = [Number(values.rounds), Number(values.scale)]
if (!Number.isInteger(rounds) || rounds < 1) throw new Error("--rounds takes a whole number, 1 or more")
if (!(scale > 0)) throw new Error("--scale takes a number above 0")

if (values.list) {
  console.log(["facts", "memory", ...rowNames(scale, values.million)].join("\n"))
  console.log(`\n${contestants.map(({ name }) => name).join("\n")}`)
} else {
  const taking = contestants.filter(({ name }) => values.who.length === 0 || values.who.some((part) => name.includes(part)))
  const [postgres, valkey] = await Promise.all([startPostgres(), startValkey({ args: ["--databases", "100"] })])
  try {
    const sql = await readFile(path.resolve("test", "prisma", "schema.sql"), "utf8")
    const report = await run({
      postgres: await createDatabase(postgres.url, "bench", { sql }),
      valkey,
      contestants: taking,
      rounds,
      scale,
      only: values.only,
      million: values.million,
      say: (what) => console.error(`${new Date().toISOString().slice(11, 19)} ${what}`)
    })
    console.log(textOf(report))
    if (values.json !== undefined) await writeFile(values.json, JSON.stringify(report, null, 2) + "\n")
    if (report.failures.length > 0) process.exitCode = 1
  } finally {
    await valkey.stop()
    await postgres.stop()
  }
}
