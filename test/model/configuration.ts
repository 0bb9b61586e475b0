/** A question put to the model, and the answer that is expected. */
import { explore } from "./explore.js"
import type { Machine, Outcome } from "./explore.js"

export interface Configuration {
  readonly name: string
  readonly expected: "verified" | "violated"
  /** `short`: explored by the test as well. `long`: by the command only. */
  readonly depth: "short" | "long"
  /** What has to come about on the way, so that nothing is verified for want of anything happening. */
  readonly reaches: ReadonlyArray<string>
  readonly explore: () => Outcome
}

type Given = Partial<Pick<Configuration, "depth" | "reaches">>

const make = (
  name: string,
  expected: Configuration["expected"],
  search: () => Outcome,
  { depth = "long", reaches = [] }: Given
): Configuration => ({ name, expected, depth, reaches, explore: search })

/** Something that must hold in every state that can be reached. */
export const holds = <State extends object>(
  name: string,
  machine: () => Machine<State>,
  given: Given = {}
): Configuration => make(name, "verified", () => explore(machine()), given)

/** Something that must be found to be wrong: a rule broken, or a limit of what is promised. */
export const fails = <State extends object>(
  name: string,
  machine: () => Machine<State>,
  given: Given = {}
): Configuration => make(name, "violated", () => explore(machine()), given)

/** Something that must hold in each of many machines. Their states are counted together. */
export const holdsInEach = <State extends object>(
  name: string,
  machines: () => Iterable<{ readonly name: string; readonly machine: Machine<State> }>,
  given: Given = {}
): Configuration =>
  make(name, "verified", () => {
    const reached = new Set<string>()
    let total = { states: 0, depth: 0, millis: 0 }
    for (const { machine, name } of machines()) {
      const outcome = explore(machine)
      total = {
        states: total.states + outcome.states,
        depth: Math.max(total.depth, outcome.depth),
        millis: total.millis + outcome.millis
      }
      for (const what of outcome.reached) reached.add(what)
      if (outcome.verdict !== "verified") {
        return { ...outcome, ...total, reached, violation: `${name}: ${outcome.violation ?? "too many states"}` }
      }
    }
    return { verdict: "verified", ...total, reached, violation: null, trace: [] }
  }, given)

/** Why an outcome is not the expected one, `null` when it is. */
export const objection = ({ expected, reaches }: Configuration, outcome: Outcome): string | null => {
  if (outcome.verdict !== expected) return `expected ${expected}, got ${outcome.verdict}`
  const missing = reaches.filter((what) => !outcome.reached.has(what))
  return missing.length === 0 ? null : `never reached: ${missing.join(", ")}`
}
