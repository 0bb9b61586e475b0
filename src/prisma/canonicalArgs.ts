import { lengthPrefixed, literal, Part, skipped } from "../internal/canonical.js"
import type { Flavour, Mode } from "../internal/canonical.js"
import { EncodeFailure } from "../internal/failure.js"
import { describe } from "../internal/plainData.js"

// -----------------------------------------------------------------------------
// where the order of keys makes no difference
// -----------------------------------------------------------------------------

/** Operators whose operand may be the user's own JSON, in which the order of keys may count and no key is a keyword. */
const operators = [
  "equals",
  "not",
  "in",
  "notIn",
  "lt",
  "lte",
  "gt",
  "gte",
  "has",
  "hasEvery",
  "hasSome",
  "path",
  "string_contains",
  "string_starts_with",
  "string_ends_with",
  "array_contains",
  "array_starts_with",
  "array_ends_with",
  "set"
]

const modeOfArgs = (sorted: boolean): Mode => {
  // Conditions are ANDed, whatever their order.
  const conditions: Mode = {
    sorted,
    keepsAbsent: false,
    next: new Map(operators.map((operator) => [operator, literal]))
  }
  const args: Mode = {
    sorted,
    keepsAbsent: false,
    get next() {
      return nextOfArgs
    },
    otherwise: literal
  }
  // The order of a selection's keys is the order of the result's. An `undefined` or skipped key of it is not the same
  // as none: in `omit` it overrides the client-wide `omit`, and in `select` a skipped one still asks for what a
  // computed field needs.
  const selection: Mode = { sorted: false, keepsAbsent: true, next: new Map(), otherwise: args }
  const nextOfArgs = new Map([
    ["where", conditions],
    ["cursor", conditions],
    ["having", conditions],
    ["select", selection],
    ["include", selection],
    ["omit", selection]
  ])
  return args
}

// -----------------------------------------------------------------------------
// Prisma's own values
// -----------------------------------------------------------------------------

const read = (value: object, name: string): unknown => Reflect.get(value, name)

const hasMethod = (value: object, name: string): boolean => typeof read(value, name) === "function"

const hasGetter = (prototype: object, name: string): boolean =>
  Object.getOwnPropertyDescriptor(prototype, name)?.get !== undefined

const unknownValue = (): EncodeFailure =>
  new EncodeFailure("Unsupported", "it holds one of Prisma's own values in a form that is not known here")

const textOf = (value: unknown): string => {
  if (typeof value !== "string") throw unknownValue()
  return lengthPrefixed(value)
}

const answerOf = (value: object, method: string): unknown => {
  const call = read(value, method)
  return typeof call === "function" ? Reflect.apply(call, value, []) : undefined
}

/** As Prisma tells a `Decimal`, of whatever copy of the library. */
const isDecimal = (value: object): boolean =>
  hasMethod(value, "toFixed") &&
  (read(value, "toStringTag") === "[object Decimal]" ||
    (typeof read(value, "s") === "number" && typeof read(value, "e") === "number" && Array.isArray(read(value, "d"))))

type Encode = (value: object, encode: (part: unknown) => string) => string

/**
 * How the instances of one of Prisma's classes are written. The classes are minified and there may be several copies of
 * each, so they are known by what they can do.
 */
const encoderOf = (prototype: object): Encode | undefined => {
  const own = Object.getOwnPropertyNames(prototype)
  if (own.length === 2 && own.includes("constructor") && own.includes("ifUndefined")) return () => skipped
  if (hasMethod(prototype, "_toGraphQLInputType")) {
    return (fieldRef) => `F${textOf(read(fieldRef, "modelName"))}${textOf(read(fieldRef, "name"))}`
  }
  if (hasMethod(prototype, "_getName") && hasMethod(prototype, "_getNamespace")) {
    return (nullType) => `N${textOf(answerOf(nullType, "_getName"))}`
  }
  if (hasGetter(prototype, "sql") && hasGetter(prototype, "statement")) {
    return (sql, encode) => `Q${encode(read(sql, "strings"))}${encode(read(sql, "values"))}`
  }
  if (hasGetter(prototype, "sql") && hasGetter(prototype, "values")) {
    return (typedSql, encode) => `T${encode(read(typedSql, "sql"))}${encode(read(typedSql, "values"))}`
  }
  return undefined
}

const encoders = new WeakMap<object, Encode | false>()

const knownEncoder = (value: object): Encode | false => {
  const prototype: unknown = Object.getPrototypeOf(value)
  if (typeof prototype !== "object" || prototype === null || prototype === Object.prototype) return false
  const known = encoders.get(prototype)
  if (known !== undefined) return known
  const encoder = encoderOf(prototype) ?? false
  encoders.set(prototype, encoder)
  return encoder
}

/** Prisma copies arguments member by member before hooks see them: what is not enumerable does not survive that. */
const keepsToJson = (value: object): boolean => {
  for (const key in value) if (key === "toJSON") return true
  return false
}

const instance: Flavour["instance"] = (value, encode) => {
  if (isDecimal(value)) return `D${textOf(answerOf(value, "toFixed"))}`
  const encoder = knownEncoder(value)
  if (encoder) return encoder(value, encode)
  if (hasMethod(value, "toJSON") && !keepsToJson(value)) {
    throw new EncodeFailure("Unsupported", `it holds ${describe(value)}, whose toJSON Prisma does not ask`)
  }
  return undefined
}

// -----------------------------------------------------------------------------
// the part of a key
// -----------------------------------------------------------------------------

const flavour = (mode: Mode, keepsUndefined: boolean): Flavour => ({
  mode,
  keepsUndefined,
  strict: false,
  literalBy: "$type",
  instance
})

const flavoursOf = (mode: Mode) => ({ loose: flavour(mode, false), strict: flavour(mode, true) })

const flavours = {
  sorted: flavoursOf(modeOfArgs(true)),
  ordered: flavoursOf(modeOfArgs(false)),
  raw: flavoursOf(literal)
}

/**
 * The arguments of a Prisma query as a part of a `CacheKey`, told apart as Prisma's own protocol tells them: `JsonNull`
 * is not `DbNull`, `1` is not `"1"`, a field reference is not a string, and neither a number nor a string is a
 * `Decimal`. `undefined` and `Prisma.skip` are left out where Prisma leaves them out.
 *
 * The order of keys is ignored for the arguments themselves and in `where`, `cursor` and `having`, at any depth, but
 * not inside the JSON that operators such as `equals` take. Everywhere else it counts.
 *
 * @internal
 */
export const canonicalArgs = (
  args: unknown,
  options?: {
    /** With this preview feature `undefined` is an error, which no cached answer may hide. Default `false`. */
    readonly strictUndefinedChecks?: boolean | undefined
    /** The order of keys counts in conditions too, as in MongoDB, which compares documents by it. Default `false`. */
    readonly ordered?: boolean | undefined
  }
): Part => {
  // Raw queries have a list of parameters for arguments.
  const kind = Array.isArray(args) ? "raw" : options?.ordered === true ? "ordered" : "sorted"
  return new Part(args ?? {}, flavours[kind][options?.strictUndefinedChecks === true ? "strict" : "loose"])
}
