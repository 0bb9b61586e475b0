import fc from "fast-check"
import { Redis } from "iovalkey"
import { afterAll, describe, expect, it } from "vitest"
import * as lua from "../../src/valkey/scripts.js"
import { uniqueName, valkeyUrl } from "../support/servers.js"
import { Fresh } from "./fresh.js"
import * as model from "./tags.js"
import type { Invalidation, Stamp, TagState } from "./tags.js"

const client = new Redis(valkeyUrl())
afterAll(() => client.disconnect())

const hour = "3600000"
const tokens = ["w0", "w1", "w2"].map((name) => new Fresh(name))
const randoms = ["r0", "r1", "r2", "r3"].map((name) => new Fresh(name))
/** The same for stamps that are, or were, on probation: when that ends is a part of what they are. */
const others = ["p0", "p1", "p2", "p3"].map((name) => new Fresh(name))
/** When probations end: at once, so that the next command finds them over, or not while the test runs. */
const [over, later] = [new Fresh("over"), new Fresh("later")]

// ---- how the server writes down what the model holds

const text = ({ hard, soft, until }: Stamp): string => `${hard}${until === null ? "" : `~${until}`}.${soft}`

const place = (state: TagState): string | null => {
  if (state === null) return null
  if (state.kind === "stamp") return `s:${text(state)}`
  const { previous, solo, tokens } = state
  const list = tokens.map(({ expired, token }) => `${token}@${expired ? "over" : "later"}`)
  return `w:${previous === null ? "-" : text(previous)}:${solo ?? "-"}:${list.join()}`
}

/** The milliseconds of the server's clock: nothing here looks at another. */
const serverTime = async (): Promise<number> => {
  const [seconds, micros] = await client.time()
  return Number(seconds) * 1000 + Math.floor(Number(micros) / 1000)
}

/** What a place holds, with the times in it replaced by what they mean. */
const read = async (value: string): Promise<string> => {
  const now = await serverTime()
  return value.replaceAll(/([@~])(\d+)/g, (_, mark, at) => `${mark}${Number(at) <= now ? "over" : "later"}`)
}

const held = async (key: string): Promise<string | null> => {
  const value = await client.get(key)
  return value === null ? null : read(value)
}

/** A place lives as long as the token that lives longest. */
const outlives = async (key: string): Promise<boolean> => {
  const expiries = Array.from((await client.get(key) ?? "").matchAll(/@(\d+)/g), ({ 1: at }) => Number(at))
  return expiries.length === 0 || Number(await client.call("PEXPIRETIME", key)) >= Math.max(...expiries) - 1
}

// ---- the commands

interface Command {
  readonly name: string
  /** What the model makes of a state, and what it says the script answers. */
  readonly expected: (state: TagState) => { readonly state: TagState; readonly answer: unknown }
  readonly script: lua.Script
  readonly args: ReadonlyArray<string>
  /** What it put there runs out before the next command: a token's intent, or a probation. */
  readonly expiring?: Fresh
}

/** Mostly one of two, so that they meet often. */
const someToken = fc.constantFrom(...tokens, ...tokens.slice(0, 2))

const answered = ({ answer, state }: model.Answer) => ({ state, answer: answer ? 1 : 0 })

const stamps = fc.record({
  kind: fc.constant("stamp" as const),
  hard: fc.constantFrom(...randoms),
  until: fc.constant(null),
  soft: fc.constantFrom<model.Random>(0, 0, ...randoms.slice(0, 1))
})

const made = stamps.map((stamp): Stamp => ({ ...stamp, soft: 0 }))

/** What OBTAIN makes over nothing, and for how long it is on probation then. */
const obtainable = fc.oneof(
  made.map((stamp) => ({ stamp, millis: "0" })),
  fc.constantFrom(...others).map((hard) => ({ stamp: model.makeStamp(hard, later), millis: hour })),
  fc.constantFrom(...others).map((hard) => ({ stamp: model.makeStamp(hard, over), millis: "1" }))
)

const obtain = obtainable.map(({ millis, stamp }): Command => ({
  name: `OBTAIN ${text(stamp)}`,
  expected: (state) => {
    const found = model.obtain(state, () => stamp, (moment) => moment === over)
    return { state: found, answer: place(found) }
  },
  script: lua.obtain,
  args: [`s:${text({ ...stamp, until: null })}`, hour, millis],
  ...millis === "1" ? { expiring: over } : {}
}))

/** Where what is changed is told, and what is told. */
const note = ["a channel", "a tag"]

const invalidations = fc.oneof(
  fc.constant<Invalidation>({ how: "kill" }),
  fc.constantFrom(...randoms).map((soft): Invalidation => ({ how: "expire", soft })),
  fc.tuple(stamps, made).map(([expected, next]): Invalidation => ({ how: "swap", expected, next }))
)

const invalidationArgs = (invalidation: Invalidation): ReadonlyArray<string> => {
  switch (invalidation.how) {
    case "kill":
      return ["kill"]
    case "expire":
      return ["expire", `${invalidation.soft}`]
    case "swap": {
      const { expected, next } = invalidation
      return ["swap", expected === null ? "" : `s:${text(expected)}`, `s:${text(next)}`, hour]
    }
  }
}

const invalidate = invalidations.map((invalidation): Command => ({
  name: `INVALIDATE ${invalidationArgs(invalidation).join(" ")}`,
  expected: (state) => answered(model.invalidate(state, invalidation)),
  script: lua.invalidate,
  args: [...note, ...invalidationArgs(invalidation)]
}))

const begin = fc.tuple(someToken, fc.boolean()).map(([token, isShort]): Command => ({
  name: `BEGIN ${token}${isShort ? ", which runs out" : ""}`,
  expected: (state) => ({ state: model.begin(state, token), answer: 1 }),
  script: lua.begin,
  args: [`${token}`, isShort ? "1" : hour, ...note],
  ...isShort ? { expiring: token } : {}
}))

const endings = fc.tuple(
  someToken,
  fc.constantFrom<model.Ending>("commit", "rollback"),
  fc.option(made, { nil: null })
)

const end = endings.map(([token, ending, next]): Command => ({
  name: `END ${token} ${ending} ${next === null ? "" : text(next)}`,
  expected: (state) => answered(model.end(state, token, ending, next)),
  script: lua.end,
  args: [`${token}`, ending === "commit" ? "1" : "0", next === null ? "" : `s:${text(next)}`, hour]
}))

/** BEGIN and END twice as often: they lead to states that the others do not. */
const commands = fc.oneof(obtain, invalidate, begin, begin, end, end)

describe("the scripts on a server", () => {
  it("leave every place as the model says, and answer what it says", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(commands, { minLength: 1, maxLength: 14, size: "max" }), async (sequence) => {
        const key = uniqueName("model")
        let state: TagState = null
        const told: Array<string> = []
        for (const command of sequence) {
          const { answer, state: next } = command.expected(state)
          const given = await client.eval(command.script.lua, 1, key, ...command.args)
          state = next
          if (command.expiring !== undefined) {
            const end = (await serverTime()) + 1
            while ((await serverTime()) <= end) continue
            state = model.expire(state, command.expiring)
          }
          const answered = typeof given === "string" ? await read(given) : given
          expect(answered, [...told, command.name].join("\n")).toEqual(answer)
          told.push(`${command.name.padEnd(40)} ${place(state)}`)
          expect(await held(key), told.join("\n")).toBe(place(state))
          expect(await outlives(key), told.join("\n")).toBe(true)
        }
        await client.del(key)
      }),
      { numRuns: 500 }
    )
  }, 60_000)
})
