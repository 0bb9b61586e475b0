import type { TagState } from "../CacheStore.js"
import { random128 } from "./hash.js"

const hardOf = (stamp: string): string => stamp.slice(0, stamp.lastIndexOf("."))

/**
 * A stamp is `s:<hard>.<soft>`. Killing a tag removes the stamp; expiring it changes the soft part alone. Its hard part
 * may say in which life of the server it was made, and one on probation says until when:
 * `s:<random>!<life>~<until>.<soft>`. The Valkey scripts know these forms too.
 *
 * @internal
 */
export const makeStamp = (
  { life = "", until }: { readonly life?: string | undefined; readonly until?: number | undefined } = {}
): string =>
  `s:${random128()}${life === "" ? "" : `!${life}`}${until === undefined ? "" : `~${until}`}.0`

/**
 * What stamps say, and are believed, that were made where there is no telling one life from another: over HTTP.
 *
 * @internal
 */
export const anyLife = "any"

/**
 * Whether a state may be what was left when the server was last heard of: it is no stamp, or one of this life. Who does
 * not know of lives (an empty one, or any) believes every stamp; whose is not known yet (`undefined`), none.
 *
 * @internal
 */
export const isOfLife = (state: TagState, life: string | undefined): boolean => {
  if (state === null || life === "" || life === anyLife || !isStamp(state)) return true
  const at = state.indexOf("!")
  const says = (told: string) => state.startsWith(`!${told}.`, at) || state.startsWith(`!${told}~`, at)
  return (life !== undefined && says(life)) || says(anyLife)
}

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

/**
 * How long a stamp lives: longer than the entries under it, and than a quiet day. Fills prolong it.
 *
 * @internal
 */
export const stampTtlMillis = (entryTtlMillis = 0): number => Math.max(2 * entryTtlMillis, 48 * 60 * 60 * 1000)
