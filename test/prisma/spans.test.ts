/** What a tracer is told of a client's queries: OpenTelemetry's names for them, and none of their arguments. */
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Tracer from "effect/Tracer"
import { prismaCache } from "effect-prisma-cache/PrismaCache"
import { expect, it, onTestFinished } from "vitest"
import { makePrisma } from "../support/database.js"
import { uniqueName } from "../support/servers.js"
import { unhurried } from "../support/unhurried.js"
import { insertCounter } from "./counters.js"
import { memoryLayer, missThenHit, useDatabase } from "./support.js"
import type { CachedClient } from "./support.js"

const database = useDatabase()

interface Ended {
  readonly name: string
  readonly attributes: ReadonlyMap<string, unknown>
  readonly succeeded: boolean
}

/** A tracer that keeps what it is told. */
const recording = () => {
  const ended: Array<Ended> = []
  const tracer = Tracer.make({
    context: (run) => run(),
    span: (name, parent, context, links, startTime, kind) => {
      const attributes = new Map<string, unknown>()
      return {
        _tag: "Span",
        name,
        spanId: name,
        traceId: "trace",
        parent,
        context,
        status: { _tag: "Started", startTime },
        attributes,
        links,
        sampled: true,
        kind,
        attribute: (key, value) => void attributes.set(key, value),
        event: () => {},
        addLinks: () => {},
        end: (_, exit) => void ended.push({ name, attributes, succeeded: Exit.isSuccess(exit) })
      }
    }
  })
  return { layer: Layer.setTracer(tracer), ended }
}

it("are spans of misses, by the operation and the table", async () => {
  const { ended, layer } = recording()
  const { close, prisma } = makePrisma(database.url)
  onTestFinished(close)
  const cached: CachedClient = prisma.$extends(prismaCache({
    ...unhurried,
    cache: Layer.provideMerge(memoryLayer(), layer),
    namespace: uniqueName("spans")
  }))
  const name = await insertCounter(database.base)
  await missThenHit(database.sql, () => cached.counter.findUnique({ where: { name }, cache: true }))
  expect(ended.map((span) => span.name)).toEqual(["effect-prisma-cache.load", "effect-prisma-cache.miss"])
  for (const { attributes } of ended) {
    expect(Object.fromEntries(attributes)).toMatchObject({
      "db.system.name": "postgresql",
      "db.operation.name": "findUnique",
      "db.collection.name": "Counter",
      "effect_prisma_cache.label": "Counter.findUnique"
    })
    expect(JSON.stringify([...attributes])).not.toContain(name)
  }
  await cached.$disconnect()
})
