import { sha256 as portableSha256 } from "@noble/hashes/sha2.js"
import portableCrc32 from "crc-32"
import { isWellFormed, toBase64Url, toDistinctUtf8 } from "./text.js"

/**
 * What a runtime may bring along. Asked for by name at run time: importing Node's modules would keep this file out of
 * workers and browsers.
 *
 * @internal
 */
export interface Builtins {
  readonly crypto?: {
    readonly hash?: (algorithm: string, data: string | Uint8Array, encoding: "base64url") => string
    readonly createHash?: (algorithm: string) => Hash
  } | undefined
  readonly zlib?: {
    readonly crc32?: (data: Uint8Array) => number
  } | undefined
}

interface Hash {
  readonly update: (data: string | Uint8Array) => Hash
  readonly digest: (encoding: "base64url") => string
}

/** @internal */
export interface Hashes {
  /**
   * The full SHA-256 of bytes, or of a text's UTF-8, as 43 characters of base64url. Texts that differ only in halves
   * of surrogate pairs, which UTF-8 cannot tell apart, have different hashes too.
   */
  readonly sha256: (input: string | Uint8Array) => string
  /** The checksum of zlib and PNG, as an unsigned 32-bit integer. */
  readonly crc32: (bytes: Uint8Array) => number
}

/** @internal */
export const makeHashes = (builtins: Builtins): Hashes => {
  const { createHash, hash } = builtins.crypto ?? {}
  const { crc32 } = builtins.zlib ?? {}
  const hashable = (input: string | Uint8Array) =>
    typeof input === "string" && !isWellFormed(input) ? toDistinctUtf8(input) : input
  return {
    sha256: hash !== undefined
      ? (input) => hash("sha256", hashable(input), "base64url")
      : createHash !== undefined
      ? (input) => createHash("sha256").update(hashable(input)).digest("base64url")
      : (input) => toBase64Url(portableSha256(typeof input === "string" ? toDistinctUtf8(input) : input), 0, 32),
    crc32: crc32 !== undefined ? (bytes) => crc32(bytes) : (bytes) => portableCrc32.buf(bytes) >>> 0
  }
}

/** @internal */
export const { crc32, sha256 } = makeHashes({
  crypto: globalThis.process?.getBuiltinModule?.("node:crypto"),
  zlib: globalThis.process?.getBuiltinModule?.("node:zlib")
})

const size = 16
const pool = new Uint8Array(256 * size)
let next = pool.length

/**
 * 128 random bits as 22 characters of base64url. The random bytes are fetched for many calls at once.
 *
 * @internal
 */
export const random128 = (): string => {
  if (next === pool.length) {
    globalThis.crypto.getRandomValues(pool)
    next = 0
  }
  next += size
  return toBase64Url(pool, next - size, next)
}
