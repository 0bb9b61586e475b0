/**
 * What a tag's place holds and how a write changes it, as pure functions: the memory store runs these, a Valkey
 * server runs the same as scripts.
 *
 * While writes of a tag are under way its stamp gives way to an *intent*, `w:<prev>:<solo>:<token@expiry,…>`: the
 * stamp before (`-` when it must not come back), the token that has been alone with it (`-` for none), and the tokens
 * of the writes under way. Whoever reads an intent queries the database and stores nothing.
 */

/** A tag's place: what it holds, and until when. */
interface Place {
  readonly value: string
  readonly expiresAt: number
}

interface Token {
  readonly token: string
  readonly expiresAt: number
}

interface Intent {
  readonly previous: string
  readonly solo: string
  readonly tokens: ReadonlyArray<Token>
}

const none = "-"

const parse = (value: string): Intent | undefined => {
  const match = /^w:([^:]*):([^:]*):(.*)$/.exec(value)
  if (match === null) return undefined
  const tokens = (match[3] ?? "").split(",").filter((part) => part.includes("@")).map((part) => {
    const [token = "", expiresAt = "0"] = part.split("@")
    return { token, expiresAt: Number(expiresAt) }
  })
  return { previous: match[1] ?? none, solo: match[2] ?? none, tokens }
}

const place = ({ previous, solo, tokens }: Intent): Place => ({
  value: `w:${previous}:${solo}:${tokens.map(({ expiresAt, token }) => `${token}@${expiresAt}`).join()}`,
  expiresAt: Math.max(...tokens.map(({ expiresAt }) => expiresAt))
})

const stampOf = (value: string): string | undefined => value.startsWith("s:") ? value.slice(2) : undefined

/** A write announces itself. Announcing it twice under one token changes only how long it may take. */
export const begin = (value: string | null, token: string, now: number, ttlMillis: number): Place => {
  const mine = { token, expiresAt: now + ttlMillis }
  const stamp = value === null ? undefined : stampOf(value)
  const intent = value === null ? undefined : parse(value)
  if (intent === undefined) return place({ previous: stamp ?? none, solo: token, tokens: [mine] })
  const others = intent.tokens.filter((other) => other.token !== token)
  const alive = others.filter(({ expiresAt }) => expiresAt > now)
  return place({
    // A writer whose token ran out may have committed: what was there before it is not to be trusted.
    previous: alive.length === others.length ? intent.previous : none,
    solo: intent.tokens.length > others.length ? intent.solo : none,
    tokens: [...alive, mine]
  })
}

/** What is left of a place when a write has ended, and whether its own result may be stored under `next`. */
export interface Ended {
  /** `keep`: as it was; `null`: nothing; otherwise the new content. */
  readonly place: "keep" | null | Place
  readonly mayStore: boolean
}

/** A write has ended: committed (or nobody knows), or certainly rolled back. */
export const end = (
  value: string | null,
  token: string,
  committed: boolean,
  next: string | undefined,
  now: number,
  stampTtlMillis: number
): Ended => {
  const keep: Ended = { place: "keep", mayStore: false }
  const gone: Ended = { place: null, mayStore: false }
  if (value === null) return keep
  if (stampOf(value) !== undefined) {
    if (!committed) return keep
    return next !== undefined && value === next ? { place: "keep", mayStore: true } : gone
  }
  const intent = parse(value)
  if (intent === undefined) return committed ? gone : keep
  const others = intent.tokens.filter((other) => other.token !== token)
  const had = others.length < intent.tokens.length
  const alive = others.filter(({ expiresAt }) => expiresAt > now)
  const previous = committed || alive.length < others.length ? none : intent.previous
  if (alive.length > 0) {
    if (!committed && !had) return keep
    return { place: place({ previous, solo: committed ? none : intent.solo, tokens: alive }), mayStore: false }
  }
  if (committed && had && intent.solo === token && next !== undefined) {
    return { place: { value: next, expiresAt: now + stampTtlMillis }, mayStore: true }
  }
  if (!committed && had && previous !== none) {
    return { place: { value: `s:${previous}`, expiresAt: now + stampTtlMillis }, mayStore: false }
  }
  return committed || had ? gone : keep
}

/** An intent that an invalidation passes over: its writers stay, the stamp before them does not come back. */
export const marked = (value: string): string | undefined => {
  const intent = parse(value)
  return intent === undefined ? undefined : place({ ...intent, previous: none, solo: none }).value
}
