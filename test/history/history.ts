import type { ChildProcess } from "node:child_process"
import { fork } from "node:child_process"
import { once } from "node:events"
import type { Consistency } from "effect-prisma-cache/QueryCache"
import type * as ValkeyCache from "effect-prisma-cache/ValkeyCache"
import { bundle } from "../support/bundle.js"
import { terminate } from "../support/process.js"
import { runSql } from "../support/postgres.js"
import { makeChecker, unpack } from "./check.js"
import type { Stale } from "./check.js"
import type { Report, Request, Start } from "./messages.js"
import { seed as rows } from "./subjects.js"

export interface Options {
  /** The address of a database with the tables of the tests and no rows that anybody needs. */
  readonly postgres: string
  readonly valkey: ValkeyCache.Connection
  readonly namespace: string
  readonly consistency: Consistency
  readonly operations: number
  readonly processes?: number
  readonly seed?: number
  /** Whether the processes' clocks are wrong, by ten seconds to either side. */
  readonly isSkewed?: boolean
  /** Whether intents may get lost, so that what is committed and not yet acknowledged may be seen and missed again. */
  readonly losesIntents?: boolean
  readonly isWrong?: boolean
  /** Whether each process has a memory of its own, which hears of what others write a little later. */
  readonly memory?: boolean
  /** What else happens all the while; given what ends it. */
  readonly mischief?: (signal: AbortSignal) => Promise<void>
}

export interface Outcome {
  readonly operations: number
  readonly seconds: number
  readonly counts: { readonly [what: string]: number }
  readonly kinds: number
  readonly stale: ReadonlyArray<Stale>
  /** For how long at the most a process missed what another had written, in milliseconds. */
  readonly longest: number
}

/** What the documentation says of how long a memory may miss what others write. */
const toleranceOfMemory = 2_000

const operationsPerRound = 2_000

const launch = async (file: string, start: Start): Promise<ChildProcess> => {
  const child = fork(file, [JSON.stringify(start)], { execArgv: [], stdio: ["ignore", "inherit", "inherit", "ipc"], serialization: "advanced" })
  await answerOf(child)
  return child
}

const answerOf = async (child: ChildProcess): Promise<unknown> => {
  const over = new AbortController()
  const ended = once(child, "exit", { signal: over.signal }).then(([code, signal]) => {
    throw new Error(`a process left with ${code ?? signal}`)
  })
  try {
    const [message] = await Promise.race([once(child, "message", { signal: over.signal }), ended])
    return message
  } finally {
    over.abort()
    ended.catch(() => {})
  }
}

/** Reads and writes at random in several processes, and checks every read against the writes before it. */
export const observe = async (options: Options): Promise<Outcome> => {
  const { consistency, isSkewed = false, isWrong = false, memory = false, namespace, operations, postgres, processes = 4, seed = 1, valkey } = options
  await runSql(postgres, rows)
  const worker = await bundle(new URL("./worker.ts", import.meta.url))
  const skewOf = (i: number) => isSkewed ? [0, 10_000, -10_000][i % 3] ?? 0 : 0
  const children = await Promise.all(Array.from({ length: processes }, (_, i) =>
    launch(worker.file, { postgres, valkey, namespace, consistency, skew: skewOf(i), seed: seed * 1_000 + i, isWrong, memory })))
  const checker = makeChecker({
    monotone: consistency === "strict" && options.losesIntents !== true,
    tolerance: memory ? toleranceOfMemory : 0
  })
  const counts = new Map<string, number>()
  const kinds = new Set<string>()
  const stale: Array<Stale> = []
  const over = new AbortController()
  const mischief = options.mischief?.(over.signal)
  const startedAt = performance.now()
  let done = 0
  try {
    while (done < operations) {
      const request: Request = { operations: Math.ceil(Math.min(operationsPerRound, (operations - done) / processes)), callers: 12 }
      const reports = await Promise.all(children.map((child) => {
        const report = answerOf(child)
        child.send(request)
        return report as Promise<Report>
      }))
      done += request.operations * processes
      stale.push(...checker.check(reports.flatMap((report, i) => unpack(report.observations, i))))
      for (const report of reports) {
        for (const [what, count] of Object.entries(report.counts)) counts.set(what, (counts.get(what) ?? 0) + count)
        for (const kind of report.kinds) kinds.add(kind)
      }
    }
  } finally {
    over.abort()
    await mischief
    await Promise.all(children.map((child) => terminate(child, "SIGKILL")))
    await worker.remove()
  }
  return {
    operations: done,
    seconds: (performance.now() - startedAt) / 1_000,
    counts: Object.fromEntries(counts),
    kinds: kinds.size,
    stale,
    longest: checker.longest()
  }
}
