/**
 * The one connection that listens. It is opened when somebody listens for the first time, and listens to a channel
 * for as long as it lives: there are few. Any message may get lost with the connection: whoever must not miss one
 * watches, and is told from when to when nothing was missed.
 */
import { Socket } from "node:net"
import type { Client } from "./client.js"
import { replyCodeOf } from "./errors.js"

/** Somebody who must know whether messages may have been missed. */
export interface Watcher {
  /** Nothing is missed from now on. */
  readonly on: () => void
  /** From now on messages may be missed. */
  readonly off: () => void
  /** Nothing is missed until then, by `performance.now()`: what is later found out holds from then on. */
  readonly assured: (until: number) => void
  /** Something was said. */
  readonly message: (message: string) => void
}

export interface Subscriber {
  /**
   * Hands on what is said in a channel. `listening` is called once: as soon as nothing more is missed, or as soon as
   * it turns out that there is no telling when that will be.
   */
  readonly subscribe: (channel: string, onMessage: (message: string) => void, listening: () => void) => void
  /** Hands on what is said in a channel until it is told to stop. */
  readonly watch: (channel: string, watcher: Watcher) => () => void
  readonly close: () => void
}

interface Subscription {
  readonly handlers: Set<(message: string) => void>
  readonly watchers: Set<Watcher>
  readonly waiting: Set<() => void>
  listening: boolean
}

/** How long somebody waits for the server to confirm that he listens. */
const patienceMillis = 250

/** How often a connection that is watched shows that it is alive, and how long it has to do so. */
const heartbeatMillis = 1_000

/** For how long a sign of life vouches, from when it was asked for: a process may be stopped, and go on without a word. */
const assuranceMillis = 2 * heartbeatMillis

/** The pause before another connection is opened where one does not come back by itself; it doubles, so many times at most. */
const reopenMillis = 100
const maxDoublings = 3

/**
 * The driver throws where a server answers a request to listen with something that is no such answer, out of its socket's
 * listener, which would end the process. It ends the connection instead.
 */
const guardSocket = ({ stream }: Client): void => {
  if (!(stream instanceof Socket)) return
  const listeners = stream.rawListeners("data")
  stream.removeAllListeners("data")
  for (const listener of listeners) {
    stream.on("data", (chunk: Buffer) => {
      try {
        listener.call(stream, chunk)
      } catch {
        stream.destroy()
      }
    })
  }
}

/**
 * @param connect - opens a connection; `undefined` where there is nobody yet to connect to
 * @param isRight - whether that is still whom to listen to
 */
