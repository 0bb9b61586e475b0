import { PrismaPg } from "@prisma/adapter-pg"
import type { Metafile, Plugin } from "esbuild"
import { build } from "esbuild"
import { execFile, execFileSync } from "node:child_process"
import { mkdirSync, readFileSync, writeFileSync } from "node:fs"
import { builtinModules } from "node:module"
import { createServer } from "node:http"
import type { AddressInfo } from "node:net"
import * as path from "node:path"
import { text } from "node:stream/consumers"
import { promisify } from "node:util"
import { gzipSync } from "node:zlib"
import { prismaCache } from "effect-prisma-cache"
import { beforeAll, describe, expect, it, onTestFinished } from "vitest"
import { statusOf, useDatabase } from "../prisma/support.js"
import { uniqueName, valkeyUrl } from "../support/servers.js"
import { useBridge } from "./support.js"
import type { Environment, run, SqlQuery } from "./worker.js"
import { unhurried } from "../support/unhurried.js"

const here = import.meta.dirname
const root = path.resolve(here, "..", "..")
const generated = path.join(here, "generated")

const database = useDatabase((base) => base.user.create({ data: { id: 1, email: "ada@example.org", name: "Ada" } }))
const bridge = useBridge()

/** How edge runtimes load WebAssembly: as a module, compiled. */
const wasm: Plugin = {
  name: "wasm",
  setup: (builder) => {
    builder.onResolve({ filter: /\.wasm\?module$/ }, ({ path: given, resolveDir }) => ({
      path: path.join(resolveDir, given.replace("?module", "")),
      namespace: "wasm"
    }))
    builder.onLoad({ filter: /.*/, namespace: "wasm" }, ({ path: file }) => ({
      contents: `
        const binary = atob("${readFileSync(file).toString("base64")}")
        export default new WebAssembly.Module(Uint8Array.from(binary, (character) => character.charCodeAt(0)))`
    }))
  }
}

const bundle = async (entry: string, outfile: string, minify: boolean) => {
  const { metafile } = await build({
    entryPoints: [entry],
    outfile,
    minify,
    bundle: true,
    format: "esm",
    platform: "browser",
    target: "es2022",
    metafile: true,
    logLevel: "silent",
    plugins: [wasm]
  })
  return metafile
}

/** What a bundle expects to be there and does not bring along. */
const externals = (metafile: Metafile) =>
  [...Object.values(metafile.inputs), ...Object.values(metafile.outputs)].flatMap(({ imports }) =>
    imports.filter(({ external }) => external === true).map(({ path: name }) => name))

const isBuiltin = (name: string) => name.startsWith("node:") || builtinModules.includes(name)

const imported = (metafile: Metafile) =>
  Object.values(metafile.inputs).flatMap(({ imports }) => imports.map(({ original, path: name }) => original ?? name))

describe("the edge entry in a bundle", () => {
  it("needs no module of Node's and no driver, and is small enough", async () => {
    const outfile = path.join(generated, "edge.js")
    const metafile = await bundle(path.join(root, "src", "edge.ts"), outfile, true)
    expect(externals(metafile)).toEqual([])
    expect(imported(metafile).filter(isBuiltin)).toEqual([])
    expect(Object.keys(metafile.inputs).filter((file) => /iovalkey|ioredis|valkey\/(driver|batcher)/.test(file))).toEqual([])
    const bytes = readFileSync(outfile)
    const sizes = { minified: bytes.length, gzip: gzipSync(bytes, { level: 9 }).length }
    console.log(`effect-prisma-cache/edge: ${sizes.minified} bytes minified, ${sizes.gzip} bytes with gzip`)
    expect(sizes.gzip).toBeLessThan(160_000)
  })

  it("would be caught if it did", async () => {
    const entry = path.join(generated, "wrong.ts")
    mkdirSync(generated, { recursive: true })
    writeFileSync(entry, `import { createHash } from "node:crypto"\nexport const hash = createHash\n`)
    await expect(bundle(entry, path.join(generated, "wrong.js"), false)).rejects.toThrow("node:crypto")
  })
})

describe("a program of an edge runtime", () => {
  const bundled = path.join(generated, "worker.js")

  beforeAll(async () => {
    const generate = [path.join(root, "test", "support", "generate.mjs"), "edge"]
    execFileSync(process.execPath, generate, { stdio: ["ignore", "ignore", 2] })
    const metafile = await bundle(path.join(here, "worker.ts"), bundled, false)
    expect(externals(metafile)).toEqual([])
  })

  /** Carries out SQL for whoever has nothing but HTTP. */
  const startSql = async () => {
    const adapter = await new PrismaPg({ connectionString: database.url }).connect()
    const server = createServer((request, response) => {
      void text(request).then(async (body) => {
        const { method, query }: { method: "queryRaw" | "executeRaw"; query: SqlQuery } = JSON.parse(body)
        response.end(JSON.stringify(await adapter[method](query)))
      })
    })
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve))
    onTestFinished(async () => {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
      await adapter.dispose()
    })
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  }

  it("hits, invalidates, and shares its entries with programs of Node", async () => {
    const environment: Environment = {
      url: bridge.current.url,
      token: bridge.current.token,
      namespace: uniqueName("bundle"),
      sqlUrl: await startSql(),
      databaseUrl: database.url
    }
    const { stdout } = await promisify(execFile)(process.execPath, [
      "--experimental-vm-modules",
      "--no-warnings",
      path.join(here, "bare.mjs"),
      bundled,
      JSON.stringify(environment)
    ])
    const { report, requests }: Awaited<ReturnType<typeof run>> = JSON.parse(stdout)
    const named = (name: string) => expect.objectContaining({ id: 1, email: "ada@example.org", name })
    expect(report).toEqual([
      ["cold: a row", "miss", named("Ada")],
      ["cold: a count", "miss", 1],
      ["warm: a row", "hit", named("Ada")],
      ["warm: a count", "hit", 1],
      ["after a write: a row", "miss", named("Grace")],
      ["after a write: a count", "miss", 1],
      ["warm again: a row", "hit", named("Grace")],
      ["warm again: a count", "hit", 1],
      ["after an invalidation: a row", "hit", named("Grace")],
      ["after an invalidation: a count", "miss", 1]
    ])

    // Asked of the store together, sent to the database each in its own caller's context.
    expect(requests.toSorted()).toEqual([["one", "one"], ["other", "other"]])

    const { PrismaClient } = await import("./generated/node/client.js")
    const base = new PrismaClient({ adapter: new PrismaPg({ connectionString: database.url }) })
    const prisma = base.$extends(prismaCache({ ...unhurried, cache: valkeyUrl(), namespace: environment.namespace }))
    onTestFinished(() => prisma.$disconnect())
    expect(await statusOf(() => prisma.user.findUnique({ where: { id: 1 }, cache: { ttl: "1 minute" } }))).toBe("hit")
    expect(await statusOf(() => prisma.user.count({ cache: { ttl: "1 minute", tags: ["users"] } }))).toBe("hit")
  })
})
