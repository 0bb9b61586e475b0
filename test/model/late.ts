/**
 * Tags that only an answer has told of (rules 12 and 15). Their stamps are made after the query, so a write may have
 * come between. It would have killed the guard first: whoever compares the guard last finds out.
 */
export type LateStep = "obtaining late" | "comparing" | "storing"

/** The right order, and what only mutants do. */
export const lateSteps = {
  guarded: ["obtaining late", "comparing", "storing"],
  guardFirst: ["comparing", "obtaining late", "storing"],
  unguarded: ["obtaining late", "storing"]
} satisfies Record<string, ReadonlyArray<LateStep>>

export type LateSteps = ReadonlyArray<LateStep>

export const firstOf = (steps: LateSteps): LateStep => steps[0] ?? "storing"

export const following = (steps: LateSteps, step: LateStep): LateStep => steps[steps.indexOf(step) + 1] ?? "storing"
