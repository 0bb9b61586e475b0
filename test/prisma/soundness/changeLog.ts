import { Client } from "pg"
import type { Model } from "../../../src/prisma/schema/model.js"
import type { Schema } from "./schemaOf.js"

type Row = Readonly<Record<string, unknown>>

/** What a transaction has made of one row, all in all. `null`: it was not there, or is there no more. */
export interface RowChange {
  readonly model: Model
  readonly before: Row | null
  readonly after: Row | null
}

export interface Changes {
  /** The models whose tables, or whose join tables, have changed. */
  readonly models: ReadonlySet<string>
  readonly rows: ReadonlyArray<RowChange>
}

export interface ChangeLog {
  /** What has changed since the last time. */
  readonly take: () => Promise<Changes>
  /** The rows that there were the last time. */
  readonly rowsOf: (model: Model) => ReadonlyArray<Row>
  readonly close: () => Promise<void>
}

const triggers = `
  CREATE TABLE change_log (seq BIGSERIAL, tab TEXT, before JSONB, after JSONB);
  CREATE FUNCTION log_change() RETURNS TRIGGER LANGUAGE plpgsql AS $$
    BEGIN
      INSERT INTO change_log (tab, before, after) VALUES (
        TG_TABLE_NAME,
        CASE WHEN TG_OP <> 'INSERT' THEN to_jsonb(OLD) END,
        CASE WHEN TG_OP <> 'DELETE' THEN to_jsonb(NEW) END
      );
      RETURN NULL;
    END $$;
  DO $$
    DECLARE tab TEXT; seq TEXT;
    BEGIN
      -- Few numbers, given again and again, so that random queries meet the rows.
      FOR seq IN
        SELECT sequencename FROM pg_sequences WHERE schemaname = 'public' AND sequencename <> 'change_log_seq_seq'
      LOOP
        EXECUTE format('ALTER SEQUENCE %I MAXVALUE 9 CYCLE', seq);
      END LOOP;
      FOR tab IN SELECT tablename FROM pg_tables WHERE schemaname = 'public' AND tablename <> 'change_log' LOOP
        EXECUTE format('
          CREATE TRIGGER log_change AFTER INSERT OR UPDATE OR DELETE ON %I FOR EACH ROW EXECUTE FUNCTION log_change()
        ', tab);
      END LOOP;
    END $$;`

/** Has triggers write down every row that changes in a database, by whatever does it. */
export const makeChangeLog = async (url: string, schema: Schema): Promise<ChangeLog> => {
  const client = new Client({ connectionString: url })
  await client.connect()
  await client.query(triggers)

  const identify = (model: Model, row: Row) =>
    JSON.stringify([model.name, ...model.id.map((name) => row[name])], (_, part) =>
      typeof part === "bigint" ? String(part) : part
    )

  const current = new Map<Model, Map<string, Row>>()

  const take = async (): Promise<Changes> => {
    const { rows } = await client.query<{ tab: string; before: Row | null; after: Row | null }>(
      "WITH taken AS (DELETE FROM change_log RETURNING *) SELECT tab, before, after FROM taken ORDER BY seq"
    )
    const models = new Set<string>()
    const changes = new Map<string, { model: Model; before: Row | null; after: Row | null }>()
    const gone: Array<RowChange> = []
    const rowsOf = (model: Model) => {
      const known = current.get(model)
      if (known !== undefined) return known
      const made = new Map<string, Row>()
      current.set(model, made)
      return made
    }
    for (const { after, before, tab } of rows) {
      if (JSON.stringify(before) === JSON.stringify(after)) continue
      const ends = schema.modelsOfTable(tab)
      for (const { name } of ends) models.add(name)
      const [model] = ends
      if (model === undefined || tab.startsWith("_")) continue
      const old = before === null ? null : schema.decode(model, before)
      const now = after === null ? null : schema.decode(model, after)
      const known = old === null ? undefined : changes.get(identify(model, old))
      const change = { model, before: known === undefined ? old : known.before, after: now }
      if (old !== null) {
        changes.delete(identify(model, old))
        rowsOf(model).delete(identify(model, old))
      }
      if (now !== null) rowsOf(model).set(identify(model, now), now)
      if (now === null) gone.push(change)
      else changes.set(identify(model, now), change)
    }
    return {
      models,
      rows: [...gone, ...changes.values()].filter(({ after, before }) => after !== null || before !== null)
    }
  }

  return { take, rowsOf: (model) => [...(current.get(model)?.values() ?? [])], close: () => client.end() }
}
