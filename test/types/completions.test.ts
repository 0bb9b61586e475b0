// What an editor offers inside a query. Types that check exactly can still leave an editor with nothing to say: as
// long as nothing has been typed, there is nothing to infer from.
import { readFileSync } from "node:fs"
import { dirname, join } from "node:path"
import { fileURLToPath } from "node:url"
import ts from "typescript"
import { beforeAll, describe, expect, test } from "vitest"

const folder = dirname(fileURLToPath(import.meta.url))
const file = join(folder, "query-being-typed.ts")
const caret = "▮"
const head = 'import { prisma } from "./client.js"\n'

let service: ts.LanguageService
let source = head
let version = 0

beforeAll(() => {
  const { options } = ts.parseJsonConfigFileContent(
    ts.readConfigFile(join(folder, "tsconfig.json"), ts.sys.readFile).config,
    ts.sys,
    folder
  )
  service = ts.createLanguageService({
    getCompilationSettings: () => options,
    getScriptFileNames: () => [file],
    getScriptVersion: (name) => (name === file ? String(version) : "0"),
    getScriptSnapshot: (name) => {
      if (name === file) return ts.ScriptSnapshot.fromString(source)
      return ts.sys.fileExists(name) ? ts.ScriptSnapshot.fromString(readFileSync(name, "utf8")) : undefined
    },
    getCurrentDirectory: () => folder,
    getDefaultLibFileName: ts.getDefaultLibFilePath,
    directoryExists: ts.sys.directoryExists,
    getDirectories: ts.sys.getDirectories,
    fileExists: (name) => name === file || ts.sys.fileExists(name),
    readFile: ts.sys.readFile
  })
  // The first question makes the compiler read all of Prisma's types.
  offered("prisma.▮")
})

/** What is offered at the caret, without what is in scope anyway. */
const offered = (query: string): ReadonlyArray<string> => {
  source = head + query.replace(caret, "")
  version++
  const completions = service.getCompletionsAtPosition(file, head.length + query.indexOf(caret), {})
  return (completions?.entries ?? []).map(({ name }) => name)
}

describe("an editor offers Prisma's arguments and the cache's options", () => {
  test.each([
    ["a read", "prisma.user.findMany({ ▮ })", ["where", "select", "include", "omit", "take", "cache"]],
    ["a read by a unique key", "prisma.user.findUnique({ ▮ })", ["where", "select", "cache"]],
    ["a unique key", "prisma.user.findUnique({ where: { ▮ } })", ["id", "email"]],
    ["a count", "prisma.user.count({ ▮ })", ["where", "select", "cache"]],
    ["a grouping", 'prisma.user.groupBy({ by: ["▮"] })', ["role", "email"]],
    ["a write", "prisma.user.update({ ▮ })", ["where", "data", "select", "cache", "uncache"]],
    ["data", "prisma.user.create({ data: { ▮ } })", ["email", "name", "posts"]],
    [
      "a nested selection",
      "prisma.user.findMany({ include: { posts: { ▮ } }, cache: true })",
      ["where", "select", "take"]
    ],
    [
      "a selection before a `key`",
      'prisma.user.findMany({ select: { ▮ }, cache: { key: (rows) => "" } })',
      ["id", "posts"]
    ],
    ["a relation", "prisma.post.findUnique({ where: { id: 1 } }).author({ ▮ })", ["select", "include", "cache"]],
    [
      "the `cache` of a read",
      "prisma.user.findMany({ cache: { ▮ } })",
      ["ttl", "key", "namespace", "tags", "refresh", "bypass"]
    ],
    [
      "the `cache` of a write",
      'prisma.user.create({ data: { email: "x" }, cache: { ▮ } })',
      ["ttl", "key", "namespace"]
    ],
    ["`uncache`", 'prisma.user.create({ data: { email: "x" }, uncache: { ▮ } })', ["key", "namespace"]],
    [
      "the result in `uncache`",
      'prisma.user.create({ data: { email: "x" }, uncache: (user) => user.▮ })',
      ["id", "email"]
    ],
    ["a promise", "prisma.user.findUnique({ where: { id: 1 } }).▮", ["withCacheInfo", "posts", "then"]],
    ["the client", "prisma.$cache.▮", ["invalidate", "invalidateAll", "stats", "health", "close"]]
  ])("in %s", (_, query, expected) => {
    expect(offered(query)).toEqual(expect.arrayContaining(expected))
  })
})
