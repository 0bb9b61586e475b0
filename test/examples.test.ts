import { execFile, execFileSync } from "node:child_process"
import { promisify } from "node:util"
import { beforeAll, describe, expect, it } from "vitest"
import { amount } from "./support/amount.js"
import { valkeyUrl } from "./support/servers.js"

/** What a program prints. Rejects when it does not end by itself, with exit code 0 and a clean standard error. */
const output = async (example: string, env: NodeJS.ProcessEnv): Promise<string> => {
  const { stderr, stdout } = await promisify(execFile)(process.execPath, ["--import", "tsx", `examples/${example}.ts`], {
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
// What the demo does in both places, each of the others does in one of them, unless all of it is to be done.
const inMemory = places.slice(0, amount(1, 2))
const onValkey = places.slice(amount(1, 0))

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

  it.each(onValkey)("http serves products from the cache, what was changed at once, and states for errors, %s", { timeout: 130_000 }, async (_, env) => {
    const said = await output("http", { ...env(), PORT: undefined })
    expect(said).toMatch(/^GET +\/products\/SKU-0001 +200 miss .*Product 1"/m)
    expect(said).toMatch(/^PATCH +\/products\/SKU-0001 +200 .*The first product"/m)
    expect(said).toMatch(/^GET +\/products\/SKU-0001 +200 miss .*The first product"/m)
    expect(said).toContain("200        3898.375")
    expect(said.match(/SKU-9999 +404 /g)).toHaveLength(2)
    expect(said).toMatch(/price\/ZZZ +404 .*NoRate/)
    expect(said).toContain("100 requests: 1 query")
    expect(said).toMatch(/^effect_prisma_cache_misses_total [1-9]/m)
  })

  it.each(inMemory)("next reads lists from the cache until they are written to, %s", { timeout: 130_000 }, async (_, env) => {
    const said = await output("next", env())
    expect(said).toMatch(/^a second visit +200 (hit|joined) +Product 90$/m)
    expect(said).toMatch(/^after the action +200 miss +A better product$/m)
    expect(said).toMatch(/^after the tag +200 miss +A better product$/m)
    expect(said).toMatch(/^a visit gone wrong +400 +$/m)
  })

  it("prometheus serves what was counted", async () => {
    const said = await output("prometheus", { PORT: undefined })
    expect(said).toMatch(/^# TYPE effect_prisma_cache_hits_total counter\neffect_prisma_cache_hits_total\{kind="fresh"\} (9\d|100)$/m)
    expect(said).toMatch(/^effect_prisma_cache_misses_total 2$/m)
    expect(said).toMatch(/^effect_prisma_cache_joined_total (9|1\d)$/m)
    expect(said).toMatch(/^effect_prisma_cache_database_milliseconds_saved_total \d{4,}$/m)
  })

  it("opentelemetry shows misses and their queries as spans, and no hits", async () => {
    const said = await output("opentelemetry", {})
    expect(said).toMatch(/^a first request\n {2}effect-prisma-cache\.miss .*status=miss\n {4}effect-prisma-cache\.load .*\n {6}SELECT product\na second request\ntwo/m)
    expect(said).toMatch(/status=joined/)
    expect(said).toMatch(/effect-prisma-cache\.load .*error\.type=UnknownProduct/)
    expect(said).toMatch(/^effect_prisma_cache_hits fresh 1$/m)
    expect(said).not.toContain("SKU-")
  })
})
