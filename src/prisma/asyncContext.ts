/**
 * A query is run by a flight, which is nobody's in particular. What it finds in an `AsyncLocalStorage` must be its
 * caller's all the same: extensions read the tenant, the transaction or the request from there.
 */

type Within = <A>(body: () => A) => A

/** Asked for by name at run time, where the runtime has it: importing it would keep this file out of the others. */
const { AsyncLocalStorage } = globalThis.process?.getBuiltinModule?.("node:async_hooks") ?? {}

/**
 * Runs functions in the async context of whoever calls this now, wherever they are run.
 *
 * @internal
 */
export const callersContext: () => Within = AsyncLocalStorage === undefined
  ? () => (body) => body()
  : () => AsyncLocalStorage.snapshot()
