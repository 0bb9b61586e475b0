import { CacheError } from "../CacheError.js"

/** Errors of the driver carry the command with its keys and values: only a word that looks like a code is taken. */
export const codeOf = (text: unknown): string | undefined => {
  const word = typeof text === "string" ? text.split(" ", 1)[0] : undefined
  return word !== undefined && /^[A-Z][A-Z0-9_]{1,40}$/.test(word) ? word : undefined
}

const field = (error: unknown, name: string): unknown =>
  typeof error === "object" && error !== null ? Reflect.get(error, name) : undefined

/** The code by which the system names what is wrong with a connection, e.g. `ECONNREFUSED`. */
export const errnoOf = (error: unknown): string | undefined => codeOf(field(error, "code"))

/** The first word of the server's answer, e.g. `OOM`, if the error is an answer of the server. */
export const replyCodeOf = (error: unknown): string | undefined =>
  field(error, "name") === "ReplyError" ? codeOf(field(error, "message")) ?? "ERR" : undefined

/** Whether the driver gave up waiting: the command may have been carried out, or may yet be. */
const isTimeout = (error: unknown): boolean => field(error, "message") === "Command timed out"

/** Whether the connection is to blame, and another one might do better. */
export const isConnectionError = (error: unknown): boolean => replyCodeOf(error) === undefined && !isTimeout(error)

/** What a connection broke of, or could not be made for. */
export const connectionCodeOf = (error: unknown): string | undefined =>
  errnoOf(error) ?? replyCodeOf(error) ?? errnoOf(field(error, "lastNodeError")) ?? replyCodeOf(field(error, "lastNodeError"))

/**
 * What a command failed of, in our words.
 *
 * @param connectionCode - what the connection last broke of, for commands that suffer from it
 */
export const toCacheError = (operation: string, error: unknown, connectionCode: string | undefined): CacheError => {
  const reply = replyCodeOf(error)
  if (reply !== undefined) return new CacheError({ reason: "Rejected", operation, code: reply })
  if (isTimeout(error)) return new CacheError({ reason: "Timeout", operation })
  return new CacheError({ reason: "Unavailable", operation, code: errnoOf(error) ?? connectionCode })
}
