import { it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { describe, expect } from "vitest"
import { EffectPrisma } from "effect-prisma-cache"
import { Prisma } from "../prisma/generated/client/client.js"
import { insertPeople } from "../prisma/rows.js"
import { useDatabase } from "../prisma/support.js"
import { makePrisma } from "../support/database.js"
import { freePort } from "../support/process.js"
import { uniqueName } from "../support/servers.js"

const database = useDatabase(async (base) => {
  await insertPeople(base)
  await base.$executeRaw`ALTER TABLE "Counter" ADD CONSTRAINT "not negative" CHECK (value >= 0)`
  await base.country.create({ data: { code: "XX", name: "Nowhere", addresses: { create: { street: "First", userId: 1 } } } })
})

const make = Effect.suspend(() => EffectPrisma.make(database.base))

describe("a query that goes wrong", () => {
  it.live("for a row that is not there fails with RecordNotFound", () =>
    Effect.gen(function*() {
      const db = yield* make
      const missing = { where: { id: 404 } }
      const failures = [
        yield* Effect.flip(db.user.findUniqueOrThrow(missing)),
        yield* Effect.flip(db.user.findFirstOrThrow(missing)),
        yield* Effect.flip(db.user.update({ ...missing, data: {} })),
        yield* Effect.flip(db.user.delete(missing)),
        yield* Effect.flip(db.post.create({ data: { title: "x", author: { connect: { id: 404 } } } }))
      ]
      for (const error of failures) {
        expect(error).toBeInstanceOf(EffectPrisma.RecordNotFound)
        expect(error).toMatchObject({ _tag: "RecordNotFound", code: "P2025", meta: { modelName: expect.any(String) } })
        expect(error.cause).toBeInstanceOf(Prisma.PrismaClientKnownRequestError)
      }
      expect(failures.map(({ message }) => message)[0]).toBe(
        "User.findUniqueOrThrow: a row that it needs was not found (P2025)"
      )
      expect(yield* db.user.findUnique(missing)).toBeNull()
    }))

  it.live("against a unique key fails with UniqueConstraint, which says of which key", () =>
    Effect.gen(function*() {
      const db = yield* make
      const taken = { email: "ada@example.com" }
      const failures = [
        yield* Effect.flip(db.user.create({ data: taken })),
        yield* Effect.flip(db.user.createMany({ data: [taken] })),
        yield* Effect.flip(db.user.update({ where: { id: 2 }, data: taken })),
        yield* Effect.flip(db.$executeRaw`INSERT INTO "User" (email) VALUES (${taken.email})`)
      ]
      expect(failures.map(({ _tag }) => _tag)).toEqual(failures.map(() => "UniqueConstraint"))
      expect(failures.map(({ code }) => code)).toEqual(["P2002", "P2002", "P2002", "P2010"])
      const handled = yield* db.user.create({ data: taken }).pipe(
        Effect.catchTag("UniqueConstraint", ({ target }) => Effect.succeed(target))
      )
      expect(handled).toEqual(["User_email_key"])
    }))

  it.live("against a foreign key fails with ForeignKeyConstraint", () =>
    Effect.gen(function*() {
      const db = yield* make
      const failures = [
        yield* Effect.flip(db.userProfile.createMany({ data: [{ id: 404, bio: "x", userId: 404 }] })),
        yield* Effect.flip(db.country.delete({ where: { code: "XX" } })),
        yield* Effect.flip(db.country.deleteMany())
      ]
      expect(failures.map(({ _tag }) => _tag)).toEqual(failures.map(() => "ForeignKeyConstraint"))
    }))

  it.live("against other conditions of a table fails with NullConstraint and CheckConstraint", () =>
    Effect.gen(function*() {
      const db = yield* make
      const name = uniqueName("counter")
      const missing = yield* Effect.flip(db.$executeRaw`INSERT INTO "Counter" (name) VALUES (NULL)`)
      expect(missing._tag).toBe("NullConstraint")
      const negative = yield* Effect.flip(db.counter.create({ data: { name, value: -1 } }))
      expect(negative._tag).toBe("CheckConstraint")
      const raw = yield* Effect.flip(db.$executeRaw`INSERT INTO "Counter" (name, value) VALUES (${name}, -1)`)
      expect(raw._tag).toBe("CheckConstraint")
    }))

  it.live("in itself fails with ValidationError", () =>
    Effect.gen(function*() {
      const db = yield* make
      const unknown = yield* Effect.flip(db.user.findMany({ where: { colour: "red" } } as never))
      expect(unknown._tag).toBe("ValidationError")
      expect(unknown.cause).toBeInstanceOf(Prisma.PrismaClientValidationError)
      // Whose message tells the whole query.
      expect(unknown.message).toBe("User.findMany: the query was refused")
      const long = yield* Effect.flip(db.country.create({ data: { code: "too long", name: "x" } }))
      expect(long).toMatchObject({ _tag: "ValidationError", code: "P2000" })
    }))

  it.live("because nobody is there fails with ConnectionFailed", () =>
    Effect.gen(function*() {
      const port = yield* Effect.promise(() => freePort())
      const nowhere = makePrisma(`postgres://nobody@127.0.0.1:${port}/nothing`)
      const db = yield* EffectPrisma.make(nowhere.prisma)
      const read = yield* Effect.flip(db.user.findMany())
      expect(read._tag).toBe("ConnectionFailed")
      const begin = yield* Effect.flip(db.$transaction(() => Effect.succeed(1)))
      expect(begin._tag).toBe("ConnectionFailed")
      yield* Effect.promise(() => nowhere.close())
    }))

  it.live("in a way that its type does not know fails with the rest, which keeps the code", () =>
    Effect.gen(function*() {
      const broken = database.base.$extends({
        query: {
          user: {
            findMany: () => Promise.reject(new Prisma.PrismaClientKnownRequestError("no", { code: "P2002", clientVersion: "0" })),
            count: () => Promise.reject(new TypeError("broken"))
          }
        }
      })
      const db = yield* EffectPrisma.make(broken)
      const odd = yield* Effect.flip(db.user.findMany())
      expect(odd).toMatchObject({ _tag: "UnknownPrismaError", code: "P2002" })
      const foreign = yield* Effect.flip(db.user.count())
      expect(foreign).toMatchObject({ _tag: "UnknownPrismaError", code: undefined, message: "User.count: TypeError" })
      expect(foreign.cause).toBeInstanceOf(TypeError)
      const unknown = yield* Effect.flip(db.$queryRaw`SELECT nonsense`)
      expect(unknown).toMatchObject({ _tag: "UnknownPrismaError", code: "P2010" })
    }))
})
