/**
 * Runs a program of this folder as a package is run, compiled beforehand. What runs TypeScript on the fly gives a name to every function
 * that is made, which costs a cache that makes a few for each query a good part of its time.
 */
import { spawn } from "node:child_process"
import { once } from "node:events"
import { bundle } from "../support/bundle.js"

const [program = "main", ...args] = process.argv.slice(2)
const { file, remove } = await bundle(new URL(`./${program}.ts`, import.meta.url))
// The other process hears of it too, and ends in its own time.
process.on("SIGINT", () => {})
const child = spawn(process.execPath, [file, ...args], {
  stdio: "inherit",
  env: { NODE_ENV: "production", ...process.env }
})
const [code] = await once(child, "exit") as [number | null]
process.exitCode = code ?? 1
await remove()
