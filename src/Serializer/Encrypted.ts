/**
 * AES-256-GCM around a serializer: who reads the store reads nothing, and who writes to it makes misses.
 *
 * Layout: the length of the key's id, one byte; the id; a nonce of 12 random bytes; the ciphertext; its tag of 16
 * bytes.
 * What is authenticated besides: the names of the serializers, the id of the key and the digest of the entry, so that
 * bytes that were moved to another entry are no longer read.
 *
 * Enciphered by Node's `crypto` where there is one, which answers at once, else by `crypto.subtle`.
 *
 * @module
 * @since 0.1.0
 */
import * as Config from "effect/Config"
import type * as ConfigError from "effect/ConfigError"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import { CacheOptionsError } from "../CacheError.js"
import type { OptionProblem } from "../CacheError.js"
import { fromBase64 } from "../internal/text.js"
import type { Context } from "../Serializer.js"
import { chain, Serializer, SerializerError, wrap } from "../Serializer.js"

/**
 * 32 random bytes, as they are or as base64 or base64url text: what `openssl rand -base64 32` prints.
 *
 * @since 0.1.0
 * @category models
 */
export type Key = Redacted.Redacted<string | Uint8Array>

/**
 * The keys by their ids.
 *
 * @since 0.1.0
 * @category models
 */
export interface Options {
  /** The id of the key that entries are encrypted with. */
  readonly current: string
  /**
   * All keys that entries are decrypted with, the current one among them. An id has 1 to 32 letters, digits, `.`, `_`
   * and `-`; it stands in every entry in plain text, and belongs to this one key for ever.
   */
  readonly keys: { readonly [id: string]: Key }
}

type Answer = Effect.Effect<Uint8Array, SerializerError>

/** One key, ready for use. `sealed` is the ciphertext with the tag behind it. */
interface Cipher {
  readonly seal: (nonce: Uint8Array, bytes: Uint8Array, bound: Uint8Array) => Answer
  readonly open: (nonce: Uint8Array, sealed: Uint8Array, bound: Uint8Array) => Answer
}

const keyLength = 32
const nonceLength = 12
const tagLength = 16
const idForm = /^[A-Za-z0-9._-]{1,32}$/

// What was thrown is not kept in any of these.
const notEncrypted = new SerializerError({
  reason: "Unsupported",
  message: "the value cannot be stored: it could not be encrypted"
})
const malformed = new SerializerError({ reason: "Malformed", message: "the bytes are not what this serializer writes" })
const notDecrypted = new SerializerError({
  reason: "Malformed",
  message: "the bytes were changed, or encrypted for another entry or by another key"
})
const unknownKey = new SerializerError({
  reason: "Malformed",
  message: "the bytes were encrypted by a key that is not listed"
})

// -----------------------------------------------------------------------------
// ciphers
// -----------------------------------------------------------------------------

const algorithm = "aes-256-gcm"

/** Asked for by name at run time: importing Node's modules would keep this file out of workers and browsers. */
const nodeCipher = (key: Uint8Array): Cipher | undefined => {
  const crypto = globalThis.process?.getBuiltinModule?.("node:crypto")
  if (typeof crypto?.createCipheriv !== "function" || typeof crypto.createSecretKey !== "function") return undefined
  const secret = crypto.createSecretKey(key)
  return {
    seal: (nonce, bytes, bound) =>
      Either.try({
        try: () => {
          const cipher = crypto.createCipheriv(algorithm, secret, nonce, { authTagLength: tagLength })
          cipher.setAAD(bound)
          const made = new Uint8Array(bytes.length + tagLength)
          made.set(cipher.update(bytes))
          cipher.final()
          made.set(cipher.getAuthTag(), bytes.length)
          return made
        },
        catch: () => notEncrypted
      }),
    open: (nonce, sealed, bound) =>
      Either.try({
        try: () => {
          const at = sealed.length - tagLength
          const decipher = crypto.createDecipheriv(algorithm, secret, nonce, { authTagLength: tagLength })
          decipher.setAAD(bound)
          decipher.setAuthTag(sealed.subarray(at))
          const opened = decipher.update(sealed.subarray(0, at))
          decipher.final() // throws unless the tag is right: nothing is given out before
          return opened
        },
        catch: () => notDecrypted
      })
  }
}

