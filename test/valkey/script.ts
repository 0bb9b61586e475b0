/**
 * A program that uses the cache on Valkey and comes to its end: it says so, closes nothing else, and is to exit by
 * itself. `loop`: it goes on asking until its input ends. `brief`: it asks nothing, and closes at every moment of
 * being connected.
 */
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Option from "effect/Option"
import { createRequire } from "node:module"
import { CacheStore } from "../../src/CacheStore.js"
import { DistributedLock } from "../../src/DistributedLock.js"
import * as ValkeyCache from "../../src/ValkeyCache.js"

const [, , url = "", mode = "once"] = process.argv
const say = (word: string) => void process.stdout.write(`${word}\n`)

const loaded = () => Object.keys(createRequire(import.meta.url).cache).some((file) => file.includes("/iovalkey/"))
say(loaded() ? "driver-loaded" : "driver-not-loaded")

const afterTurns = async (turns: number) => {
  for (let left = turns; left > 0; left--) await new Promise((resolve) => setImmediate(resolve))
}

const ask = Effect.gen(function*() {
  const store = yield* CacheStore
  const lock = yield* DistributedLock
  yield* Effect.scoped(Effect.asVoid(lock.news("script:{lock}")))
  const exit = yield* Effect.exit(store.lookup("script:entry", ["script:tag"]))
  const failure = Exit.isFailure(exit) ? Cause.failureOption(exit.cause) : Option.none()
  return Option.match(failure, { onNone: () => "answered", onSome: ({ reason }) => reason })
})

let over = false
process.stdin.on("end", () => (over = true))
if (mode === "loop") process.stdin.resume()

const program = mode === "once"
  ? Effect.map(ask, say)
  : Effect.repeat(Effect.delay(Effect.map(ask, say), "10 millis"), { until: () => over })

const services = ValkeyCache.layerServices(url, { commandTimeout: 300 })
if (mode === "brief") {
  for (let turns = 0; turns < 60; turns++) {
    await Effect.runPromise(Effect.provide(Effect.promise(() => afterTurns(turns)), services))
  }
} else await Effect.runPromise(Effect.provide(program, services))
say("closed")
