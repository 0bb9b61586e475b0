/** The tables, reads and writes that configurations are made of: a few rows, and entries that depend on tags. */
import type { Database, Read, Row, Write } from "./database.js"

export const row = (id: string, email = ""): Row => ({ id, email, version: 0 })

/** A table with these rows. */
export const table = (...ids: ReadonlyArray<string>): Database => Object.fromEntries(ids.map((id) => [id, row(id)]))

/** A read of some rows whose tags are known from the query alone. */
export const read = (name: string, tags: ReadonlyArray<string>, rows: ReadonlyArray<string>): Read => ({
  name,
  query: (database) => rows.map((id) => database[id] ?? null),
  always: tags,
  perhaps: [],
  dependsOn: () => tags,
  guard: null,
  predictions: [[]]
})

const update = (id: string): NonNullable<Write["apply"]> => (database, version) => {
  const before = database[id] ?? null
  return before === null ? null : { ...database, [id]: { ...before, version } }
}

const write = (given: Partial<Write> & Pick<Write, "mode" | "touches">): Write => ({
  name: `${given.mode} ${given.touches.join()}`,
  apply: update("1"),
  locks: "1",
  identities: () => [],
  stores: null,
  soft: false,
  ...given
})

/** An update of row 1 by a strict write. */
export const strict = (given: Partial<Write> = {}): Write => write({ mode: "strict", touches: ["t"], ...given })

/** An update of row 1 by an after-commit write. */
export const afterCommit = (given: Partial<Write> = {}): Write =>
  write({ mode: "after-commit", touches: ["t"], ...given })

/** The same of another row. Each kind of write needs a name of its own. */
export const ofRow = (id: string, given: Write): Write => ({
  ...given,
  name: `${given.name} of row ${id}`,
  apply: update(id),
  locks: id
})

/** The same, storing its own result as the answer of a read. */
export const storing = (read: Read, given: Write): Write => ({
  ...given,
  name: `${given.name}, storing ${read.name}`,
  stores: { read, late: null }
})

/** The same, where the key is known from the result only. */
export const storingLate = (read: Read, key: string, guard: string, given: Write): Write => ({
  ...given,
  name: `${given.name}, storing ${read.name} late`,
  stores: { read, late: { key, guard } }
})

/** An invalidation that belongs to no write. */
export const explicit = (touches: ReadonlyArray<string> = ["t"]): Write =>
  write({ mode: "after-commit", touches, name: `explicit ${touches.join()}`, apply: null })

/** A write that only makes entries count as expired. */
export const soft = (given: Partial<Write> = {}): Write =>
  write({ mode: "after-commit", touches: ["t"], name: "soft", ...given, soft: true })
