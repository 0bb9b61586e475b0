/**
 * What was given as the place where entries are kept, told by its shape: other copies of a package have other classes.
 */
import { isFields, isFunction } from "./checks.js"
import type { AnyKeyv, ValkeyClientLike } from "./options.js"

const layerTypeId = Symbol.for("effect/Layer")

/** @internal */
export const isLayer = (value: unknown): boolean => isFields(value) && layerTypeId in value

/** @internal */
export const cacheKind = (
  cache: unknown
): "url" | "options" | "client" | "keyv on Valkey" | "keyv" | "layer" | undefined => {
  if (typeof cache === "string") return /^(valkeys?|rediss?):\/\//.test(cache) ? "url" : undefined
  if (!isFields(cache)) return undefined
  if ("defineCommand" in cache && typeof cache["status"] === "string") return "client"
  if (isLayer(cache)) return "layer"
  if (keyvClient(cache) !== undefined) return "keyv on Valkey"
  if (isKeyv(cache)) return "keyv"
  const prototype: unknown = Object.getPrototypeOf(cache)
  // A class instance that is none of the above is something else, such as a Map.
  return (prototype === Object.prototype || prototype === null) && !("opts" in cache) ? "options" : undefined
}

/**
 * Whether it is a Keyv, or a store made for one, which has options.
 *
 * @internal
 */
export const isKeyv = (cache: unknown): cache is AnyKeyv =>
  isFields(cache) && "opts" in cache && ["get", "set", "delete"].every((name) => isFunction(cache[name]))

/**
 * The Valkey client inside a Keyv store or a Keyv, if there is one.
 *
 * @internal
 */
export const keyvClient = (cache: unknown): ValkeyClientLike | undefined => {
  if (!isFields(cache)) return undefined
  const opts = cache["opts"]
  const candidates = [
    cache["redis"],
    isFields(cache["store"]) ? cache["store"]["redis"] : undefined,
    isFields(opts) && isFields(opts["store"]) ? opts["store"]["redis"] : undefined
  ]
  return candidates.find((client) => cacheKind(client) === "client") as ValkeyClientLike | undefined
}
