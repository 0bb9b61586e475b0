import { existsSync, readdirSync } from "node:fs"
import * as path from "node:path"
import { fileURLToPath } from "node:url"

const root = fileURLToPath(new URL("../..", import.meta.url))
const source = path.join(root, "src")

/** The folders of src whose every file users may import. All others are the library's own. */
const publicFolders = ["", "CacheStore", "DistributedLock", "Serializer", "testing"]

/**
 * What is imported from the index only. It shares types with `PrismaCache`, and the bundler of declarations takes types
 * that live in a file of their own for values where a namespace names them.
 */
const fromIndexOnly = ["EffectPrisma"]

/** The names of the modules that users may import, without extension: `index`, `CacheStore`, `CacheStore/Memory`. */
export const publicModules = (): ReadonlyArray<string> =>
  publicFolders
    .flatMap((folder) => {
      const directory = path.join(source, folder)
      const files = existsSync(directory) ? readdirSync(directory) : []
      return files
        .filter((file) => file.endsWith(".ts") && !file.endsWith(".d.ts"))
        .map((file) => path.posix.join(folder, file.slice(0, -".ts".length)))
    })
    .filter((name) => !fromIndexOnly.includes(name))
    .sort()

/** What the bundler builds: every public module by its name. */
export const buildEntries = (): Record<string, string> =>
  Object.fromEntries(publicModules().map((name) => [name, `src/${name}.ts`]))

interface Conditions {
  readonly import: { readonly types: string; readonly default: string }
  readonly require: { readonly types: string; readonly default: string }
}

/** The package's `exports`. Subpaths are spelt out, since not every tool follows a pattern. */
export const exportMap = (): Record<string, Conditions | string | null> => ({
  ...Object.fromEntries(
    publicModules().map((name) => [
      name === "index" ? "." : `./${name}`,
      {
        import: { types: `./dist/${name}.d.ts`, default: `./dist/${name}.js` },
        require: { types: `./dist/${name}.d.cts`, default: `./dist/${name}.cjs` }
      }
    ])
  ),
  "./package.json": "./package.json",
  "./internal/*": null
})
