/**
 * What spans of a query say of it, in the words of OpenTelemetry's semantic conventions for databases.
 */
import { providerOf, tableOf } from "./client.js"
import type { PrismaInternals } from "./client.js"
import type { Query } from "./entryKeys.js"

/** Databases by Prisma's names for them. */
const systems: { readonly [provider: string]: string } = {
  postgres: "postgresql",
  postgresql: "postgresql",
  mysql: "mysql",
  sqlite: "sqlite",
  sqlserver: "microsoft.sql_server",
  cockroachdb: "cockroachdb",
  mongodb: "mongodb"
}

/** @internal */
export const makeSpanAttributes = (client: PrismaInternals) => {
  const known = new Map<string, Readonly<Record<string, string>>>()
  const system = systems[providerOf(client) ?? ""] ?? "other_sql"
  return ({ label, model, operation }: Query): Readonly<Record<string, string>> => {
    const before = known.get(label)
    if (before !== undefined) return before
    const attributes = {
      "db.system.name": system,
      "db.operation.name": operation,
      "db.collection.name": tableOf(client, model)
    }
    known.set(label, attributes)
    return attributes
  }
}
