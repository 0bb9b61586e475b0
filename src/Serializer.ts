/**
 * Values to bytes and back, exactly. What a caller gets from the cache must not be told apart from what the database
 * gave: `Date` is a `Date` again, `-0` is `-0`, keys keep their order, and every call makes a copy of its own.
 *
 * A serializer may wrap another one, to compress or to encrypt what it makes.
 *
 * @module
 * @since 0.1.0
 */
import { GenericTag } from "effect/Context"
import type { Tag } from "effect/Context"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Layer from "effect/Layer"
import * as exactCodec from "./internal/exactCodec.js"
import { asEncodeFailure, DecodeFailure } from "./internal/failure.js"

/**
 * @since 0.1.0
 * @category type ids
 */
export const TypeId: unique symbol = Symbol.for("effect-prisma-cache/Serializer")

/**
 * @since 0.1.0
 * @category type ids
 */
export type TypeId = typeof TypeId

/**
 * How instances of one class are written and read, e.g. the `Decimal` of a Prisma client. Only asked about objects
 * that are neither plain objects, arrays, `Date` nor `Uint8Array`.
 *
 * @example
 * ```ts
 * import type { Serializer } from "effect-prisma-cache"
 *
 * const url: Serializer.ValueType<URL> = {
 *   code: "URL",
 *   is: (value) => value instanceof URL,
 *   encode: (value) => value.href,
 *   decode: (text) => new URL(text)
 * }
 * ```
 *
 * @since 0.1.0
 * @category models
 */
export interface ValueType<A = unknown> {
  /** Names the type in what is stored. Unique among the types given together, and the same for ever. */
  readonly code: string
  /** Whether a value is of this type. */
  readonly is: (value: unknown) => value is A
  // The two below are methods, so that a `ValueType` of any class can stand in a list of them without a type argument.
  // It is sound: `encode` is only called with what `is` has accepted.
  /** The value as text, without loss. */
  encode(value: A): string
  /** A new value from what `encode` made. May throw on anything else. */
  decode(text: string): A
  /** A new value like this one, sharing nothing that can be changed. Default: what `decode` makes of its text. */
  copy?(value: A): A
}

/**
 * A `ValueType` of some class.
 *
 * @since 0.1.0
 * @category models
 */
export type AnyValueType = ValueType<unknown>

/**
 * The classes that the values of one request may hold instances of.
 *
 * @since 0.1.0
 * @category models
 */
export type ValueTypes = ReadonlyArray<AnyValueType>

/**
 * What is known about the value apart from itself.
 *
 * @since 0.1.0
 * @category models
 */
export interface Context {
  /** The digest of the entry that the bytes belong to. Encryption binds them to it, as additional data. */
  readonly digest: string
  /** Classes beyond those that every value may hold. The first one whose `is` answers `true` is taken. */
  readonly types: ValueTypes
}

/**
 * Values to bytes and back.
 *
 * `encode` and `decode` never throw and leave their input as it is. A serializer that has nothing to wait for answers
 * with an `Either`, which is an `Effect` too: a caller in a hurry may ask `Either.isEither` and take the answer
 * without starting a fiber.
 *
 * @since 0.1.0
 * @category models
 */
export interface Serializer {
  readonly [TypeId]: TypeId
  /**
   * Names the format. Part of every key, so that entries in another format are never read. A serializer that wraps
   * another one puts its own name in front of the inner one's.
   */
  readonly id: string
  /** Fails with `Unsupported`, `TooDeep` or `TooLarge` where an exact copy could not be made from the bytes. */
  readonly encode: (value: unknown, context: Context) => Effect.Effect<Uint8Array, SerializerError>
  /**
   * A new copy, which shares nothing with earlier ones or with the bytes. Bytes that were damaged on their way may
   * fail with `Malformed`, `UnknownType` or `TooLarge`, or give another value: guard them by a checksum.
   */
  readonly decode: (bytes: Uint8Array, context: Context) => Effect.Effect<unknown, SerializerError>
}

/**
 * A `Serializer` that never has to wait.
 *
 * @since 0.1.0
 * @category models
 */
export interface Synchronous extends Serializer {
  readonly encode: (value: unknown, context: Context) => Either.Either<Uint8Array, SerializerError>
  readonly decode: (bytes: Uint8Array, context: Context) => Either.Either<unknown, SerializerError>
}

/**
 * The serializer that a cache writes and reads its entries with.
 *
 * @since 0.1.0
 * @category tags
 */
export const Serializer: Tag<Serializer, Serializer> = GenericTag("effect-prisma-cache/Serializer")

/**
 * Why a value could not be written, or bytes could not be read.
 *
 * - `Unsupported`: something in the value would not come back as it was
 * - `TooDeep`: nested deeper than 512 levels, or cyclic
 * - `TooLarge`: more than a string can hold, more than 4,194,304 objects and arrays, or more than a wrapper allows
 * - `Malformed`: the bytes are not what `encode` makes, or nobody here can read them
 * - `UnknownType`: the bytes hold an instance of a class that the context has no `ValueType` for
 *
 * @since 0.1.0
 * @category errors
 */
export type Reason = "Unsupported" | "TooDeep" | "TooLarge" | "Malformed" | "UnknownType"

/**
 * A value could not be written, or bytes could not be read. The message never holds anything of the value; the error
 * that a getter or a `ValueType` threw is not kept for the same reason.
 *
 * @since 0.1.0
 * @category errors
 */
