import { it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { describe, expect } from "vitest"
import { EffectPrisma, prismaCache } from "effect-prisma-cache"
import { makePrisma6 } from "../prisma-6/database.js"
import { insertPeople } from "../prisma/rows.js"
import { memoryLayer, useDatabase } from "../prisma/support.js"
import { unhurried } from "../support/unhurried.js"

const database = useDatabase(insertPeople)

const clients = Effect.acquireRelease(
  Effect.sync(() => {
    const { close, prisma } = makePrisma6(database.url)
    return { base: prisma, cached: prisma.$extends(prismaCache({ ...unhurried, cache: memoryLayer() })), close }
  }),
  ({ cached, close }) => Effect.promise(async () => {
    await cached.$cache.close()
    await close()
  })
)

describe("a client of Prisma 6", () => {
  it.scoped("is effects as well: reads through the cache, relations, errors, transactions, batches", () =>
    Effect.gen(function*() {
      const { base, cached } = yield* clients
      const db = yield* EffectPrisma.make(cached)
      const user = yield* db.user.findUniqueOrThrow({ where: { id: 1 }, select: { email: true }, cache: true })
      expect(user).toEqual({ email: "ada@example.com" })
      expect(yield* db.post.findUnique({ where: { id: 1 } }).author({ select: { name: true }, cache: true })).toEqual({ name: "Ada" })
      expect((yield* Effect.flip(db.user.findUniqueOrThrow({ where: { id: 404 } })))._tag).toBe("RecordNotFound")
      expect((yield* Effect.flip(db.user.create({ data: { email: user.email } })))._tag).toBe("UniqueConstraint")
      const raw = db.$executeRaw`INSERT INTO "User" (email) VALUES (${user.email})`
      expect((yield* Effect.flip(raw))._tag).toBe("UniqueConstraint")

      const rename = (name: string) => ({ where: { id: 3 }, data: { name }, select: { name: true } })
      yield* db.$transaction((tx) => tx.user.update(rename("one")), { timeout: 60_000 })
      yield* Effect.flip(
        db.$transaction((tx) => Effect.andThen(tx.user.update(rename("two")), Effect.fail("no")), { timeout: 60_000 })
      )
      expect(yield* db.user.findUnique({ where: { id: 3 }, select: { name: true } })).toEqual({ name: "one" })
      expect(yield* db.$transaction([db.user.update(rename("three")), db.user.count()])).toEqual([{ name: "three" }, 3])
      const plain = yield* EffectPrisma.make(base)
      expect(yield* plain.user.count()).toBe(3)
    }))
})
