/** The statements that really reached PostgreSQL, in order. */
export interface SqlLog {
  /** How many statements there were since the last reset, without BEGIN, COMMIT, ROLLBACK and savepoints. */
  readonly count: () => number
  readonly reset: () => void
  /** Every statement since the last reset, those that control transactions included. */
  readonly statements: ReadonlyArray<string>
}

const controlsTransaction = /^\s*(BEGIN|COMMIT|ROLLBACK|SAVEPOINT|RELEASE|SET TRANSACTION)\b/i

/** A log, and what a client's `query` event has to be given to. */
export const makeSqlLog = (
  print: boolean
): { readonly sql: SqlLog; readonly record: (event: { readonly query: string }) => void } => {
  const statements: Array<string> = []
  return {
    sql: {
      count: () => statements.filter((statement) => !controlsTransaction.test(statement)).length,
      reset: () => {
        statements.length = 0
      },
      statements
    },
    record: ({ query }) => {
      statements.push(query)
      if (print) {
        console.log(query)
      }
    }
  }
}
