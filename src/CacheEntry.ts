/**
 * An entry as it lies in the store: a small header and a payload. Nothing that is read back is trusted: what does not
 * parse, has another version, another entry's digest or a wrong checksum is no entry at all.
 *
 * Layout, integers and floats big-endian:
 *
 * | bytes | what |
 * | --- | --- |
 * | 0 | format version, 1 |
 * | 1-16 | 128 random bits that identify this very entry (compare-and-set, compare-and-delete) |
 * | 17-20 | CRC-32 of all that follows |
 * | 21-28 | created at, ms since the epoch, float64 |
 * | 29-36 | ttl in ms, float64 |
 * | 37-44 | how long it is kept, in ms, float64 |
 * | 45-52 | what the query took, ms, float64 |
 * | 53-95 | the entry's digest, 43 ASCII characters |
 * | 96-99 | length of the stamps, uint32 |
 * | 100-… | the stamps, UTF-8 JSON: `[[tag, …], [stamp, …]]` |
 * | … | the payload, as the serializer made it |
 *
 * @module
 * @since 0.1.0
 */
import { crc32 } from "./internal/hash.js"
import { fromUtf8 } from "./internal/text.js"

/**
 * The stamps an entry was stored under: `stamps[i]` is that of `tags[i]`.
 *
 * @since 0.1.0
 * @category models
 */
export interface Stamps {
  readonly tags: ReadonlyArray<string>
  readonly stamps: ReadonlyArray<string>
}

/**
 * A decoded entry. `payload` is a view of the bytes that were read, not a copy.
 *
 * @since 0.1.0
 * @category models
 */
export interface CacheEntry extends Stamps {
  /** When its query was answered, ms since the epoch, by the clock of the process that asked. */
  readonly createdAt: number
  /** For how long it is fresh. */
  readonly ttlMillis: number
  /** For how long it is kept: what is expired may be of use yet. */
  readonly keptMillis: number
  readonly queryMillis: number
  readonly payload: Uint8Array
}

const version = 1
const digestAt = 53
const digestLength = 43
const stampsAt = digestAt + digestLength + 4

/**
 * How many leading bytes tell one entry from every other.
 *
 * @since 0.1.0
 * @category constants
 */
export const identityLength = 17

/**
 * The leading bytes of an entry, which tell it from every other one: what compare-and-set compares.
 *
 * @since 0.1.0
 * @category accessors
 */
export const identity = (bytes: Uint8Array): Uint8Array => bytes.subarray(0, identityLength)

const encoder = new TextEncoder()

/**
 * The bytes of an entry.
 *
 * @since 0.1.0
 * @category encoding
 */
export const encode = (digest: string, entry: CacheEntry): Uint8Array => {
  const stamps = encoder.encode(JSON.stringify([entry.tags, entry.stamps]))
  const bytes = new Uint8Array(stampsAt + stamps.length + entry.payload.length)
  const view = new DataView(bytes.buffer)
  bytes[0] = version
  globalThis.crypto.getRandomValues(bytes.subarray(1, identityLength))
  view.setFloat64(21, entry.createdAt)
  view.setFloat64(29, entry.ttlMillis)
  view.setFloat64(37, entry.keptMillis)
  view.setFloat64(45, entry.queryMillis)
  for (let i = 0; i < digestLength; i++) bytes[digestAt + i] = digest.charCodeAt(i)
  view.setUint32(stampsAt - 4, stamps.length)
  bytes.set(stamps, stampsAt)
  bytes.set(entry.payload, stampsAt + stamps.length)
  view.setUint32(17, crc32(bytes.subarray(21)))
  return bytes
}

const isStrings = (value: unknown): value is ReadonlyArray<string> =>
  Array.isArray(value) && value.every((item) => typeof item === "string")

/**
 * The entry in the bytes, or `undefined` if they are not an intact entry of this digest.
 *
 * @since 0.1.0
 * @category decoding
 */
export const decode = (digest: string, bytes: Uint8Array): CacheEntry | undefined => {
  if (bytes.length < stampsAt || bytes[0] !== version) return undefined
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  const payloadAt = stampsAt + view.getUint32(stampsAt - 4)
  if (payloadAt > bytes.length) return undefined
  for (let i = 0; i < digestLength; i++) if (bytes[digestAt + i] !== digest.charCodeAt(i)) return undefined
  if (view.getUint32(17) !== crc32(bytes.subarray(21))) return undefined
  const stamps = parse(bytes, payloadAt)
  if (stamps === undefined) return undefined
  return {
    tags: stamps.tags,
    stamps: stamps.stamps,
    createdAt: view.getFloat64(21),
    ttlMillis: view.getFloat64(29),
    keptMillis: view.getFloat64(37),
    queryMillis: view.getFloat64(45),
    payload: bytes.subarray(payloadAt)
  }
}

const parse = (bytes: Uint8Array, end: number): Stamps | undefined => {
  try {
    const value: unknown = JSON.parse(fromUtf8(bytes, stampsAt, end))
    if (!Array.isArray(value) || value.length !== 2) return undefined
    const [tags, stamps]: ReadonlyArray<unknown> = value
    return isStrings(tags) && isStrings(stamps) && tags.length === stamps.length ? { tags, stamps } : undefined
  } catch {
    return undefined
  }
}
