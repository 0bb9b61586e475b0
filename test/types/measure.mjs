// What the extension's types cost the compiler: a client of 60 models, ten queries a model, checked by `tsc` as it
// is, under an extension that adds nothing, and under ours. Prints medians; the numbers are for comparing, not for
// keeping.
//
// node test/types/measure.mjs [--models 60] [--runs 3]
import { execFileSync } from "node:child_process"
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join, relative, resolve } from "node:path"
import { fileURLToPath } from "node:url"
import { parseArgs } from "node:util"

const root = resolve(fileURLToPath(import.meta.url), "../../..")
const { values } = parseArgs({
  options: { models: { type: "string", default: "60" }, runs: { type: "string", default: "3" } }
})
const models = Number(values.models)
const runs = Number(values.runs)

// A ring of models, so that every one has relations both ways and nested selections reach others.
const names = Array.from({ length: models }, (_, i) => `Model${i}`)
const schema = `
generator client {
  provider = "prisma-client"
  output = "./client"
}
datasource db {
  provider = "postgresql"
}
${names
  .map(
    (name, i) => `
model ${name} {
  id Int @id @default(autoincrement())
  email String @unique
  name String?
  amount Decimal
  count BigInt
  data Json?
  at DateTime @default(now())
  nextId Int?
  next ${names[(i + 1) % models]}? @relation("Ring${i}", fields: [nextId], references: [id])
  previous ${names[(i + models - 1) % models]}[] @relation("Ring${(i + models - 1) % models}")
}`
  )
  .join("\n")}
`

const queries = names
  .map((_, i) => {
    const model = `client.model${i}`
    return `
export const f${i} = async () => {
  const one = await ${model}.findUnique({ where: { id: 1 }, select: { id: true, next: { select: { email: true } } } })
  const first = await ${model}.findFirstOrThrow({ where: { next: { name: "x" } }, include: { previous: true } })
  const where = { OR: [{ email: "x" }, { name: null }] }
  const many = await ${model}.findMany({ where, omit: { data: true }, orderBy: { id: "asc" } })
  const count = await ${model}.count({ where: { amount: { gt: 1 } } })
  const sums = await ${model}.aggregate({ _sum: { amount: true }, _count: true })
  const groups = await ${model}.groupBy({ by: ["name"], _count: { _all: true }, orderBy: { name: "asc" } })
  const next = await ${model}.findUniqueOrThrow({ where: { email: "x" } }).next({ select: { name: true } })
  const created = await ${model}.create({ data: { email: "x", amount: 1, count: 1 }, select: { id: true } })
  const updated = await ${model}.update({ where: { id: 1 }, data: { next: { connect: { id: 2 } } } })
  const deleted = await ${model}.deleteMany({ where: { name: "x" } })
  const reads = [one?.next?.email, first.previous[0]?.id, many[0]?.email, sums._sum.amount, groups[0]?._count._all]
  return [...reads, count, next?.name, created.id, updated.name, deleted.count]
}`
  })
  .join("\n")

const folder = mkdtempSync(join(tmpdir(), "types-measure-"))
try {
  symlinkSync(join(root, "node_modules"), join(folder, "node_modules"))
  writeFileSync(join(folder, "package.json"), JSON.stringify({ type: "module" }))
  writeFileSync(join(folder, "schema.prisma"), schema)
  execFileSync(
    process.execPath,
    [join(root, "node_modules/prisma/build/index.js"), "generate", "--schema", "schema.prisma"],
    {
      cwd: folder,
      stdio: ["ignore", "ignore", "inherit"],
      // The schema engine is not needed to generate; any executable keeps it from being downloaded.
      env: {
        ...process.env,
        PRISMA_SCHEMA_ENGINE_BINARY: process.execPath,
        CHECKPOINT_DISABLE: "1",
        PRISMA_HIDE_UPDATE_MESSAGE: "1"
      }
    }
  )

  const types = relative(folder, join(root, "src/prisma/types/extension.js"))
  const programs = {
    "no extension": "export const client = base",
    "an extension that adds nothing": "export const client = base.$extends({})",
    "the cache's extension": `
import type { CacheExtension } from "${types}"
declare const extension: CacheExtension
export const client = base.$extends(extension)`
  }
  const configs = Object.entries(programs).map(([title, client], i) => {
    writeFileSync(
      join(folder, `program${i}.ts`),
      `import type { PrismaClient } from "./client/client.js"\ndeclare const base: PrismaClient\n${client}\n${queries}`
    )
    writeFileSync(
      join(folder, `tsconfig${i}.json`),
      JSON.stringify({
        compilerOptions: {
          strict: true,
          exactOptionalPropertyTypes: true,
          noUncheckedIndexedAccess: true,
          module: "NodeNext",
          target: "ES2022",
          skipLibCheck: true,
          noEmit: true,
          types: []
        },
        files: [`program${i}.ts`]
      })
    )
    return { title, config: `tsconfig${i}.json`, checks: [], instantiations: 0, memory: 0 }
  })

  // One round after another, so that a busy moment of the machine does not fall on one program alone.
  for (let run = 0; run < runs; run++) {
    for (const program of configs) {
      const report = execFileSync(
        process.execPath,
        [join(root, "node_modules/typescript/bin/tsc"), "-p", program.config, "--extendedDiagnostics"],
        { cwd: folder, encoding: "utf8" }
      )
      const figure = (label) => Number(new RegExp(`^${label}:\\s+([\\d.]+)`, "m").exec(report)[1])
      program.checks.push(figure("Check time"))
      program.instantiations = figure("Instantiations")
      program.memory = figure("Memory used")
    }
  }

  console.log(`${models} models, ${models * 10} queries, median of ${runs}`)
  for (const { checks, instantiations, memory, title } of configs) {
    const median = checks.sort((a, b) => a - b)[Math.floor(checks.length / 2)]
    console.log(
      title.padEnd(31),
      `check ${median.toFixed(2)} s, ${instantiations} instantiations, ${Math.round(memory / 1024)} MB`
    )
  }
} catch (error) {
  // The compiler says what is wrong on its standard output.
  console.error(error.stdout ?? error)
  process.exitCode = 1
} finally {
  rmSync(folder, { recursive: true, force: true })
}
