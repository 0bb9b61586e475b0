/**
 * Values as MessagePack, by `@effect/platform`: exact like the default, and smaller by what JSON spends on numbers,
 * quotes and commas. Reading it takes longer than `JSON.parse` does.
 *
 * Layout: the plan of `Serializer.exact`, which says where there are values that JSON does not know, a line feed, a byte,
 * and after it the data. Byte `0`: MessagePack. Byte `1`: JSON, for what the packer would change: certain keys, such
 * as `__proto__`, and halves of surrogate pairs.
 *
 * @module
 * @since 0.1.0
 */
import * as MsgPack from "@effect/platform/MsgPack"
import * as Either from "effect/Either"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import { dissect, restore, splitPlan } from "../internal/exactCodec.js"
import { asEncodeFailure, DecodeFailure } from "../internal/failure.js"
import { fromUtf8, isWellFormed, toUtf8 } from "../internal/text.js"
import { make as makeSerializer, Serializer, SerializerError } from "../Serializer.js"
import type { Synchronous } from "../Serializer.js"

const packed = 0
const asJson = 1

const data = MsgPack.schema(Schema.Unknown)
const pack = Schema.encodeSync(data)
const unpack = Schema.decodeSync(data)

/** Names that the packer takes for something else than names. */
const special = ["__proto__", "constructor", "toJSON"]

/** Whether it is nothing but JSON, and MessagePack gives back the same. */
const isPlain = (json: unknown): boolean => {
  if (typeof json === "string") return isWellFormed(json)
  if (typeof json === "number" || typeof json === "boolean" || json === null) return true
  if (Array.isArray(json)) return json.every(isPlain)
  return typeof json === "object" && Object.getPrototypeOf(json) === Object.prototype &&
    Object.entries(json).every(([key, member]) => !special.includes(key) && isWellFormed(key) && isPlain(member))
}

/** There are more things in MessagePack than were packed here. */
const unpackPlain = (bytes: Uint8Array): unknown => {
  const json: unknown = unpack(bytes)
  if (!isPlain(json)) throw new DecodeFailure("Malformed")
  return json
}

const seal = (plan: string, kind: number, bytes: Uint8Array): Uint8Array => {
  const head = toUtf8(`${plan}\n`)
  const sealed = new Uint8Array(head.length + 1 + bytes.length)
  sealed.set(head)
  sealed[head.length] = kind
  sealed.set(bytes, head.length + 1)
  return sealed
}

const open = (bytes: Uint8Array, kindAt: number): unknown => {
  switch (bytes[kindAt]) {
    case packed:
      return unpackPlain(bytes.subarray(kindAt + 1))
    case asJson:
      return JSON.parse(fromUtf8(bytes, kindAt + 1))
    default:
      throw new DecodeFailure("Malformed")
  }
}

/**
 * The serializer. It stores and refuses what `Serializer.exact` does, and answers at once.
 *
 * @since 0.1.0
 * @category constructors
 */
export const messagePack: Synchronous = makeSerializer({
  id: "msgpack-1",
  encode: (value, { types }) => {
    try {
      const { json, plan } = dissect(value, types)
      return Either.right(
        isPlain(json) ? seal(plan, packed, pack(json)) : seal(plan, asJson, toUtf8(JSON.stringify(json)))
      )
    } catch (error) {
      const { message, reason } = asEncodeFailure(error)
      return Either.left(new SerializerError({ reason, message: `the value cannot be stored: ${message}` }))
    }
  },
  decode: (bytes, { types }) => {
    try {
      const { jsonAt, plan } = splitPlan(bytes)
      return Either.right(restore({ plan, json: open(bytes, jsonAt) }, types))
    } catch (error) {
      const reason = error instanceof DecodeFailure ? error.reason : "Malformed"
      return Either.left(new SerializerError({ reason, message: "the bytes are not what this serializer writes" }))
    }
  }
})

/**
 * Provides `messagePack`.
 *
 * @example
 * ```ts
 * import * as Layer from "effect/Layer"
 * import * as Compressed from "effect-prisma-cache/Serializer/Compressed"
 * import * as MessagePack from "effect-prisma-cache/Serializer/MessagePack"
 *
 * const SerializerLive = Compressed.layer().pipe(Layer.provide(MessagePack.layer))
 * ```
 *
 * @since 0.1.0
 * @category layers
 */
export const layer: Layer.Layer<Serializer> = Layer.succeed(Serializer, messagePack)
