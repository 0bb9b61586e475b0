/**
 * Upstash's REST protocol: one POST carries commands, each an array of texts, and is answered by an array of results.
 */
import * as HttpClient from "@effect/platform/HttpClient"
import type { HttpClientError } from "@effect/platform/HttpClientError"
import * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import type * as Redacted from "effect/Redacted"
import type { Reason } from "../CacheError.js"
import { fromBase64 } from "../internal/text.js"
import { codeOf, errnoOf } from "../valkey/errors.js"

/** A command: its name and its arguments. */
export type Words = ReadonlyArray<string>

/** Why there is no answer. Nothing more of it is kept: an error may repeat the command. */
export interface Failure {
  readonly reason: Reason
  readonly code: string | undefined
}

/** What a command came to: its reply, texts as bytes, or the server's refusal. */
export type Outcome = Either.Either<unknown, Failure>

/** Has the server carry out commands, one after the other. */
export type Exchange = (commands: ReadonlyArray<Words>) => Effect.Effect<ReadonlyArray<Outcome>, Failure>

/** Where the server is. */
export interface Place {
  /** Without a slash at its end. */
  readonly url: string
  readonly token: Redacted.Redacted<string>
}

/** What came is no answer of this protocol. */
const garbled: Failure = { reason: "Unavailable", code: "EPROTO" }

/** The code of a refusal for a script whose first line the server cannot read. */
export const unknownFlags = "SHEBANG"

const refusal = (message: unknown): Failure => ({
  reason: "Rejected",
  code: typeof message === "string" && /\bshebang\b|near '#'/.test(message) ? unknownFlags : codeOf(message) ?? "ERR"
})

const transportFailure = (error: HttpClientError): Failure => {
  const { cause } = error
  const deeper: unknown = typeof cause === "object" && cause !== null && "cause" in cause ? cause.cause : undefined
  return { reason: "Unavailable", code: errnoOf(cause) ?? errnoOf(deeper) }
}

/** A server's own fault may be over in a moment; everything else it means. */
const statusFailure = (status: number, body: unknown): Failure => ({
  reason: status >= 500 ? "Unavailable" : "Rejected",
  code: (status < 500 ? codeOf(errorIn(body)) : undefined) ?? `HTTP_${status}`
})

const errorIn = (value: unknown): unknown =>
  typeof value === "object" && value !== null && "error" in value ? value.error : undefined

const toBytes = (text: string): Uint8Array => {
  const bytes = fromBase64(text)
  // Some decoders pass over what is no base64, and then have less.
  const padding = text.endsWith("==") ? 2 : text.endsWith("=") ? 1 : 0
  if (bytes.length !== (text.length / 4) * 3 - padding) throw new Error("no base64")
  return bytes
}

/** All text comes in base64 but the one word that is an answer by itself. */
const toReply = (result: unknown): unknown => {
  if (Array.isArray(result)) return result.map(toReply)
  return typeof result === "string" && result !== "OK" ? toBytes(result) : result
}

const toOutcome = (item: unknown): Outcome => {
  if (typeof item !== "object" || item === null) return Either.left(garbled)
  if ("result" in item) return Either.right(toReply(item.result))
  return Either.left("error" in item ? refusal(item.error) : garbled)
}

const parse = (text: string): unknown => {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

const read = (status: number, text: string, asked: number): Either.Either<ReadonlyArray<Outcome>, Failure> => {
  const body = parse(text)
  if (status < 200 || status > 299) return Either.left(statusFailure(status, body))
  if (!Array.isArray(body) || body.length !== asked) {
    const error = errorIn(body)
    return Either.left(error === undefined ? garbled : refusal(error))
  }
  return Either.try({ try: () => body.map(toOutcome), catch: () => garbled })
}

export const makeExchange = (client: HttpClient.HttpClient, { token, url }: Place): Exchange => {
  // What goes out together was asked by many: it belongs in nobody's trace.
  const quiet = client.pipe(HttpClient.withTracerDisabledWhen(() => true))
  const request = HttpClientRequest.post(`${url}/pipeline`).pipe(
    HttpClientRequest.bearerToken(token),
    HttpClientRequest.setHeader("upstash-encoding", "base64")
  )
  /** Where copies of the data are read, the server waits until the copy has all that it told us of before. */
  let syncToken: string | undefined

  return (commands) =>
    Effect.suspend(() =>
      quiet.execute(
        HttpClientRequest.bodyText(
          syncToken === undefined ? request : HttpClientRequest.setHeader(request, "upstash-sync-token", syncToken),
          JSON.stringify(commands),
          "application/json"
        )
      )
    ).pipe(
      Effect.flatMap((response) => {
        syncToken = response.headers["upstash-sync-token"] ?? syncToken
        return Effect.map(response.text, (text) => read(response.status, text, commands.length))
      }),
      Effect.mapError(transportFailure),
      // Whatever somebody's own `fetch` gives that is no response.
      Effect.catchAllDefect(() => Effect.fail(garbled)),
      Effect.flatten
    )
}
