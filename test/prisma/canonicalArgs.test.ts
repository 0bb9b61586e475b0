import * as Either from "effect/Either"
import * as CacheKey from "effect-prisma-cache/CacheKey"
import fc from "fast-check"
import { createRequire } from "node:module"
import { describe, expect, it } from "vitest"
import { canonical } from "../../src/internal/canonical.js"
import { canonicalArgs } from "../../src/prisma/canonicalArgs.js"
import { makePrisma6 } from "../prisma-6/database.js"
import { makePrisma } from "../support/database.js"
import { distinctArguments } from "./distinctArguments.js"
import { amount } from "../support/amount.js"

type Runtime = typeof import("@prisma/client/runtime/client")
type Args = Record<string, unknown>

/** A port that nobody listens on: nothing here may reach a database. */
const nowhere = "postgresql://nobody@127.0.0.1:1/none"
const { prisma } = makePrisma(nowhere)
const { prisma: prisma6 } = makePrisma6(nowhere)

const require7 = createRequire(import.meta.url)
const require6 = createRequire(new URL("../prisma-6/package.json", import.meta.url))

interface Version {
  readonly name: string
  readonly runtime: Runtime
  readonly nulls: { readonly DbNull: unknown; readonly JsonNull: unknown; readonly AnyNull: unknown }
  readonly fieldRef: (name: "email" | "name") => unknown
  /** What a hook sees of arguments, after Prisma has copied them. */
  readonly copied: (args: Args) => Promise<unknown>
}

const extension = (seen: (args: unknown) => void) => ({
  query: {
    user: {
      findMany: ({ args }: { readonly args: unknown }) => {
        seen(args)
        return Promise.resolve([])
      }
    }
  }
})

const runtime7: Runtime = require7("@prisma/client/runtime/client")
const runtime6: Runtime & { readonly objectEnumValues: { readonly instances: Version["nulls"] } } = require6(
  "@prisma/client/runtime/client"
)

const versions: ReadonlyArray<Version> = [
  {
    name: "Prisma 7",
    runtime: runtime7,
    nulls: runtime7,
    fieldRef: (name) => prisma.user.fields[name],
    copied: async (args) => {
      let seen: unknown
      await prisma.$extends(extension((args) => (seen = args))).user.findMany(args as object)
      return seen
    }
  },
  {
    name: "Prisma 6",
    runtime: runtime6,
    nulls: runtime6.objectEnumValues.instances,
    fieldRef: (name) => prisma6.user.fields[name],
    copied: async (args) => {
      let seen: unknown
      await prisma6.$extends(extension((args) => (seen = args))).user.findMany(args as object)
      return seen
    }
  }
]

const text = (args: unknown, options?: Parameters<typeof canonicalArgs>[1]): string =>
  canonical(canonicalArgs(args, options))

const reordered = (value: unknown): unknown =>
  Array.isArray(value)
    ? value.map(reordered)
    : typeof value === "object" && value !== null && Object.getPrototypeOf(value) === Object.prototype
      ? Object.fromEntries(
          Object.entries(value)
            .reverse()
            .map(([key, member]) => [key, reordered(member)])
        )
      : value

