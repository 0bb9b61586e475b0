// Runs a bundle in a realm that has what the web platform has, and nothing of Node's.
import { AsyncLocalStorage } from "node:async_hooks"
import { readFileSync } from "node:fs"
import * as vm from "node:vm"

const [bundle, environment] = process.argv.slice(2)

const webPlatform = [
  "AbortController",
  "AbortSignal",
  "DOMException",
  "FormData",
  "Headers",
  "Request",
  "Response",
  "TextDecoder",
  "TextEncoder",
  "URL",
  "URLSearchParams",
  "atob",
  "btoa",
  "clearTimeout",
  "console",
  "crypto",
  "fetch",
  "performance",
  "queueMicrotask",
  "setTimeout",
  "structuredClone",
  // One class for what they make and what the bundle makes.
  "ArrayBuffer",
  "Uint8Array"
]
const globals = Object.fromEntries(webPlatform.map((name) => [name, globalThis[name]]))
// Not the web platform's, but of most edge runtimes.
const context = vm.createContext({ ...globals, AsyncLocalStorage })

const module = new vm.SourceTextModule(readFileSync(bundle, "utf8"), { context, identifier: bundle })
await module.link((specifier) => {
  throw new Error(`The bundle lacks ${specifier}`)
})
await module.evaluate()
for (const name of ["process", "Buffer", "require", "setImmediate"]) {
  if (vm.runInContext(`typeof ${name}`, context) !== "undefined") throw new Error(`${name} is there`)
}
console.log(JSON.stringify(await module.namespace.run(JSON.parse(environment))))
