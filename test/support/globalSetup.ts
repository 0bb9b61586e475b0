import { execFileSync } from "node:child_process"
import { readFile } from "node:fs/promises"
import type { TestProject } from "vitest/node"
import { createDatabase, startPostgres } from "./postgres.js"
import { sharedValkey } from "./valkey.js"

declare module "vitest" {
  export interface ProvidedContext {
    /** The address of the run's PostgreSQL, of a database to create others from. */
    readonly postgresUrl: string
    /** The database that holds the tables of test/prisma/schema.prisma and no rows. */
    readonly postgresTemplate: string
    readonly valkeyUrl: string
  }
}

const template = "template_tables"

/** Starts what all test files of a run share, and stops it after the last of them. */
export default async ({ provide }: TestProject): Promise<() => Promise<void>> => {
  execFileSync(process.execPath, ["test/support/generate.mjs", "tests", "prisma-6"], { stdio: ["ignore", "ignore", 2] })
  const [postgres, valkey] = await Promise.all([startPostgres(), sharedValkey()])
  const sql = await readFile(new URL("../prisma/schema.sql", import.meta.url), "utf8")
  await createDatabase(postgres.url, template, { sql })
  provide("postgresUrl", postgres.url)
  provide("postgresTemplate", template)
  provide("valkeyUrl", valkey.url)
  return async () => {
    await Promise.all([postgres.stop(), valkey.stop()])
  }
}
