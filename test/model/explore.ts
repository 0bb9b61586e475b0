/**
 * Looks at every state that a machine can reach, breadth first, so that the first state found to be wrong is one that
 * takes the fewest steps. States are plain data that nobody changes: a step gets a draft, which is a copy of its own.
 */
import { fingerprint, keepDigests } from "./fingerprint.js"
import { restartNames } from "./fresh.js"
import { Integers, Seen } from "./seen.js"

/** Offers one step that can be taken in a state: what happens, in words, and what it changes. */
export type Emit<State> = (label: string, act: (draft: State) => void) => void

export interface Machine<State> {
  readonly initial: () => State
  /** Offers every step that can be taken, in an order that depends on the state alone. */
  readonly steps: (state: State, emit: Emit<State>) => void
  readonly copy: (state: State) => State
  /** What is wrong with a state, in a sentence. */
  readonly judge: (state: State) => string | null
  /** The properties that hold lists whose order does not matter. */
  readonly interchangeable: ReadonlyArray<string>
  /** What a step changed, in words. */
  readonly describe: (before: State, after: State) => string
  /** What came about on the way: a property that holds because nothing ever happens is worth nothing. */
  readonly reached: ReadonlySet<string>
}

export interface Outcome {
  /** `bounded`: there was more to look at than the search was allowed to. */
  readonly verdict: "verified" | "violated" | "bounded"
  readonly states: number
  /** The number of steps that the last state looked at is away from the first. */
  readonly depth: number
  /** Processor time, in milliseconds: what else runs on the machine does not count. */
  readonly millis: number
  readonly reached: ReadonlySet<string>
  readonly violation: string | null
  /** The steps to the violation. */
  readonly trace: ReadonlyArray<string>
}

/** Repeats the steps by their numbers, telling what each does. */
const replay = <State>(machine: Machine<State>, numbers: ReadonlyArray<number>): ReadonlyArray<string> => {
  restartNames()
  let state = machine.initial()
  return numbers.map((wanted) => {
    let number = 0
    let line = ""
    const draft = machine.copy(state)
    machine.steps(state, (label, act) => {
      if (number++ === wanted) {
        act(draft)
        line = label
      }
    })
    const change = machine.describe(state, draft)
    state = draft
    return change === "" ? line : `${line.padEnd(52)} ${change}`
  })
}

export interface Limits {
  /** How many states are looked at. */
  readonly states: number
}

export const explore = <State extends object>(
  machine: Machine<State>,
  limits: Limits = { states: 6_000_000 }
): Outcome => {
  const started = process.cpuUsage()
  const seen = new Seen()
  // For every state the one it was first reached from, and by which of the steps offered there.
  const parents = new Integers()
  const steps = new Integers()
  const identify = (state: State) =>
    fingerprint(state as Readonly<Record<string, unknown>>, machine.interchangeable)

  const numbersTo = (index: number): ReadonlyArray<number> => {
    const numbers: Array<number> = []
    for (let at = index; at > 0; at = parents.at(at)) numbers.push(steps.at(at))
    return numbers.reverse()
  }

  const first = machine.initial()
  seen.add(identify(first))
  parents.push(-1)
  steps.push(-1)
  let level: Array<{ readonly state: State; readonly index: number }> = [{ state: first, index: 0 }]
  let depth = 0
  let violation: string | null = machine.judge(first)
  let culprit = 0

  while (violation === null && level.length > 0 && seen.size <= limits.states) {
    const next: typeof level = []
    depth++
    for (const { index, state } of level) {
      let number = 0
      machine.steps(state, (_label, act) => {
        const step = number++
        if (violation !== null) return
        const draft = machine.copy(state)
        act(draft)
        if (!seen.add(identify(draft))) return
        keepDigests()
        parents.push(index)
        steps.push(step)
        violation = machine.judge(draft)
        if (violation === null) next.push({ state: draft, index: parents.length - 1 })
        else culprit = parents.length - 1
      })
      if (violation !== null || seen.size > limits.states) break
    }
    level = next
  }
  return {
    verdict: violation !== null ? "violated" : level.length > 0 ? "bounded" : "verified",
    states: seen.size,
    depth,
    millis: process.cpuUsage(started).user / 1000,
    reached: machine.reached,
    violation,
    trace: violation === null ? [] : replay(machine, numbersTo(culprit))
  }
}
