import type { TagState } from "../CacheStore.js"
import { random128 } from "./hash.js"

/**
 * A stamp is `s:<hard>.<soft>`. Killing a tag removes the stamp; expiring it changes the soft part alone.
 * The Valkey scripts know this form too.
 *
 * @internal
 */
export const makeStamp = (): string => `s:${random128()}.0`

/** @internal */
export const isStamp = (state: TagState): state is string => state !== null && state.startsWith("s:")

/** @internal */
export const withNewSoft = (stamp: string): string => `${stamp.slice(0, stamp.lastIndexOf("."))}.${random128()}`