const webCipher = (key: Uint8Array): Effect.Effect<Cipher, unknown> => {
  const { subtle } = globalThis.crypto
  const parameters = (iv: Uint8Array, additionalData: Uint8Array) =>
    ({ name: "AES-GCM", iv, additionalData, tagLength: 8 * tagLength })
  return Effect.map(
    Effect.tryPromise(() => subtle.importKey("raw", key, "AES-GCM", false, ["encrypt", "decrypt"])),
    (secret): Cipher => ({
      seal: (nonce, bytes, bound) =>
        Effect.tryPromise({
          try: async () => new Uint8Array(await subtle.encrypt(parameters(nonce, bound), secret, bytes)),
          catch: () => notEncrypted
        }),
      open: (nonce, sealed, bound) =>
        Effect.tryPromise({
          try: async () => new Uint8Array(await subtle.decrypt(parameters(nonce, bound), secret, sealed)),
          catch: () => notDecrypted
        })
    })
  )
}

/** Some runtimes have the names of Node's modules and not all that is behind them. */
const works = (cipher: Cipher): boolean => {
  const sealed = cipher.seal(new Uint8Array(nonceLength), Uint8Array.of(1), new Uint8Array())
  return Either.isEither(sealed) && Either.isRight(sealed)
}

const cipherOf = (key: Uint8Array): Effect.Effect<Cipher, unknown> =>
  Effect.suspend(() => {
    const cipher = nodeCipher(key)
    return cipher !== undefined && works(cipher) ? Effect.succeed(cipher) : webCipher(key)
  })

// -----------------------------------------------------------------------------
// options
// -----------------------------------------------------------------------------

const shapeOf = (value: unknown): string => value === undefined ? "nothing" : value === null ? "null" : typeof value

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value)

/** The bytes of a key, or what is wrong with it. Nothing of what was given is repeated. */
const readKey = (given: unknown): Either.Either<Uint8Array, string> => {
  if (!Redacted.isRedacted(given)) return Either.left(`got ${shapeOf(given)} in the open, allowed: a Redacted`)
  const key = Redacted.value(given)
  const allowed = `allowed: ${keyLength} bytes, or those as base64`
  if (key instanceof Uint8Array) {
    return key.length === keyLength
      ? Either.right(Uint8Array.from(key))
      : Either.left(`got ${key.length} bytes, ${allowed}`)
  }
  if (typeof key !== "string") return Either.left(`got a Redacted ${shapeOf(key)}, ${allowed}`)
  const text = key.trim().replaceAll("-", "+").replaceAll("_", "/").replace(/=+$/, "")
  if (!/^[A-Za-z0-9+/]+$/.test(text) || text.length % 4 === 1) {
    return Either.left(`got a text that is no base64, ${allowed}`)
  }
  const bytes = fromBase64(text.padEnd(Math.ceil(text.length / 4) * 4, "="))
  return bytes.length === keyLength
    ? Either.right(bytes)
    : Either.left(`got base64 of ${bytes.length} bytes, ${allowed}`)
}

interface Settings {
  readonly current: string
  readonly keys: ReadonlyMap<string, Uint8Array>
}

/** Names all that is wrong at once. What is no id is not repeated: whoever mixes up the two has put a key here. */
const readOptions = (options: unknown): Either.Either<Settings, CacheOptionsError> => {
  const problems: Array<OptionProblem> = []
  const keys = new Map<string, Uint8Array>()
  const given: Readonly<Record<string, unknown>> = isRecord(options) ? options : {}
  if (!isRecord(options)) {
    problems.push({ path: "options", message: `got ${shapeOf(options)}, allowed: { current, keys }` })
  }
  for (const name of Object.keys(given)) {
    if (name !== "current" && name !== "keys") {
      problems.push({ path: "options", message: "got an option that nobody knows, allowed: current, keys" })
    }
  }
  if (!isRecord(given["keys"]) || Redacted.isRedacted(given["keys"])) {
    const message = `got ${shapeOf(given["keys"])}, allowed: an object with a Redacted key by its id`
    problems.push({ path: "keys", message })
  } else {
    for (const [id, key] of Object.entries(given["keys"])) {
      if (!idForm.test(id)) {
        const message = "got an id of another form, allowed: 1 to 32 letters, digits, `.`, `_` and `-`"
        problems.push({ path: "keys", message })
        continue
      }
      const read = readKey(key)
      if (Either.isLeft(read)) problems.push({ path: `keys.${id}`, message: read.left })
      else keys.set(id, read.right)
    }
  }
  const { current } = given
  if (typeof current !== "string" || (problems.length === 0 && !keys.has(current))) {
    const got = typeof current === "string" ? "an id that `keys` does not have" : shapeOf(current)
    problems.push({ path: "current", message: `got ${got}, allowed: the id of one of \`keys\`` })
  }
  return problems.length === 0 && typeof current === "string"
    ? Either.right({ current, keys })
    : Either.left(new CacheOptionsError("encryption", problems))
}

