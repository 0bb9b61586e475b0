/**
 * JSON text, and in front of it a *plan*: where in the text there are values that JSON does not know.
 *
 * A payload is UTF-8: the plan, a line feed, the text. The plan is JSON itself and has the shape of the value, with all
 * elements of an array merged into one:
 *
 * - `"d"`, `"n"`, `"b"`, `"f"`, `"u"`, `":code"`: a `Date`, a bigint, bytes, a number that JSON has no word for,
 *   `undefined`, an instance of a `ValueType`. A `null` beside them stands for itself.
 * - `{ key: plan }`: an object with something special under some keys
 * - `[plan]`: an array with something special in some elements; `[plan, { … }]`: there may be an object instead
 * - `"m"`: values of different kinds, each of which says itself what it is
 * - nothing at all: the text is the value
 *
 * Rows of one shape thus share one plan, and a plan that was met before is already compiled into a function.
 *
 * @internal
 */
import type { AnyValueType, ValueTypes } from "../Serializer.js"
import { DecodeFailure, EncodeFailure, maxDepth, tooDeep } from "./failure.js"
import { describe, isDense } from "./plainData.js"
import { fromBase64, fromUtf8, toBase64, toUtf8 } from "./text.js"

/** @internal */
export const id = "exact-1"

/** Objects and arrays in one value. Shared ones count each time, so that a small web cannot grow without end. */
const maxContainers = 1 << 22

// -----------------------------------------------------------------------------
// leaves
// -----------------------------------------------------------------------------

const unsupported = (what: string): EncodeFailure =>
  new EncodeFailure("Unsupported", `it holds ${what}; make that plain data, or give a ValueType for its class`)

const malformed = (): DecodeFailure => new DecodeFailure("Malformed")

const isJsonNumber = (value: number): boolean => value - value === 0 && (value !== 0 || 1 / value > 0)

const specialNumberName = (value: number): string => value === 0 ? "-0" : String(value)

const specialNumbers: ReadonlyMap<unknown, number> = new Map(
  [NaN, Infinity, -Infinity, -0].map((value) => [specialNumberName(value), value])
)

/** Milliseconds are read several times faster than a date's text. JSON has no word for the time of an invalid date. */
const encodeDate = (value: Date): number | false => {
  const time = value.getTime()
  return time === time && time
}

const typeOf = (types: ValueTypes, value: object): AnyValueType => {
  for (const type of types) if (type.is(value)) return type
  throw unsupported(describe(value))
}

const encodeTyped = (type: AnyValueType, value: object): string => {
  const text: unknown = type.encode(value)
  if (typeof text === "string") return text
  throw new EncodeFailure("Unsupported", `the ValueType ${type.code} answered with ${describe(text)}, not a string`)
}

/** Turns what the text holds, never `null`, into the value. */
type Revive = (json: unknown, types: ValueTypes) => unknown

const reviveDate: Revive = (json) => {
  if (typeof json === "number") return new Date(json)
  if (json === false) return new Date(NaN)
  throw malformed()
}

const reviveBigInt: Revive = (json) => {
  if (typeof json === "string") return BigInt(json)
  throw malformed()
}

const reviveBytes: Revive = (json) => {
  if (typeof json === "string") return fromBase64(json)
  throw malformed()
}

const reviveNumber: Revive = (json) => {
  if (typeof json === "number") return json
  const value = specialNumbers.get(json)
  if (value === undefined) throw malformed()
  return value
}

const reviveUndefined: Revive = () => undefined

const reviveTyped = (code: string): Revive => (json, types) => {
  if (typeof json !== "string") throw malformed()
  for (const type of types) if (type.code === code) return type.decode(json)
  throw new DecodeFailure("UnknownType")
}

// -----------------------------------------------------------------------------
// encoding
// -----------------------------------------------------------------------------

/** What was seen at a place, as bits. */
const Null = 1
const Plain = 2 // a string, a boolean
const JsonNumber = 4
const Container = 8
const SpecialNumber = 16
const DateBit = 32
const BigIntBit = 64
const Bytes = 128
const Undefined = 256
const Typed = 512
const Mixed = 1024

const Special = SpecialNumber | DateBit | BigIntBit | Bytes | Undefined | Typed | Mixed

/** The plan of a place where all values are of one kind, which need not say what they are. */
const leafPlan = (bits: number): string | undefined => {
  switch (bits & ~Null) {
    case DateBit:
      return '"d"'
    case BigIntBit:
      return '"n"'
    case Bytes:
      return '"b"'
    case SpecialNumber:
    case SpecialNumber | JsonNumber:
      return '"f"'
    case Undefined:
      return '"u"'
    default:
      return undefined
  }
}

