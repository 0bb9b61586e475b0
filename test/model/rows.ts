/**
 * Rules 13 to 18: reads of one row by a unique key, and the writes that concern it. Two rows at most, with an id and an
 * e-mail address, both unique. The tags: `M` the model, `bulk` and `abs` its two others, `id:1` and `email:a`
 * identities.
 */
import type { Database, Read, Result, Row, Write } from "./database.js"

const ids = ["1", "2"] as const
const emails = ["a", "b"] as const

export const rowTags: ReadonlyArray<string> = [
  "M",
  "bulk",
  "abs",
  ...ids.map((id) => `id:${id}`),
  ...emails.map((email) => `email:${email}`)
]

const byId = (database: Database, id: string): Row | null => database[id] ?? null

const byEmail = (database: Database, email: string): Row | null =>
  Object.values(database).find((row) => row?.email === email) ?? null

export const identitiesOf = (row: Row): ReadonlyArray<string> => [`id:${row.id}`, `email:${row.email}`]

/**
 * A row-level read depends on what it asked for, on every identity of what it found, and on `abs` when that is nothing.
 */
const dependencies = (where: string) => ([row]: Result): ReadonlyArray<string> =>
  Array.from(new Set([where, "bulk", ...row ? identitiesOf(row) : ["abs"]]))

const rowRead = (name: string, where: string, find: (database: Database) => Row | null): Read => ({
  name,
  query: (database) => [find(database)],
  always: [where, "bulk"],
  perhaps: ["abs"],
  dependsOn: dependencies(where),
  guard: "M",
  predictions: [[]]
})

export const readById = (id: string): Read => rowRead(`user ${id}`, `id:${id}`, (database) => byId(database, id))

export const readByEmail = (email: string): Read =>
  rowRead(`user ${email}`, `email:${email}`, (database) => byEmail(database, email))

/** The same, expecting any of the identities that the row may turn out to have. */
export const predicting = (read: Read): Read => {
  const late = read.always.some((tag) => tag.startsWith("id:"))
    ? emails.map((email) => `email:${email}`)
    : ids.map((id) => `id:${id}`)
  return { ...read, predictions: [[], ...late.map((tag) => [tag])] }
}

/** The same with a filter, that somebody has written the row: it may find nothing although the row is there. */
export const written = (read: Read): Read => ({
  ...read,
  name: `${read.name} if written`,
  query: (database) => read.query(database).map((row) => row !== null && row.version !== 0 ? row : null)
})

/** A read by a unique field that the database compares loosely: it cannot be a row-level read. */
export const readLoosely = (email: string): Read => ({
  ...readByEmail(email),
  name: `user like ${email}`,
  always: ["M"],
  perhaps: [],
  dependsOn: () => ["M"],
  guard: null
})

type Change = (database: Database, version: NonNullable<Row>["version"]) => Database | null

const put = (database: Database, row: Row): Database => ({ ...database, [row.id]: row })

const update = (find: (database: Database) => Row | null, email?: string): Change => (database, version) => {
  const row = find(database)
  const isTaken = email !== undefined && email !== row?.email && byEmail(database, email) !== null
  return row === null || isTaken ? null : put(database, { ...row, version, email: email ?? row.email })
}

const remove = (find: (database: Database) => Row | null): Change => (database) => {
  const row = find(database)
  return row === null ? null : { ...database, [row.id]: null }
}

const create = (id: string, email: string): Change => (database, version) =>
  byId(database, id) !== null || byEmail(database, email) !== null ? null : put(database, { id, email, version })

const everyRow = (change: (row: Row) => Row | null): Change => (database) =>
  Object.fromEntries(Object.entries(database).map(([id, row]) => [id, row === null ? null : change(row)]))

/** The identities of the row that a write hit, as its result shows it: of a row that is gone, what it was. */
const ofResult = (before: Database, after: Database): ReadonlyArray<string> => {
  const id = ids.find((id) => before[id] !== after[id])
  const row = id === undefined ? null : after[id] ?? before[id] ?? null
  return row === null ? [] : identitiesOf(row)
}

const write = (name: string, touches: ReadonlyArray<string>, apply: Change): Write => ({
  name,
  mode: "after-commit",
  touches: ["M", ...touches],
  apply,
  locks: "every row",
  identities: touches.includes("bulk") ? () => [] : ofResult,
  stores: null,
  soft: false
})

const row1 = (database: Database) => byId(database, "1")
const row2 = (database: Database) => byId(database, "2")
const rowA = (database: Database) => byEmail(database, "a")

/** The kinds of writes that differ in what they know beforehand of the row they hit. */
export const rowWrites = {
  updateById: write("update id 1", ["id:1"], update(row1)),
  updateOther: write("update id 2", ["id:2"], update(row2)),
  updateByEmail: write("update e-mail a", ["email:a"], update(rowA)),
  changeEmailById: write("set e-mail b of id 1", ["id:1", "email:b", "abs"], update(row1, "b")),
  changeEmailByEmail: write("set e-mail b of e-mail a", ["email:a", "email:b", "abs"], update(rowA, "b")),
  changeEmailBack: write("set e-mail a of id 1", ["id:1", "email:a", "abs"], update(row1, "a")),
  deleteById: write("delete id 1", ["id:1"], remove(row1)),
  deleteByEmail: write("delete e-mail a", ["email:a"], remove(rowA)),
  createOther: write("create e-mail b", ["email:b", "abs"], create("2", "b")),
  createOtherA: write("create e-mail a as id 2", ["email:a", "abs"], create("2", "a")),
  createA: write("create e-mail a", ["email:a", "abs"], create("1", "a")),
  upsert: write("upsert e-mail a", ["email:a", "abs"], (database, version) =>
    (rowA(database) === null ? create("1", "a") : update(rowA))(database, version)),
  updateMany: write("update many", ["bulk"], (database, version) =>
    everyRow((row) => ({ ...row, version }))(database, version)),
  changeEmailMany: write("set e-mail b of many", ["bulk"], update(rowA, "b")),
  deleteMany: write("delete many", ["bulk"], everyRow(() => null))
} satisfies Record<string, Write>

/** A write by a unique field that the database compares loosely: it hits the row of e-mail a. */
export const updateLoosely: Write = write("update e-mail A", ["bulk"], update(rowA))

/** The same write, announcing itself by intents. */
export const strictly = (given: Write): Write => ({ ...given, mode: "strict" })

/** Each with each. */
export const pairs = <A>(items: ReadonlyArray<A>): ReadonlyArray<readonly [A, A]> =>
  items.flatMap((left, index) => items.slice(index).map((right) => [left, right] as const))

const found = (id: string, email: string): Row => ({ id, email, version: 0 })

/** What the table holds at first. */
export const rowTables = {
  one: { 1: found("1", "a"), 2: null },
  two: { 1: found("1", "a"), 2: found("2", "b") },
  none: { 1: null, 2: null },
  otherEmail: { 1: found("1", "b"), 2: null }
} satisfies Record<string, Database>
