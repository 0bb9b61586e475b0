import { execFileSync } from "node:child_process"
import { existsSync } from "node:fs"
import { readdir, readFile } from "node:fs/promises"
import * as path from "node:path"
import ts from "typescript"
import { beforeAll, describe, expect, it } from "vitest"

const root = path.resolve(import.meta.dirname, "..")

const pages = async (): Promise<ReadonlyArray<string>> => {
  const docs = await readdir(path.join(root, "docs"))
  return ["README.md", "CHANGELOG.md", ...docs.filter((name) => name.endsWith(".md")).map((name) => `docs/${name}`)]
}

interface Block {
  /** Where it stands, e.g. `README.md:31`. */
  readonly at: string
  readonly code: string
}

/**
 * The TypeScript of a page, block by block. What a block takes for granted stands in a comment before it, which
 * readers do not see: `<!-- prelude: … -->`.
 */
const blocksOf = (page: string, text: string): ReadonlyArray<Block> => {
  const pattern = /(?:<!-- prelude:\n([^]*?)-->\n+)?```ts\n([^]*?)```/g
  return Array.from(text.matchAll(pattern), ({ 1: prelude = "", 2: code = "", index }) => {
    const line = text.slice(0, text.indexOf("```ts", index)).split("\n").length
    return { at: `${page}:${line}`, code: `${prelude}${code}\nexport {}\n` }
  })
}

/** The TypeScript of a file's JSDoc, block by block. */
const examplesOf = (file: string, text: string): ReadonlyArray<Block> =>
  Array.from(text.matchAll(/^ *\* ```ts\n([^]*?)^ *\* ```$/gm), ({ 1: lines = "", index }) => ({
    at: `${file}:${text.slice(0, index).split("\n").length}`,
    code: `${lines.replace(/^ *\* ?/gm, "")}\nexport {}\n`
  }))

/** Where blocks stand, as far as the compiler knows, and what a reader has there. */
const home = path.join(root, "examples", "prisma", "block")
const surroundings: ReadonlyArray<readonly [file: string, code: string]> = [
  ["generated/prisma/client.ts", `export * from "../../../generated/client/client.js"`],
  [
    "prisma.ts",
    `import { PrismaPg } from "@prisma/adapter-pg"
    import { prismaCache } from "effect-prisma-cache"
    import { PrismaClient } from "./generated/prisma/client.js"
    export const prisma = new PrismaClient({ adapter: new PrismaPg({}) }).$extends(prismaCache())`
  ]
]

/** Checks all blocks as one program, and gives what the compiler has against each. */
const check = (blocks: ReadonlyArray<Block>): ReadonlyArray<string> => {
  const config = ts.readConfigFile(path.join(root, "tsconfig.json"), ts.sys.readFile)
  const { options } = ts.parseJsonConfigFileContent(config.config, ts.sys, root)
  const files = new Map(blocks.map(({ code }, i) => [path.join(home, `${i}.ts`), code]))
  const virtual = new Map([...files, ...surroundings.map(([name, code]) => [path.join(home, name), code] as const)])
  const host = ts.createCompilerHost({ ...options, noUnusedLocals: false })
  const overlay: ts.CompilerHost = {
    ...host,
    fileExists: (name) => virtual.has(path.normalize(name)) || host.fileExists(name),
    readFile: (name) => virtual.get(path.normalize(name)) ?? host.readFile(name),
    directoryExists: (name) =>
      Array.from(virtual.keys()).some((file) => file.startsWith(path.normalize(name) + path.sep)) ||
      ts.sys.directoryExists(name),
    getSourceFile: (name, languageVersion, ...rest) => {
      const code = virtual.get(path.normalize(name))
      return code === undefined
        ? host.getSourceFile(name, languageVersion, ...rest)
        : ts.createSourceFile(name, code, languageVersion)
    }
  }
  const program = ts.createProgram(Array.from(files.keys()), { ...options, noUnusedLocals: false }, overlay)
  return Array.from(files.keys()).flatMap((name, i) => {
    const file = program.getSourceFile(name)
    const found = [...program.getSyntacticDiagnostics(file), ...program.getSemanticDiagnostics(file)]
    return found.map(({ messageText, start }) => {
      const code = files.get(name)?.slice(start).split("\n", 1)[0]
      return `${blocks[i]?.at}: ${ts.flattenDiagnosticMessageText(messageText, "\n")}\n  ${code}`
    })
  })
}

