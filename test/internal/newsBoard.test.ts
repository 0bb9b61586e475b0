import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Queue from "effect/Queue"
import { makeNewsBoard } from "../../src/internal/newsBoard.js"

describe("news", () => {
  it.scoped("reach those who listen for their name: who falls behind keeps the newest", () =>
    Effect.gen(function*() {
      const board = makeNewsBoard<number>()
      const one = yield* board.listen("a")
      const other = yield* board.listen("b")
      for (const news of [1, 2, 3]) board.post("a", news)
      expect(yield* Queue.takeAll(one)).toHaveLength(1)
      board.post("a", 4)
      board.post("a", 5)
      expect(yield* Queue.take(one)).toBe(5)
      expect(yield* Queue.size(other)).toBe(0)
    }))

  it("are forgotten by those who have left", () =>
    Effect.gen(function*() {
      const board = makeNewsBoard<number>()
      const left = yield* Effect.scoped(board.listen("a"))
      expect(board.listeners()).toBe(0)
      board.post("a", 1)
      expect(yield* Queue.isShutdown(left)).toBe(true)
    }).pipe(Effect.runPromise))
})
