/**
 * Checking what was given: everything that is wrong with it is named at once.
 */
import { CacheOptionsError } from "../CacheError.js"
import type { OptionProblem } from "../CacheError.js"

/** @internal */
export type Fields = { readonly [name: string]: unknown }

/** @internal */
export const isFields = (value: unknown): value is Fields =>
  typeof value === "object" && value !== null && !Array.isArray(value)

/** @internal */
export const isName = (value: unknown): value is string => typeof value === "string" && value.length > 0

/** @internal */
export const isFunction = (value: unknown): boolean => typeof value === "function"

/** @internal */
export const isAtLeast = (least: number) => (value: unknown): boolean =>
  typeof value === "number" && Number.isFinite(value) && value >= least

/**
 * A value as an error may repeat it.
 *
 * @internal
 */
export const show = (value: unknown): string => {
  if (typeof value === "string") return JSON.stringify(value)
  if (typeof value === "function") return "a function"
  if (Array.isArray(value)) return "an array"
  if (typeof value === "object" && value !== null) return "an object"
  return String(value)
}

/** @internal */
export interface Checks {
  readonly problem: (path: string, given: unknown, allowed: string) => void
  /** As above, where the value must not be repeated. */
  readonly secret: (path: string, what: string, allowed: string) => void
  /** What is left out is always allowed. */
  readonly check: (path: string, given: unknown, isAllowed: (given: unknown) => boolean, allowed: string) => void
  readonly oneOf: (path: string, given: unknown, allowed: ReadonlyArray<unknown>) => void
  readonly noOthers: (path: string, given: Fields, known: ReadonlyArray<string>) => void
  /** What was found to be wrong elsewhere. */
  readonly add: (problems: ReadonlyArray<OptionProblem>) => void
  /** Throws if anything is wrong. */
  readonly end: () => void
}

/** @internal */
export const makeChecks = (subject: string): Checks => {
  const problems: Array<OptionProblem> = []
  const secret: Checks["secret"] = (path, what, allowed) =>
    void problems.push({ path, message: `got ${what}, allowed: ${allowed}` })
  const problem: Checks["problem"] = (path, given, allowed) => secret(path, show(given), allowed)
  const check: Checks["check"] = (path, given, isAllowed, allowed) => {
    if (given !== undefined && !isAllowed(given)) problem(path, given, allowed)
  }
  return {
    problem,
    add: (more) => void problems.push(...more),
    secret,
    check,
    oneOf: (path, given, allowed) => check(path, given, (one) => allowed.includes(one), allowed.map(show).join(", ")),
    noOthers: (path, given, known) => {
      for (const name of Object.keys(given)) {
        if (known.includes(name)) continue
        // What stands under a name that nobody knows may be a password.
        secret(path + name, `a ${typeof given[name]}`, `no such option; there are ${known.join(", ")}`)
      }
    },
    end: () => {
      if (problems.length > 0) throw new CacheOptionsError(subject, problems)
    }
  }
}
