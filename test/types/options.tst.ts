import { prismaCache } from "../../src/index.js"
import * as PrismaCache from "../../src/PrismaCache.js"
import * as ValkeyCache from "../../src/ValkeyCache.js"
import { describe, expect, test } from "tstyche"

describe("the options of a memory tier", () => {
  test("are a switch or its bounds, and nothing else", () => {
    expect(prismaCache).type.toBeCallableWith({ memory: true })
    expect(prismaCache).type.toBeCallableWith({ memory: { maxBytes: 1, maxEntries: 1, maxAge: "30 seconds" } })
    expect(prismaCache).type.not.toBeCallableWith({ memory: "yes" })
    expect(prismaCache).type.not.toBeCallableWith({ memory: { maxAge: "soon" } })
    expect(prismaCache).type.not.toBeCallableWith({ memory: { minAge: 1 } })
    expect(ValkeyCache.layer).type.toBeCallableWith({ connection: "valkey://localhost", memory: { maxAge: 1_000 } })
    expect(ValkeyCache.layer).type.not.toBeCallableWith({ connection: "valkey://localhost", memory: 5 })
  })

  test("are the cache's, and not those of an extension over one that is there", () => {
    expect(PrismaCache.extension).type.toBeCallableWith({ shortCut: false })
    expect(PrismaCache.extension).type.not.toBeCallableWith({ memory: true })
  })
})
