/** What a tracer is told of a client's queries: OpenTelemetry's names for them, and none of their arguments. */
import * as Layer from "effect/Layer"
import { prismaCache } from "effect-prisma-cache/PrismaCache"
import { expect, it, onTestFinished } from "vitest"
import { makePrisma } from "../support/database.js"
import { recordingTracer } from "../support/recordingTracer.js"
import { uniqueName } from "../support/servers.js"
import { unhurried } from "../support/unhurried.js"
import { insertCounter } from "./counters.js"
import { memoryLayer, missThenHit, useDatabase } from "./support.js"
import type { CachedClient } from "./support.js"

const database = useDatabase()

it("are spans of misses, by the operation and the table", async () => {
  const { spans, tracer } = recordingTracer()
  const { close, prisma } = makePrisma(database.url)
  onTestFinished(close)
  const cached: CachedClient = prisma.$extends(prismaCache({
    ...unhurried,
    cache: Layer.provideMerge(memoryLayer(), Layer.setTracer(tracer)),
    namespace: uniqueName("spans")
  }))
  const name = await insertCounter(database.base)
  await missThenHit(database.sql, () => cached.counter.findUnique({ where: { name }, cache: true }))
  expect(spans.map((span) => span.name)).toEqual(["effect-prisma-cache.miss", "effect-prisma-cache.load"])
  for (const { attributes, exit } of spans) {
    expect(exit).toMatchObject({ _tag: "Success" })
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