// -----------------------------------------------------------------------------
// the wrapper
// -----------------------------------------------------------------------------

const encoder = new TextEncoder()

/** Fetched for many entries at once. */
const pool = new Uint8Array(256 * nonceLength)
let next = pool.length
const freshNonce = (): Uint8Array => {
  if (next === pool.length) {
    globalThis.crypto.getRandomValues(pool)
    next = 0
  }
  next += nonceLength
  return pool.slice(next - nonceLength, next)
}

const wrapperId = "aes-256-gcm-1"

const overKeys = (inner: Serializer, current: string, ciphers: ReadonlyMap<string, Cipher>): Serializer => {
  const bound = (keyId: string, { digest }: Context) =>
    encoder.encode(JSON.stringify([wrapperId, inner.id, keyId, digest]))
  const cipher = ciphers.get(current)
  const head = Uint8Array.from([current.length, ...encoder.encode(current)])
  const joined = (nonce: Uint8Array, sealed: Uint8Array): Uint8Array => {
    const made = new Uint8Array(head.length + nonceLength + sealed.length)
    made.set(head)
    made.set(nonce, head.length)
    made.set(sealed, head.length + nonceLength)
    return made
  }
  return wrap(inner, {
    id: wrapperId,
    seal: (bytes, context) => {
      if (cipher === undefined) return Either.left(notEncrypted)
      const nonce = freshNonce()
      return chain(cipher.seal(nonce, bytes, bound(current, context)), (sealed) => Either.right(joined(nonce, sealed)))
    },
    open: (bytes, context) => {
      const nonceAt = 1 + (bytes[0] ?? 0)
      const sealedAt = nonceAt + nonceLength
      if (nonceAt === 1 || bytes.length < sealedAt + tagLength) return Either.left(malformed)
      const id = String.fromCharCode(...bytes.subarray(1, nonceAt))
      const known = ciphers.get(id)
      if (known === undefined) return Either.left(unknownKey)
      return known.open(bytes.subarray(nonceAt, sealedAt), bytes.subarray(sealedAt), bound(id, context))
    }
  })
}

/**
 * The serializer with encryption around it. Fails if the options cannot be used.
 *
 * @since 0.1.0
 * @category constructors
 */
export const make = (inner: Serializer, options: Options): Effect.Effect<Serializer, CacheOptionsError> =>
  Effect.gen(function*() {
    const { current, keys } = yield* readOptions(options)
    const ready = Effect.forEach(keys, ([id, key]) => Effect.map(cipherOf(key), (cipher) => [id, cipher] as const))
    const ciphers = yield* ready.pipe(
      Effect.mapError(() => {
        const message = "got a runtime without AES-GCM, allowed: one with `crypto.subtle` or Node's `crypto`"
        return new CacheOptionsError("encryption", [{ path: "runtime", message }])
      })
    )
    return overKeys(inner, current, new Map(ciphers))
  })

/**
 * Encryption around the serializer that it is given. Fails if the options cannot be used.
 *
 * @example
 * ```ts
 * import * as Layer from "effect/Layer"
 * import * as Redacted from "effect/Redacted"
 * import { Serializer } from "effect-prisma-cache"
 * import * as Encrypted from "effect-prisma-cache/Serializer/Encrypted"
 *
 * const SerializerLive = Encrypted.layer({
 *   current: "2026-01",
 *   keys: { "2026-01": Redacted.make(process.env["CACHE_KEY"] ?? "") }
 * }).pipe(Layer.provide(Serializer.layerExact))
 * ```
 *
 * @since 0.1.0
 * @category layers
 */
export const layer = (options: Options): Layer.Layer<Serializer, CacheOptionsError, Serializer> =>
  Layer.effect(Serializer, Effect.flatMap(Serializer, (inner) => make(inner, options)))

/**
 * The same with options that are read from Effect's `Config`.
 *
 * @example
 * ```ts
 * import * as Config from "effect/Config"
 * import * as Encrypted from "effect-prisma-cache/Serializer/Encrypted"
 *
 * const EncryptedLive = Encrypted.layerConfig({
 *   current: Config.succeed("2026-01"),
 *   keys: Config.all({ "2026-01": Config.redacted("CACHE_KEY") })
 * })
 * ```
 *
 * @since 0.1.0
 * @category layers
 */
export const layerConfig = (
  options: Config.Config.Wrap<Options>
): Layer.Layer<Serializer, CacheOptionsError | ConfigError.ConfigError, Serializer> =>
  Layer.unwrapEffect(Effect.map(Config.unwrap(options), layer))