/** A place in the shape of the value: a number as long as there are but leaves. */
type Place = number | Branch

interface Branch {
  bits: number
  /** The one code of the types seen here. */
  code: string
  /** The place of all elements, alone in a list: a place is reached by the list it is in and its index there. */
  elements: Array<Place> | undefined
  keys: Array<string>
  members: Array<Place>
  /** Where a key's place is, once objects with other keys have been met. */
  index: Map<string, number> | undefined
}

const noKeys: Array<string> = []
const noMembers: Array<Place> = []

const branchAt = (places: Array<Place>, i: number): Branch => {
  const place = places[i]!
  if (typeof place !== "number") return place
  const branch: Branch = {
    bits: place,
    code: "",
    elements: undefined,
    keys: noKeys,
    members: noMembers,
    index: undefined
  }
  places[i] = branch
  return branch
}

const mark = (places: Array<Place>, i: number, bit: number): void => {
  const place = places[i]!
  if (typeof place === "number") places[i] = place | bit
  else place.bits |= bit
}

const bitsAt = (places: Array<Place>, i: number): number => {
  const place = places[i]!
  return typeof place === "number" ? place : place.bits
}

/** Where the key's place is in a branch whose objects do not all have the same keys in the same order. */
const findMember = (branch: Branch, key: string): number => {
  branch.index ??= new Map(branch.keys.map((key, i) => [key, i]))
  const known = branch.index.get(key)
  if (known !== undefined) return known
  const i = branch.keys.length
  branch.index.set(key, i)
  branch.keys.push(key)
  branch.members.push(0)
  return i
}

/** Plain assignment to `__proto__` would set the prototype instead. */
const setMember = (object: Record<string, unknown>, key: string, value: unknown): void => {
  if (key === "__proto__") {
    Object.defineProperty(object, key, { value, writable: true, enumerable: true, configurable: true })
  } else object[key] = value
}

const isRecord = (value: object): value is Readonly<Record<string, unknown>> =>
  Object.getPrototypeOf(value) === Object.prototype

const isList = (value: object): value is ReadonlyArray<unknown> =>
  Object.getPrototypeOf(value) === Array.prototype && Array.isArray(value)

const isDate = (value: object): value is Date => Object.getPrototypeOf(value) === Date.prototype

const isBytes = (value: object): value is Uint8Array => Object.getPrototypeOf(value) === Uint8Array.prototype

class Encoder {
  containers = 0
  /** Whether a place turned out to be mixed after values there had been encoded as if it were not. */
  mixed = false
  readonly root: Array<Place> = [0]

  constructor(readonly types: ValueTypes) {}

  dissect(value: unknown): Dissected {
    const json = this.visit(value, this.root, 0, 0)
    const plan = this.plan(this.root, 0)
    if (!this.mixed) return { plan, json }
    this.containers = 0
    return { plan, json: this.visit(value, this.root, 0, 0) }
  }

  /** What JSON can hold for the value, itself if nothing in it is special. Notes in `places[i]` what it was. */
  visit(value: unknown, places: Array<Place>, i: number, depth: number): unknown {
    if ((bitsAt(places, i) & Mixed) !== 0) return this.tagged(value, depth)
    switch (typeof value) {
      case "string":
      case "boolean":
        mark(places, i, Plain)
        return value
      case "number":
        if (isJsonNumber(value)) {
          mark(places, i, JsonNumber)
          return value
        }
        mark(places, i, SpecialNumber)
        return specialNumberName(value)
      case "bigint":
        mark(places, i, BigIntBit)
        return String(value)
      case "undefined":
        mark(places, i, Undefined)
        return 0
      case "object":
        if (value === null) {
          mark(places, i, Null)
          return null
        }
        if (isRecord(value)) return this.visitRecord(value, branchAt(places, i), depth)
        if (isList(value)) return this.visitList(value, branchAt(places, i), depth)
        if (isDate(value)) {
          mark(places, i, DateBit)
          return encodeDate(value)
        }
        if (isBytes(value)) {
          mark(places, i, Bytes)
          return toBase64(value)
        }
        return this.visitInstance(value, branchAt(places, i))
      default:
        throw unsupported(describe(value))
    }
  }

  visitInstance(value: object, branch: Branch): string {
    const type = typeOf(this.types, value)
    branch.bits |= branch.code === "" || branch.code === type.code ? Typed : Mixed
    branch.code = type.code
    return encodeTyped(type, value)
  }

