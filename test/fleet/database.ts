import { Client } from "pg"
import { until } from "../support/process.js"
import { postgresUrl } from "../support/servers.js"

/** A database that counts for itself how often the table `Counter` was read, and reads it as slowly as it is told to. */
export interface CountingDatabase {
  readonly url: string
  /** How many queries have read the table since the last time this was asked to start again. */
  readonly queries: () => Promise<number>
  readonly startAgain: () => Promise<void>
  /** How long a query takes from now on, in seconds, when it has read the table; and whether it fails then. */
  readonly pace: (seconds: number, fails?: boolean) => Promise<void>
  /** A row that only its caller knows of. */
  readonly insert: (name: string, value?: number) => Promise<void>
  readonly update: (name: string, value: number) => Promise<void>
  /** Waits until that many queries have read the table, and tells when that was. */
  readonly sawQueries: (count: number, within?: number) => Promise<number>
  /** The worker whose query is running. */
  readonly readers: () => Promise<ReadonlyArray<string>>
  readonly close: () => Promise<void>
}

const schema = `
  ALTER TABLE "Counter" RENAME TO counter_rows;
  CREATE SEQUENCE counter_queries;
  CREATE TABLE counter_pace (seconds float8 NOT NULL, fails bool NOT NULL);
  INSERT INTO counter_pace VALUES (0, false);
  CREATE FUNCTION read_counters() RETURNS SETOF counter_rows LANGUAGE plpgsql VOLATILE AS $$
  DECLARE pace counter_pace%ROWTYPE;
  BEGIN
    -- A sequence counts whatever becomes of the statement.
    PERFORM nextval('counter_queries');
    SELECT * INTO pace FROM counter_pace;
    RETURN QUERY SELECT * FROM counter_rows;
    IF pace.seconds > 0 THEN PERFORM pg_sleep(pace.seconds); END IF;
    IF pace.fails THEN RAISE EXCEPTION 'told to fail'; END IF;
  END $$;
  CREATE VIEW "Counter" AS SELECT * FROM read_counters();
`

export const makeCountingDatabase = async (name: string): Promise<CountingDatabase> => {
  const url = await postgresUrl(name)
  const client = new Client({ connectionString: url })
  await client.connect()
  await client.query(schema)
  const queries = async (): Promise<number> => {
    const { rows } = await client.query<{ count: number }>(
      "SELECT (CASE WHEN is_called THEN last_value ELSE 0 END)::int AS count FROM counter_queries"
    )
    return rows[0]?.count ?? 0
  }
  return {
    url,
    queries,
    startAgain: async () => {
      await client.query("SELECT setval('counter_queries', 1, false)")
    },
    pace: async (seconds, fails = false) => {
      await client.query("UPDATE counter_pace SET seconds = $1, fails = $2", [seconds, fails])
    },
    insert: async (row, value = 1) => {
      await client.query("INSERT INTO counter_rows (name, value) VALUES ($1, $2)", [row, value])
    },
    update: async (row, value) => {
      await client.query("UPDATE counter_rows SET value = $2 WHERE name = $1", [row, value])
    },
    sawQueries: async (count, within) => {
      await until(`${count} queries have read the table`, async () => await queries() >= count, within)
      return performance.now()
    },
    readers: async () => {
      const { rows } = await client.query<{ name: string }>(
        "SELECT application_name AS name FROM pg_stat_activity WHERE state = 'active' AND wait_event = 'PgSleep' AND datname = current_database()"
      )
      return rows.map((row) => row.name)
    },
    close: () => client.end()
  }
}