describe("the documentation", () => {
  beforeAll(() => {
    const generate = ["test/support/generate.mjs", "examples"]
    execFileSync(process.execPath, generate, { cwd: root, stdio: ["ignore", "ignore", 2] })
  })

  const read = async (page: string) => readFile(path.join(root, page), "utf8")

  it("holds code that compiles, and would be caught if it did not", { timeout: 180_000 }, async () => {
    const blocks = (await Promise.all((await pages()).map(async (page) => blocksOf(page, await read(page))))).flat()
    expect(blocks.length).toBeGreaterThan(10)
    const wrong = [
      `import { prismaCache } from "effect-prisma-cache"\nprismaCache({ nameSpace: "shop" })`,
      `import { prisma } from "./prisma.js"\nawait prisma.user.findMany({ cache: { time: 5 } })`,
      `import { prisma } from "./prisma.js"\nawait prisma.user.findMany({ where: { colour: "red" } })`
    ].map((code, i) => ({ at: `wrong ${i}`, code }))
    const told = check([...blocks, ...wrong])
    expect(told.filter((message) => !message.startsWith("wrong"))).toEqual([])
    for (const [i, word] of ["nameSpace", "time", "colour"].entries()) {
      expect(told.find((message) => message.startsWith(`wrong ${i}`))).toContain(word)
    }
  })

  it("of what the package exports holds examples that compile", { timeout: 180_000 }, async () => {
    const names = await readdir(path.join(root, "src"), { recursive: true })
    const files = names.filter((name) => name.endsWith(".ts")).map((name) => path.posix.join("src", name))
    const texts = await Promise.all(files.map(async (file) => [file, await read(file)] as const))
    const blocks = texts.flatMap(([file, text]) => examplesOf(file, text))
    const tags = texts.map(([, text]) => Array.from(text.matchAll(/^ *\* @example$/gm)).length)
    // Whatever is called an example is one of the blocks.
    expect(blocks.length).toBe(tags.reduce((sum, n) => sum + n, 0))
    const mistake = "import { prismaCaches } from \"effect-prisma-cache\""
    const wrong = examplesOf("wrong", `/**\n * \`\`\`ts\n * ${mistake}\n * \`\`\`\n */`)
    expect(check([...blocks, ...wrong])).toEqual([expect.stringMatching(/^wrong:2: .*prismaCaches/)])
  })

  it("is found from the README, page by page and program by program", async () => {
    const text = await read("README.md")
    const programs = (await readdir(path.join(root, "examples"))).filter((name) => /\.ts$/.test(name))
    // What others import is no program.
    const own = programs.filter((name) => !["shop.ts", "metricsPage.ts", "demo.ts"].includes(name))
    const links = [...(await pages()).slice(1), ...own.map((name) => `examples/${name}`)]
    expect(links.filter((link) => !text.includes(`](${link})`))).toEqual([])
  })

  it("links to what is there", async () => {
    for (const page of await pages()) {
      const text = await read(page)
      for (const { 1: link = "" } of text.matchAll(/\]\((?!https?:)([^)]+)\)/g)) {
        const [file = "", anchor] = link.split("#")
        const target = file === "" ? page : path.join(path.dirname(page), file)
        expect(existsSync(path.join(root, target)), `${page} links to ${link}`).toBe(true)
        if (anchor === undefined) continue
        const headings = Array.from((await read(target)).matchAll(/^#+ (.*)$/gm), ({ 1: heading = "" }) =>
          heading.toLowerCase().replace(/[^\w\s-]/g, "").replaceAll(" ", "-"))
        expect(headings, `${page} links to ${link}`).toContain(anchor)
      }
    }
  })
})
