/** The middle one of some numbers. */
export const median = (numbers: ReadonlyArray<number>): number => {
  const sorted = [...numbers].sort((a, b) => a - b)
  const middle = sorted.length >> 1
  const [low = NaN, high = NaN] = sorted.length % 2 === 1 ? [sorted[middle], sorted[middle]] : [sorted[middle - 1], sorted[middle]]
  return (low + high) / 2
}

/** How long something takes, in milliseconds. */
export const millisOf = async (run: () => PromiseLike<unknown>): Promise<number> => {
  const startedAt = performance.now()
  await run()
  return performance.now() - startedAt
}

export interface Measured {
  /** The median of the rounds' medians, in milliseconds. */
  readonly millis: number
  readonly least: number
  readonly most: number
  /** The median of what each round says, so that a machine that is slow for a while is so for both. */
  readonly ratio: number
}

/**
 * Measures several ways of doing a thing by turns, a few times each in every round, and compares them with the first.
 * Each round begins with another one.
 */
export const inRounds = async <Name extends string>(
  ways: Readonly<Record<Name, () => PromiseLike<unknown>>>,
  { each, rounds }: { readonly rounds: number; readonly each: number }
): Promise<Readonly<Record<Name, Measured>>> => {
  const names = Object.keys(ways) as Array<Name>
  const medians = new Map<Name, Array<number>>(names.map((name) => [name, []]))
  for (let round = -1; round < rounds; round++) {
    const turn = ((round % names.length) + names.length) % names.length
    for (const name of [...names.slice(turn), ...names.slice(0, turn)]) {
      const times: Array<number> = []
      for (let i = 0; i < each; i++) times.push(await millisOf(ways[name]))
      // The first round is to warm up.
      if (round >= 0) medians.get(name)?.push(median(times))
    }
  }
  const [first] = names
  const base = first === undefined ? [] : (medians.get(first) ?? [])
  const measured = names.map((name) => {
    const own = medians.get(name) ?? []
    const ratio = median(own.map((millis, round) => millis / (base[round] ?? NaN)))
    return [name, { millis: median(own), least: Math.min(...own), most: Math.max(...own), ratio }] as const
  })
  return Object.fromEntries(measured) as Record<Name, Measured>
}

/** Lines of columns as wide as what is in them, the first to the left and the others to the right. */
export const table = (lines: ReadonlyArray<ReadonlyArray<string>>): string => {
  const widths = (lines[0] ?? []).map((_, column) => Math.max(...lines.map((line) => line[column]?.length ?? 0)))
  const cell = (text: string, column: number) =>
    column === 0 ? text.padEnd(widths[column] ?? 0) : text.padStart(widths[column] ?? 0)
  return lines.map((line) => line.map(cell).join("  ").trimEnd()).join("\n")
}
