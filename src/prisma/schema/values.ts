/**
 * How databases compare the values of a unique column. A column has a form only where it is certain that a row is found
 * by values of one form alone: that of the value in the row.
 */
import { isWellFormed, toBase64 } from "../../internal/text.js"
import type { ValueForm } from "./model.js"

const integer: ValueForm = (value) => {
  if (typeof value === "number") {
    if (Number.isSafeInteger(value)) return String(value)
    return Number.isInteger(value) ? String(BigInt(value)) : undefined
  }
  if (typeof value === "bigint") return String(value)
  return typeof value === "string" && /^-?\d+$/.test(value) ? String(BigInt(value)) : undefined
}

/** Halves of surrogate pairs do not survive the way to the database: several texts would find the same row. */
const text: ValueForm = (value) => typeof value === "string" && isWellFormed(value) ? value : undefined

const boolean: ValueForm = (value) => typeof value === "boolean" ? String(value) : undefined

const uuid: ValueForm = (value) => {
  if (typeof value !== "string") return undefined
  const digits = value.replace(/[-{}]/g, "").toLowerCase()
  return /^[0-9a-f]{32}$/.test(digits) ? digits : undefined
}

const objectId: ValueForm = (value) =>
  typeof value === "string" && /^[0-9a-fA-F]{24}$/.test(value) ? value.toLowerCase() : undefined

/** Dates of other realms too. */
const isDate = (value: unknown): value is Date =>
  value instanceof Date || Object.prototype.toString.call(value) === "[object Date]"

/** Fractions of milliseconds are dropped: a result does not have them. */
const instant: ValueForm = (value) => {
  const time = typeof value === "string" ? Date.parse(value) : isDate(value) ? value.getTime() : NaN
  return Number.isNaN(time) ? undefined : String(time)
}

const bytes: ValueForm = (value) =>
  ArrayBuffer.isView(value) ? toBase64(new Uint8Array(value.buffer, value.byteOffset, value.byteLength)) : undefined

const decimalLiteral = /^([+-]?)(\d*)(?:\.(\d*))?(?:e([+-]?\d{1,6}))?$/i

/** As digits without zeros at either end, and the power of ten to multiply them by. */
const decimalText = (literal: string): string | undefined => {
  const found = decimalLiteral.exec(literal)
  if (found === null) return undefined
  const [, sign, whole = "", fraction = "", exponent = "0"] = found
  const all = whole + fraction
  if (all === "") return undefined
  const digits = all.replace(/^0+/, "").replace(/0+$/, "")
  if (digits === "") return "0"
  const zeros = all.length - all.replace(/0+$/, "").length
  return `${sign === "-" ? "-" : ""}${digits}e${Number(exponent) - fraction.length + zeros}`
}

/** As Prisma tells a `Decimal`, of whatever copy of the library. */
const isDecimal = (value: object): value is { readonly toFixed: () => string } =>
  "toFixed" in value && typeof value.toFixed === "function" && "s" in value && "e" in value && "d" in value

const decimal: ValueForm = (value) => {
  if (typeof value === "string") return decimalText(value)
  if (typeof value === "number" || typeof value === "bigint") return decimalText(String(value))
  return typeof value === "object" && value !== null && isDecimal(value) ? decimalText(value.toFixed()) : undefined
}

/** A column's type in Prisma and in the database: `""` where the schema names none. */
interface Column {
  readonly type: string
  readonly native: string
  /** The first argument of the native type. */
  readonly size: string | undefined
}

type Forms = Readonly<Record<string, (column: Column) => ValueForm | undefined>>

const only = (form: ValueForm, ...natives: ReadonlyArray<string>) => ({ native }: Column): ValueForm | undefined =>
  natives.includes(native) ? form : undefined

/** Where less than milliseconds are kept, a value finds rows that hold another one. */
const instants = (unsized: ReadonlyArray<string>, sized: ReadonlyArray<string>) => ({ native, size }: Column) =>
  (size === undefined ? unsized.includes(native) : sized.includes(native) && Number(size) >= 3) ? instant : undefined

/** The first of the forms that knows the column. */
const either = (...forms: ReadonlyArray<(column: Column) => ValueForm | undefined>) => (column: Column) => {
  for (const form of forms) {
    const known = form(column)
    if (known !== undefined) return known
  }
  return undefined
}

/**
 * The native types whose comparison is exact, by provider. What is not listed is compared loosely or not known to be
 * compared exactly: `citext` and collations, padded `char`, `inet`, dates without a time, rounded fractions, floats.
 */
const providers: Readonly<Record<string, Forms>> = {
  postgresql: {
    Int: only(integer, "", "Integer", "SmallInt", "Oid"),
    BigInt: only(integer, "", "BigInt"),
    String: either(only(text, "", "Text", "VarChar"), only(uuid, "Uuid")),
    Boolean: only(boolean, "", "Boolean"),
    DateTime: instants(["", "Timestamp", "Timestamptz"], ["Timestamp", "Timestamptz"]),
    Decimal: only(decimal, "", "Decimal"),
    Bytes: only(bytes, "", "ByteA")
  },
  cockroachdb: {
    Int: only(integer, "", "Int2", "Int4", "Int8"),
    BigInt: only(integer, "", "Int8"),
    String: either(only(text, "", "String"), only(uuid, "Uuid")),
    Boolean: only(boolean, "", "Bool"),
    DateTime: instants(["", "Timestamp", "Timestamptz"], ["Timestamp", "Timestamptz"]),
    Decimal: only(decimal, "", "Decimal"),
    Bytes: only(bytes, "", "Bytes")
  },
  sqlite: {
    Int: only(integer, ""),
    BigInt: only(integer, ""),
    String: only(text, ""),
    Boolean: only(boolean, ""),
    DateTime: instants([""], []),
    Bytes: only(bytes, "")
  },
  mysql: {
    Int: only(integer, "", "Int", "SmallInt", "MediumInt", "UnsignedInt", "UnsignedSmallInt", "UnsignedMediumInt"),
    BigInt: only(integer, "", "BigInt", "UnsignedBigInt"),
    Boolean: only(boolean, "", "TinyInt"),
    DateTime: instants([""], ["DateTime"])
  },
  sqlserver: {
    Int: only(integer, "", "Int", "SmallInt", "TinyInt"),
    BigInt: only(integer, "", "BigInt"),
    String: only(uuid, "UniqueIdentifier"),
    Boolean: only(boolean, "", "Bit"),
    DateTime: instants(["", "DateTime2"], ["DateTime2"])
  },
  mongodb: {
    Int: only(integer, "", "Int", "Long"),
    BigInt: only(integer, "", "Long"),
    String: either(only(text, "", "String"), only(objectId, "ObjectId")),
    Boolean: only(boolean, "", "Bool"),
    DateTime: instants(["", "Date"], [])
  }
}

/**
 * The form of a column's values; `undefined` where the comparison is loose or unknown.
 *
 * @internal
 */
export const formOf = (provider: string | undefined, column: Column, isEnum: boolean): ValueForm | undefined => {
  const known = provider === "postgres" ? "postgresql" : provider
  const forms = known !== undefined && Object.hasOwn(providers, known) ? providers[known] : undefined
  if (forms === undefined) return undefined
  if (isEnum) return text
  return Object.hasOwn(forms, column.type) ? forms[column.type]?.(column) : undefined
}
