/**
 * Compression around a serializer: fewer bytes in the store and on the wire for some microseconds of CPU.
 *
 * Layout: a byte that says what follows. `0`: the bytes as they were. `1`: their length, uint32 big-endian, and their
 * raw DEFLATE stream.
 *
 * Deflated by Node's zlib where there is one, else by the runtime's `CompressionStream`; each reads what the other
 * wrote.
 *
 * @module
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Layer from "effect/Layer"
import type { ReadableWritablePair } from "node:stream/web"
import { CacheOptionsError } from "../CacheError.js"
import type { OptionProblem } from "../CacheError.js"
import { chain, Serializer, SerializerError, wrap } from "../Serializer.js"

/**
 * What is compressed, and how much may come out of it again.
 *
 * @since 0.1.0
 * @category models
 */
export interface Options {
  /** From how many bytes on it is tried. Default 2,048: less is hardly ever worth it. */
  readonly threshold?: number | undefined
  /**
   * More bytes than that are neither compressed nor made from compressed ones, whatever somebody put into the store.
   * Default 16,777,216.
   */
  readonly maxBytes?: number | undefined
}

type Answer = Effect.Effect<Uint8Array, SerializerError>

/** Raw DEFLATE, by whatever the runtime has. */
interface Deflate {
  readonly deflate: (bytes: Uint8Array) => Answer
  /** Fails when more than `length` bytes come out, and then makes no more of them. */
  readonly inflate: (bytes: Uint8Array, length: number) => Answer
}

const defaults = { threshold: 2_048, maxBytes: 16 * 1_024 * 1_024 }
const plain = 0
const deflated = 1
const headLength = 5

const malformed = new SerializerError({ reason: "Malformed", message: "the bytes are not what this serializer writes" })
const notDeflated = new SerializerError({
  reason: "Unsupported",
  message: "the value cannot be stored: it could not be compressed"
})
const tooLarge = (message: string) => new SerializerError({ reason: "TooLarge", message })

/** The chunks that zlib makes its output of; what says it is larger has to be so before it gets more memory. */
const maxChunk = 65_536
const minChunk = 64

/** Asked for by name at run time: importing Node's modules would keep this file out of workers and browsers. */
const zlibDeflate = (): Deflate | undefined => {
  const zlib = globalThis.process?.getBuiltinModule?.("node:zlib")
  if (typeof zlib?.deflateRawSync !== "function" || typeof zlib.inflateRawSync !== "function") return undefined
  return {
    deflate: (bytes) => Either.try({ try: () => zlib.deflateRawSync(bytes, { level: 1 }), catch: () => notDeflated }),
    inflate: (bytes, length) =>
      Either.try({
        try: () =>
          zlib.inflateRawSync(bytes, {
            maxOutputLength: length,
            chunkSize: Math.min(maxChunk, Math.max(minChunk, length))
          }),
        catch: () => malformed
      })
  }
}

/** All that comes out of the stream, as long as it is no more than `max`. */
const through = async (bytes: Uint8Array, stream: ReadableWritablePair, max: number): Promise<Uint8Array> => {
  const writer = stream.writable.getWriter()
  // What goes wrong here is what goes wrong for the reader too.
  const written = writer.write(bytes).then(() => writer.close()).catch(() => undefined)
  const reader = stream.readable.getReader()
  const chunks: Array<Uint8Array> = []
  let length = 0
  for (;;) {
    const { done, value } = await reader.read()
    if (done) break
    const chunk: Uint8Array = value
    length += chunk.length
    if (length > max) {
      await reader.cancel()
      throw malformed
    }
    chunks.push(chunk)
  }
  await written
  const all = new Uint8Array(length)
  let at = 0
  for (const chunk of chunks) {
    all.set(chunk, at)
    at += chunk.length
  }
  return all
}

const streamDeflate = (): Deflate | undefined => {
  const { CompressionStream, DecompressionStream } = globalThis
  if (typeof CompressionStream !== "function" || typeof DecompressionStream !== "function") return undefined
  return {
    deflate: (bytes) =>
      Effect.tryPromise({
        try: () => through(bytes, new CompressionStream("deflate-raw"), Infinity),
        catch: () => notDeflated
      }),
    inflate: (bytes, length) =>
      Effect.tryPromise({
        try: () => through(bytes, new DecompressionStream("deflate-raw"), length),
        catch: () => malformed
      })
  }
}