describe.each(versions)("the arguments of a query: $name", ({ copied, fieldRef, nulls, runtime }) => {
  const { Decimal, Sql, skip } = runtime

  it.each<readonly [string, unknown, unknown]>([
    ["JsonNull and DbNull", nulls.JsonNull, nulls.DbNull],
    ["DbNull and AnyNull", nulls.DbNull, nulls.AnyNull],
    ["JsonNull and null", nulls.JsonNull, null],
    ["JsonNull and its name", nulls.JsonNull, "JsonNull"],
    ["a number and its text", 1, "1"],
    ["a number and a bigint", 1, 1n],
    ["a number and a Decimal", 1, new Decimal(1)],
    ["a text and a Decimal", "1", new Decimal(1)],
    ["Decimals", new Decimal("0.1"), new Decimal("0.10000000000000001")],
    ["a field and its name", fieldRef("email"), "email"],
    ["two fields", fieldRef("email"), fieldRef("name")],
    ["a field and an object with its name", fieldRef("email"), { modelName: "User", name: "email" }],
    ["a date and its text", new Date(0), new Date(0).toISOString()],
    ["bytes and text", Uint8Array.of(97), "a"],
    ["null and nothing", null, undefined],
    ["an empty condition and nothing", {}, undefined],
    ["JSON that looks like a tagged value", { $type: "DateTime", value: "x" }, { $type: "DateTime", value: "y" }]
  ])("%s are told apart", (_, a, b) => {
    expect(text({ where: { id: a } })).not.toBe(text({ where: { id: b } }))
    expect(text({ where: { id: { equals: a } } })).not.toBe(text({ where: { id: { equals: b } } }))
    expect(text({ where: { OR: [{ id: { in: [a] } }] } })).not.toBe(text({ where: { OR: [{ id: { in: [b] } }] } }))
  })

  it("Decimals of the same number are the same", () => {
    const condition = (value: string) => text({ where: { balance: new Decimal(value) } })
    expect(condition("1.50")).toBe(condition("1.5"))
    expect(condition("1e21")).toBe(condition("1000000000000000000000"))
    expect(text({ where: { balance: { s: 1, e: 0, d: [2], toFixed: () => "2" } } })).toBe(condition("2"))
    for (const special of ["NaN", "Infinity", "-Infinity"]) expect(condition(special)).not.toBe(condition("0"))
  })

  it("undefined and skipped arguments and conditions are none", () => {
    const plain = text({ where: { OR: [{ id: 1 }] }, take: 1 })
    expect(text({ where: { OR: [{ id: 1, name: undefined }], email: undefined }, take: 1, skip: undefined })).toBe(
      plain
    )
    expect(text({ where: { OR: [{ id: 1, name: skip }], email: skip }, take: 1, skip })).toBe(plain)
    expect(text(undefined)).toBe(text({}))
    expect(text({ select: undefined, omit: undefined })).toBe(text({}))
  })

  it("undefined in a selection is not none, as it overrides what the client omits", () => {
    expect(text({ omit: { secret: undefined } })).not.toBe(text({ omit: {} }))
    expect(text({ omit: { secret: skip } })).not.toBe(text({ omit: {} }))
    expect(text({ omit: { secret: false } })).not.toBe(text({ omit: {} }))
    expect(text({ include: { author: { omit: { secret: undefined } } } })).not.toBe(
      text({ include: { author: { omit: {} } } })
    )
    expect(text({ select: { id: true, fullName: skip } })).not.toBe(text({ select: { id: true } }))
    expect(text({ select: skip })).not.toBe(text({}))
  })

  it("undefined is never none where it is an error", () => {
    const strict = { strictUndefinedChecks: true }
    expect(text({ where: { id: undefined } }, strict)).not.toBe(text({ where: {} }, strict))
    expect(text({ where: { id: skip } }, strict)).toBe(text({ where: {} }, strict))
  })

  it("the order of keys counts for nothing in conditions, at any depth", () => {
    const args = {
      where: {
        id: { gte: 1, lt: 5 },
        OR: [{ name: { contains: "a", mode: "insensitive" }, email: "x" }],
        author: { is: { id: 1, posts: { some: { a: 1, b: 2 } } } },
        tenant_slug: { tenant: "t", slug: "s" }
      },
      cursor: { scope_key: { scope: "s", key: "k" } },
      having: { views: { _avg: { gt: 1, lt: 2 }, _sum: { gt: 3 } }, id: 1 },
      take: 1,
      skip: 2
    }
    expect(text(reordered(args))).toBe(text(args))
    expect(text({ include: { posts: reordered(args) } })).toBe(text({ include: { posts: args } }))
    expect(text({ select: { _count: { select: { posts: reordered(args) } } } })).toBe(
      text({ select: { _count: { select: { posts: args } } } })
    )
    expect(text(reordered(args), { ordered: true })).not.toBe(text(args, { ordered: true }))
    expect(text({ take: 1, where: { a: { b: 1, c: 2 } } }, { ordered: true })).not.toBe(
      text({ take: 1, where: { a: { c: 2, b: 1 } } }, { ordered: true })
    )
  })

  it.each([
    "equals",
    "not",
    "in",
    "notIn",
    "lt",
    "lte",
    "gt",
    "gte",
    "array_contains",
    "array_starts_with",
    "array_ends_with",
    "has",
    "hasEvery",
    "hasSome",
    "set"
  ])("the order of keys counts in the JSON under `%s`, whatever its keys are called", (operator) => {
    const condition = (operand: unknown) => text({ where: { AND: [{ meta: { [operator]: operand } }] } })
    expect(condition({ a: 1, b: 2 })).not.toBe(condition({ b: 2, a: 1 }))
    expect(condition([{ a: 1, b: 2 }])).not.toBe(condition([{ b: 2, a: 1 }]))
    for (const key of ["where", "AND", "OR", "is", "some", "cursor", "having", "select", "equals"]) {
      expect(condition({ [key]: { a: 1, b: 2 } })).not.toBe(condition({ [key]: { b: 2, a: 1 } }))
      expect(condition({ x: { [key]: [{ a: 1, b: 2 }] } })).not.toBe(condition({ x: { [key]: [{ b: 2, a: 1 }] } }))
    }
  })

  it("the order of keys counts in objects that are sent as they are", () => {
    expect(text({ where: { a: { $type: "Json", b: 1, c: { d: 1, e: 2 } } } })).not.toBe(
      text({ where: { a: { $type: "Json", b: 1, c: { e: 2, d: 1 } } } })
    )
  })

  it.each<readonly [string, Args]>([
    ["select", { select: { id: true, name: true } }],
    ["include", { include: { posts: true, author: true } }],
    ["omit", { omit: { id: true, name: true } }],
    ["a nested select", { include: { posts: { where: { id: 1 }, select: { id: true, title: true } } } }],
    ["orderBy", { orderBy: { name: "asc", id: "desc" } }],
    ["by", { by: ["id", "name"] }],
    ["_count", { _count: { id: true, name: true } }],
    ["_sum", { _sum: { a: true, b: true } }],
    ["data", { data: { a: 1, b: 2 } }],
    ["an argument of tomorrow", { tomorrow: { a: 1, b: 2 } }]
  ])("the order of keys counts in %s", (_, args) => {
    const swapped = args["by"] === undefined ? reordered(args) : { by: ["name", "id"] }
    expect(text(swapped)).not.toBe(text(args))
  })

  it("the order of a list counts", () => {
    expect(text({ where: { OR: [{ a: 1 }, { b: 1 }] } })).not.toBe(text({ where: { OR: [{ b: 1 }, { a: 1 }] } }))
    expect(text({ orderBy: [{ a: "asc" }, { b: "asc" }] })).not.toBe(text({ orderBy: [{ b: "asc" }, { a: "asc" }] }))
  })

  it("raw queries are told apart by their text and their parameters", () => {
    const sql = (strings: ReadonlyArray<string>, ...values: ReadonlyArray<unknown>) =>
      new Sql(strings.slice(), values.slice())
    const all = [
      sql`SELECT ${1}`,
      sql`SELECT ${"1"}`,
      sql`SELECT ${1} `,
      sql`SELECT ${{ a: 1, b: 2 }}`,
      sql`SELECT ${{ b: 2, a: 1 }}`,
      sql`SELECT ${new Date(1)}`,
      sql`SELECT ${new Decimal(1)}`,
      ["SELECT $1", 1],
      ["SELECT $1", "1"],
      ["SELECT $1", { a: 1, b: 2 }],
      ["SELECT $1", { b: 2, a: 1 }],
      ["SELECT $1 "],
      runtime.makeTypedQueryFactory("SELECT 1")(1),
      runtime.makeTypedQueryFactory("SELECT 1")(2),
      runtime.makeTypedQueryFactory("SELECT 2")(1),
      { values: "[1]", __prismaRawParameters__: true },
      { values: "[2]", __prismaRawParameters__: true }
    ]
    expect(new Set(all.map((args) => text(args))).size).toBe(all.length)
    expect(text(sql`SELECT ${1}`)).toBe(text(sql`SELECT ${1}`))
  })

  it("an object with its own toJSON is told by what it sends", () => {
    const day = (iso: string) => ({ toJSON: () => iso })
    expect(text({ where: { at: day("2024-01-01") } })).toBe(text({ where: { at: day("2024-01-01") } }))
    expect(text({ where: { at: day("2024-01-01") } })).not.toBe(text({ where: { at: day("2024-01-02") } }))
  })

  it("what Prisma would not send as it is has no key", () => {
    class Money {
      constructor(
        readonly amount: number,
        readonly currency: string
      ) {}
      toJSON() {
        return this.amount
      }
    }
    for (const value of [new Money(1, "EUR"), new Map(), () => 0, Symbol("x"), { run: () => 0 }, new (class {})()]) {
      expect(CacheKey.make(["q", canonicalArgs({ where: { id: value } })])).toMatchObject({
        left: { _tag: "CacheKeyError", reason: "Unsupported" }
      })
    }
  })

  it("are the same before and after Prisma's own copy of them", async () => {
    const args: Args = {
      where: {
        email: fieldRef("email"),
        balance: { gt: new Decimal("1.10"), lt: new Decimal("1e30") },
        createdAt: { gte: new Date(5) },
        OR: [{ name: null }, { name: undefined }, JSON.parse('{"__proto__":{"a":1}}')],
        json: { equals: nulls.JsonNull, path: ["a"], not: { z: 1, a: [{ y: 1, b: nulls.DbNull }] } },
        bytes: Uint8Array.of(1, 2, 3),
        big: 10n ** 30n
      },
      select: { name: true, id: true, posts: { where: { title: "x" }, select: { title: true, id: true } } }
    }
    expect(text(await copied(args))).toBe(text(args))
  })
})

