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
  /** In which process. */
  readonly process: number
}

/** A read of something older than it had to be, and for how long that had been so, in milliseconds. */
export interface Stale extends Observation {
  readonly newest: number
  readonly late: number
}

export interface Options {
  /** Whether what one read has seen no later one may miss, whether its write was acknowledged or not. */
  readonly monotone: boolean
  /** For how long a process may miss what others have written, in milliseconds; never what it has written itself. */
  readonly tolerance?: number | undefined
}

export interface Checker {
  /** Checks the observations of a time during which everything began and ended that is in them. */
  readonly check: (observations: ReadonlyArray<Observation>) => ReadonlyArray<Stale>
  /** For how long at the most something was missed that may be missed for a while, in milliseconds. */
  readonly longest: () => number
}

/** What is known of a subject: at least so many writes were acknowledged, and from when on which version was there. */
interface Floor {
  acknowledged: number
  readonly versions: Array<{ readonly version: number; readonly at: number }>
}

/** The versions of subjects, as they became known. */
const makeFloors = () => {
  const floors = new Map<number, Floor>()
  const floorOf = (subject: number): Floor => {
    const known = floors.get(subject) ?? { acknowledged: 0, versions: [] }
    floors.set(subject, known)
    return known
  }
  return {
    raise: ({ endedAt, kind, subject, version }: Observation) => {
      const { versions, ...floor } = floorOf(subject)
      const acknowledged = floor.acknowledged + (kind === "write" ? 1 : 0)
      floorOf(subject).acknowledged = acknowledged
      const newest = Math.max(acknowledged, version ?? 0)
      if (newest > (versions.at(-1)?.version ?? 0)) versions.push({ version: newest, at: endedAt })
    },
    /** The newest version, and since when there had been one that is newer than what this read saw. */
    missedBy: ({ subject, version = 0 }: Observation) => {
      const { versions } = floorOf(subject)
      const first = versions.findLastIndex((one) => one.version <= version) + 1
      const since = versions[first]
      return since && { newest: versions.at(-1)?.version ?? 0, since: since.at }
    }
  }
}

export const makeChecker = ({ monotone, tolerance = 0 }: Options): Checker => {
  const all = makeFloors()
  const byProcess = new Map<number, ReturnType<typeof makeFloors>>()
  const ownOf = (process: number) => {
    const known = byProcess.get(process) ?? makeFloors()
    byProcess.set(process, known)
    return known
  }
  const raise = (one: Observation) => {
    all.raise(one)
    if (one.kind === "write") ownOf(one.process).raise(one)
  }
  let longest = 0
  return {
    check: (observations) => {
      const ends = observations.filter(({ kind }) => monotone || kind === "write").sort((one, other) => one.endedAt - other.endedAt)
      const starts = observations.filter(({ kind }) => kind === "read").sort((one, other) => one.startedAt - other.startedAt)
      const stale: Array<Stale> = []
      let ended = 0
      for (const read of starts) {
        for (let next = ends[ended]; next !== undefined && next.endedAt < read.startedAt; next = ends[++ended]) raise(next)
        const missed = all.missedBy(read)
        if (missed === undefined) continue
        const late = read.startedAt - missed.since
        if (late > tolerance || ownOf(read.process).missedBy(read) !== undefined) stale.push({ ...read, newest: missed.newest, late })
        else longest = Math.max(longest, late)
      }
      for (; ended < ends.length; ended++) raise(ends[ended] as Observation)
      return stale
    },
    longest: () => longest
  }
}

const width = 5

/** Observations as numbers, which processes hand to each other cheaply. */
export const pack = (observations: ReadonlyArray<Omit<Observation, "process">>): Float64Array => {
  const packed = new Float64Array(observations.length * width)
  for (const [i, { endedAt, kind, startedAt, subject, version }] of observations.entries()) {
    packed.set([kind === "read" ? 0 : 1, subject, version ?? NaN, startedAt, endedAt], i * width)
  }
  return packed
}

export const unpack = (packed: Float64Array, process: number): ReadonlyArray<Observation> =>
  Array.from({ length: packed.length / width }, (_, i) => {
    const [kind, subject = 0, version = NaN, startedAt = 0, endedAt = 0] = packed.subarray(i * width, (i + 1) * width)
    return { kind: kind === 0 ? "read" : "write", subject, version: Number.isNaN(version) ? undefined : version, startedAt, endedAt, process }
  })
