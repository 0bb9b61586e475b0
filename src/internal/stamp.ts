import type { TagState } from "../CacheStore.js"
import { random128 } from "./hash.js"

const hardOf = (stamp: string): string => stamp.slice(0, stamp.lastIndexOf("."))

/**
 * A stamp is `s:<hard>.<soft>`. Killing a tag removes the stamp; expiring it changes the soft part alone. A stamp on
 * probation says until when, in its hard part: `s:<hard>~<until>.<soft>`. The Valkey scripts know these forms too.
 *
 * @internal
 */
export const makeStamp = (until?: number): string => `s:${random128()}${until === undefined ? "" : `~${until}`}.0`

/**
 * Until when a stamp is on probation, by the store's clock: what is stored under it lives no longer.
 *
 * @internal
 */
export const probationOf = (stamp: string): number | undefined => {
  const until = /^s:[^.]*~(\d+)\./.exec(stamp)?.[1]
  return until === undefined ? undefined : Number(until)
}

/** @internal */
export const isStamp = (state: TagState): state is string => state !== null && state.startsWith("s:")

/** @internal */
export const withNewSoft = (stamp: string): string => `${hardOf(stamp)}.${random128()}`

/**
 * Whether what a place holds keeps an entry alive that was stored under this stamp: one that was expired since then does.
 *
 * @internal
 */
export const isSame = (state: TagState | undefined, stamp: string | undefined): boolean =>
  state === stamp || (state != null && stamp !== undefined && isStamp(state) && hardOf(state) === hardOf(stamp))
