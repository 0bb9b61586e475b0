import * as Duration from "effect/Duration"
import * as Option from "effect/Option"
import { CacheOptionsError } from "../CacheError.js"
import type { OptionProblem } from "../CacheError.js"
import type { CacheStore } from "../CacheStore.js"
import type { MemoryOptions, Options } from "../QueryCache.js"

const isCount = (value: unknown): boolean => typeof value === "number" && Number.isInteger(value) && value >= 1

const needsMaxAge = "{ maxAge }, since this store does not tell what others change; without it a store that does is " +
  "needed, such as Valkey over TCP"

const isAge = (value: unknown): boolean => Option.exists(Duration.decodeUnknown(value), (age) => Duration.toMillis(age) > 0)

/**
 * What is wrong with the bounds of a memory tier, over a store that tells of changes or does not.
 *
 * @internal
 */
export const memoryProblems = (
  { maxAge, maxBytes, maxEntries }: { readonly [Name in keyof MemoryOptions]?: unknown },
  tellsChanges: boolean
): ReadonlyArray<OptionProblem> => {
  const problems: Array<OptionProblem> = []
  for (const [name, value] of Object.entries({ maxBytes, maxEntries })) {
    if (value === undefined || isCount(value)) continue
    problems.push({ path: `memory.${name}`, message: `got ${String(value)}, allowed: a whole number, 1 or more` })
  }
  if (maxAge === undefined && !tellsChanges) problems.push({ path: "memory", message: `got no maxAge, allowed: ${needsMaxAge}` })
  if (maxAge !== undefined && !isAge(maxAge)) {
    problems.push({ path: "memory.maxAge", message: `got ${String(maxAge)}, allowed: a duration above 0` })
  }
  return problems
}

/**
 * What options ask of a store that cannot promise it, and what cannot be made sense of.
 *
 * @internal
 */
export const beyondLevel = (
  subject: string,
  { consistency, memory }: Options,
  { changes, level }: Pick<CacheStore, "changes" | "level">
): CacheOptionsError | undefined => {
  const problems = memory === undefined || memory === false ? [] : [...memoryProblems(memory === true ? {} : memory, changes !== undefined)]
  if (level === "bestEffort" && consistency === "strict") {
    problems.push({
      path: "consistency",
      message: `got "strict", allowed: "after-commit", since this store has no atomic steps; "strict" needs one that has, such as Valkey`
    })
  }
  return problems.length === 0 ? undefined : new CacheOptionsError(subject, problems)
}
