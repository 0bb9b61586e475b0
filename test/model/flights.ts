/**
 * Rule 19: callers of one read in one process share lookups and flights. What a caller is given must not lack what had
 * to be seen when it started. Of the callers who share a lookup the last to start has to see most, so a lookup
 * remembers only what that one must see, and the number of callers is without limit. A flight need not remember its
 * callers: who joins before the query sees what is there then, who joins after it is judged at once.
 */
import { latest, lacks } from "./database.js"
import type { Read, Result } from "./database.js"
import { describe, describeResult, describeState } from "./describe.js"
import type { Emit, Machine } from "./explore.js"
import { evictionSteps, initialWorld, judge, together } from "./machine.js"
import { isValid } from "./properties.js"
import { setup as complete } from "./setup.js"
import type { Partially, Setup } from "./setup.js"
import { isIntent, isStamp, sameStamp } from "./tags.js"
import type { Stamp, TagState } from "./tags.js"
import { earliest, obtain, timeSteps } from "./time.js"
import { copyWorld, stateOf } from "./world.js"
import type { Entry, World } from "./world.js"
import { writerSteps } from "./writers.js"

export type FlightFlaw =
  | "flights are keyed by digest only"
  | "flights are keyed by token lists"
  | "a flight without stamps is joined after its query"
  | "a lookup is shared after it was sent"
  | "a flight under a stamp on probation is joined unasked"

export interface FlightSetup {
  /** The tags whose states are looked up and make a flight's key, together with the digest. */
  readonly keyTags: ReadonlyArray<string>
  /** How many of each there may be at a time. */
  readonly lookups: number
  readonly flights: number
  /** `full`: the server's memory is, and no stamp can be made. `away`: nobody can look anything up. */
  readonly server: "there" | "full" | "away"
  readonly flaw: FlightFlaw | null
}

/** What was looked up, once the server has carried it out: the answer may take any time. */
interface Lookup {
  readonly mustSee: ReadonlyArray<number>
  /** The entry, if it is a hit. */
  readonly entry: Entry | null
  readonly states: ReadonlyArray<TagState>
  /** Stamps on probation that are among them were asked for: their time has not come. */
  readonly hasObtained: boolean
}

interface Flight {
  readonly states: ReadonlyArray<TagState>
  /** `null` until the query has been sent. */
  readonly result: Result | null
}

interface FlightWorld extends World {
  lookups: Array<Lookup>
  flights: Array<Flight>
}

const sameState = (left: TagState, right: TagState): boolean =>
  left === right ||
  (isStamp(left) && isStamp(right) && sameStamp(left, right)) ||
  (isIntent(left) && isIntent(right) && left.tokens.length === right.tokens.length &&
    left.tokens.every(({ token }, index) => token === right.tokens[index]?.token))

/** What a lookup keeps of a state: of an intent only the tokens, since nothing else of it is ever compared. */
const asKey = (state: TagState): TagState =>
  isIntent(state)
    ? { ...state, previous: null, solo: null, tokens: state.tokens.map(({ token }) => ({ token, expired: false })) }
    : state

