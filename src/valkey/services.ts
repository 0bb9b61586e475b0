/**
 * The store and the lock over one connection. Loaded only when somebody wants them: the front modules are to cost
 * nothing to those who never speak to Valkey.
 */
import * as Layer from "effect/Layer"
import type { CacheOptionsError } from "../CacheError.js"
import * as Store from "../CacheStore/Valkey.js"
import type { CacheStore } from "../CacheStore.js"
import * as Lock from "../DistributedLock/Valkey.js"
import type { DistributedLock } from "../DistributedLock.js"
import * as Driver from "./driver.js"
import type { Connection } from "./options.js"

export const layer = (
  connection: Connection,
  options?: Driver.ConnectionOptions
): Layer.Layer<CacheStore | DistributedLock, CacheOptionsError> =>
  Layer.merge(Store.layer, Lock.layer).pipe(Layer.provide(Driver.layer(connection, options)))
