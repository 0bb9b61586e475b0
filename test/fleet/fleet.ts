import { build } from "esbuild"
import type { ChildProcess } from "node:child_process"
import { fork } from "node:child_process"
import { mkdir, rm } from "node:fs/promises"
import * as path from "node:path"
import { fileURLToPath } from "node:url"
import { exited } from "../support/process.js"
import type { Message, Report, Request, Start } from "./messages.js"

/** A process that was started. */
export interface Launched<Asked, Answer> {
  readonly name: string
  readonly child: ChildProcess
  readonly ask: (request: Asked) => Promise<Answer>
  /** Resolves once it is gone for SIGKILL, at once for any other. */
  readonly signal: (signal: NodeJS.Signals) => Promise<void>
}

export interface Worker extends Omit<Launched<Omit<Request, "id">, Report>, "child"> {}

export interface Fleet {
  readonly workers: ReadonlyArray<Worker>
  /** Asks all of them at the same time. */
  readonly askAll: (request: Omit<Request, "id">) => Promise<ReadonlyArray<Report>>
  /** Puts new processes in the place of those that are gone. */
  readonly fill: () => Promise<void>
  readonly stop: () => Promise<void>
}

const root = fileURLToPath(new URL("../..", import.meta.url))

/** One file to load instead of hundreds: a worker is there in a fraction of the time. */
export const bundle = async (program: string): Promise<string> => {
  const directory = path.join(root, "node_modules/.cache/effect-prisma-cache")
  const file = path.join(directory, `fleet-${program}-${process.pid}.mjs`)
  await mkdir(directory, { recursive: true })
  await build({
    entryPoints: [path.join(root, `test/fleet/${program}.ts`)],
    outfile: file,
    bundle: true,
    format: "esm",
    platform: "node",
    target: "node20",
    packages: "external",
    alias: { "effect-prisma-cache": path.join(root, "src") },
    logLevel: "error"
  })
  return file
}

/** Starts a process and waits until it is ready. What it says unasked the listener hears. */
export const launch = async <Asked extends object, Answer, Said = never>(
  file: string,
  start: Start,
  listener: (said: Said) => void = () => {}
): Promise<Launched<Asked, Answer>> => {
  const child = fork(file, [JSON.stringify(start)], { execArgv: [], stdio: ["ignore", "inherit", "inherit", "ipc"] })
  interface Waiting {
    readonly resolve: (answer: Answer) => void
    readonly reject: (error: Error) => void
  }
  const waiting = new Map<number, Waiting>()
  let requests = 0
  await new Promise<void>((resolve, reject) => {
    child.once("exit", (code, signal) => {
      const error = new Error(`${start.name} left with ${code ?? signal}`)
      for (const { reject: fail } of waiting.values()) fail(error)
      reject(error)
    })
    child.on("message", (message: Message<Answer, Said>) => {
      if ("ready" in message) return resolve()
      if ("said" in message) return listener(message.said)
      waiting.get(message.id)?.resolve(message.report)
      waiting.delete(message.id)
    })
  })
  return {
    child,
    name: start.name,
    ask: (request) => {
      const id = ++requests
      const report = new Promise<Answer>((resolve, reject) => waiting.set(id, { resolve, reject }))
      child.send({ ...request, id })
      // Whoever kills a worker does not want to hear of what it was doing.
      report.catch(() => {})
      return report
    },
    signal: async (signal) => {
      child.kill(signal)
      if (signal === "SIGKILL") await exited(child)
    }
  }
}

/** Starts that many processes, each with a Prisma client and a cache of its own. */
export const startFleet = async (size: number, servers: Omit<Start, "name">): Promise<Fleet> => {
  const file = await bundle("worker")
  let started = 0
  const start = () => launch<Omit<Request, "id">, Report>(file, { ...servers, name: `worker ${++started}` })
  const workers = await Promise.all(Array.from({ length: size }, start))
  return {
    workers,
    askAll: (request) => Promise.all(workers.map((worker) => worker.ask(request))),
    fill: async () => {
      await Promise.all(workers.map(async ({ child }, i) => {
        if (child.exitCode !== null || child.signalCode !== null) workers[i] = await start()
      }))
    },
    stop: async () => {
      await Promise.all(workers.map(({ child, signal }) => child.exitCode === null && child.signalCode === null && signal("SIGKILL")))
      await rm(file, { force: true })
    }
  }
}

/** All that the reports count, together. */
export const sum = (reports: ReadonlyArray<Report>, what: "values" | "errors" | "statuses"): Record<string, number> => {
  const total: Record<string, number> = {}
  for (const report of reports) {
    for (const [key, count] of Object.entries(report[what])) total[key] = (total[key] ?? 0) + count
  }
  return total
}
