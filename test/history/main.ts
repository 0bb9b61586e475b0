/**
 * Histories at length: `npm run history -- --operations 1000000`, or with `--place "three nodes"` for one of the places,
 * with `--memory` where each process has a memory of its own.
 * Fails if any read was stale.
 */
import { readFile } from "node:fs/promises"
import { parseArgs } from "node:util"
import { createDatabase, startPostgres } from "../support/postgres.js"
import { observe } from "./history.js"
import { places } from "./places.js"
import type { Place } from "./places.js"

const { values } = parseArgs({
  options: {
    operations: { type: "string", default: "1000000" },
    place: { type: "string", multiple: true, default: Object.keys(places) },
    consistency: { type: "string", multiple: true, default: ["strict", "after-commit"] },
    memory: { type: "boolean", default: false },
    seed: { type: "string", default: "1" }
  }
})

const postgres = await startPostgres()
const sql = await readFile(new URL("../prisma/schema.sql", import.meta.url), "utf8")
let failed = false
try {
  for (const [name, open] of Object.entries(places)) {
    if (!values.place.includes(name)) continue
    for (const consistency of ["strict", "after-commit"] as const) {
      if (!values.consistency.includes(consistency)) continue
      const place: Place = await open()
      try {
        const { counts, kinds, longest, operations, seconds, stale } = await observe({
          ...place,
          postgres: await createDatabase(postgres.url, "history", { sql }),
          namespace: "history",
          consistency,
          operations: Number(values.operations),
          memory: values.memory,
          seed: Number(values.seed)
        })
        failed ||= stale.length > 0
        console.log(`${name}, ${consistency}: ${stale.length} stale of ${operations} operations of ${kinds} kinds in ${seconds.toFixed(0)} s`)
        if (values.memory) console.log(`   what others wrote was missed for ${longest.toFixed(1)} ms at the most`)
        console.log("  ", { ...counts, ...await place.harm?.() })
        for (const one of stale.slice(0, 5)) console.log("  ", one)
      } finally {
        await place.stop()
      }
    }
  }
} finally {
  await postgres.stop()
}
process.exitCode = failed ? 1 : 0
