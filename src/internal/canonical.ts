/**
 * Values as text, such that different values have different texts, whatever is in them.
 *
 * Each value begins with a letter for its type, and says itself where it ends: strings and keys by their length,
 * numbers by a `;`, which no number contains, arrays and objects by a bracket, which no value and no key begins with.
 *
 * | text | of |
 * | --- | --- |
 * | `z` `t` `f` `u` | `null`, `true`, `false`, `undefined` |
 * | `n1.5;` | a number; `-0` and `NaN` are numbers of their own |
 * | `s2:ab` | a string |
 * | `i12;` | a bigint |
 * | `d0;` | a `Date`, by its time |
 * | `b4:AQI=` | bytes, of whatever view |
 * | `[…]` | an array |
 * | `{1:az}` | an object: keys and values by turns |
 * | `jz` | an object that has `toJSON`: what that answers |
 * | `~z` | a `Part`: its value in its own flavour |
 *
 * Upper case and `k` are left to the flavours.
 *
 * @internal
 */
import { EncodeFailure, maxDepth, tooDeep } from "./failure.js"
import { describe, isDense } from "./plainData.js"
import { toBase64 } from "./text.js"

/**
 * What the order of an object's keys means, which may change from level to level.
 *
 * @internal
 */
export interface Mode {
  /** Keys are sorted. Only right where their order cannot make a difference. */
  readonly sorted: boolean
  /** A member that is `undefined` or skipped is not the same as none. */
  readonly keepsAbsent: boolean
  /** The mode of the members under these keys. */
  readonly next: ReadonlyMap<string, Mode>
  /** The mode of the other members. Left out: this mode. */
  readonly otherwise?: Mode
}

const nowhere: ReadonlyMap<string, Mode> = new Map()

const sorted: Mode = { sorted: true, keepsAbsent: false, next: nowhere }

/** @internal */
export const literal: Mode = { sorted: false, keepsAbsent: false, next: nowhere }

/** @internal */
export interface Flavour {
  readonly mode: Mode
  /** `undefined` members are kept everywhere. */
  readonly keepsUndefined: boolean
  /** Symbols as keys and further properties of arrays are refused, not ignored. */
  readonly strict: boolean
  /** An object with something true under this key is literal as a whole. */
  readonly literalBy: string | undefined
  /** The text of an object of a class or with methods; `undefined` if it is nothing special. No dates, no bytes. */
  readonly instance: (value: object, encode: (part: unknown) => string) => string | undefined
}

/**
 * A part of a value that has a flavour of its own.
 *
 * @internal
 */
export class Part {
  constructor(readonly value: unknown, readonly flavour: Flavour) {}
}

/**
 * The text of a member that is left out, like `undefined`, where the mode allows.
 *
 * @internal
 */
export const skipped = "k"

const omitted = "u"

const plain: Flavour = {
  mode: sorted,
  keepsUndefined: false,
  strict: true,
  literalBy: undefined,
  instance: () => undefined
}

/** Characters in one text. Shared parts count each time, so that a small web of objects cannot grow without end. */
const maxLength = 1 << 24

/** @internal */
export const lengthPrefixed = (text: string): string => `${text.length}:${text}`

/**
 * Throws an `EncodeFailure` on what has no value of its own to tell it by: functions, symbols, and instances of classes
 * that have no `toJSON`; also whatever getters and `toJSON` throw.
 *
 * @internal
 */
export const canonical = (value: unknown, flavour: Flavour = plain): string => encode(value, flavour.mode, flavour, 0)

const encode = (value: unknown, mode: Mode, flavour: Flavour, depth: number): string => {
  switch (typeof value) {
    case "string":
      return `s${value.length}:${value}`
    case "number":
      return value === 0 && 1 / value < 0 ? "n-0;" : `n${value};`
    case "boolean":
      return value ? "t" : "f"
    case "undefined":
      return omitted
    case "bigint":
      return `i${value};`
    case "object":
      if (value === null) return "z"
      if (depth >= maxDepth) throw tooDeep()
      if (isRecord(value)) return encodeRecord(value, mode, flavour, depth)
      if (isList(value)) return encodeList(value, mode, flavour, depth)
      return encodeInstance(value, flavour, depth)
    default:
      throw unsupported(describe(value))
  }
}

