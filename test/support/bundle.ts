import { build } from "esbuild"
import { mkdir, rm } from "node:fs/promises"
import * as path from "node:path"
import { fileURLToPath } from "node:url"

const root = fileURLToPath(new URL("../..", import.meta.url))

export interface Bundle {
  readonly file: string
  readonly remove: () => Promise<void>
}

let bundles = 0

/** A program in one file, to load instead of hundreds: a process that runs it is there in a fraction of the time. */
export const bundle = async (entry: URL): Promise<Bundle> => {
  const directory = path.join(root, "node_modules/.cache/effect-prisma-cache")
  const source = fileURLToPath(entry)
  const file = path.join(directory, `${path.basename(source, ".ts")}-${process.pid}-${++bundles}.mjs`)
  await mkdir(directory, { recursive: true })
  await build({
    entryPoints: [source],
    outfile: file,
    bundle: true,
    format: "esm",
    platform: "node",
    target: "node20",
    packages: "external",
    alias: { "effect-prisma-cache": path.join(root, "src") },
    logLevel: "error"
  })
  return { file, remove: () => rm(file, { force: true }) }
}
