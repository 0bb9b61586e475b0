/**
 * A bound on how long somebody waits. There are as many waits as there are cache operations, nearly all of them end in
 * time, and all last equally long: they stand in a line, and one fiber looks after the first of them.
 */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Runtime from "effect/Runtime"
import type * as Scope from "effect/Scope"

export interface Deadlines {
  /** The effect's own outcome, or the failure if that is not there in time. The effect is then interrupted. */
  readonly within: <A, E>(effect: Effect.Effect<A, E>, late: () => E) => Effect.Effect<A, E>
}

interface Wait {
  readonly until: number
  readonly expire: () => void
  over: boolean
}

/** What has come already and was not read, because the process was busy, has come in time. */
const readWhatHasCome: Effect.Effect<void> = Effect.async((resume) => {
  const turn = () => resume(Effect.void)
  if (typeof setImmediate === "function") setImmediate(turn)
  else setTimeout(turn, 0)
})

export const makeDeadlines = (millis: number, scope: Scope.Scope): Deadlines => {
  let line: Array<Wait> = []
  let waiting = 0
  let watched = false

  const end = (wait: Wait) => {
    wait.over = true
    waiting--
  }
  const begin = (wait: Wait) => {
    // Those who did not have to wait long leave gaps.
    if (line.length > 2 * waiting + 100) line = line.filter(({ over }) => !over)
    line.push(wait)
    waiting++
  }

  const watch = Effect.gen(function*() {
    while (true) {
      const now = yield* Clock.currentTimeMillis
      const first = line.findIndex(({ over }) => !over)
      line = first === -1 ? [] : line.slice(first)
      if (line[0] === undefined) break
      if (line[0].until > now) {
        yield* Effect.sleep(line[0].until - now)
        yield* readWhatHasCome
        continue
      }
      for (const wait of line) {
        if (wait.until > now) break
        if (!wait.over) wait.expire()
      }
    }
    watched = false
  })

  return {
    within: <A, E>(effect: Effect.Effect<A, E>, late: () => E) =>
      Effect.flatMap(Effect.runtime<never>(), (runtime) =>
        Effect.flatMap(Clock.currentTimeMillis, (now) => {
          const fiber = Runtime.runFork(runtime)(Effect.interruptible(effect))
          const done = fiber.unsafePoll()
          // Most stores that have no server behind them are never waited for.
          if (done !== null) return done
          return Effect.async<A, E>((resume) => {
            const wait: Wait = {
              until: now + millis,
              over: false,
              expire: () => {
                end(wait)
                resume(Effect.fail(late()))
                fiber.unsafeInterruptAsFork(fiber.id())
              }
            }
            fiber.addObserver((exit) => {
              if (wait.over) return
              end(wait)
              resume(exit)
            })
            begin(wait)
            if (!watched) {
              watched = true
              Runtime.runFork(runtime)(Effect.forkIn(Effect.interruptible(watch), scope))
            }
            return Effect.suspend(() => {
              if (!wait.over) end(wait)
              return Fiber.interrupt(fiber)
            })
          })
        }))
  }
}
