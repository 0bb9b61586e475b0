/**
 * Values that a serializer does not know, by way of their schema: what is stored is their encoded form.
 */
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as ParseResult from "effect/ParseResult"
import type { Schema } from "effect/Schema"
import type { ValueSchema } from "../QueryCache.js"
import { chain, make as makeSerializer, SerializerError } from "../Serializer.js"
import type { Serializer } from "../Serializer.js"

/** What a schema says of a value holds parts of it, and is not kept. */
const unfit = new SerializerError({ reason: "Unsupported", message: "the value does not fit its schema" })
const foreign = new SerializerError({ reason: "Malformed", message: "what is stored does not fit the schema" })

const orElse = <A>(
  answer: Effect.Effect<A, ParseResult.ParseIssue>,
  error: SerializerError
): Effect.Effect<A, SerializerError> =>
  isThere(answer) ? Either.mapLeft(answer, () => error) : Effect.mapError(answer, () => error)

const isThere = <A, E>(answer: Effect.Effect<A, E>): answer is Either.Either<A, E> => Either.isEither(answer)

/**
 * A serializer of what the schema decodes, around one of what it encodes.
 *
 * @internal
 */
export const withSchema = (inner: Serializer, given: ValueSchema<unknown>): Serializer => {
  // These two look at nothing but what a `ValueSchema` says of itself.
  const schema = given as Schema<unknown>
  const encode = ParseResult.encodeUnknown(schema)
  const decode = ParseResult.decodeUnknown(schema)
  return makeSerializer({
    id: inner.id,
    encode: (value, context) => chain(orElse(encode(value), unfit), (plain) => inner.encode(plain, context)),
    decode: (bytes, context) => chain(inner.decode(bytes, context), (plain) => orElse(decode(plain), foreign))
  })
}
