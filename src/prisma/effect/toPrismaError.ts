/**
 * From what a client rejects a query with to the error that stands for it: by Prisma's code, else by what the driver or
 * the database says.
 */
import {
  CheckConstraint,
  ConnectionFailed,
  ForeignKeyConstraint,
  NullConstraint,
  RecordNotFound,
  Timeout,
  TransactionConflict,
  TransactionExpired,
  UniqueConstraint,
  UnknownPrismaError,
  ValidationError
} from "./errors.js"
import type { Details, PrismaError, Tags } from "./errors.js"

type Tag = PrismaError["_tag"]

const byCode: { readonly [code: string]: Tag } = {
  P1000: "ConnectionFailed",
  P1001: "ConnectionFailed",
  P1002: "Timeout",
  P1003: "ConnectionFailed",
  P1008: "Timeout",
  P1010: "ConnectionFailed",
  P1011: "ConnectionFailed",
  P1017: "ConnectionFailed",
  P1018: "TransactionExpired",
  P2000: "ValidationError",
  P2001: "RecordNotFound",
  P2002: "UniqueConstraint",
  P2003: "ForeignKeyConstraint",
  P2004: "CheckConstraint",
  P2005: "ValidationError",
  P2006: "ValidationError",
  P2007: "ValidationError",
  P2008: "ValidationError",
  P2009: "ValidationError",
  P2011: "NullConstraint",
  P2012: "ValidationError",
  P2013: "ValidationError",
  P2014: "ForeignKeyConstraint",
  P2015: "RecordNotFound",
  P2017: "RecordNotFound",
  P2018: "RecordNotFound",
  P2019: "ValidationError",
  P2020: "ValidationError",
  P2023: "ValidationError",
  P2024: "Timeout",
  P2025: "RecordNotFound",
  P2028: "TransactionExpired",
  P2029: "ValidationError",
  P2033: "ValidationError",
  P2034: "TransactionConflict",
  P2037: "ConnectionFailed"
}

/** What driver adapters call what went wrong, where Prisma passes it on in their words, as it does for raw SQL. */
const byKind: { readonly [kind: string]: Tag } = {
  AuthenticationFailed: "ConnectionFailed",
  ConnectionClosed: "ConnectionFailed",
  DatabaseAccessDenied: "ConnectionFailed",
  DatabaseDoesNotExist: "ConnectionFailed",
  DatabaseNotReachable: "ConnectionFailed",
  ForeignKeyConstraintViolation: "ForeignKeyConstraint",
  InconsistentColumnData: "ValidationError",
  InvalidInputValue: "ValidationError",
  LengthMismatch: "ValidationError",
  NullConstraintViolation: "NullConstraint",
  RestrictViolation: "ForeignKeyConstraint",
  SocketTimeout: "Timeout",
  TlsConnectionError: "ConnectionFailed",
  TooManyConnections: "ConnectionFailed",
  TransactionAlreadyClosed: "TransactionExpired",
  TransactionWriteConflict: "TransactionConflict",
  UniqueConstraintViolation: "UniqueConstraint",
  ValueOutOfRange: "ValidationError"
}

/** SQLSTATE, where nobody has a word for it. */
const bySqlState: { readonly [code: string]: Tag } = {
  "23001": "ForeignKeyConstraint",
  "23502": "NullConstraint",
  "23503": "ForeignKeyConstraint",
  "23505": "UniqueConstraint",
  "23514": "CheckConstraint",
  "23P01": "CheckConstraint",
  "40001": "TransactionConflict",
  "40P01": "TransactionConflict",
  "57014": "Timeout",
  "57P01": "ConnectionFailed"
}

const byName: { readonly [name: string]: Tag } = {
  CacheOptionsError: "ValidationError",
  PrismaClientInitializationError: "ConnectionFailed",
  PrismaClientValidationError: "ValidationError",
  QueryTimeoutError: "Timeout"
}

interface Fields {
  readonly [name: string]: unknown
}

const fieldsOf = (value: unknown): Fields => typeof value === "object" && value !== null ? value as Fields : {}

const textOf = (value: unknown): string | undefined => typeof value === "string" ? value : undefined

const find = (table: { readonly [name: string]: Tag }, name: unknown): Tag | undefined =>
  typeof name === "string" && Object.hasOwn(table, name) ? table[name] : undefined

/** What the driver adapter said, beneath an error of Prisma's or in its place. */
const driversOf = (error: Fields, meta: Fields): Fields =>
  fieldsOf((error["name"] === "DriverAdapterError" ? error : fieldsOf(meta["driverAdapterError"]))["cause"])

const tagOf = (error: Fields, code: string | undefined, meta: Fields): Tag | undefined => {
  const driver = driversOf(error, meta)
  return find(byCode, code) ??
    find(byKind, driver["kind"]) ??
    find(bySqlState, driver["originalCode"]) ??
    find(bySqlState, meta["code"]) ??
    find(byName, error["name"])
}

/** Where drivers and engines say what a constraint is on. */
const targetOf = (error: Fields, meta: Fields): ReadonlyArray<string> => {
  const constraint = fieldsOf(driversOf(error, meta)["constraint"])
  const named = meta["target"] ?? constraint["fields"] ?? constraint["index"]
  const list: ReadonlyArray<unknown> = Array.isArray(named) ? named : [named]
  // PostgreSQL quotes names that are not in lower case.
  return list.filter((name) => typeof name === "string").map((name) => name.replace(/^"(.*)"$/, "$1"))
}

/** What else an error may count as where its own kind is in no list. */
const otherwise: { readonly [T in Tag]?: Tag } = { TransactionExpired: "Timeout" }

/**
 * The error that stands for what a query was rejected with, out of those it may fail with.
 *
 * @internal
 */
export const toPrismaError = (thrown: unknown, query: string, tags: Partial<Tags>): PrismaError => {
  const error = fieldsOf(thrown)
  const code = textOf(error["code"]) ?? textOf(error["errorCode"])
  const meta = fieldsOf(error["meta"])
  const details: Details = { query, code, meta: error["meta"] === undefined ? undefined : meta, cause: thrown }
  const own = tagOf(error, code, meta)
  const tag = [own, own && otherwise[own]].find((one) => one !== undefined && tags[one] === true)
  switch (tag) {
    case "RecordNotFound":
      return new RecordNotFound(details)
    case "UniqueConstraint":
      return new UniqueConstraint({ ...details, target: targetOf(error, meta) })
    case "ForeignKeyConstraint":
      return new ForeignKeyConstraint(details)
    case "NullConstraint":
      return new NullConstraint(details)
    case "CheckConstraint":
      return new CheckConstraint(details)
    case "TransactionConflict":
      return new TransactionConflict(details)
    case "TransactionExpired":
      return new TransactionExpired(details)
    case "ConnectionFailed":
      return new ConnectionFailed(details)
    case "Timeout":
      return new Timeout(details)
    case "ValidationError":
      return new ValidationError(details)
    default:
      return new UnknownPrismaError(details)
  }
}
