/**
 * What a tag's place holds and what the four scripts make of it, as functions of what it held. `scripts.test.ts` runs
 * the same on a server. Time is left out: a write's token is expired or it is not, and `expire` says when.
 */
import type { Fresh } from "./fresh.js"

/** The random parts are numbers only where a mutant counts instead of drawing. */
export type Random = Fresh | number

/** `s:<hard>.<soft>`, or `s:<hard>~<until>.<soft>` on probation. */
export interface Stamp {
  readonly kind: "stamp"
  readonly hard: Random
  /** Changed by a soft invalidation. 0 where nobody has changed it. */
  readonly soft: Random
  /** The moment at which its probation is over. `null`: it is on none. */
  readonly until: Fresh | null
}

/** `w:<previous>:<solo>:<token@expiry,…>`: writes under way. Whoever reads it stores nothing. */
export interface Intent {
  readonly kind: "intent"
  /** The stamp before, as long as no write has committed or might have: a rollback puts it back. */
  readonly previous: Stamp | null
  /** The token that no other has been beside. */
  readonly solo: Fresh | null
  readonly tokens: ReadonlyArray<Token>
}

export interface Token {
  readonly token: Fresh
  readonly expired: boolean
}

export type TagState = Stamp | Intent | null

/** `answer`: whether the new stamp is in place. */
export interface Answer {
  readonly state: TagState
  readonly answer: boolean
}

export type Invalidation =
  | { readonly how: "kill" }
  | { readonly how: "expire"; readonly soft: Random }
  | { readonly how: "swap"; readonly expected: Stamp | null; readonly next: Stamp }

/** Unknown is `commit`: only a certain rollback may leave entries valid. */
export type Ending = "commit" | "rollback"

export interface Scripts {
  /** Get or create. The answer is what the place holds then. `isOver`: whether a moment has come. */
  readonly obtain: (state: TagState, make: () => Stamp, isOver: (moment: Fresh) => boolean) => Stamp | Intent
  readonly begin: (state: TagState, token: Fresh) => Intent
  readonly end: (state: TagState, token: Fresh, ending: Ending, next: Stamp | null) => Answer
  readonly invalidate: (state: TagState, invalidation: Invalidation) => Answer
}

export const makeStamp = (hard: Random, until: Fresh | null = null): Stamp => ({ kind: "stamp", hard, soft: 0, until })

export const isStamp = (state: TagState | undefined): state is Stamp => state?.kind === "stamp"

export const isIntent = (state: TagState | undefined): state is Intent => state?.kind === "intent"

export const sameStamp = (left: Stamp | null, right: Stamp | null): boolean =>
  left !== null && right !== null && left.hard === right.hard && left.soft === right.soft

const holds = (intent: Intent, token: Fresh): boolean => intent.tokens.some((held) => held.token === token)

export const obtain: Scripts["obtain"] = (state, make, isOver) => {
  if (state === null) return make()
  // Whoever announced himself before this stamp was made, and lost his intent, is done by then.
  return isStamp(state) && state.until !== null && isOver(state.until) ? { ...make(), until: null } : state
}

export const begin: Scripts["begin"] = (state, token) => {
  const mine: Token = { token, expired: false }
  if (!isIntent(state)) return { kind: "intent", previous: state, solo: token, tokens: [mine] }
  const others = state.tokens.filter((held) => held.token !== token)
  const alive = others.filter(({ expired }) => !expired)
  return {
    kind: "intent",
    // The write of a token that ran out may have committed: what was there before it must not come back.
    previous: alive.length === others.length ? state.previous : null,
    solo: holds(state, token) ? state.solo : null,
    tokens: [...alive, mine]
  }
}

export const end: Scripts["end"] = (state, token, ending, next) => {
  const commits = ending === "commit"
  const nothing: Answer = { state: null, answer: false }
  const unchanged: Answer = { state, answer: false }
  if (state === null) return unchanged
  if (isStamp(state)) {
    // The token was evicted or ran out, and a reader may have made this stamp before the write committed. Unless it is
    // the one that this END put there itself, being sent a second time.
    if (!commits) return unchanged
    return sameStamp(state, next) ? { state, answer: true } : nothing
  }
  const had = holds(state, token)
  if (!commits && !had) return unchanged
  const others = state.tokens.filter((held) => held.token !== token)
  const alive = others.filter(({ expired }) => !expired)
  const previous = commits || alive.length < others.length ? null : state.previous
  if (alive.length > 0) {
    return { state: { kind: "intent", previous, solo: commits ? null : state.solo, tokens: alive }, answer: false }
  }
  if (commits && had && state.solo === token && next !== null) return { state: next, answer: true }
  return previous === null ? nothing : { state: previous, answer: false }
}

export const invalidate: Scripts["invalidate"] = (state, invalidation) => {
  if (state === null) return { state, answer: false }
  if (isIntent(state)) return { state: { ...state, previous: null, solo: null }, answer: false }
  switch (invalidation.how) {
    case "kill":
      return { state: null, answer: false }
    case "expire":
      return { state: { ...state, soft: invalidation.soft }, answer: false }
    case "swap":
      return sameStamp(state, invalidation.next) || sameStamp(state, invalidation.expected)
        ? { state: invalidation.next, answer: true }
        : { state: null, answer: false }
  }
}

export const scripts: Scripts = { obtain, begin, end, invalidate }

/** The server's clock passes a token. A place whose last token runs out is gone: the key lives as long as that one. */
export const expire = (state: TagState, token: Fresh): TagState => {
  if (!isIntent(state) || !holds(state, token)) return state
  const tokens = state.tokens.map((held) => held.token === token ? { token, expired: true } : held)
  return tokens.every(({ expired }) => expired) ? null : { ...state, tokens }
}

/** Whether the token is held and has not run out. */
export const isUnderWay = (state: TagState, token: Fresh): boolean =>
  isIntent(state) && state.tokens.some((held) => held.token === token && !held.expired)
