/**
 * A value that nobody else has: 128 random bits in reality, an object of its own here. Only whether two of them are
 * the same one can be asked. What they are called is therefore no part of a state, and two states that differ in
 * names alone are one state.
 */
export class Fresh {
  /** `name` is for traces only. */
  constructor(readonly name: string) {}

  toString(): string {
    return this.name
  }
}

let drawn = 0

/** Draws a value that was never drawn before. */
export const fresh = (): Fresh => new Fresh(`#${++drawn}`)

/** Begins to count anew, so that a trace's names are small. */
export const restartNames = (): void => {
  drawn = 0
}
