/**
 * Private copies of a value that was decoded once. What has to be copied, and how, is found out once for the whole
 * value, rows of one shape together; after that a copy costs a fraction of reading it anew.
 */
import type { AnyValueType, ValueTypes } from "../Serializer.js"
import { maxDepth } from "./failure.js"

/** What is found at one place of the value, in all rows. What is no object is copied as it is, beside anything. */
type Place =
  | { readonly _tag: "Plain" | "Date" | "Bytes" | "Any" }
  | { readonly _tag: "Typed"; readonly type: AnyValueType }
  | { readonly _tag: "List"; readonly elements: Place }
  | { readonly _tag: "Record"; readonly members: ReadonlyMap<string, Place> }

const plain: Place = { _tag: "Plain" }
const date: Place = { _tag: "Date" }
const bytes: Place = { _tag: "Bytes" }
const any: Place = { _tag: "Any" }

/** With more names than that at one place they are no columns. */
const maxMembers = 200

/** More objects than that are not looked through. */
const maxObjects = 1 << 20

type Members = Readonly<Record<string, unknown>>

const isObject = (value: unknown): value is object => typeof value === "object" && value !== null

const merge = (one: Place, other: Place): Place => {
  if (one === other || other._tag === "Plain") return one
  if (one._tag === "Plain") return other
  if (one._tag === "List" && other._tag === "List") {
    const elements = merge(one.elements, other.elements)
    return elements === one.elements ? one : { _tag: "List", elements }
  }
  if (one._tag === "Record" && other._tag === "Record") {
    let members: Map<string, Place> | undefined
    for (const [name, place] of other.members) {
      const known = one.members.get(name) ?? plain
      const merged = merge(known, place)
      if (merged !== known) members = (members ?? new Map(one.members)).set(name, merged)
    }
    return members === undefined ? one : members.size > maxMembers ? any : { _tag: "Record", members }
  }
  return one._tag === "Typed" && other._tag === "Typed" && one.type === other.type ? one : any
}

/** There is no telling how to copy something. */
class Uncopyable extends Error {}

const noMembers: Place = { _tag: "Record", members: new Map() }

class Survey {
  bytes = 0
  private objects = 0

  constructor(readonly types: ValueTypes) {}

  place(value: unknown, depth: number): Place {
    if (typeof value === "string") this.bytes += 16 + value.length
    if (typeof value === "number" || typeof value === "bigint") this.bytes += 16
    if (!isObject(value)) return plain
    if (depth >= maxDepth || ++this.objects > maxObjects) throw new Uncopyable()
    const prototype: unknown = Object.getPrototypeOf(value)
    if (prototype === Object.prototype) return this.record(value as Members, depth)
    if (prototype === Array.prototype) return this.list(value as ReadonlyArray<unknown>, depth)
    if (prototype === Date.prototype) {
      this.bytes += 100
      return date
    }
    if (prototype === Uint8Array.prototype) {
      this.bytes += 200 + (value as Uint8Array).length
      return bytes
    }
    const type = this.types.find((one) => one.is(value))
    if (type === undefined) throw new Uncopyable()
    this.bytes += 150
    return { _tag: "Typed", type }
  }

  private list(value: ReadonlyArray<unknown>, depth: number): Place {
    this.bytes += 32 + 8 * value.length
    let elements: Place = plain
    for (const element of value) elements = merge(elements, this.place(element, depth + 1))
    return { _tag: "List", elements }
  }

  private record(value: Members, depth: number): Place {
    let members: Map<string, Place> | undefined
    const names = Object.keys(value)
    this.bytes += 24 + 8 * names.length
    for (const name of names) {
      const place = this.place(value[name], depth + 1)
      if (place !== plain) members = (members ?? new Map<string, Place>()).set(name, place)
    }
    return members === undefined ? noMembers : { _tag: "Record", members }
  }
}

/** Copies an object that was found at a place. */
type Copy = (value: object) => unknown

const copyOf = (place: Place, types: ValueTypes): Copy => {
  switch (place._tag) {
    case "Date":
      return (value) => new Date((value as Date).getTime())
    case "Bytes":
      return (value) => new Uint8Array(value as Uint8Array)
    case "Typed": {
      const { type } = place
      const copy = type.copy?.bind(type)
      return copy ?? ((value) => type.decode(type.encode(value)))
    }
    case "List": {
      if (place.elements._tag === "Plain") return (value) => (value as ReadonlyArray<unknown>).slice()
      const copy = copyOf(place.elements, types)
      return (value) => {
        const list = value as ReadonlyArray<unknown>
        const made = new Array<unknown>(list.length)
        for (let i = 0; i < list.length; i++) {
          const element = list[i]
          made[i] = isObject(element) ? copy(element) : element
        }
        return made
      }
    }
    case "Record": {
      const names = Array.from(place.members.keys())
      const copies = Array.from(place.members.values(), (member) => copyOf(member, types))
      const isInherited = names.map((name) => name in Object.prototype)
      return (value) => {
        const made: Record<string, unknown> = { ...value as Members }
        for (let i = 0; i < names.length; i++) {
          const name = names[i]!
          const member = made[name]
          if (!isObject(member) || (isInherited[i] === true && !Object.hasOwn(made, name))) continue
          made[name] = copies[i]!(member) // also an own `__proto__`, as the spread has made it a member of the copy
        }
        return made
      }
    }
    default:
      return (value) => copyOf(new Survey(types).place(value, 0), types)(value)
  }
}

/**
 * How values of a shape are copied, which many values have in common.
 *
 * @internal
 */
export interface Copier {
  readonly copy: (value: unknown) => unknown
  readonly types: ValueTypes
}

/** More shapes than that are not remembered. */
const maxShapes = 1_000

/** The copiers of values with these types, by what says all of a shape. */
const copiers = new WeakMap<ValueTypes, Map<string, Copier>>()

const shapeOf = (place: Place, types: ValueTypes): string => {
  switch (place._tag) {
    case "Typed":
      return `T${types.indexOf(place.type)};`
    case "List":
      return `[${shapeOf(place.elements, types)}]`
    case "Record": {
      let text = "{"
      for (const [name, member] of place.members) text += `${name.length}:${name}${shapeOf(member, types)}`
      return `${text}}`
    }
    default:
      return place._tag.slice(0, 1)
  }
}

const copierOf = (place: Place, types: ValueTypes): Copier => {
  const known = copiers.get(types) ?? new Map<string, Copier>()
  copiers.set(types, known)
  const shape = shapeOf(place, types)
  const found = known.get(shape)
  if (found !== undefined) return found
  const copy = copyOf(place, types)
  const made: Copier = { types, copy: (value) => isObject(value) ? copy(value) : value }
  if (known.size < maxShapes) known.set(shape, made)
  return made
}

/**
 * What copies a value, and about how much memory that takes. `undefined` where there is something in it that cannot be
 * copied.
 *
 * @internal
 */
export const makeCopier = (
  value: unknown,
  types: ValueTypes
): { readonly copier: Copier; readonly bytes: number } | undefined => {
  try {
    const survey = new Survey(types)
    const copier = copierOf(survey.place(value, 0), types)
    return { copier, bytes: survey.bytes }
  } catch {
    return undefined
  }
}
