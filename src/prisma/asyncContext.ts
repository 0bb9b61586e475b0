/**
 * A query is run by a flight, which is nobody's in particular. What it finds in an `AsyncLocalStorage` must be its
 * caller's all the same: extensions read the tenant, the transaction or the request from there.
 */
import type { AsyncResource } from "node:async_hooks"
import { extensionName } from "./client.js"

type Within = <A>(body: () => A) => A

interface ContextStorage {
  readonly snapshot: () => Within
}

/** Older ones have no snapshots. */
const isContextStorage = (value: unknown): value is ContextStorage =>
  typeof value === "function" && "snapshot" in value && typeof value.snapshot === "function"

/**
 * Asked for by name at run time, where the runtime has it: importing it would keep this file out of the others. On some
 * of those it is a global.
 */
const hooks = globalThis.process?.getBuiltinModule?.("node:async_hooks")
const storage = [hooks?.AsyncLocalStorage, Reflect.get(globalThis, "AsyncLocalStorage")].find(isContextStorage)

/** What a snapshot is made of on Node, at a tenth of its price. */
const makeResource = (Resource: typeof AsyncResource): Within => {
  const resource = new Resource(extensionName, { requireManualDestroy: true })
  return (body) => resource.runInAsyncScope(body)
}

/**
 * Runs functions in the async context of whoever calls this now, wherever they are run.
 *
 * @internal
 */
export const callersContext: () => Within = (() => {
  const Resource = hooks?.AsyncResource
  if (Resource !== undefined) return () => makeResource(Resource)
  return storage === undefined ? () => (body) => body() : () => storage.snapshot()
})()