const encodeRecord = (
  value: Readonly<Record<string, unknown>>,
  given: Mode,
  flavour: Flavour,
  depth: number
): string => {
  if (flavour.strict && Object.getOwnPropertySymbols(value).length > 0) throw unsupported("a symbol")
  const mode = flavour.literalBy !== undefined && value[flavour.literalBy] ? literal : given
  const keys = Object.keys(value)
  if (mode.sorted && keys.length > 1) keys.sort()
  let text = "{"
  for (const key of keys) {
    const member = value[key]
    if (typeof member === "function") return encodeInstance(value, flavour, depth)
    const next = mode.next.get(key) ?? mode.otherwise ?? mode
    const encoded = encode(member, next, flavour, depth + 1)
    if (encoded === omitted && !mode.keepsAbsent && !flavour.keepsUndefined) continue
    if (encoded === skipped && !mode.keepsAbsent && !next.keepsAbsent) continue
    text += `${key.length}:${key}${encoded}`
  }
  return bounded(`${text}}`)
}

const encodeList = (value: ReadonlyArray<unknown>, mode: Mode, flavour: Flavour, depth: number): string => {
  if (flavour.strict && !isDense(value)) {
    throw new EncodeFailure("Unsupported", "it holds an array with holes or with further properties")
  }
  let text = "["
  for (let i = 0; i < value.length; i++) text += encode(value[i], mode, flavour, depth + 1)
  return bounded(`${text}]`)
}

const encodeInstance = (value: object, flavour: Flavour, depth: number): string => {
  if (isDate(value)) return `d${value.getTime()};`
  if (ArrayBuffer.isView(value)) {
    return `b${lengthPrefixed(toBase64(new Uint8Array(value.buffer, value.byteOffset, value.byteLength)))}`
  }
  if (value instanceof Part) return `~${encode(value.value, value.flavour.mode, value.flavour, depth)}`
  const special = flavour.instance(value, (part) => encode(part, literal, flavour, depth + 1))
  if (special !== undefined) return special
  if (!hasToJson(value)) throw unsupported(isRecord(value) ? "a function" : describe(value))
  const text = `j${encode(value.toJSON(), literal, flavour, depth + 1)}`
  // Effect's secrets all have the same JSON: two tenants told apart by them would share a key.
  if (text.includes(redacted)) {
    throw new EncodeFailure("Unsupported", "it holds a redacted value; unwrap that, or tell it by something else")
  }
  return text
}

const redacted = "s10:<redacted>"

const bounded = (text: string): string => {
  if (text.length > maxLength) throw new EncodeFailure("TooLarge", `it is longer than ${maxLength} characters`)
  return text
}

const unsupported = (what: string): EncodeFailure =>
  new EncodeFailure("Unsupported", `it holds ${what}, which has no value to tell it by; use plain data instead`)

/** Also those of another realm, and those without a prototype. */
const isRecord = (value: object): value is Readonly<Record<string, unknown>> => {
  const prototype: unknown = Object.getPrototypeOf(value)
  if (prototype === Object.prototype || prototype === null) return true
  return typeof prototype === "object" && Object.hasOwn(prototype, "isPrototypeOf") &&
    Object.getPrototypeOf(prototype) === null
}

const isList = (value: object): value is ReadonlyArray<unknown> => Array.isArray(value)

const isDate = (value: object): value is Date =>
  value instanceof Date || Object.prototype.toString.call(value) === "[object Date]"

const hasToJson = (value: object): value is { readonly toJSON: () => unknown } =>
  "toJSON" in value && typeof value.toJSON === "function"
