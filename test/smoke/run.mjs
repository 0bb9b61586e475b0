/**
 * Installs the packed package where a user would, once as an ES module and once as CommonJS, and tries every public
 * entry there: `npm run build && node test/smoke/run.mjs`.
 */
import { execFileSync, spawnSync } from "node:child_process"
import * as fs from "node:fs"
import { createRequire } from "node:module"
import { tmpdir } from "node:os"
import * as path from "node:path"
import { fileURLToPath } from "node:url"

const here = path.dirname(fileURLToPath(import.meta.url))
const root = path.resolve(here, "..", "..")
const require = createRequire(path.join(root, "package.json"))
const readManifest = (file) => JSON.parse(fs.readFileSync(file, "utf8"))
const manifest = readManifest(path.join(root, "package.json"))
const installedVersion = (name) => readManifest(path.join(root, "node_modules", name, "package.json")).version

const npm = (args, cwd) =>
  execFileSync("npm", args, {
    cwd,
    encoding: "utf8",
    stdio: ["ignore", "pipe", "pipe"],
    shell: process.platform === "win32"
  })

let passed = 0
let failed = 0
const check = (name, { status, stdout, stderr }) => {
  if (status === 0) {
    passed++
    console.log(`ok: ${name}`)
  } else {
    failed++
    console.log(`FAILED: ${name}\n${stdout}${stderr}`)
  }
}

const entries = Object.keys(manifest.exports)
  .filter((subpath) => manifest.exports[subpath] !== null && subpath !== "./package.json")
  .map((subpath) => path.posix.join(manifest.name, subpath))

const temporary = fs.mkdtempSync(path.join(tmpdir(), "smoke-"))
try {
  const [packed] = JSON.parse(npm(["pack", "--json", "--ignore-scripts", "--pack-destination", temporary], root))
  const tarball = path.join(temporary, packed.filename)
  for (const type of ["module", "commonjs"]) {
    const consumer = path.join(temporary, type)
    fs.mkdirSync(consumer)
    fs.writeFileSync(
      path.join(consumer, "package.json"),
      JSON.stringify({
        name: `consumer-${type}`,
        private: true,
        type,
        dependencies: {
          [manifest.name]: `file:${tarball}`,
          ...Object.fromEntries(Object.keys(manifest.peerDependencies).map((name) => [name, installedVersion(name)]))
        }
      })
    )
    npm(["install", "--prefer-offline", "--ignore-scripts", "--no-audit", "--no-fund"], consumer)

    // The same program for both: only how a module is loaded differs.
    const load = type === "module"
      ? `import { createRequire } from "node:module"
         const require = createRequire(import.meta.url)
         const load = (name) => import(name)`
      : `const load = async (name) => require(name)`
    const program = `${load}\n${fs.readFileSync(path.join(here, "consumer.js"), "utf8")}`
    fs.writeFileSync(path.join(consumer, "program.js"), program)
    check(
      `${type}: every entry loads, once, without iovalkey, and internals are closed`,
      spawnSync(process.execPath, ["program.js", manifest.name, ...entries], { cwd: consumer, encoding: "utf8" })
    )

    const imports = entries.map((entry, index) => `import * as entry${index} from "${entry}"\nvoid entry${index}\n`)
    fs.writeFileSync(path.join(consumer, "types.ts"), imports.join(""))
    const settings = ["--noEmit", "--strict", "--module", "NodeNext", "--target", "ES2022"]
    const nodeTypes = ["--types", "node", "--typeRoots", path.join(root, "node_modules", "@types")]
    const compiled = spawnSync(
      process.execPath,
      [require.resolve("typescript/bin/tsc"), ...settings, ...nodeTypes, "types.ts"],
      { cwd: consumer, encoding: "utf8" }
    )
    // Libraries are checked too, since our own declarations are one here; other people's are not our concern.
    const ours = compiled.stdout
      .split("\n")
      .filter((line) => /^(error |types\.ts|node_modules\/effect-prisma-cache\/)/.test(line))
      .join("\n")
    check(`${type}: the declarations of every entry compile`, { status: ours.length, stdout: ours, stderr: "" })
  }
} finally {
  fs.rmSync(temporary, { recursive: true, force: true })
}
console.log(`${passed} passed, ${failed} failed`)
process.exitCode = failed === 0 ? 0 : 1