describe("two arguments with one key", () => {
  const field = (name: string, type: string, kind: "scalar" | "object") => ({
    name,
    type,
    kind,
    ...(kind === "object" ? { relationName: name } : {})
  })
  const fields = ["id", "name", "meta"].map((name) => field(name, "String", "scalar"))
  type Serialize = Parameters<Runtime["serializeJsonQuery"]>[0]
  const protocolOf = (runtime: Runtime, args: Args) =>
    runtime.serializeJsonQuery({
      modelName: "User",
      action: "findMany",
      args: { ...args } as NonNullable<Serialize["args"]>,
      runtimeDataModel: {
        models: {
          User: {
            dbName: null,
            fields: [...fields, field("posts", "Post", "object")],
            uniqueFields: [],
            uniqueIndexes: [],
            primaryKey: null,
            schema: null
          },
          Post: { dbName: null, fields, uniqueFields: [], uniqueIndexes: [], primaryKey: null, schema: null }
        },
        enums: {},
        types: {}
      } as unknown as Serialize["runtimeDataModel"],
      clientMethod: "user.findMany",
      clientVersion: "7",
      errorFormat: "minimal",
      previewFeatures: [],
      globalOmit: { user: { name: true }, post: { meta: true } }
    })

  /** What Prisma sends, or that it refuses to. Objects in its arguments are taken to have no order, unlike selections. */
  const sent = (runtime: Runtime, args: Args): string => {
    try {
      const sorted = (value: unknown): unknown =>
        Array.isArray(value)
          ? value.map(sorted)
          : typeof value === "object" && value !== null
            ? Object.fromEntries(
                Object.entries(value)
                  .sort(([a], [b]) => (a < b ? -1 : 1))
                  .map(([key, member]) => [key, sorted(member)])
              )
            : value
      const withSortedArguments = (value: unknown): unknown =>
        typeof value !== "object" || value === null
          ? value
          : Object.entries(value).map(([key, member]) => [
              key,
              key === "arguments" ? sorted(member) : withSortedArguments(member)
            ])
      return JSON.stringify(withSortedArguments(protocolOf(runtime, args)))
    } catch (error) {
      return `refused: ${error instanceof Error ? error.name : ""}`
    }
  }

  describe.each(versions)("$name", ({ fieldRef, nulls, runtime }) => {
    const leaf = fc.constantFrom<unknown>(
      null,
      true,
      false,
      0,
      1,
      "",
      "1",
      "a",
      "email",
      1n,
      undefined,
      runtime.skip,
      nulls.JsonNull,
      nulls.DbNull,
      nulls.AnyNull,
      "JsonNull",
      fieldRef("email"),
      fieldRef("name"),
      new runtime.Decimal(1),
      new runtime.Decimal("1.0"),
      new Date(0),
      new Date(0).toISOString(),
      Uint8Array.of(1),
      "AQ=="
    )
    const json = fc.letrec<{ readonly value: unknown }>((tie) => ({
      value: fc.oneof(
        { maxDepth: 2 },
        leaf,
        fc.array(tie("value"), { maxLength: 2 }),
        fc.dictionary(fc.constantFrom("a", "b", "where", "$type"), tie("value"), { maxKeys: 2 })
      )
    })).value
    const conditions = fc.letrec<{ readonly where: unknown }>((tie) => ({
      where: fc.dictionary(
        fc.constantFrom("id", "meta", "posts"),
        fc.oneof(
          { maxDepth: 3 },
          leaf,
          fc.dictionary(fc.constantFrom("equals", "not", "path", "gt"), json, { maxKeys: 2 }),
          fc.record({ some: tie("where") }),
          tie("where")
        ),
        { maxKeys: 2 }
      )
    })).where
    const flag = fc.constantFrom<unknown>(true, false, undefined, runtime.skip)
    const args = fc.letrec<{ readonly args: Args }>((tie) => ({
      args: fc.record(
        {
          where: conditions,
          take: fc.constantFrom<unknown>(1, 2, undefined, runtime.skip),
          omit: fc.dictionary(fc.constantFrom("name", "meta"), flag, { maxKeys: 2 }),
          select: fc.option(
            fc.dictionary(fc.constantFrom("id", "name", "posts"), fc.oneof({ maxDepth: 2 }, flag, tie("args")), {
              minKeys: 1,
              maxKeys: 3
            }),
            { nil: undefined }
          ),
          include: fc.option(
            fc.dictionary(fc.constantFrom("posts"), fc.oneof({ maxDepth: 2 }, flag, tie("args")), { maxKeys: 1 }),
            { nil: undefined }
          ),
          orderBy: fc.constantFrom<unknown>({ id: "asc", name: "asc" }, { name: "asc", id: "asc" })
        },
        { requiredKeys: [] }
      )
    })).args

    it("are sent as the same query", () => {
      let pairs = 0
      for (const seed of [1, 2, 3]) {
        const byText = new Map<string, Args>()
        for (const sample of fc.sample(args, { numRuns: amount(1_500, 6_000), seed })) {
          for (const variant of [sample, reordered(sample) as Args]) {
            const known = byText.get(text(variant))
            if (known === undefined) byText.set(text(variant), variant)
            else {
              pairs++
              expect(sent(runtime, variant)).toBe(sent(runtime, known))
            }
          }
        }
      }
      expect(pairs).toBeGreaterThan(amount(250, 1_000))
    })
  })
})

const distinct = amount(100_000, 1_000_000)

describe("distinct arguments, a million of them or a part", () => {
  it("have as many distinct keys", { timeout: 120_000 }, () => {
    const fieldRef = prisma.user.fields.email
    const fieldNamed = (name: string): unknown =>
      Object.assign(Object.create(Object.getPrototypeOf(fieldRef)), fieldRef, { name })
    const digests = new Set<string>()
    let count = 0
    for (const args of distinctArguments(fieldNamed)) {
      count++
      digests.add(Either.getOrThrow(CacheKey.make(["User", "findMany", canonicalArgs(args)])).digest)
      if (count > distinct && process.env["LONG"] === undefined) break
    }
    expect(count).toBeGreaterThan(distinct)
    expect(digests.size).toBe(count)
  })
})
