import * as Effect from "effect/Effect"
import { execFile } from "node:child_process"
import { mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import * as path from "node:path"
import { promisify } from "node:util"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import type { Bundle } from "../support/bundle.js"
import { bundle } from "../support/bundle.js"
import { freePort } from "../support/process.js"
import { startValkey } from "../support/valkey.js"
import type { ValkeyServer } from "../support/valkey.js"
import { read } from "../QueryCache/support.js"
import { certify } from "./certificates.js"
import type { Certified } from "./certificates.js"
import { open, round } from "./support.js"
import type { Opened } from "./support.js"

describe("a server that speaks TLS", () => {
  let directory: string
  let server: ValkeyServer
  let port: number
  let good: Certified
  let strange: Certified
  let program: Bundle

  beforeAll(async () => {
    directory = await mkdtemp(path.join(tmpdir(), "certificates-"))
    program = await bundle(new URL("./secureUrl.ts", import.meta.url))
    good = await certify(directory, "good", [{ type: 7, ip: "127.0.0.1" }, { type: 2, value: "localhost" }])
    strange = await certify(directory, "strange", [{ type: 7, ip: "127.0.0.1" }])
    port = await freePort()
    server = await startValkey({ args: ["--tls-port", `${port}`, ...good.args] })
  })
  afterAll(async () => {
    await server?.stop()
    await program?.remove()
    await rm(directory, { recursive: true, force: true })
  })

  const at = (ca: string) => ({ host: "127.0.0.1", port, tls: { ca } })

  it("is used by a client that trusts its authority", async () => {
    const opened: Array<Opened> = []
    const told = await round((consistency) => {
      const made = open(at(good.ca), { consistency })
      opened.push(made)
      return made
    }, "strict")
    expect(told).toMatchObject({ cold: 1, warm: "hit" })
    expect(opened.flatMap(({ failures }) => failures())).toEqual([])
  })

  const statuses = async (url: string, env: NodeJS.ProcessEnv) => {
    const { stdout } = await promisify(execFile)(process.execPath, [program.file, url], {
      env: { ...process.env, ...env }
    })
    return JSON.parse(stdout) as ReadonlyArray<string>
  }

  it.each(["valkeys", "rediss"])("is reached by a %s:// URL, with the authority in NODE_EXTRA_CA_CERTS", async (scheme) => {
    const url = `${scheme}://localhost:${port}`
    expect(await statuses(url, { NODE_EXTRA_CA_CERTS: good.caFile })).toEqual(["miss", "hit"])
    expect(await statuses(url, {})).toEqual(["bypass", "bypass"])
  })

  it.each<[string, () => Parameters<typeof open>[0]]>([
    ["another authority", () => at(strange.ca)],
    ["the authorities of the system alone", () => `valkeys://127.0.0.1:${port}`],
    ["a name that is not in its certificate", () => ({ ...at(good.ca), tls: { ca: good.ca, servername: "elsewhere" } })],
    ["no TLS at all", () => `valkey://127.0.0.1:${port}`],
    ["TLS where the server speaks none", () => ({ ...at(good.ca), port: server.port })]
  ])("costs no query, and is told, when it is met with %s", async (_, connection) => {
    const cache = open(connection(), { budget: 500, commandTimeout: 2_000 })
    for (let i = 1; i <= 3; i++) {
      const { info, value } = await cache.use((given) => given.answer(read<number>("a"), Effect.succeed(i)))
      expect([info.status, value]).toEqual(["bypass", i])
    }
    expect(cache.failures().length).toBeGreaterThan(0)
    expect(await cache.use(({ stats }) => stats)).toMatchObject({ hits: 0, fills: 0 })
  })
})