  visitRecord(value: Readonly<Record<string, unknown>>, branch: Branch, depth: number): unknown {
    this.enter(value, depth)
    branch.bits |= Container
    const keys = Object.keys(value)
    if (branch.keys.length === 0) {
      branch.keys = keys
      branch.members = new Array<Place>(keys.length).fill(0)
    }
    let copy: Record<string, unknown> | undefined
    let at = 0
    for (let i = 0; i < keys.length; i++) {
      const key = keys[i]!
      const member = value[key]
      if (branch.keys[at] !== key) at = findMember(branch, key)
      const json = this.visit(member, branch.members, at++, depth + 1)
      if (json !== member) {
        copy ??= { ...value }
        copy[key] = json // also for an own `__proto__`, as the spread has made it a member of the copy
      }
    }
    return copy ?? value
  }

  visitList(value: ReadonlyArray<unknown>, branch: Branch, depth: number): unknown {
    this.enter(value, depth)
    branch.bits |= Container
    const places = branch.elements ??= [0]
    let copy: Array<unknown> | undefined
    for (let i = 0; i < value.length; i++) {
      const element = value[i]
      const json = this.visit(element, places, 0, depth + 1)
      if (json !== element) {
        copy ??= value.slice()
        copy[i] = json
      }
    }
    return copy ?? value
  }

  /** The value in a form that says itself what it is: all but JSON's own scalars as a list that begins with a code. */
  tagged(value: unknown, depth: number): unknown {
    switch (typeof value) {
      case "string":
      case "boolean":
        return value
      case "number":
        return isJsonNumber(value) ? value : ["f", specialNumberName(value)]
      case "bigint":
        return ["n", String(value)]
      case "undefined":
        return ["u", 0]
      case "object": {
        if (value === null) return null
        if (isDate(value)) return ["d", encodeDate(value)]
        if (isBytes(value)) return ["b", toBase64(value)]
        if (isRecord(value)) {
          this.enter(value, depth)
          const tagged: Array<unknown> = ["o"]
          for (const key of Object.keys(value)) tagged.push(key, this.tagged(value[key], depth + 1))
          return tagged
        }
        if (isList(value)) {
          this.enter(value, depth)
          const tagged: Array<unknown> = ["a"]
          for (const element of value) tagged.push(this.tagged(element, depth + 1))
          return tagged
        }
        const type = typeOf(this.types, value)
        return [`:${type.code}`, encodeTyped(type, value)]
      }
      default:
        throw unsupported(describe(value))
    }
  }

  enter(value: object, depth: number): void {
    if (depth >= maxDepth) throw tooDeep()
    if (++this.containers > maxContainers) {
      throw new EncodeFailure("TooLarge", `it has more than ${maxContainers} objects and arrays`)
    }
    if (Object.getOwnPropertySymbols(value).length > 0) throw unsupported("an object with a symbol as a key")
    if (isList(value) && !isDense(value)) {
      throw unsupported("an array with holes or with further properties")
    }
  }

  /** The plan of a place as JSON, empty if there is nothing special. A place without a common plan becomes mixed. */
  plan(places: Array<Place>, i: number): string {
    const place = places[i]!
    const bits = bitsAt(places, i)
    if ((bits & Special) !== 0) {
      const leaf = typeof place !== "number" && (bits & ~Null) === Typed ? quoted(`:${place.code}`) : leafPlan(bits)
      if (leaf !== undefined) return leaf
      this.mixed = true
      mark(places, i, Mixed)
      return '"m"'
    }
    if (typeof place === "number") return ""
    const elements = place.elements === undefined ? "" : this.plan(place.elements, 0)
    let members = ""
    for (let j = 0; j < place.members.length; j++) {
      const member = this.plan(place.members, j)
      if (member !== "") members += `${members === "" ? "{" : ","}${quoted(place.keys[j]!)}:${member}`
    }
    if (elements === "") return members === "" ? "" : `${members}}`
    return members === "" ? `[${elements}]` : `[${elements},${members}}]`
  }
}

const harmless = /^[\w:]*$/
const quoted = (text: string): string => harmless.test(text) ? `"${text}"` : JSON.stringify(text)

/**
 * The value as JSON can hold it, and where in it there is what JSON does not know.
 *
 * @internal
 */
export interface Dissected {
  readonly plan: string
  /** Shares with the value what is not special. */
  readonly json: unknown
}

/**
 * Throws an `EncodeFailure` on what cannot be encoded, and whatever getters and `ValueType`s throw.
 *
 * @internal
 */
export const dissect = (value: unknown, types: ValueTypes): Dissected => new Encoder(types).dissect(value)

/**
 * Throws as `dissect` does.
 *
 * @internal
 */
export const encode = (value: unknown, types: ValueTypes): Uint8Array => {
  const { json, plan } = dissect(value, types)
  return toUtf8(`${plan}\n${JSON.stringify(json)}`)
}

