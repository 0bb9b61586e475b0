/**
 * Rules broken one at a time: each must be found out, or the model would not notice if the rule were wrong. A flaw
 * changes what a process does; where a script is at fault, it stands here.
 */
import { batchMachine } from "./batches.js"
import { fails, holds } from "./configuration.js"
import type { Configuration } from "./configuration.js"
import {
  afterCommitOfTwo,
  first,
  hardened,
  one,
  ownK,
  plain,
  short,
  strictOfTwo,
  two
} from "./configurations/common.js"
import type { Write } from "./database.js"
import { flightMachine } from "./flights.js"
import { identitiesOf, readByEmail, readById, rowTables, rowTags, rowWrites, strictly, updateLoosely } from "./rows.js"
import type { Partially, Setup } from "./setup.js"
import { afterCommit, explicit, read, soft, storing, storingLate, strict, table } from "./tables.js"
import { begin, end, invalidate, isIntent, isStamp, makeStamp, obtain, scripts } from "./tags.js"
import type { Scripts } from "./tags.js"

const mutant = (name: string, given: Partially): Configuration => fails(`mutant: ${name}`, plain(given), short)

const withScripts = (changed: Partial<Scripts>): { readonly scripts: Scripts } => ({
  scripts: { ...scripts, ...changed }
})

/** A stamp that counts invalidations instead of being drawn. */
const counting = withScripts({
  obtain: (state, _make, isOver) => obtain(state, () => makeStamp(1), isOver),
  invalidate: (state, invalidation) =>
    isStamp(state) && typeof state.hard === "number"
      ? { state: makeStamp(state.hard + 1), answer: false }
      : invalidate(state, invalidation)
})

const rawUnlink = withScripts({ invalidate: () => ({ state: null, answer: false }) })

const unconditionalEnd = withScripts({ end: () => ({ state: null, answer: false }) })

const endIgnoresLostToken = withScripts({
  end: (state, token, ending, next) => isStamp(state) ? { state, answer: false } : end(state, token, ending, next)
})

const endKeepsForeignIntent = withScripts({
  end: (state, token, ending, next) =>
    isIntent(state) && state.tokens.every((held) => held.token !== token)
      ? { state, answer: false }
      : end(state, token, ending, next)
})

const endStoresWhenLast = withScripts({
  end: (state, token, ending, next) => {
    const isLast = isIntent(state) && state.tokens.every((held) => held.token === token || held.expired)
    if (ending === "commit" && isLast && next !== null) return { state: next, answer: true }
    return end(state, token, ending, next)
  }
})

const beginKeepsSolo = withScripts({ begin: (state, token) => ({ ...begin(state, token), solo: token }) })

const expiredTokenKeepsPrevious = withScripts({
  begin: (state, token) => ({ ...begin(state, token), previous: isIntent(state) ? state.previous : state }),
  end: (state, token, ending, next) => {
    const ended = end(state, token, ending, next)
    return ending === "rollback" && isIntent(state) && ended.state === null
      ? { state: state.previous, answer: false }
      : ended
  }
})

/** Two ways to forget that a stamp is on probation. */
const endForgetsProbation = withScripts({
  end: (state, token, ending, next) => {
    const ended = end(state, token, ending, next)
    return isStamp(ended.state) ? { ...ended, state: { ...ended.state, until: null } } : ended
  }
})

const stampsMature = withScripts({
  obtain: (state, make, isOver) =>
    isStamp(state) && state.until !== null && isOver(state.until)
      ? { ...state, until: null }
      : obtain(state, make, isOver)
})

const swapDoesNotCompare = withScripts({
  invalidate: (state, invalidation) =>
    isStamp(state) && invalidation.how === "swap"
      ? { state: invalidation.next, answer: true }
      : invalidate(state, invalidation)
})

const softChangesNothing = withScripts({
  invalidate: (state, invalidation) =>
    invalidation.how === "expire" ? { state, answer: false } : invalidate(state, invalidation)
})

const strictTwice = [strict(), strict()]

const plainMutants: ReadonlyArray<Configuration> = [
  mutant("stamps are read after the query",
    { ...one, flaw: "stamps are read after the query", writes: [afterCommit()] }),
  mutant("stamps of an earlier life count",
    { ...one, faults: ["old copy"], flaw: "stamps of an earlier life count", writes: [afterCommit()] }),
  mutant("stamps count instead of being drawn, one is evicted",
    { ...one, ...counting, evictions: 1, writes: [afterCommit()] }),
  holds("counting stamps that are never evicted, P1",
    plain({ ...one, ...counting, readers: 2, writes: [afterCommit(), afterCommit()] }), short),
  mutant("an explicit invalidation unlinks an intent, P2",
    { ...one, ...rawUnlink, promised: "P2", faults: ["kill"], writes: [strict(), explicit()] }),
  mutant("END unlinks whatever is there, P2",
    { ...one, ...unconditionalEnd, promised: "P2", faults: ["kill"], writes: strictTwice }),
  holds("the same, P1, no kills: nobody would notice",
    plain({ ...one, ...unconditionalEnd, readers: 2, writes: strictTwice }), short),
  mutant("END does nothing when its token is gone and a stamp is there",
    { ...one, ...endIgnoresLostToken, evictions: 1, writes: strictTwice }),
  mutant("END does nothing when its token is gone and a foreign intent is there",
    { ...one, ...endKeepsForeignIntent, evictions: 1, faults: ["rollback"], writes: strictTwice }),
  mutant("an unknown outcome counts as a rollback",
    {
      ...one,
      flaw: "an unknown outcome counts as a rollback",
      faults: ["rollback", "unknown outcome"],
      writes: strictTwice
    }),
  mutant("an expired token leaves the stamp before it, P2",
    { ...one, ...expiredTokenKeepsPrevious, promised: "P2", faults: ["kill", "rollback"], writes: strictTwice })
]