export const makeSubscriber = (
  connect: () => Client | undefined,
  isRight: (client: Client) => boolean = () => true
): Subscriber => {
  const subscriptions = new Map<string, Subscription>()
  let client: Client | undefined
  let hopeless = false
  let closed = false
  let reopening: NodeJS.Timeout | undefined
  let heart: NodeJS.Timeout | undefined
  let unanswered: Client | undefined
  /** Counts the connections, of which one client may have several, one after the other. */
  let connection = 0
  let assuredUntil = -Infinity
  /** How many in a row came to nothing. */
  let failures = 0

  const letGo = (subscription: Subscription) => {
    const waiting = Array.from(subscription.waiting)
    subscription.waiting.clear()
    waiting.forEach((listening) => listening())
  }
  const subscribe = (channel: string, subscription: Subscription) => {
    const asked = connection
    const askedAt = performance.now()
    if (client?.status !== "ready") return
    client.callBuffer("subscribe", channel).then(() => {
      // A connection that was given up may still say something; what it says from then on is not heard.
      if (connection !== asked || closed) return
      unanswered = undefined
      if (!subscription.listening) {
        subscription.listening = true
        subscription.watchers.forEach(({ on }) => on())
      }
      assuredUntil = askedAt + assuranceMillis
      for (const { listening, watchers } of subscriptions.values()) {
        if (listening) watchers.forEach(({ assured }) => assured(assuredUntil))
      }
      letGo(subscription)
    }, (error) => {
      // That it refuses is a sign of life.
      if (connection === asked && replyCodeOf(error) !== undefined) unanswered = undefined
      letGo(subscription)
    })
  }
  const deafen = () => {
    connection++
    hopeless = true
    unanswered = undefined
    for (const subscription of subscriptions.values()) {
      if (subscription.listening) subscription.watchers.forEach(({ off }) => off())
      subscription.listening = false
      letGo(subscription)
    }
  }
  const onMessage = (channel: unknown, message: unknown) => {
    const subscription = subscriptions.get(String(channel))
    if (subscription === undefined) return
    const text = String(message)
    subscription.handlers.forEach((handler) => handler(text))
    subscription.watchers.forEach((watcher) => watcher.message(text))
  }
  const reopen = () => {
    client = undefined
    if (closed || reopening !== undefined) return
    const pause = reopenMillis * 2 ** Math.min(failures, maxDoublings)
    reopening = setTimeout(() => {
      reopening = undefined
      open()
    }, pause * (1 + Math.random())).unref()
  }
  const open = () => {
    const opened = connect()
    client = opened
    if (opened === undefined) return reopen()
    const isCurrent = () => client === opened
    opened.on("error", () => {})
    opened.on("connect", () => guardSocket(opened))
    opened.on("ready", () => {
      if (!isCurrent()) return
      hopeless = false
      failures = 0
      subscriptions.forEach((subscription, channel) => subscribe(channel, subscription))
    })
    opened.on("close", () => isCurrent() && deafen())
    opened.on("end", () => {
      if (!isCurrent()) return
      deafen()
      reopen()
      failures++
    })
    opened.on("message", (channel, message) => isCurrent() && onMessage(channel, message))
  }

  /** A connection may die without a word: one that is watched has to answer from time to time. */
  const beat = () => {
    const watched = Array.from(subscriptions).filter(([, { watchers }]) => watchers.size > 0)
    if (watched.length === 0) {
      clearInterval(heart)
      heart = undefined
    } else if (unanswered !== undefined && unanswered === client) {
      const late = unanswered
      // What has come already and was not read, because the process was busy, has come in time.
      setImmediate(() => {
        if (unanswered !== late || client !== late) return
        deafen()
        late.disconnect(true)
      })
    } else if (client?.status === "ready" && !isRight(client)) {
      deafen()
      client.disconnect()
    } else if (client?.status === "ready") {
      unanswered = client
      // What was refused may be allowed by now.
      watched.filter(([, { listening }], i) => i === 0 || !listening).forEach((one) => subscribe(...one))
    }
  }

  const subscriptionOf = (channel: string): Subscription => {
    const known = subscriptions.get(channel)
    if (known !== undefined) return known
    const made = { handlers: new Set<() => void>(), watchers: new Set<Watcher>(), waiting: new Set<() => void>(), listening: false }
    subscriptions.set(channel, made)
    if (closed) return made
    if (client === undefined && reopening === undefined) open()
    else subscribe(channel, made)
    return made
  }

  return {
    subscribe: (channel, handler, listening) => {
      const isHopeless = hopeless
      const subscription = subscriptionOf(channel)
      subscription.handlers.add(handler)
      if (closed || subscription.listening || isHopeless) return listening()
      const once = () => {
        clearTimeout(timer)
        subscription.waiting.delete(once)
        listening()
      }
      const timer = setTimeout(once, patienceMillis)
      subscription.waiting.add(once)
    },
    watch: (channel, watcher) => {
      const subscription = subscriptionOf(channel)
      subscription.watchers.add(watcher)
      if (subscription.listening) {
        watcher.on()
        watcher.assured(assuredUntil)
      }
      if (!closed) heart ??= setInterval(beat, heartbeatMillis).unref()
      return () => void subscription.watchers.delete(watcher)
    },
    close: () => {
      closed = true
      deafen()
      clearTimeout(reopening)
      clearInterval(heart)
      client?.disconnect()
    }
  }
}
