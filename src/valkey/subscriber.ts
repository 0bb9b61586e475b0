/**
 * The one connection that listens. It is opened when somebody listens for the first time, and listens to a channel
 * for as long as it lives: there are few. Whoever relies on a message alone is wrong, since any may get lost.
 */
import type { Client } from "./client.js"

export interface Subscriber {
  /**
   * Hands on what is said in a channel. `listening` is called once: as soon as nothing more is missed, or as soon as
   * it turns out that there is no telling when that will be.
   */
  readonly subscribe: (channel: string, onMessage: (message: string) => void, listening: () => void) => void
  readonly close: () => void
}

interface Subscription {
  readonly handlers: Set<(message: string) => void>
  readonly waiting: Set<() => void>
  listening: boolean
}

/** How long somebody waits for the server to confirm that he listens. */
const patienceMillis = 250

export const makeSubscriber = (connect: () => Client): Subscriber => {
  const subscriptions = new Map<string, Subscription>()
  let client: Client | undefined
  let hopeless = false
  let closed = false

  const letGo = (subscription: Subscription) => {
    const waiting = Array.from(subscription.waiting)
    subscription.waiting.clear()
    waiting.forEach((listening) => listening())
  }
  const subscribe = (channel: string, subscription: Subscription) => {
    if (client?.status !== "ready") return
    client.callBuffer("subscribe", channel).then(() => {
      subscription.listening = true
      letGo(subscription)
    }, () => letGo(subscription))
  }
  const onReady = () => {
    hopeless = false
    subscriptions.forEach((subscription, channel) => subscribe(channel, subscription))
  }
  const onClose = () => {
    hopeless = true
    for (const subscription of subscriptions.values()) {
      subscription.listening = false
      letGo(subscription)
    }
  }
  const onMessage = (channel: unknown, message: unknown) => {
    subscriptions.get(String(channel))?.handlers.forEach((handler) => handler(String(message)))
  }
  const open = () => {
    client = connect()
    client.on("error", () => {})
    client.on("ready", onReady)
    client.on("close", onClose)
    client.on("end", onClose)
    client.on("message", onMessage)
  }

  return {
    subscribe: (channel, handler, listening) => {
      const known = subscriptions.get(channel)
      const subscription: Subscription = known ?? { handlers: new Set(), waiting: new Set(), listening: false }
      subscription.handlers.add(handler)
      if (known === undefined) subscriptions.set(channel, subscription)
      if (closed || subscription.listening || hopeless) listening()
      else {
        const once = () => {
          clearTimeout(timer)
          subscription.waiting.delete(once)
          listening()
        }
        const timer = setTimeout(once, patienceMillis)
        subscription.waiting.add(once)
      }
      if (client === undefined && !closed) open()
      else if (known === undefined) subscribe(channel, subscription)
    },
    close: () => {
      closed = true
      onClose()
      client?.disconnect()
    }
  }
}