const endsAtOnce = { faults: ["lost connection"], flaw: "a lost connection counts as the end" } as const

const lostConnections: ReadonlyArray<Configuration> = [
  mutant("a lost connection counts as the end, P1", { ...one, ...endsAtOnce, writes: [strict()] }),
  mutant("a lost connection counts as the end, P3", { ...one, ...endsAtOnce, promised: "P3", writes: [strict()] }),
  mutant("intents are not prolonged when the connection is lost",
    {
      ...one,
      expiries: "in order",
      faults: ["lost connection"],
      flaw: "a lost connection leaves intents as they are",
      writes: [strict()]
    })
]

const ownResults: ReadonlyArray<Configuration> = [
  mutant("a BEGIN that was not acknowledged looks solo",
    {
      ...one,
      flaw: "an unacknowledged BEGIN counts",
      faults: ["BEGIN comes late"],
      writes: [ownK(strict()), strict()]
    }),
  mutant("a BEGIN that was sent twice looks solo",
    {
      ...one,
      flaw: "an unacknowledged BEGIN counts",
      faults: ["BEGIN is resent"],
      evictions: 1,
      writes: [ownK(strict()), strict()]
    }),
  mutant("BEGIN always marks its own token as solo, P2",
    { ...one, ...beginKeepsSolo, promised: "P2", faults: ["kill"], writes: [ownK(strict()), strict()] }),
  mutant("the last END stores, although it was not alone",
    { ...one, ...endStoresWhenLast, writes: [ownK(strict()), strict()] }),
  mutant("an own result is stored without comparing the stamp",
    { ...one, ...swapDoesNotCompare, writes: [ownK(afterCommit()), afterCommit()] }),
  ...[
    "an own result's late stamp has no guard" as const,
    "an own result's guard is compared before its late stamp is read" as const
  ].map((flaw) => mutant(flaw, lateKey({ flaw }))),
  mutant("an explicit invalidation kills a custom key before the guard", lateKey({}, ["k", "g"]))
]

/**
 * A write whose custom key is known from its result only, beside a write elsewhere and its invalidation of that key.
 */
function lateKey(given: Partial<Setup>, touches: ReadonlyArray<string> = ["g", "k"]): Partially {
  const entry = read("K", ["t", "k"], ["1"])
  return {
    database: table("1"),
    reads: [entry],
    writes: [storingLate(entry, "k", "g", afterCommit()), afterCommit({ touches, name: "outside" })],
    ...given
  }
}

const rowMutant = (name: string, given: Partial<Setup> & Pick<Setup, "reads" | "writes">): Configuration =>
  mutant(name, { database: rowTables.one, lateTags: rowTags, ...given })

/**
 * A write that leaves some tags out. Its result holds no unique field, so that no identity in it is invalidated last
 * and hides the flaw.
 */
const without = (write: Write, ...tags: ReadonlyArray<string>): Write => ({
  ...write,
  touches: write.touches.filter((tag) => !tags.includes(tag)),
  identities: () => []
})

const [user1, userA] = [readById("1"), readByEmail("a")]

const rows: ReadonlyArray<Configuration> = [
  rowMutant("a row is killed before its model", {
    reads: [userA],
    writes: [{ ...without(rowWrites.updateById), touches: ["id:1", "M"] }]
  }),
  rowMutant("a retry sends only what failed", {
    reads: [userA],
    flaw: "a retry sends only what failed",
    faults: ["retry"],
    writes: [without(rowWrites.updateById)]
  }),
  rowMutant("the guard is compared before the late stamps are read", {
    reads: [userA],
    flaw: "the guard is compared before the late stamps are read",
    writes: [without(rowWrites.updateById)]
  }),
  rowMutant("late stamps are stored without a guard", {
    reads: [userA],
    flaw: "late stamps are stored without a guard",
    writes: [without(rowWrites.updateById)]
  }),
  rowMutant("an entry by id does not carry its e-mail identity", {
    reads: [{
      ...user1,
      dependsOn: ([row]) => row ? identitiesOf(row).slice(0, 1).concat("bulk") : user1.dependsOn([null])
    }],
    writes: [without(rowWrites.updateByEmail)]
  }),
  rowMutant("a create does not touch abs", {
    database: rowTables.none,
    reads: [user1],
    writes: [without(rowWrites.createA, "abs")]
  }),
  rowMutant("a changed unique field touches neither its new value nor abs", {
    reads: [readByEmail("b")],
    writes: [without(rowWrites.changeEmailById, "email:b", "abs")]
  }),
  rowMutant("an update of many does not touch bulk", {
    reads: [user1],
    writes: [without(rowWrites.updateMany, "bulk")]
  }),
  rowMutant("a field that the database compares loosely counts as an identity", {
    reads: [user1],
    writes: [{ ...updateLoosely, touches: ["M", "email:A"], identities: () => [] }]
  })
]

