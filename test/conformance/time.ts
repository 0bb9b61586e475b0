import * as Cause from "effect/Cause"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as TestClock from "effect/TestClock"

/** How time passes for what is under test: at our command, or by itself. */
export type Time = "test" | "real"

const poll = <E, R>(holds: Effect.Effect<boolean, E, R>): Effect.Effect<void, E, R> =>
  Effect.flatMap(holds, (yes) => yes ? Effect.void : Effect.delay(Effect.suspend(() => poll(holds)), "5 millis"))

/** Waits in real time until something holds, and dies by its name when it does not. */
export const eventually = <E, R>(what: string, holds: Effect.Effect<boolean, E, R>): Effect.Effect<void, E, R> =>
  Effect.timeoutFailCause(poll(holds), {
    duration: "10 seconds",
    onTimeout: () => Cause.die(new Error(`Waited in vain: ${what}`))
  })

/** Lets a lifetime run out, and sees to it that this has the effect named. */
export const afterwards = <E, R>(
  time: Time,
  millis: number,
  what: string,
  holds: Effect.Effect<boolean, E, R>
): Effect.Effect<void, E, R> =>
  time === "real"
    ? eventually(what, holds)
    : Effect.flatMap(
      Effect.zipRight(TestClock.adjust(Duration.millis(millis)), holds),
      (yes) => yes ? Effect.void : Effect.dieMessage(`Not so after ${millis} ms: ${what}`)
    )
