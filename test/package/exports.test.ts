import { readFileSync } from "node:fs"
import { describe, expect, it } from "vitest"
import tsup from "../../tsup.config.js"
import { exportMap, publicModules } from "./publicModules.js"

const manifest: { readonly exports: unknown; readonly files: ReadonlyArray<string>; readonly sideEffects: unknown } =
  JSON.parse(readFileSync(new URL("../../package.json", import.meta.url), "utf8"))

describe("the package", () => {
  it("exports every public module of src by name, and nothing else (`npm run exports` writes the map)", () => {
    expect(manifest.exports).toEqual(exportMap())
  })

  it("builds what it exports", () => {
    const { entry } = tsup as { readonly entry: Record<string, string> }
    expect(Object.keys(entry).sort()).toEqual(publicModules())
  })

  it("keeps its internals closed", () => {
    expect(exportMap()["./internal/*"]).toBeNull()
    expect(Object.keys(exportMap()).filter((name) => /^\.\/(internal|prisma|valkey)\/[^*]/.test(name))).toEqual([])
  })

  it("ships the build, and no module that does something by being loaded", () => {
    expect(manifest.files).toContain("dist")
    expect(manifest.sideEffects).toBe(false)
  })
})
