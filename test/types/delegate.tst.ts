import { describe, expect, test } from "tstyche"
import type { ArgsOf, PayloadOf } from "../../src/prisma/types/delegate.js"
import type { Models } from "../../src/prisma/types/models.js"
import { prisma } from "./client.js"

// A model of a database that cannot return what it creates, as MySQL's.
interface Thing {
  [key: symbol]: {
    types: {
      payload: { name: "Thing"; scalars: { id: number }; objects: {}; composites: {} }
      operations: { createMany: { args: { data: Array<{ id: number }> } } }
    }
  }
}
declare const thing: Models & Thing

describe("an operation that the database does not have", () => {
  test("takes no arguments, so that it cannot be called", () => {
    expect<ArgsOf<Thing, "createManyAndReturn">>().type.toBe<never>()
    expect(thing.createManyAndReturn).type.not.toBeCallableWith({ data: [{ id: 1 }] })
    expect(thing.createManyAndReturn).type.not.toBeCallableWith()
  })

  test("leaves the others as they are", () => {
    expect<ArgsOf<Thing, "createMany">>().type.toBe<{ data: Array<{ id: number }> }>()
    expect(thing.createMany).type.toBeCallableWith({ data: [{ id: 1 }], uncache: "things" })
    expect(prisma.user.createManyAndReturn).type.toBeCallableWith({ data: [{ email: "x" }] })
  })
})

describe("what is no model", () => {
  test("has no payload and no arguments", () => {
    expect<PayloadOf<string>>().type.toBe<never>()
    expect<ArgsOf<string, "findMany">>().type.toBe<never>()
  })
})
