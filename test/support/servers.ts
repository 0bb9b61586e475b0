import { inject } from "vitest"
import type {} from "./globalSetup.js"
import { createDatabase } from "./postgres.js"

/**
 * The address of a new database with the tables of test/prisma/schema.prisma and no rows. The name is the caller's
 * alone: a database of that name is replaced.
 */
export const postgresUrl = (databaseName: string): Promise<string> =>
  createDatabase(inject("postgresUrl"), databaseName, { template: inject("postgresTemplate") })

/** The address of the Valkey that all test files share: keep to a namespace of your own, and never flush it. */
export const valkeyUrl = (): string => inject("valkeyUrl")

let names = 0

/** A name that no other test of this run has, for a namespace, a key or a tag. */
export const uniqueName = (prefix: string): string => `${prefix}_${process.pid}_${++names}`
