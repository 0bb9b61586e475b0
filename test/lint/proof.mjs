/** Proves that the lint can fail: it must refuse an Effect that is made and never run, and accept the same one run. */
import { spawnSync } from "node:child_process"
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { createRequire } from "node:module"
import * as path from "node:path"
import { fileURLToPath } from "node:url"

const here = path.dirname(fileURLToPath(import.meta.url))
const root = path.resolve(here, "..", "..")
const manifest = createRequire(import.meta.url).resolve("@effect/language-service/package.json")

/** Lints one fixture under the project's own settings, and gives the exit code and what was said. */
const lint = (fixture) => {
  const directory = mkdtempSync(path.join(here, "project-"))
  try {
    const project = path.join(directory, "tsconfig.json")
    const files = [path.join(here, "fixtures", fixture)]
    writeFileSync(
      project,
      JSON.stringify({ extends: path.join(root, "tsconfig.json"), include: [], exclude: [], files })
    )
    const cli = path.join(path.dirname(manifest), "cli.js")
    const { status, stdout, stderr } = spawnSync(
      process.execPath,
      [cli, "diagnostics", "--project", project, "--strict", "--format", "text"],
      { cwd: root, encoding: "utf8" }
    )
    return { status, said: stdout + stderr }
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
}

const floating = lint("floating.ts")
const clean = lint("clean.ts")
if (floating.status !== 1 || !floating.said.includes("effect(floatingEffect)")) {
  throw new Error(`The lint let a floating Effect pass (exit ${floating.status}): ${floating.said}`)
}
if (clean.status !== 0) {
  throw new Error(`The lint refused a clean file (exit ${clean.status}): ${clean.said}`)
}
console.log("lint: refuses a floating Effect, accepts it once run")
