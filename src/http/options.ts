/**
 * The options of the connection over HTTP, read once and made precise.
 */
import * as Either from "effect/Either"
import * as Redacted from "effect/Redacted"
import { CacheOptionsError } from "../CacheError.js"
import type { OptionProblem } from "../CacheError.js"
import type { Place } from "./exchange.js"

/**
 * Where the server is that speaks Upstash's REST protocol, and how it is spoken to.
 *
 * @since 0.1.0
 * @category models
 */
export interface ConnectionOptions {
  /** Its address, `https://…`. Default: `UPSTASH_REDIS_REST_URL` of the environment, where there is one. */
  readonly url?: string | undefined
  /** What it lets in, as a bearer token. Default: `UPSTASH_REDIS_REST_TOKEN` of the environment, where there is one. */
  readonly token?: string | Redacted.Redacted<string> | undefined
  /** How long an answer is waited for, in milliseconds. Default 1,000. */
  readonly commandTimeout?: number | undefined
  /** Sends the requests, in the place of the runtime's own `fetch`. */
  readonly fetch?: Methods["fetch"] | undefined
  /**
   * Told of what is still under way when an answer is there, such as storing it, for runtimes that otherwise stop with
   * the response: the `waitUntil` of the request. The promise never rejects.
   */
  readonly waitUntil?: Methods["waitUntil"] | undefined
}

/** Methods, since the compiler takes those whose parameters are narrower or wider: every runtime types its own `fetch`. */
interface Methods {
  fetch(input: URL, init: RequestInit): Promise<Response>
  waitUntil(promise: Promise<void>): void
}

/** Tells the options of the connection from the others. */
export const takeConnection = <O extends ConnectionOptions>(options: O) => {
  const { commandTimeout, fetch, token, url, waitUntil, ...rest } = options
  return { connection: { commandTimeout, fetch, token, url, waitUntil }, rest }
}

export type Fetch = Methods["fetch"]

/** The options, checked. */
export interface Settings extends Place {
  readonly commandTimeout: number
  readonly fetch: Fetch | undefined
  readonly waitUntil: Methods["waitUntil"] | undefined
}

const commandTimeoutDefault = 1_000

/** How long a query waits for a cache that is further away than a server of one's own, unless options say otherwise. */
export const budgetMillis = 500

const environment = (name: string): string | undefined => {
  const value: unknown = globalThis.process?.env?.[name]
  return typeof value === "string" && value !== "" ? value : undefined
}

const shapeOf = (value: unknown) => value === undefined ? "nothing" : value === null ? "null" : typeof value

type Read<A> = Either.Either<A, OptionProblem>

/** Nothing of what was given is repeated: whoever mixes up the two has put the token here. */
const readUrl = (given: unknown): Read<string> => {
  const problem = (message: string) => Either.left({ path: "url", message })
  if (given === undefined) {
    return problem("got nothing, and UPSTASH_REDIS_REST_URL is not set; allowed: an https:// or http:// address")
  }
  if (typeof given !== "string") return problem(`got ${shapeOf(given)}, allowed: an https:// or http:// address`)
  if (!URL.canParse(given)) return problem("got a text that is no address, allowed: https://… or http://…")
  const { hash, password, protocol, search, username } = new URL(given)
  if (protocol !== "https:" && protocol !== "http:") {
    return problem(`got an address that begins with ${protocol}, allowed: https:// or http://, over which it is spoken to`)
  }
  if (username !== "" || password !== "") return problem("got an address with a user or a password, allowed: the `token`")
  if (search !== "" || hash !== "") return problem("got an address with `?` or `#`, allowed: an address without")
  return Either.right(given.replace(/\/+$/, ""))
}

const readToken = (given: unknown): Read<Redacted.Redacted<string>> => {
  const problem = (message: string) => Either.left({ path: "token", message })
  const token = Redacted.isRedacted(given) ? Redacted.value(given) : given
  if (token === undefined) return problem("got nothing, and UPSTASH_REDIS_REST_TOKEN is not set; allowed: a bearer token")
  if (typeof token !== "string") return problem(`got ${shapeOf(token)}, allowed: a bearer token`)
  return /^[\x21-\x7e]+$/.test(token)
    ? Either.right(Redacted.make(token))
    : problem("got a text that no header can hold, allowed: visible ASCII characters without spaces")
}

const readTimeout = (given: unknown = commandTimeoutDefault): Read<number> =>
  typeof given === "number" && Number.isFinite(given) && given >= 1
    ? Either.right(given)
    : Either.left({
      path: "commandTimeout",
      message: `got ${typeof given === "number" ? given : shapeOf(given)}, allowed: milliseconds, 1 or more`
    })

const readFunction = <F>(path: string, given: F | undefined): Read<F | undefined> =>
  given === undefined || typeof given === "function"
    ? Either.right(given)
    : Either.left({ path, message: `got ${shapeOf(given)}, allowed: a function` })

/** Names everything that is wrong with the options at once. */
export const readOptions = (options: ConnectionOptions): Either.Either<Settings, CacheOptionsError> => {
  // Taken off the object: some runtimes refuse to run their `fetch` as a method of another.
  const { commandTimeout, fetch, token, url, waitUntil } = options
  const read = {
    url: readUrl(url ?? environment("UPSTASH_REDIS_REST_URL")),
    token: readToken(token ?? environment("UPSTASH_REDIS_REST_TOKEN")),
    commandTimeout: readTimeout(commandTimeout),
    fetch: readFunction("fetch", fetch),
    waitUntil: readFunction("waitUntil", waitUntil)
  }
  const all: ReadonlyArray<Read<unknown>> = Object.values(read)
  return Either.mapLeft(Either.all(read), () =>
    new CacheOptionsError("the cache over HTTP", all.flatMap((one) => Either.isLeft(one) ? [one.left] : [])))
}