const flightMutant = (name: string, ...given: Parameters<typeof flightMachine>): Configuration =>
  fails(`mutant: ${name}`, () => flightMachine(...given), short)

const flights: ReadonlyArray<Configuration> = [
  flightMutant("flights are keyed by digest only",
    { ...one, writes: [afterCommit()] }, { flaw: "flights are keyed by digest only" }),
  flightMutant("flights are keyed by token lists, P1",
    { ...one, writes: [strict(), strict(), strict()] }, { flaw: "flights are keyed by token lists" }),
  flightMutant("flights are keyed by token lists, P3",
    { ...one, promised: "P3", writes: [strict()] }, { flaw: "flights are keyed by token lists" }),
  flightMutant("a lookup is shared after it was sent",
    { ...one, writes: [afterCommit()] }, { flaw: "a lookup is shared after it was sent" }),
  flightMutant("no stamp can be made, and a flight is joined after its query",
    { ...one, writes: [afterCommit()] }, { server: "full", flaw: "a flight without stamps is joined after its query" }),
  flightMutant("there is no cache, and a flight is joined after its query",
    { ...one, writes: [afterCommit()] }, { server: "away", flaw: "a flight without stamps is joined after its query" }),
  flightMutant("a flight of a row is not keyed by the model's stamp",
    { database: rowTables.one, reads: [userA], lateTags: rowTags, writes: [without(rowWrites.updateById)] },
    { keyTags: ["email:a"] })
]

const expired: ReadonlyArray<Configuration> = [
  mutant("a refresh reads its stamps after the query",
    { ...one, flaw: "a refresh reads its stamps after the query", writes: [afterCommit()] }),
  mutant("an entry with dead stamps is served as expired",
    { ...one, flaw: "an entry with dead stamps is served as expired", keepsTheDead: true, writes: [afterCommit()] }),
  mutant("a soft invalidation changes nothing", { ...one, ...softChangesNothing, writes: [soft()] })
]

const evicted = { ...one, ...hardened, evictions: 1 }

const probations: ReadonlyArray<Configuration> = [
  mutant("an entry under a stamp on probation has no end",
    { ...evicted, flaw: "an entry under a stamp on probation has no end", writes: [strict()] }),
  mutant("the store does not compare the end of an entry",
    { ...evicted, flaw: "the store does not compare the end of an entry", writes: [strict()] }),
  mutant("a rollback puts a stamp back that is on probation no longer",
    { ...evicted, ...endForgetsProbation, faults: ["rollback"], writes: strictTwice }),
  mutant("a write stores its own result although another's intent may be gone",
    { ...evicted, faults: [], writes: [strict(), ownK(strict())] }),
  rowMutant("a guard on probation sets no end", {
    ...hardened,
    faults: [],
    places: "lasting stamps",
    evictions: 1,
    fills: 1,
    flaw: "a guard on probation sets no end",
    reads: [userA],
    writes: [strictly(rowWrites.updateById)]
  }),
  flightMutant("a flight under a stamp on probation is joined without asking whether that is over",
    { ...evicted, writes: [strict()] },
    { lookups: 1, flights: 1, flaw: "a flight under a stamp on probation is joined unasked" }),
  flightMutant("a stamp whose probation is over is the same stamp",
    { ...evicted, ...stampsMature, writes: [strict()] }, { lookups: 1, flights: 1 })
]

const batches: ReadonlyArray<Configuration> = [
  fails("mutant: an item of a batch ENDs before the batch commits", () =>
    batchMachine({ ...two, writes: [] }, {
      items: [strict(), strictOfTwo],
      flaw: "an item ends before the batch commits"
    }), short),
  fails("mutant: an item of a batch INVALIDATEs before the batch commits", () =>
    batchMachine({ ...two, writes: [] }, {
      items: [afterCommit(), afterCommitOfTwo],
      flaw: "an item ends before the batch commits"
    }), short),
  fails("mutant: a value is stored from inside a batch", () =>
    batchMachine({ ...two, writes: [strict()] }, {
      items: [storing(first, strict())],
      flaw: "a value is stored from inside a batch"
    }), short)
]

export const mutants: ReadonlyArray<Configuration> = [
  ...plainMutants,
  ...lostConnections,
  ...ownResults,
  ...rows,
  ...flights,
  ...expired,
  ...probations,
  ...batches
]

