import type { CacheEvent } from "effect-prisma-cache/CacheEvent"
import type { Outcome } from "./outcome.js"
import type { Write } from "./writes.js"

/** What a write changed, as an entry sees it that was in the cache before. */
export type Distance =
  | "it did not come about"
  | "nothing changed"
  | "other models"
  | "other rows"
  | "its models, same answer"
  | "another answer"

interface Share {
  of: number
  kept: number
}

/** What was done, counted. */
export interface Tally {
  readonly kindsOfReads: (kinds: ReadonlyArray<string>) => void
  readonly event: (event: CacheEvent) => void
  readonly write: (write: Write, end: Outcome, changed: boolean) => void
  readonly compared: (kind: string, status: string | undefined, isError: boolean) => void
  readonly comparedAgain: (status: string | undefined) => void
  readonly own: (hit: boolean) => void
  readonly survival: (distance: Distance, write: string, hit: boolean) => void
  readonly figures: () => Figures
  /** All of it, as text; in brief without what is said of each kind. */
  readonly report: (isBrief?: boolean) => string
}

export interface Figures {
  readonly writes: number
  readonly comparisons: number
  readonly hits: number
  readonly failures: number
  readonly unused: ReadonlyArray<string>
  readonly survived: (distance: Distance) => Readonly<Share>
}

const percent = (part: number, all: number) => (all === 0 ? "-" : `${((100 * part) / all).toFixed(1)} %`)

class Counts {
  readonly all = new Map<string, number>()
  add(name: string): void {
    this.all.set(name, (this.all.get(name) ?? 0) + 1)
  }
  of(name: string): number {
    return this.all.get(name) ?? 0
  }
  text(): string {
    return Array.from(this.all).sort(([, a], [, b]) => b - a).map(([name, count]) => `${name} ${count}`).join(", ")
  }
}

export const makeTally = (): Tally => {
  const done = new Counts()
  const refused = new Counts()
  const reasons = new Counts()
  const operations = new Counts()
  const depths = new Counts()
  const reads = new Counts()
  const hits = new Counts()
  const events = new Counts()
  const problems = new Counts()
  const kinds = new Set<string>()
  const shares = new Map<Distance, Map<string, Share>>()
  let comparisons = 0
  let errors = 0
  let again = 0
  let hitsAgain = 0
  let changing = 0
  let owns = 0
  let ownHits = 0

  const total = (counts: Counts) => Array.from(counts.all.values()).reduce((sum, count) => sum + count, 0)

  const survived = (distance: Distance): Share => {
    const sum = { of: 0, kept: 0 }
    for (const share of shares.get(distance)?.values() ?? []) {
      sum.of += share.of
      sum.kept += share.kept
    }
    return sum
  }

  const figures = (): Figures => ({
    writes: total(done),
    comparisons: comparisons + again,
    hits: total(hits) + hitsAgain,
    failures: events.of("Failed") + events.of("Corrupt"),
    unused: [...kinds].filter((kind) => reads.of(kind) === 0),
    survived
  })

  const line = (name: string, { kept, of }: Share) =>
    `  ${name.padEnd(42)} ${String(of).padStart(7)} ${String(kept).padStart(7)} ${percent(kept, of).padStart(8)}`

  return {
    kindsOfReads: (names) => names.forEach((name) => kinds.add(name)),
    event: (event) => {
      events.add(event._tag === "NotStored" ? `NotStored: ${event.why}` : event._tag)
      if (event._tag === "Failed") problems.add(`${event.operation}: ${event.error.message}`)
      if (event._tag === "Warning") problems.add(event.message)
    },
    write: ({ depth, kind, operations: nested }, end, changed) => {
      if ("answer" in end) {
        done.add(kind)
        depths.add(String(depth))
        if (changed) changing++
        for (const operation of nested) operations.add(operation)
        return
      }
      refused.add(kind)
      const { code, name } = end.error as { readonly code?: unknown; readonly name?: unknown }
      reasons.add(String(code ?? name))
    },
    compared: (kind, status, isError) => {
      comparisons++
      reads.add(kind)
      if (isError) errors++
      if (status === "Hit") hits.add(kind)
    },
    comparedAgain: (status) => {
      again++
      if (status === "Hit") hitsAgain++
    },
    own: (hit) => {
      owns++
      if (hit) ownHits++
    },
    survival: (distance, write, hit) => {
      const ofDistance = shares.get(distance) ?? new Map<string, Share>()
      shares.set(distance, ofDistance)
      const share = ofDistance.get(write) ?? { of: 0, kept: 0 }
      ofDistance.set(write, share)
      share.of++
      if (hit) share.kept++
    },
    figures,
    report: (isBrief = false) => {
      const found = total(hits)
      const distances: ReadonlyArray<Distance> = [
        "other rows",
        "other models",
        "it did not come about",
        "nothing changed",
        "its models, same answer",
        "another answer"
      ]
      return [
        `writes that came about: ${total(done)} (${done.text()})`,
        `  of them changed rows: ${changing}`,
        `  nested operations: ${operations.text()}`,
        `  by depth: ${Array.from(depths.all).sort().map(([depth, count]) => `${depth}: ${count}`).join(", ")}`,
        `writes refused or rolled back: ${total(refused)} (${refused.text()}; ${reasons.text()})`,
        `comparisons: ${comparisons + again} (${comparisons} after writes, ${errors} of them errors; ${again} once more after a miss)`,
        `hits: ${found} of ${comparisons} reads after writes (${percent(found, comparisons)}), ${hitsAgain} of ${again} once more`,
        `writes' own results found under their keys: ${ownHits} of ${owns}`,
        `kinds of reads: ${kinds.size - figures().unused.length} of ${kinds.size}`,
        ...(isBrief ? [] : Array.from(reads.all).sort().map(([kind, count]) => line(kind, { of: count, kept: hits.of(kind) }))),
        "entries that were in the cache before a write, and still are: of, kept, share",
        ...distances.flatMap((distance) => [
          line(distance, survived(distance)),
          ...(!isBrief && ["other rows", "other models", "it did not come about"].includes(distance)
            ? Array.from(shares.get(distance) ?? []).sort().map(([write, share]) => line(`  ${write}`, share))
            : [])
        ]),
        `events: ${events.text()}`,
        ...Array.from(problems.all, ([message, count]) => `  ${count} x ${message}`),
        "disagreements: 0"
      ].join("\n")
    }
  }
}
