import { uniqueName } from "../support/servers.js"
import type { BaseClient } from "./support.js"

/** An operation on the model `Counter`, which has nothing that could get in the way. */
export type Operation = readonly [operation: string, args: object]

/** Every read there is, about the counter of this name. */
export const readsOf = (name: string): ReadonlyArray<Operation> => [
  ["findUnique", { where: { name } }],
  ["findUniqueOrThrow", { where: { name } }],
  ["findFirst", { where: { name } }],
  ["findFirstOrThrow", { where: { name } }],
  ["findMany", { where: { name } }],
  ["count", { where: { name } }],
  ["aggregate", { where: { name }, _sum: { value: true } }],
  ["groupBy", { by: ["name"], where: { name }, _max: { value: true } }]
]

/** Every write there is. Those that create make a counter of another name, all others need the one of this name. */
export const writesOf = (name: string): ReadonlyArray<Operation> => [
  ["create", { data: { name: uniqueName("created") } }],
  ["createMany", { data: [{ name: uniqueName("created") }, { name: uniqueName("created") }] }],
  ["createManyAndReturn", { data: [{ name: uniqueName("created") }] }],
  ["update", { where: { name }, data: { value: 2 } }],
  ["updateMany", { where: { name }, data: { value: 2 } }],
  ["updateManyAndReturn", { where: { name }, data: { value: 2 } }],
  ["upsert", { where: { name }, create: { name }, update: { value: 2 } }],
  ["delete", { where: { name } }],
  ["deleteMany", { where: { name } }]
]

export const readNames = readsOf("").map(([operation]) => operation)

export const writeNames = writesOf("").map(([operation]) => operation)

/** A counter of 1 that no other test knows, behind the cache's back; answers its name. */
export const insertCounter = async (base: BaseClient): Promise<string> => {
  const name = uniqueName("counter")
  await base.counter.create({ data: { name, value: 1 } })
  return name
}

/** Counts on, behind the cache's back. */
export const setCounter = (base: BaseClient, name: string, value: number): Promise<unknown> =>
  base.counter.update({ where: { name }, data: { value } })
