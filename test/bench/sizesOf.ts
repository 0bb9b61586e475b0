/**
 * What the cache takes of a process: bytes of what it keeps and of what is under way, what of that grows, and how long
 * it takes to be loaded. `npm run bench:sizes`.
 */
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as ManagedRuntime from "effect/ManagedRuntime"
import { build } from "esbuild"
import { execFile } from "node:child_process"
import { rm, writeFile } from "node:fs/promises"
import * as path from "node:path"
import { promisify } from "node:util"
import { setFlagsFromString } from "node:v8"
import { runInNewContext } from "node:vm"
import * as CacheEntry from "effect-prisma-cache/CacheEntry"
import * as CacheStore from "effect-prisma-cache/CacheStore"
import * as MemoryStore from "effect-prisma-cache/CacheStore/Memory"
import * as MemoryLock from "effect-prisma-cache/DistributedLock/Memory"
import * as QueryCache from "effect-prisma-cache/QueryCache"
import * as Serializer from "effect-prisma-cache/Serializer"
import { unhurried } from "../support/unhurried.js"
import { median } from "./measure.js"

setFlagsFromString("--expose-gc")
const collectGarbage = runInNewContext("gc") as () => void

const bytesInUse = async (): Promise<number> => {
  for (let i = 0; i < 3; i++) {
    collectGarbage()
    await new Promise((resolve) => setImmediate(resolve))
  }
  const { arrayBuffers, heapUsed } = process.memoryUsage()
  return heapUsed + arrayBuffers
}

const row = (n: number) => ({
  id: n,
  name: `the name of row ${n}`,
  at: new Date(1_700_000_000_000 + n),
  size: 9_007_199_254_740_993n,
  colours: { of: "red", and: [n, n + 1] }
})

const request = (n: number) => ({
  key: ["row", n],
  strategy: { ttl: "1 hour" },
  dependencies: [`r:Row:id:${n}`, "b:Row"]
}) as const

/** A store that has whatever it is asked for. */
const everything = (): CacheStore.CacheStore => {
  const stamp = "s:0123456789012345678901.0"
  let n = 0
  const found = (name: string, tags: ReadonlyArray<string>): CacheStore.Lookup => {
    const digest = /\{(.*)\}/.exec(name)?.[1] ?? ""
    const payload = Either.getOrThrow(Serializer.exact.encode(row(n++), { digest, types: [] }))
    const stamps = tags.map(() => stamp)
    const entry = { tags, stamps, createdAt: Date.now(), ttlMillis: 3_600_000, keptMillis: 3_600_000, queryMillis: 5, payload }
    return { entry: CacheEntry.encode(digest, entry), states: stamps }
  }
  const lookup: CacheStore.LookupFunction = Object.assign(
    (name: string, tags: ReadonlyArray<string>) => Effect.sync(() => found(name, tags)),
    {
      unsafe: ((name, tags, _, tell) => tell(Either.right(found(name, tags)))) satisfies CacheStore.UnsafeLookup
    }
  )
  return CacheStore.make({ ...MemoryStore.make(), lookup })
}

const open = (store: CacheStore.CacheStore, options: QueryCache.Options) => {
  const services = Layer.mergeAll(Layer.succeed(CacheStore.CacheStore, store), MemoryLock.layerNoop, Serializer.layerExact)
  return ManagedRuntime.make(Layer.provide(QueryCache.layer({ ...unhurried, ...options }), services))
}

export interface Sizes {
  /** Bytes of an entry of a memory tier beyond its payload: not yet asked for again, and asked for. */
  readonly entry: { readonly payload: number; readonly cold: number; readonly hot: number }
  /** Bytes of a key that is being queried, its caller included. */
  readonly flight: number
  /** Growth of the process from so many keys that went through a tier of fewer, in bytes. */
  readonly through: { readonly keys: number; readonly tier: number; readonly growth: number }
}

