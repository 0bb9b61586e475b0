import { expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { exact } from "effect-prisma-cache/Serializer"
import * as Encrypted from "effect-prisma-cache/Serializer/Encrypted"
import { entryOf, memoryStore, read, readKey, settle } from "../QueryCache/support.js"
import { makeCache, oneKey } from "./support.js"

it.scopedLive("an encrypted answer is found under the keys that were known from it only", () =>
  Effect.gen(function*() {
    const { cache } = yield* makeCache(yield* Encrypted.make(exact, oneKey), memoryStore())
    const ref = { key: "user-1" }
    yield* settle(cache, cache.fetch({ ...read<number>("a"), late: () => ({ keys: [ref], entries: [entryOf(ref)] }) }, Effect.succeed(7)))
    expect(yield* cache.fetch(readKey("user-1"), Effect.fail("asked"))).toBe(7)
  }))
