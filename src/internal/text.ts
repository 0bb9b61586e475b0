/**
 * Text and bytes into each other. Node's own functions where there is a `Buffer`: they are several times faster on
 * the short texts that keys and rows are. Everywhere else what the web platform has.
 *
 * @internal
 */

type BufferLike = typeof globalThis.Buffer

/** @internal */
export interface Codecs {
  /** UTF-8. The text must be well-formed, as JSON is. */
  readonly toUtf8: (text: string) => Uint8Array
  /** Standard base64 with padding. */
  readonly toBase64: (bytes: Uint8Array) => string
  /** A plain `Uint8Array` with a buffer of its own. */
  readonly fromBase64: (text: string) => Uint8Array
  /** The text of a part of the bytes. Throws if they are no UTF-8. */
  readonly fromUtf8: (bytes: Uint8Array, start?: number, end?: number) => string
  /** A copy of the bytes that takes little memory. */
  readonly pack: (bytes: Uint8Array) => Packed
  readonly unpack: (packed: Packed) => Uint8Array
}

/**
 * Bytes, or a text of one character for each: a text has the smaller head.
 *
 * @internal
 */
export type Packed = string | Uint8Array

const encoder = new TextEncoder()
const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true })

const decodeUtf8: Codecs["fromUtf8"] = (bytes, start, end) => decoder.decode(bytes.subarray(start, end))

/** Arguments of one call are put on the stack, so long byte arrays are turned into text piece by piece. */
const chunk = 0x2000

/** @internal */
export const makeCodecs = (buffer: BufferLike | undefined): Codecs =>
  buffer === undefined
    ? {
      toUtf8: (text) => encoder.encode(text),
      toBase64: (bytes) => {
        let binary = ""
        for (let i = 0; i < bytes.length; i += chunk) {
          binary += String.fromCharCode(...bytes.subarray(i, i + chunk))
        }
        return btoa(binary)
      },
      fromBase64: (text) => {
        const binary = atob(text)
        const bytes = new Uint8Array(binary.length)
        for (let i = 0; i < binary.length; i++) bytes[i] = binary.charCodeAt(i)
        return bytes
      },
      fromUtf8: decodeUtf8,
      pack: (bytes) => bytes.slice(),
      unpack: (packed) => packed as Uint8Array // what was packed here is no text
    }
    : {
      toUtf8: (text) => buffer.from(text, "utf8"),
      toBase64: (bytes) => buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("base64"),
      fromBase64: (text) => new Uint8Array(buffer.from(text, "base64")),
      fromUtf8: (bytes, start = 0, end = bytes.length) => {
        const text = buffer.from(bytes.buffer, bytes.byteOffset + start, end - start).toString()
        // What is no UTF-8 gets this character in its place, and a text may hold it.
        return text.includes("\ufffd") ? decodeUtf8(bytes, start, end) : text
      },
      pack: (bytes) => buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("latin1"),
      unpack: (packed) => typeof packed === "string" ? buffer.from(packed, "latin1") : packed
    }

/** @internal */
export const { fromBase64, fromUtf8, pack, toBase64, toUtf8, unpack } = makeCodecs(globalThis.Buffer)

const alphabet = Array.from("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_")
const letter = (bits: number): string => alphabet[bits & 63]!

/**
 * Base64url without padding of a part of the bytes. Meant for a handful of bytes.
 *
 * @internal
 */
export const toBase64Url = (bytes: Uint8Array, start: number, end: number): string => {
  let text = ""
  let i = start
  for (; i + 2 < end; i += 3) {
    const bits = (bytes[i]! << 16) | (bytes[i + 1]! << 8) | bytes[i + 2]!
    text += letter(bits >> 18) + letter(bits >> 12) + letter(bits >> 6) + letter(bits)
  }
  if (end - i === 1) text += letter(bytes[i]! >> 2) + letter(bytes[i]! << 4)
  if (end - i === 2) {
    const bits = (bytes[i]! << 8) | bytes[i + 1]!
    text += letter(bits >> 10) + letter(bits >> 4) + letter(bits << 2)
  }
  return text
}

/** Declared here because the language's library of this target does not know it yet. */
const prototype: { readonly length: number; readonly isWellFormed?: (this: string) => boolean } = String.prototype
const loneSurrogate = /\p{Surrogate}/u

/**
 * Whether the text has no half of a surrogate pair standing alone. UTF-8 knows no such halves: encoders replace them
 * all by the same character.
 *
 * @internal
 */
export const isWellFormed = (text: string): boolean =>
  prototype.isWellFormed === undefined ? !loneSurrogate.test(text) : prototype.isWellFormed.call(text)

/**
 * UTF-8, and three bytes for half a surrogate pair standing alone: a different text always has different bytes.
 *
 * @internal
 */
export const toDistinctUtf8 = (text: string): Uint8Array => {
  if (isWellFormed(text)) return encoder.encode(text)
  const bytes: Array<number> = []
  for (const character of text) {
    const code = character.codePointAt(0)!
    if (code < 0xd800 || code > 0xdfff) bytes.push(...encoder.encode(character))
    else bytes.push(0xe0 | (code >> 12), 0x80 | ((code >> 6) & 63), 0x80 | (code & 63))
  }
  return Uint8Array.from(bytes)
}