const shapeOf = (value: unknown) => value === null ? "null" : typeof value === "number" ? String(value) : typeof value

const problemsOf = (options: Options): ReadonlyArray<OptionProblem> => {
  const problems: Array<OptionProblem> = []
  for (const name in options) {
    if (!Object.hasOwn(defaults, name)) problems.push({ path: name, message: "unknown; allowed: threshold, maxBytes" })
  }
  const { maxBytes = defaults.maxBytes, threshold = defaults.threshold } = options
  if (!(typeof threshold === "number" && threshold >= 0)) {
    problems.push({ path: "threshold", message: `got ${shapeOf(threshold)}, allowed: bytes, 0 or more` })
  }
  if (!(Number.isInteger(maxBytes) && maxBytes >= 1 && maxBytes <= 0xffff_ffff)) {
    const message = `got ${shapeOf(maxBytes)}, allowed: bytes, a whole number from 1 to 4294967295`
    problems.push({ path: "maxBytes", message })
  }
  return problems
}

const flagged = (bytes: Uint8Array): Uint8Array => {
  const made = new Uint8Array(1 + bytes.length)
  made[0] = plain
  made.set(bytes, 1)
  return made
}

/**
 * The serializer with compression around it. Fails if the options cannot be used.
 *
 * @since 0.1.0
 * @category constructors
 */
export const make = (inner: Serializer, options: Options = {}): Either.Either<Serializer, CacheOptionsError> => {
  const problems = problemsOf(options)
  if (problems.length > 0) return Either.left(new CacheOptionsError("compression", problems))
  const { maxBytes = defaults.maxBytes, threshold = defaults.threshold } = options
  const deflate = zlibDeflate() ?? streamDeflate()
  if (deflate === undefined) {
    const message = "got a runtime with neither zlib nor CompressionStream, allowed: one that has either"
    return Either.left(new CacheOptionsError("compression", [{ path: "runtime", message }]))
  }
  const tooLong = tooLarge(`the value cannot be stored: it has more than ${maxBytes} bytes`)
  const tooLongOpened = tooLarge(`what was compressed has more than ${maxBytes} bytes`)

  /** What does not get smaller stays as it is. */
  const smaller = (bytes: Uint8Array, compressed: Uint8Array): Uint8Array => {
    if (headLength + compressed.length >= 1 + bytes.length) return flagged(bytes)
    const made = new Uint8Array(headLength + compressed.length)
    made[0] = deflated
    new DataView(made.buffer).setUint32(1, bytes.length)
    made.set(compressed, headLength)
    return made
  }

  return Either.right(wrap(inner, {
    id: "deflate-1",
    seal: (bytes) => {
      if (bytes.length > maxBytes) return Either.left(tooLong)
      if (bytes.length < threshold) return Either.right(flagged(bytes))
      return chain(deflate.deflate(bytes), (compressed) => Either.right(smaller(bytes, compressed)))
    },
    open: (bytes) => {
      if (bytes[0] === plain) return Either.right(bytes.subarray(1))
      if (bytes[0] !== deflated || bytes.length < headLength) return Either.left(malformed)
      const length = new DataView(bytes.buffer, bytes.byteOffset, bytes.length).getUint32(1)
      if (length > maxBytes) return Either.left(tooLongOpened)
      if (length === 0) return Either.left(malformed)
      return chain(deflate.inflate(bytes.subarray(headLength), length), (opened) =>
        opened.length === length ? Either.right(opened) : Either.left(malformed))
    }
  }))
}

/**
 * Compression around the serializer that it is given. Fails if the options cannot be used.
 *
 * @example
 * ```ts
 * import * as Layer from "effect/Layer"
 * import { Serializer } from "effect-prisma-cache"
 * import * as Compressed from "effect-prisma-cache/Serializer/Compressed"
 *
 * const SerializerLive = Compressed.layer().pipe(Layer.provide(Serializer.layerExact))
 * ```
 *
 * @since 0.1.0
 * @category layers
 */
export const layer = (options?: Options): Layer.Layer<Serializer, CacheOptionsError, Serializer> =>
  Layer.effect(Serializer, Effect.flatMap(Serializer, (inner) => make(inner, options)))
