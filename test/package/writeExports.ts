/** Brings `exports` in package.json up to date with the modules in src: `npm run exports`. */
import { readFileSync, writeFileSync } from "node:fs"
import { exportMap } from "./publicModules.js"

const file = new URL("../../package.json", import.meta.url)
const manifest: Record<string, unknown> = JSON.parse(readFileSync(file, "utf8"))
manifest["exports"] = exportMap()
writeFileSync(file, JSON.stringify(manifest, null, 2) + "\n")
