/**
 * Bytes as text and back. What is asked over HTTP is JSON, which holds text only, but a value in the store is bytes. So
 * the text is what is text of them, as it is, and every other byte `DEL` with its two hexadecimal digits, which a line
 * at the head of the script undoes on the server. (What is answered comes in base64 and needs none of this.)
 *
 * Most of an entry is text: it stays nearly as long as it was, and costs the server one search for a character.
 */
import { isWellFormed } from "../internal/text.js"

const mark = 0x7f

/** Lua that undoes it in all arguments of a script. */
export const unescapeArguments = "for i, v in ipairs(ARGV) do " +
  "ARGV[i] = string.gsub(v, '\\127(%x%x)', function(h) return string.char(tonumber(h, 16)) end) end"

const encoder = new TextEncoder()
const decoder = new TextDecoder("utf-8", { ignoreBOM: true })

const isBetween = (byte: number | undefined, least: number, most: number) =>
  byte !== undefined && byte >= least && byte <= most

const isTail = (byte: number | undefined) => isBetween(byte, 0x80, 0xbf)

/** How many bytes the character at this place takes; 0 where there is none, after the table of RFC 3629. */
const lengthAt = (bytes: Uint8Array, i: number): number => {
  const first = bytes[i] as number
  const second = bytes[i + 1]
  if (first < 0x80) return first === mark ? 0 : 1
  if (first < 0xc2) return 0
  if (first < 0xe0) return isTail(second) ? 2 : 0
  if (first < 0xf0) {
    const follows = isBetween(second, first === 0xe0 ? 0xa0 : 0x80, first === 0xed ? 0x9f : 0xbf)
    return follows && isTail(bytes[i + 2]) ? 3 : 0
  }
  if (first > 0xf4) return 0
  const follows = isBetween(second, first === 0xf0 ? 0x90 : 0x80, first === 0xf4 ? 0x8f : 0xbf)
  return follows && isTail(bytes[i + 2]) && isTail(bytes[i + 3]) ? 4 : 0
}

/** Bytes as text. */
export const escapeBytes = (bytes: Uint8Array): string => {
  let text = ""
  let from = 0
  let i = 0
  const take = () => {
    if (i > from) text += decoder.decode(bytes.subarray(from, i))
  }
  while (i < bytes.length) {
    const length = lengthAt(bytes, i)
    if (length > 0) i += length
    else {
      take()
      text += String.fromCharCode(mark) + (bytes[i] as number).toString(16).padStart(2, "0")
      from = ++i
    }
  }
  take()
  return text
}

/** Text as text, for a script that undoes it in all of its arguments. */
export const escapeText = (text: string): string => escapeBytes(encoder.encode(text))

/** A text as every encoder of UTF-8 understands it: some parsers of JSON refuse half a surrogate pair. */
export const toPlainText = (text: string): string => isWellFormed(text) ? text : decoder.decode(encoder.encode(text))
