import * as nodeCrypto from "node:crypto"
import * as nodeZlib from "node:zlib"
import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { crc32, makeHashes, random128, sha256 } from "../../src/internal/hash.js"
import { fromUtf8, isWellFormed, makeCodecs, toBase64Url, toDistinctUtf8 } from "../../src/internal/text.js"

const anyText = fc.array(fc.integer({ min: 0, max: 0xffff })).map((units) => String.fromCharCode(...units))
const texts = fc.oneof(fc.string(), fc.string({ unit: "binary" }), anyText)

const withoutBuiltins = makeHashes({})
const withCreateHash = makeHashes({ crypto: { createHash: nodeCrypto.createHash } })
const withNode = makeHashes({ crypto: nodeCrypto, zlib: nodeZlib })

describe("sha256", () => {
  it("is the full SHA-256, as published", () => {
    expect(sha256("abc")).toBe("ungWv48Bz-pBQUDeXa4iI7ADYaOWF3qctBD_YfIAFa0")
    expect(sha256("")).toBe("47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU")
    expect(sha256("abc")).toHaveLength(43)
  })

  it("is the same on every runtime", () => {
    fc.assert(
      fc.property(texts, (text) => {
        const digest = withoutBuiltins.sha256(text)
        expect(sha256(text)).toBe(digest)
        expect(withCreateHash.sha256(text)).toBe(digest)
        expect(withNode.sha256(text)).toBe(digest)
      })
    )
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        const digest = withoutBuiltins.sha256(bytes)
        expect(sha256(bytes)).toBe(digest)
        expect(withCreateHash.sha256(bytes)).toBe(digest)
      })
    )
  })

  it("tells halves of surrogate pairs apart, which UTF-8 does not", () => {
    const halves = ["\ud800", "\ud801", "\udc00", "\ufffd", "a\ud800", "\ud800a", "\udc00\ud800", "\ud800\udc00"]
    for (const hashes of [withNode, withCreateHash, withoutBuiltins]) {
      expect(new Set(halves.map(hashes.sha256)).size).toBe(halves.length)
    }
  })

  it("is the hash of the UTF-8 of every well-formed text", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (text) => {
        expect(toDistinctUtf8(text)).toStrictEqual(new TextEncoder().encode(text))
      })
    )
  })
})

describe("toDistinctUtf8", () => {
  it("gives different bytes to different texts", () => {
    fc.assert(
      fc.property(anyText, anyText, (a, b) => {
        expect(Buffer.compare(toDistinctUtf8(a), toDistinctUtf8(b)) === 0).toBe(a === b)
      })
    )
  })
})

describe("isWellFormed", () => {
  it("knows halves of surrogate pairs that stand alone", () => {
    for (const text of ["", "a", "é", "€", "😀", "\ufffd"]) expect(isWellFormed(text)).toBe(true)
    for (const text of ["\ud800", "\udc00", "a\ud800b", "\udc00\ud800"]) expect(isWellFormed(text)).toBe(false)
  })
})

describe("crc32", () => {
  it("is the checksum of zlib, unsigned, on every runtime", () => {
    expect(crc32(new TextEncoder().encode("123456789"))).toBe(0xcbf43926)
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
        const checksum = withoutBuiltins.crc32(bytes)
        expect(checksum).toBeGreaterThanOrEqual(0)
        expect(crc32(bytes)).toBe(checksum)
        expect(nodeZlib.crc32(bytes)).toBe(checksum)
      })
    )
  })
})

describe("random128", () => {
  it("never answers the same", () => {
    const seen = new Set(Array.from({ length: 20_000 }, random128))
    expect(seen.size).toBe(20_000)
    for (const text of seen) expect(text).toMatch(/^[A-Za-z0-9_-]{22}$/)
  })

  it("uses no random bits twice", () => {
    const bytes = Array.from({ length: 600 }, () => Buffer.from(random128(), "base64url"))
    const pieces = bytes.flatMap((value) => Array.from({ length: 13 }, (_, i) => value.readUInt32BE(i)))
    expect(new Set(pieces).size).toBeGreaterThan(pieces.length - 10)
  })

  it("has 128 bits that are set half of the time", () => {
    const counts = new Array<number>(128).fill(0)
    for (let i = 0; i < 4_000; i++) {
      const bytes = Buffer.from(random128(), "base64url")
      expect(bytes).toHaveLength(16)
      for (let bit = 0; bit < 128; bit++) counts[bit]! += (bytes[bit >> 3]! >> (bit & 7)) & 1
    }
    // Ten standard deviations: a right generator is outside once in 10^21 runs.
    for (const count of counts) expect(Math.abs(count - 2_000)).toBeLessThan(317)
  })
})

describe("text codecs", () => {
  const portable = makeCodecs(undefined)
  const node = makeCodecs(Buffer)

  it("are the same with and without a Buffer", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), fc.nat(50), (bytes, offset) => {
        const part = bytes.subarray(Math.min(offset, bytes.length))
        const base64 = portable.toBase64(part)
        expect(node.toBase64(part)).toBe(base64)
        expect(portable.fromBase64(base64)).toStrictEqual(new Uint8Array(part))
        expect(node.fromBase64(base64)).toStrictEqual(new Uint8Array(part))
        expect(toBase64Url(part, 0, part.length)).toBe(Buffer.from(part).toString("base64url"))
      })
    )
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (text) => {
        expect(new Uint8Array(node.toUtf8(text))).toStrictEqual(portable.toUtf8(text))
        expect(fromUtf8(node.toUtf8(text))).toBe(text)
      })
    )
  })

  it("hold long byte arrays", () => {
    const bytes = new Uint8Array(300_001).map((_, i) => i * 7)
    expect(portable.toBase64(bytes)).toBe(node.toBase64(bytes))
    expect(Buffer.compare(portable.fromBase64(node.toBase64(bytes)), bytes)).toBe(0)
  })
})