export class SerializerError extends Data.TaggedError("SerializerError")<{
  readonly reason: Reason
  readonly message: string
}> {}

/**
 * A serializer from its parts.
 *
 * @since 0.1.0
 * @category constructors
 */
export const make: {
  (options: Omit<Synchronous, TypeId>): Synchronous
  (options: Omit<Serializer, TypeId>): Serializer
} = <A extends Omit<Serializer, TypeId>>(options: A) => ({ [TypeId]: TypeId, ...options })

/**
 * Whether an answer is there already: it is an `Either` then.
 *
 * @since 0.1.0
 * @category guards
 */
export const isThere = <A>(answer: Effect.Effect<A, SerializerError>): answer is Either.Either<A, SerializerError> =>
  Either.isEither(answer)

/**
 * Goes on with an answer: at once where it is there, so that an `Either` after an `Either` is one too.
 *
 * @since 0.1.0
 * @category combining
 */
export const chain = <A, B>(
  answer: Effect.Effect<A, SerializerError>,
  next: (value: A) => Effect.Effect<B, SerializerError>
): Effect.Effect<B, SerializerError> => {
  if (!isThere(answer)) return Effect.flatMap(answer, next)
  return Either.isLeft(answer) ? Either.left(answer.left) : next(answer.right)
}

/**
 * What a wrapper does to the bytes of the serializer below it. It leaves its input as it is. What it throws is taken
 * for `Unsupported` by `seal`, for `Malformed` by `open`, and not kept.
 *
 * @since 0.1.0
 * @category models
 */
export interface Wrapper {
  /** Names what it does and in which format, e.g. `deflate-1`. */
  readonly id: string
  /** Makes of the bytes below what is stored, or fails. */
  readonly seal: (bytes: Uint8Array, context: Context) => Effect.Effect<Uint8Array, SerializerError>
  /** Gives back what was sealed, or fails. */
  readonly open: (bytes: Uint8Array, context: Context) => Effect.Effect<Uint8Array, SerializerError>
}

/**
 * A serializer around another one, with both names in its `id`, the outer one first: `deflate-1(exact-1)`. As long as
 * both answer with an `Either`, so does it.
 *
 * @example
 * ```ts
 * import * as Either from "effect/Either"
 * import * as Layer from "effect/Layer"
 * import { Serializer } from "effect-prisma-cache"
 *
 * const reversed = Serializer.wrap(Serializer.exact, {
 *   id: "reversed-1",
 *   seal: (bytes) => Either.right(bytes.toReversed()),
 *   open: (bytes) => Either.right(bytes.toReversed())
 * })
 * const ReversedLive = Layer.succeed(Serializer.Serializer, reversed)
 * ```
 *
 * @since 0.1.0
 * @category constructors
 */
export const wrap = (inner: Serializer, wrapper: Wrapper): Serializer =>
  make({
    id: `${wrapper.id}(${inner.id})`,
    encode: (value, context) =>
      chain(inner.encode(value, context), (bytes) => guarded("seal", wrapper, bytes, context)),
    decode: (bytes, context) =>
      chain(guarded("open", wrapper, bytes, context), (opened) => inner.decode(opened, context))
  })

const threw = {
  seal: new SerializerError({ reason: "Unsupported", message: "the value cannot be stored: a wrapper threw an error" }),
  open: new SerializerError({ reason: "Malformed", message: "a wrapper threw an error" })
}

const guarded = (step: "seal" | "open", wrapper: Wrapper, bytes: Uint8Array, context: Context) => {
  try {
    const answer = wrapper[step](bytes, context)
    return Either.isEither(answer) ? answer : Effect.catchAllDefect(answer, () => Either.left(threw[step]))
  } catch {
    return Either.left(threw[step])
  }
}

const decodeMessages = {
  Malformed: "the bytes are not what this serializer writes",
  UnknownType: "the bytes hold an instance of a class that no ValueType was given for"
}

/**
 * The serializer that caches use unless they are given another one.
 *
 * It writes JSON, and in front of it once per shape, not once per value, where in it there are values that JSON
 * does not know: `Date`, `bigint`, `Uint8Array`, `NaN`, the infinities, `-0`, `undefined` and the types of the context.
 * Data without any of them is read by `JSON.parse` alone.
 *
 * A value is what a spread copy would see: own enumerable properties, getters by what they answer. Refused are
 * functions, symbols (as keys too), instances of classes that no `ValueType` knows, objects without a prototype,
 * `Buffer` and other typed arrays, and arrays with holes or further properties. Values that occur several times
 * come back as copies of their own.
 *
 * @since 0.1.0
 * @category constructors
 */
export const exact: Synchronous = make({
  id: exactCodec.id,
  encode: (value, context) => {
    try {
      return Either.right(exactCodec.encode(value, context.types))
    } catch (error) {
      const { message, reason } = asEncodeFailure(error)
      return Either.left(new SerializerError({ reason, message: `the value cannot be stored: ${message}` }))
    }
  },
  decode: (bytes, context) => {
    try {
      return Either.right(exactCodec.decode(bytes, context.types))
    } catch (error) {
      const reason = error instanceof DecodeFailure ? error.reason : "Malformed"
      return Either.left(new SerializerError({ reason, message: decodeMessages[reason] }))
    }
  }
})

/**
 * Provides `exact`.
 *
 * @since 0.1.0
 * @category layers
 */
export const layerExact: Layer.Layer<Serializer> = Layer.succeed(Serializer, exact)
