import { execFile, execFileSync } from "node:child_process"
import { createRequire } from "node:module"
import { promisify } from "node:util"
import { beforeAll, describe, expect, it } from "vitest"
import { valkeyUrl } from "./support/servers.js"

const tsx = createRequire(import.meta.url).resolve("tsx/cli")

/** What a program prints. Rejects when it does not end by itself, with exit code 0 and a clean standard error. */
const output = async (example: string, env: NodeJS.ProcessEnv): Promise<string> => {
  const { stderr, stdout } = await promisify(execFile)(process.execPath, [tsx, `examples/${example}.ts`], {
    env: { ...process.env, ...env },
    timeout: 120_000
  })
  expect(stderr).toBe("")
  return stdout
}

beforeAll(() => {
  execFileSync(process.execPath, ["test/support/generate.mjs", "examples"], { stdio: ["ignore", "ignore", 2] })
})

// On Valkey an answer is there a moment before it is stored: who asks in between joins the one who stores it.
const places = [
  ["in memory", () => ({ VALKEY_URL: undefined })],
  ["on Valkey", () => ({ VALKEY_URL: valkeyUrl() })]
] as const

describe("the example", () => {
  it.each(places)("demo asks the database once for a thousand callers, and again after a write, %s", { timeout: 130_000 }, async (_, env) => {
    const said = await output("demo", env())
    expect(said).toMatch(/second read .* 0 {3}the cache: price 58\.99/)
    expect(said).toMatch(/nothing stored yet .* 1 {3}1 from the database, 999 from another caller's query/)
    expect(said).toMatch(/after the write .* 3 {3}the database: price 12\.50/)
    expect(said).toMatch(/rolls back.* 0 {3}the cache: price 12\.50/)
    expect(said).toContain("is deep-equal to the first")
  })

  it("plain-prisma does what its comments say", { timeout: 130_000 }, async () => {
    const said = await output("plain-prisma", { VALKEY_URL: valkeyUrl() })
    expect(said).toMatch(/product 7 after a write with uncache +miss/)
    expect(said).toMatch(/product 7 after a write with cache +hit/)
    expect(said).toMatch(/reviews after their tag was invalidated +miss/)
    expect(said).toMatch(/asked by staff a second time +(hit|joined)/)
    expect(said).toMatch(/asked by a customer +miss/)
    expect(said).toContain("errors: 0")
  })

  it("accelerate answers as Accelerate's customers know it", { timeout: 130_000 }, async () => {
    const said = await output("accelerate", { VALKEY_URL: valkeyUrl() })
    expect(said).toMatch(/a first read +miss/)
    expect(said).toMatch(/a second read +(ttl|miss)/)
    expect(said).toMatch(/after a write +miss/)
    expect(said).toMatch(/after an invalidation +miss/)
    expect(said).toContain("one invalidation too many: P6003")
  })

  it("effect caches an effect that is no Prisma query", { timeout: 130_000 }, async () => {
    const said = await output("effect", { VALKEY_URL: undefined })
    expect(said).toMatch(/SKU-0001: Product 1 \((hit|joined)\)/)
    expect(said).toContain("SKU-0001: The first product (miss)")
    expect(said).toContain("100 callers: 1 query")
    expect(said).toContain("SKU-9999: no such product")
    expect(said).toContain("errors: 0")
  })
})
