import * as Effect from "effect/Effect"
import * as Queue from "effect/Queue"
import type * as Scope from "effect/Scope"

/**
 * Hands news about a name to those who listen for that name. A listener that falls behind keeps the newest.
 *
 * @internal
 */
export interface NewsBoard<A> {
  readonly post: (name: string, news: A) => void
  readonly listen: (name: string) => Effect.Effect<Queue.Dequeue<A>, never, Scope.Scope>
  readonly listeners: () => number
}

/** @internal */
export const makeNewsBoard = <A>(): NewsBoard<A> => {
  const byName = new Map<string, Set<Queue.Queue<A>>>()
  return {
    // A full queue slides when it is offered something by an effect only.
    post: (name, news) => byName.get(name)?.forEach((queue) => Effect.runSync(queue.offer(news))),
    listen: (name) =>
      Effect.acquireRelease(
        Effect.map(Queue.sliding<A>(1), (queue) => {
          const queues = byName.get(name)
          if (queues === undefined) byName.set(name, new Set([queue]))
          else queues.add(queue)
          return queue
        }),
        (queue) =>
          Effect.suspend(() => {
            const queues = byName.get(name)
            queues?.delete(queue)
            if (queues?.size === 0) byName.delete(name)
            return Queue.shutdown(queue)
          })
      ),
    listeners: () => byName.size
  }
}