// -----------------------------------------------------------------------------
// decoding
// -----------------------------------------------------------------------------

const isJsonRecord = (json: unknown): json is Record<string, unknown> =>
  typeof json === "object" && json !== null && !Array.isArray(json)

const isJsonList = (json: unknown): json is Array<unknown> => Array.isArray(json)

const reviveMixed = (json: unknown, types: ValueTypes, depth: number): unknown => {
  if (typeof json !== "object" || json === null) return json
  if (!isJsonList(json) || depth >= maxDepth) throw malformed()
  const code = json[0]
  if (code === "a") return json.slice(1).map((element) => reviveMixed(element, types, depth + 1))
  if (code === "o") {
    const record: Record<string, unknown> = {}
    for (let i = 1; i < json.length; i += 2) {
      const key = json[i]
      if (typeof key !== "string") throw malformed()
      setMember(record, key, reviveMixed(json[i + 1], types, depth + 1))
    }
    return record
  }
  if (typeof code !== "string" || code === "m") throw malformed()
  return reviveLeaf(code)(json[1], types)
}

const reviveLeaf = (code: string): Revive => {
  switch (code) {
    case "d":
      return reviveDate
    case "n":
      return reviveBigInt
    case "b":
      return reviveBytes
    case "f":
      return reviveNumber
    case "u":
      return reviveUndefined
    case "m":
      return (json, types) => reviveMixed(json, types, 0)
    default:
      if (!code.startsWith(":")) throw malformed()
      return reviveTyped(code.slice(1))
  }
}

/** Revives in place: the text was parsed for this caller alone, and the order of its keys is the value's. */
const reviveElements = (revive: Revive): Revive => (json, types) => {
  if (!isJsonList(json)) return json
  for (let i = 0; i < json.length; i++) if (json[i] !== null) json[i] = revive(json[i], types)
  return json
}

const reviveMembers = (plan: Readonly<Record<string, unknown>>, depth: number): Revive => {
  const members = Object.keys(plan).map((key) => ({
    key,
    // What every object inherits would be taken for a member of those that have none of that name.
    inherited: key in Object.prototype,
    revive: compile(plan[key], depth + 1)
  }))
  return (json, types) => {
    if (!isJsonRecord(json)) return json
    for (const { inherited, key, revive } of members) {
      const member = json[key]
      if (member === undefined || member === null || (inherited && !Object.hasOwn(json, key))) continue
      json[key] = revive(member, types) // also an own `__proto__`: assignment finds that before the inherited one
    }
    return json
  }
}

const compile = (plan: unknown, depth: number): Revive => {
  if (depth > maxDepth) throw malformed()
  if (typeof plan === "string") return reviveLeaf(plan)
  if (isJsonRecord(plan)) return reviveMembers(plan, depth)
  if (!isJsonList(plan) || plan.length === 0 || plan.length > 2) throw malformed()
  const elements = reviveElements(compile(plan[0], depth + 1))
  if (plan.length === 1) return elements
  if (!isJsonRecord(plan[1])) throw malformed()
  const members = reviveMembers(plan[1], depth)
  return (json, types) => isJsonList(json) ? elements(json, types) : members(json, types)
}

const maxPlans = 1_000
const maxPlanLength = 4_096
const plans = new Map<string, Revive>()

const compiled = (text: string): Revive => {
  const known = plans.get(text)
  if (known !== undefined) return known
  const revive = compile(JSON.parse(text), 0)
  if (text.length <= maxPlanLength) {
    if (plans.size >= maxPlans) plans.clear()
    plans.set(text, revive)
  }
  return revive
}

const lineFeed = 10

/**
 * Splits bytes that begin with a plan.
 *
 * @internal
 */
export const splitPlan = (bytes: Uint8Array): { readonly plan: string; readonly jsonAt: number } => {
  const end = bytes.indexOf(lineFeed)
  if (end === -1) throw malformed()
  // Read as a string of its own: a slice of the whole text would keep all of it alive in the map.
  return { plan: end === 0 ? "" : fromUtf8(bytes, 0, end), jsonAt: end + 1 }
}

/**
 * The value again, made out of the JSON itself. Throws on what `dissect` did not make, or gives another value.
 *
 * @internal
 */
export const restore = ({ json, plan }: Dissected, types: ValueTypes): unknown =>
  plan === "" || json === null ? json : compiled(plan)(json, types)

/**
 * Throws on bytes that `encode` did not make, or gives another value.
 *
 * @internal
 */
export const decode = (bytes: Uint8Array, types: ValueTypes): unknown => {
  const { jsonAt, plan } = splitPlan(bytes)
  return restore({ plan, json: JSON.parse(fromUtf8(bytes, jsonAt)) }, types)
}
