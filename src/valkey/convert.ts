/** The driver sends a `Buffer` as it is, and any other view of bytes as text. */
export const toBuffer = (bytes: Uint8Array): Buffer => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)

/** A `Buffer` is a `Uint8Array` whose `slice` does not copy: not what somebody expects who knows of no driver. */
export const toBytes = (buffer: Buffer): Uint8Array =>
  new Uint8Array(buffer.buffer, buffer.byteOffset, buffer.byteLength)

/** An answer that is a text, or nothing. */
export const text = (reply: unknown): string | null =>
  Buffer.isBuffer(reply) ? reply.toString() : typeof reply === "string" ? reply : null

/** The longest lifetime that is asked for, ten years: beyond some thousand the server fails to add. */
const longest = 10 * 365 * 24 * 60 * 60 * 1000

/** A lifetime as the server reads it: whole milliseconds, at least one. */
export const milliseconds = (millis: number): string => String(Math.min(longest, Math.max(1, Math.ceil(millis))))
