import { spawn } from "node:child_process"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import type { Bundle } from "../support/bundle.js"
import { bundle } from "../support/bundle.js"
import { exited, freePort, hasExited, until } from "../support/process.js"
import type { ValkeyServer } from "../support/valkey.js"
import { startValkey } from "../support/valkey.js"

let program: Bundle

beforeAll(async () => {
  program = await bundle(new URL("./script.ts", import.meta.url))
})
afterAll(() => program?.remove())

/** Runs the program; what it wrote to its error output is part of what it said, since it is to be silent there. */
const start = (url: string, mode: "once" | "loop" | "brief") => {
  const child = spawn(process.execPath, [program.file, url, mode], { stdio: "pipe" })
  const said: Array<string> = []
  let errors = ""
  let closedAt = Number.NaN
  let exitedAt = Number.NaN
  child.stdout.on("data", (chunk: Buffer) => {
    said.push(...chunk.toString().trim().split("\n"))
    if (said.includes("closed") && Number.isNaN(closedAt)) closedAt = performance.now()
  })
  child.stderr.on("data", (chunk: Buffer) => (errors += chunk.toString()))
  child.once("exit", () => (exitedAt = performance.now()))
  return {
    said,
    errors: () => errors,
    end: () => child.stdin.end(),
    hasExited: () => hasExited(child),
    /** Ends with its exit code and how long it lived on after it had closed the cache. */
    exit: async () => {
      await exited(child)
      return { code: child.exitCode, lingeredMillis: exitedAt - closedAt }
    }
  }
}

/** Far below what any timer, retry or open connection would hold it for, far above what a busy machine takes. */
const soon = 1_500

describe("a program that has closed the cache exits by itself", () => {
  let server: ValkeyServer

  beforeAll(async () => {
    server = await startValkey()
  })
  afterAll(() => server.stop())

  const expectToExit = async (url: string, answer: RegExp) => {
    const program = start(url, "once")
    const { code, lingeredMillis } = await program.exit()
    expect(program.errors()).toBe("")
    expect(program.said).toEqual(["driver-not-loaded", expect.stringMatching(answer), "closed"])
    expect(code).toBe(0)
    expect(lingeredMillis).toBeLessThan(soon)
  }

  it("when all is well, and the driver is loaded only when the layer is built", () => expectToExit(server.url, /^answered$/))

  it("when there is no server", async () => expectToExit(`valkey://127.0.0.1:${await freePort()}`, /^Unavailable$/))

  it("when the server hangs", async () => {
    await server.kill("SIGSTOP")
    await expectToExit(server.url, /^(Timeout|Unavailable)$/)
    await server.kill("SIGCONT")
  })

  it("when the server cannot be reached at all", () => expectToExit("valkey://192.0.2.1:6379", /^(Timeout|Unavailable)$/))
})

describe("a program that opens the cache and closes it again at once", () => {
  it("says nothing of it", async () => {
    const server = await startValkey()
    for (const url of [server.url, `valkey://127.0.0.1:${await freePort()}`]) {
      const program = start(url, "brief")
      const { code, lingeredMillis } = await program.exit()
      expect(program.errors()).toBe("")
      expect(code).toBe(0)
      expect(lingeredMillis).toBeLessThan(soon)
    }
    await server.stop()
  })
})

describe("a program whose server is killed", () => {
  it("goes on, hears of it as an error of the cache, and is answered again when the server is back", async () => {
    const server = await startValkey()
    const program = start(server.url, "loop")
    const saysAfterNow = async (word: string) => {
      const from = program.said.length
      await until(`it says ${word}`, () => program.hasExited() || program.said.slice(from).includes(word))
    }
    await saysAfterNow("answered")
    await server.kill("SIGKILL")
    await saysAfterNow("Unavailable")
    await server.restart()
    await saysAfterNow("answered")
    await server.kill("SIGKILL")
    await saysAfterNow("Unavailable")
    program.end()
    const { code } = await program.exit()
    expect(program.errors()).toBe("")
    expect(program.said.at(-1)).toBe("closed")
    expect(code).toBe(0)
    await server.stop()
  })
})
