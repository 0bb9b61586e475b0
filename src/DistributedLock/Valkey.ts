/**
 * A lock among all processes that share a Valkey server or cluster: one key per lock, which holds its holder's token
 * and goes away by itself when the holder does.
 *
 * @module
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { DistributedLock, make as makeLock } from "../DistributedLock.js"
import type { News } from "../DistributedLock.js"
import { makeNewsBoard } from "../internal/newsBoard.js"
import { ValkeyConnection } from "../valkey/connection.js"
import { milliseconds, text } from "../valkey/convert.js"
import * as scripts from "../valkey/scripts.js"

/** The part of a lock's name that it shares with others: theirs is one channel. */
const familyOf = (name: string): string => {
  const brace = name.indexOf("{")
  return brace === -1 ? "" : name.slice(0, brace)
}

const isNews = (word: string): word is News => word === "stored" || word === "failed" || word === "free"

/**
 * A lock over a connection.
 *
 * @since 0.1.0
 * @category constructors
 */
export const make = (connection: ValkeyConnection): DistributedLock => {
  const board = makeNewsBoard<News>()
  const listeners = new Map<string, (message: string) => void>()
  let knowsGetWithNx = true

  /** One function a family, since it is by that that the connection knows it. */
  const listenerOf = (family: string) => {
    const known = listeners.get(family)
    if (known !== undefined) return known
    const listener = (message: string) => {
      const space = message.indexOf(" ")
      const news = message.slice(0, space)
      if (isNews(news)) board.post(family + message.slice(space + 1), news)
    }
    listeners.set(family, listener)
    return listener
  }

  const channelOf = (family: string) => connection.channel(`news:${family}`)

  const release = (name: string, token: string, news: News) => {
    const family = familyOf(name)
    return Effect.map(
      connection.script("release the lock", scripts.release, name, [
        token,
        channelOf(family),
        `${news} ${name.slice(family.length)}`
      ]),
      (answer) => Number(answer) === 1
    )
  }

  /** Answers who held the lock before; whoever reads their own token has it, and asks for the second time. */
  const acquire = (name: string, token: string, ttl: string) => {
    const script = connection.script("take the lock", scripts.acquire, name, [token, ttl])
    return Effect.suspend(() =>
      knowsGetWithNx
        ? Effect.catchIf(
          connection.command("take the lock", "set", [name, token, "PX", ttl, "NX", "GET"]),
          (error) => error.code === "ERR",
          () => Effect.zipRight(Effect.sync(() => void (knowsGetWithNx = false)), script)
        )
        : script
    )
  }

  return makeLock({
    acquire: (name, token, ttlMillis) =>
      acquire(name, token, milliseconds(ttlMillis)).pipe(
        Effect.map((holder) => holder === null || text(holder) === token),
        // Who got no answer may yet be given the lock, and would keep it from everybody without knowing.
        Effect.tapError((error) =>
          error.reason === "Timeout" ? Effect.forkDaemon(Effect.ignore(release(name, token, "failed"))) : Effect.void
        )
      ),
    extend: (name, token, ttlMillis) =>
      Effect.map(
        connection.script("keep the lock", scripts.extend, name, [token, milliseconds(ttlMillis)]),
        (answer) => Number(answer) === 1
      ),
    release,
    news: (name) =>
      Effect.tap(board.listen(name), () => {
        const family = familyOf(name)
        return connection.listen(channelOf(family), listenerOf(family))
      })
  })
}

/**
 * A lock over the connection of the context.
 *
 * @since 0.1.0
 * @category layers
 */
export const layer: Layer.Layer<DistributedLock, never, ValkeyConnection> = Layer.effect(
  DistributedLock,
  Effect.map(ValkeyConnection, make)
)