export const sizesOf = async ({ entries, keys }: { readonly entries: number; readonly keys: number }): Promise<Sizes> => {
  const payload = Either.getOrThrow(Serializer.exact.encode(row(entries), { digest: "", types: [] })).length
  const bounds: QueryCache.MemoryOptions = { maxEntries: entries, maxBytes: 1 << 30, maxAge: "1 hour" }
  const asking = async () => {
    const runtime = open(everything(), { memory: bounds })
    const cache = await runtime.runPromise(QueryCache.QueryCache)
    const ask = (from: number, count: number) => {
      for (let n = from; n < from + count; n++) cache.unsafeAnswer(request(n), { hit: () => {}, otherwise: () => {} })
    }
    return { ask, close: () => runtime.dispose() }
  }
  // All that is made once is there after a first one.
  await asking().then(({ ask, close }) => {
    ask(0, entries)
    ask(0, entries)
    return close()
  })

  const { ask, close } = await asking()
  const before = await bytesInUse()
  ask(0, entries)
  const cold = await bytesInUse()
  ask(0, entries)
  const hot = await bytesInUse()
  ask(entries, keys)
  const after = await bytesInUse()
  await close()

  const flying = open(MemoryStore.make(), { limits: { flights: entries + 1 } })
  const busy = await flying.runPromise(QueryCache.QueryCache)
  const start = (n: number) => flying.runFork(busy.fetch(request(n), Effect.never))
  const warm = Array.from({ length: 100 }, (_, n) => start(-n - 1))
  await Effect.runPromise(Fiber.interruptAll(warm))
  const idle = await bytesInUse()
  const fibers = Array.from({ length: entries }, (_, n) => start(n))
  const inFlight = await bytesInUse()
  await Effect.runPromise(Fiber.interruptAll(fibers))
  await flying.dispose()

  return {
    entry: { payload, cold: (cold - before) / entries - payload, hot: (hot - before) / entries - payload },
    flight: (inFlight - idle) / entries,
    through: { keys, tier: entries, growth: after - cold }
  }
}

/** Median milliseconds until a module is loaded in a process of its own. */
const loadTimes = async (files: ReadonlyArray<string>, rounds: number): Promise<ReadonlyArray<number>> => {
  const run = promisify(execFile)
  const times = files.map((): Array<number> => [])
  for (let round = 0; round < rounds; round++) {
    for (const [i, file] of files.entries()) {
      const program = `const t = performance.now(); await import(${JSON.stringify(file)}); console.log(performance.now() - t)`
      const { stdout } = await run(process.execPath, ["--input-type=module", "-e", program])
      times[i]?.push(Number(stdout))
    }
  }
  return times.map(median)
}

/** How long the extension takes to be loaded, and the modules of Effect alone that it loads. */
export const loading = async (rounds: number): Promise<{ readonly ours: number; readonly effect: number }> => {
  const root = path.resolve(".")
  const directory = path.join(root, `node_modules/.cache/effect-prisma-cache/loading-${process.pid}`)
  const { metafile: { outputs } } = await build({
    entryPoints: [path.join(root, "src/PrismaCache.ts")],
    outdir: directory,
    outExtension: { ".js": ".mjs" },
    bundle: true,
    splitting: true,
    format: "esm",
    platform: "node",
    target: "node20",
    packages: "external",
    metafile: true,
    logLevel: "error"
  })
  const modules = new Set<string>()
  const visit = (file: string): void => {
    for (const { external, kind, path: imported } of outputs[file]?.imports ?? []) {
      if (kind !== "import-statement") continue
      if (external !== true) visit(imported)
      else if (imported.startsWith("effect/")) modules.add(imported)
    }
  }
  const entry = Object.keys(outputs).find((file) => outputs[file]?.entryPoint?.endsWith("src/PrismaCache.ts")) ?? ""
  visit(entry)
  const effect = path.join(directory, "effect.mjs")
  await writeFile(effect, Array.from(modules, (name) => `import ${JSON.stringify(name)}\n`).join(""))
  try {
    const [oursMillis = NaN, effectMillis = NaN] = await loadTimes([path.resolve(entry), effect], rounds)
    return { ours: oursMillis, effect: effectMillis }
  } finally {
    await rm(directory, { recursive: true })
  }
}
