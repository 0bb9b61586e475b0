/** A `Buffer` is a `Uint8Array` whose `slice` does not copy: not what somebody expects who knows of no driver. */
export const toBytes = (reply: Uint8Array): Uint8Array =>
  new Uint8Array(reply.buffer, reply.byteOffset, reply.byteLength)

const decoder = new TextDecoder("utf-8", { ignoreBOM: true })

/** Where there are Buffers they are asked themselves: several times faster on the short texts that stamps are. */
const toText: (bytes: Uint8Array) => string = globalThis.Buffer === undefined
  ? (bytes) => decoder.decode(bytes)
  : (bytes) => Buffer.isBuffer(bytes) ? bytes.toString() : decoder.decode(bytes)

/** An answer that is a text, or nothing. */
export const text = (reply: unknown): string | null =>
  typeof reply === "string" ? reply : reply instanceof Uint8Array ? toText(reply) : null

/** The longest lifetime that is asked for, ten years: beyond some thousand the server fails to add. */
const longest = 10 * 365 * 24 * 60 * 60 * 1000

/** A lifetime as the server reads it: whole milliseconds, at least one. */
export const milliseconds = (millis: number): string => String(Math.min(longest, Math.max(1, Math.ceil(millis))))
