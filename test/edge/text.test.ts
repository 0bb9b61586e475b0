import * as fc from "fast-check"
import { describe, expect, it } from "vitest"
import { escapeBytes, escapeText, toPlainText } from "../../src/http/text.js"

/** What the server does. */
const unescape = (text: string): Buffer =>
  Buffer.from(
    Buffer.from(text).toString("latin1").replace(/\x7f([0-9a-f]{2})/g, (_, digits: string) =>
      String.fromCharCode(parseInt(digits, 16))),
    "latin1"
  )

/** Beginnings, ends and insides of characters, so that what is nearly one comes up often. */
const edges = [0x00, 0x41, 0x7e, 0x7f, 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf, 0xc0, 0xc1, 0xc2, 0xdf, 0xe0, 0xe1, 0xec, 0xed, 0xee,
  0xef, 0xf0, 0xf1, 0xf3, 0xf4, 0xf5, 0xff]

describe("bytes as text", () => {
  it("come back as they were, and are text that every parser takes", () => {
    const bytes = fc.oneof(fc.uint8Array(), fc.array(fc.constantFrom(...edges)).map((list) => Uint8Array.from(list)))
    fc.assert(fc.property(bytes, (given) => {
      const text = escapeBytes(given)
      expect(unescape(text).equals(given)).toBe(true)
      expect(Buffer.from(JSON.parse(JSON.stringify(text))).toString()).toBe(text)
    }), { numRuns: 500 })
  })

  it("are that text where they are text", () => {
    fc.assert(fc.property(fc.string({ unit: "grapheme" }), (text) => {
      fc.pre(!text.includes("\x7f"))
      expect(escapeBytes(new TextEncoder().encode(text))).toBe(text)
      expect(escapeText(text)).toBe(text)
    }))
    expect(escapeText("\ufeffa\x7fb")).toBe("\ufeffa\x7f7fb")
  })

  it("leaves text alone, and gives half a character the form that bytes would give it", () => {
    expect(toPlainText("\u{1F600}\x7f")).toBe("\u{1F600}\x7f")
    expect(toPlainText("a\ud800b")).toBe("a\ufffdb")
  })
})
