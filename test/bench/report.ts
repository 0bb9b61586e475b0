import { table } from "./measure.js"
import type { Report } from "./run.js"

const number = (value: number): string =>
  value.toLocaleString("en", { maximumFractionDigits: value < 10 ? 2 : value < 100 ? 1 : 0 })

/** A report as tables. */
export const textOf = (report: Report): string => {
  const { facts, failures, machine, memory, rounds, rows, scale } = report
  const parts: Array<string> = [
    `Node.js ${machine.node}, ${machine.processors}, ${machine.server}; ` +
    `load ${machine.load.map((value) => value.toFixed(1)).join(" to ")}; ${rounds} rounds, scale ${scale}`
  ]
  if (facts.length > 0) {
    const callers = facts[0]?.stampede.callers ?? 0
    parts.push(table([
      ["what it does", "exact", "trips of a hit", "of a miss", "of a write", `queries of ${callers} callers`],
      ...facts.map(({ contestant, lost, roundTrips: { hit, miss, write }, stampede }) => [
        contestant,
        lost === undefined ? "-" : lost.length === 0 ? "yes" : `no: ${lost.join(", ")}`,
        number(hit),
        number(miss),
        write === undefined ? "-" : number(write),
        number(stampede.queries)
      ])
    ]))
  }
  for (const { base, calls, figures, row, rounds: taken } of rows) {
    parts.push(
      `${row}: ${taken} rounds of ${calls}, ratio to "${base}"\n\n` +
      table([
        [row, "µs", "least - most", "ratio", "CPU µs", "queries"],
        ...figures.map(({ contestant, cpuMicros, least, micros, most, queries, ratio }) => [
          contestant,
          number(micros),
          `${number(least)} - ${number(most)}`,
          ratio.toFixed(ratio < 0.1 ? 3 : 2),
          number(cpuMicros),
          number(queries)
        ])
      ])
    )
  }
  if (memory.length > 0) {
    parts.push(table([
      [`bytes of an entry of 1 row, of ${memory[0]?.entries ?? 0}`, "in this process", "in the server"],
      ...memory.map(({ contestant, processBytes, serverBytes }) => [contestant, number(processBytes), number(serverBytes)])
    ]))
  }
  if (failures.length > 0) parts.push(`FAILED, so that these figures say nothing:\n${failures.join("\n")}`)
  return parts.join("\n\n\n")
}
