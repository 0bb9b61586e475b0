/**
 * The check of a history: what was read, held against what had been written before the read began.
 *
 * Every subject counts the writes of itself, so a version says how many there were. The times are those of one clock
 * for all processes of the machine, which no process can set.
 */

/** A read saw this version, or a write left this one behind (`undefined`: it did not learn which). */
export interface Observation {
  readonly kind: "read" | "write"
  readonly subject: number
  readonly version: number | undefined
  readonly startedAt: number
  readonly endedAt: number
}

/** A read of something older than it had to be. */
export interface Stale extends Observation {
  readonly newest: number
}

export interface Checker {
  /** Checks the observations of a time during which everything began and ended that is in them. */
  readonly check: (observations: ReadonlyArray<Observation>) => ReadonlyArray<Stale>
}

/** What is known of a subject: at least so many writes were acknowledged, and at least this version was there. */
interface Floor {
  acknowledged: number
  version: number
}

/**
 * Where it is `monotone`, what one read has seen no later one may miss, whether its write was acknowledged or not.
 */
export const makeChecker = (monotone: boolean): Checker => {
  const floors = new Map<number, Floor>()
  const floorOf = (subject: number): Floor => {
    const known = floors.get(subject) ?? { acknowledged: 0, version: 0 }
    floors.set(subject, known)
    return known
  }
  const raise = ({ kind, subject, version }: Observation) => {
    const floor = floorOf(subject)
    if (kind === "write") floor.acknowledged++
    floor.version = Math.max(floor.version, floor.acknowledged, version ?? 0)
  }
  return {
    check: (observations) => {
      const ends = observations.filter(({ kind }) => monotone || kind === "write").sort((one, other) => one.endedAt - other.endedAt)
      const starts = observations.filter(({ kind }) => kind === "read").sort((one, other) => one.startedAt - other.startedAt)
      const stale: Array<Stale> = []
      let ended = 0
      for (const read of starts) {
        for (let next = ends[ended]; next !== undefined && next.endedAt < read.startedAt; next = ends[++ended]) raise(next)
        const newest = floorOf(read.subject).version
        if ((read.version ?? 0) < newest) stale.push({ ...read, newest })
      }
      for (; ended < ends.length; ended++) raise(ends[ended] as Observation)
      return stale
    }
  }
}

const width = 5

/** Observations as numbers, which processes hand to each other cheaply. */
export const pack = (observations: ReadonlyArray<Observation>): Float64Array => {
  const packed = new Float64Array(observations.length * width)
  for (const [i, { endedAt, kind, startedAt, subject, version }] of observations.entries()) {
    packed.set([kind === "read" ? 0 : 1, subject, version ?? NaN, startedAt, endedAt], i * width)
  }
  return packed
}

export const unpack = (packed: Float64Array): ReadonlyArray<Observation> =>
  Array.from({ length: packed.length / width }, (_, i) => {
    const [kind, subject = 0, version = NaN, startedAt = 0, endedAt = 0] = packed.subarray(i * width, (i + 1) * width)
    return { kind: kind === 0 ? "read" : "write", subject, version: Number.isNaN(version) ? undefined : version, startedAt, endedAt }
  })
