/**
 * A lock among the caches of one process, on Effect's `Clock`.
 *
 * @module
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Queue from "effect/Queue"
import { DistributedLock, make as makeLock } from "../DistributedLock.js"
import type { News } from "../DistributedLock.js"
import { makeNewsBoard } from "../internal/newsBoard.js"

/**
 * A lock among those who share this value.
 *
 * @since 0.1.0
 * @category constructors
 */
export const make = (): DistributedLock => {
  const held = new Map<string, { readonly token: string; readonly expiresAt: number }>()
  const board = makeNewsBoard<News>()

  const holder = (name: string, now: number): string | undefined => {
    const found = held.get(name)
    if (found === undefined || found.expiresAt > now) return found?.token
    held.delete(name)
    return undefined
  }
  const step = <A>(body: (now: number) => A): Effect.Effect<A> =>
    Effect.clockWith((clock) => Effect.sync(() => body(clock.unsafeCurrentTimeMillis())))

  return makeLock({
    acquire: (name, token, ttlMillis) =>
      step((now) => {
        const current = holder(name, now)
        if (current !== undefined) return current === token
        held.set(name, { token, expiresAt: now + ttlMillis })
        return true
      }),
    extend: (name, token, ttlMillis) =>
      step((now) => {
        if (holder(name, now) !== token) return false
        held.set(name, { token, expiresAt: now + ttlMillis })
        return true
      }),
    release: (name, token, news) =>
      step((now) => {
        if (holder(name, now) !== token) return false
        held.delete(name)
        board.post(name, news)
        return true
      }),
    news: (name) => board.listen(name)
  })
}

/**
 * A lock among the caches that share this layer.
 *
 * @since 0.1.0
 * @category layers
 */
export const layer: Layer.Layer<DistributedLock> = Layer.sync(DistributedLock, make)

/**
 * A lock that everybody gets at once: for a store that no other process shares, and for `lock: false`.
 *
 * @since 0.1.0
 * @category layers
 */
export const layerNoop: Layer.Layer<DistributedLock> = Layer.succeed(
  DistributedLock,
  makeLock({
    acquire: () => Effect.succeed(true),
    extend: () => Effect.succeed(true),
    release: () => Effect.succeed(true),
    news: () => Queue.sliding<News>(1)
  })
)