const flightSteps = (
  setup: Setup,
  read: Read,
  { flaw, flights, keyTags, lookups, server }: FlightSetup,
  reached: Set<string>
) => {
  /**
   * Once its query has been sent, a flight is joined only by callers who have read the same stamps, and only stamps.
   */
  const mayJoin = (flight: Flight, states: ReadonlyArray<TagState>): boolean => {
    if (flaw === "flights are keyed by digest only") return true
    const isSame = states.every((state, index) => sameState(state, flight.states[index] ?? null))
    if (!isSame || flight.result === null) return isSame
    if (flaw === "flights are keyed by token lists") return states.every((state) => state !== null)
    if (flaw === "a flight without stamps is joined after its query") return true
    return states.length > 0 && states.every(isStamp)
  }

  const join = (draft: FlightWorld, mustSee: ReadonlyArray<number>, states: ReadonlyArray<TagState>): void => {
    const flight = draft.flights.find((flight) => mayJoin(flight, states))
    if (flight === undefined) {
      draft.flights.push({ states, result: null })
      return
    }
    if (flight.result === null) {
      reached.add("a flight was joined before its query")
      return
    }
    reached.add("a flight was joined after its query")
    if (lacks(draft.log, mustSee, read, flight.result)) {
      draft.violation = "a caller joins a flight whose answer lacks a commit that it had to see when it started"
    }
  }

  /** A caller can always join; only new flights are limited. */
  const hasRoom = (world: FlightWorld, states: ReadonlyArray<TagState>): boolean =>
    world.flights.length < flights || world.flights.some((flight) => mayJoin(flight, states))

  /** Whether the server has to be asked again. */
  const isOpen = (state: TagState): boolean =>
    state === null ||
    (isStamp(state) && state.until !== null && flaw !== "a flight under a stamp on probation is joined unasked")

  const lookupSteps = (world: FlightWorld, emit: Emit<FlightWorld>): void => {
    if (server === "away") {
      if (hasRoom(world, [])) emit("a caller finds no cache, wants a flight", (draft) => join(draft, draft.mustSee, []))
      return
    }
    const found = world.entries[read.name] ?? null
    const entry = found !== null && isValid(world, found) ? found : null
    // A hit is judged as everywhere. It takes a step only where others may share it.
    if (world.lookups.length < lookups && (entry === null || flaw === "a lookup is shared after it was sent")) {
      emit("a caller starts, looks up", (draft) => {
        const states = keyTags.map((tag) => asKey(stateOf(draft, tag)))
        draft.lookups.push({ mustSee: draft.mustSee, entry, states, hasObtained: false })
      })
    }
    world.lookups.forEach((lookup, index) => {
      if (flaw === "a lookup is shared after it was sent") {
        emit(`a caller starts, shares lookup ${index}`, (draft) => {
          draft.lookups[index] = { ...lookup, mustSee: world.mustSee }
        })
      }
      const { entry, mustSee, states } = lookup
      if (entry !== null) {
        emit(`lookup ${index} answers a hit`, (draft) => {
          if (lacks(world.log, mustSee, read, entry.result)) {
            draft.violation = "a caller was given a hit without a commit that it had to see when it started"
          }
          draft.lookups.splice(index, 1)
        })
      } else if (server === "there" && !lookup.hasObtained && states.some(isOpen)) {
        const open = keyTags.filter((_, place) => isOpen(states[place] ?? null))
        emit(`lookup ${index} answers, OBTAIN ${open.join()}`, (draft) => {
          const obtained = states.map((state, place) =>
            isOpen(state) ? asKey(obtain(setup, draft, keyTags[place] ?? "")) : state)
          draft.lookups[index] = { ...lookup, hasObtained: setup.hardened, states: obtained }
        })
      } else if (hasRoom(world, states)) {
        emit(`lookup ${index} answers, its caller wants a flight`, (draft) => {
          draft.lookups.splice(index, 1)
          join(draft, mustSee, states)
        })
      }
    })
  }

  return (world: FlightWorld, emit: Emit<FlightWorld>): void => {
    lookupSteps(world, emit)
    world.flights.forEach((flight, index) => {
      const { result, states } = flight
      if (result === null) {
        // Without a cache there is nothing to tell flights apart by: one query runs, one more may wait for it.
        const mustWait = server === "away" && world.flights.some((other) => other.result !== null)
        if (mustWait) return
        const sent: Flight = { ...flight, result: read.query(latest(world.log)) }
        // One that nobody can join any more and that stores nothing has done all that others could notice.
        if (server !== "away" && !mayJoin(sent, states)) {
          emit(`flight ${index} queries and answers`, (draft) => {
            draft.flights.splice(index, 1)
          })
        } else {
          emit(`flight ${index} queries`, (draft) => {
            draft.flights[index] = sent
          })
        }
        return
      }
      emit(`flight ${index} answers its callers, stores`, (draft) => {
        draft.flights.splice(index, 1)
        if (read.guard === null && states.length > 0 && states.every(isStamp)) {
          const stamps = Object.fromEntries(keyTags.map((tag, place) => [tag, states[place] as Stamp]))
          const until = earliest(world, Object.values(stamps))
          if (until !== "over") draft.entries[read.name] = { result, stamps, until }
        }
      })
    })
  }
}

/** A flight under a stamp that nobody holds or will read again is joined by nobody, and what it stores is dead. */
const forgetFlights = (draft: FlightWorld): void => {
  const current = new Set<unknown>()
  const keep = (state: TagState): void => {
    const stamp = isIntent(state) ? state.previous : state
    if (stamp !== null) current.add(stamp.hard)
  }
  for (const tag in draft.tags) keep(stateOf(draft, tag))
  for (const { states } of draft.lookups) states.forEach(keep)
  draft.flights = draft.flights.filter(({ states }) =>
    states.every((state) => !isStamp(state) || current.has(state.hard)))
}

const describeFlights = (before: FlightWorld, after: FlightWorld): string => {
  const started = after.flights.length > before.flights.length ? after.flights[after.flights.length - 1] : undefined
  const looked = after.lookups.length > before.lookups.length ? after.lookups[after.lookups.length - 1] : undefined
  const queried = after.flights.find(({ result }, index) => result !== null && before.flights[index]?.result === null)
  const states = (of: Lookup | Flight) => of.states.map(describeState).join(", ")
  return [
    describe(before, after),
    looked ? `finds ${states(looked)}` : "",
    started ? `new flight under ${states(started)}` : "",
    queried?.result ? describeResult(queried.result) : ""
  ].filter((part) => part !== "").join("; ")
}

export const flightMachine = (given: Partially, flights: Partial<FlightSetup>): Machine<FlightWorld> => {
  const setup = complete({ readers: 0, ...given })
  const read = setup.reads[0]
  if (read === undefined) throw new Error("Flights need a read")
  const reached = new Set<string>()
  const made: FlightSetup = { keyTags: read.always, lookups: 2, flights: 2, server: "there", flaw: null, ...flights }
  const parts = [
    flightSteps(setup, read, made, reached),
    writerSteps<FlightWorld>(setup, reached),
    evictionSteps<FlightWorld>(setup),
    timeSteps<FlightWorld>(setup, reached)
  ]
  return {
    initial: () => ({ ...initialWorld(setup), lookups: [], flights: [] }),
    copy: (world) => ({ ...copyWorld(world), lookups: world.lookups.slice(), flights: world.flights.slice() }),
    steps: together(setup, parts, forgetFlights),
    judge: judge(setup),
    interchangeable: ["lookups", "flights", "writers"],
    describe: describeFlights,
    reached
  }
}
