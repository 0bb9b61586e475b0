/**
 * A record of what a cache told about itself, to be read by a test.
 *
 * @module
 * @since 0.1.0
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type { CacheEvent } from "../CacheEvent.js"

/**
 * @since 0.1.0
 * @category type ids
 */
export const TypeId: unique symbol = Symbol.for("effect-prisma-cache/testing/EventLog")

/**
 * @since 0.1.0
 * @category type ids
 */
export type TypeId = typeof TypeId

/**
 * What happened, in order. It keeps everything until it is taken.
 *
 * @since 0.1.0
 * @category models
 */
export interface EventLog {
  readonly [TypeId]: TypeId
  /** The listener that writes the log: for the `onEvent` option of a cache or of the Prisma extension. */
  readonly onEvent: (event: CacheEvent) => void
  /** All that happened since the log was last taken. */
  readonly all: Effect.Effect<ReadonlyArray<CacheEvent>>
  /** Of these, the events of one kind. */
  readonly of: <Tag extends CacheEvent["_tag"]>(
    tag: Tag
  ) => Effect.Effect<ReadonlyArray<Extract<CacheEvent, { readonly _tag: Tag }>>>
  /** All that happened since the log was last taken, which is empty afterwards. */
  readonly take: Effect.Effect<ReadonlyArray<CacheEvent>>
}

/**
 * The service tag of the log.
 *
 * @since 0.1.0
 * @category service tags
 */
export const EventLog: Context.Tag<EventLog, EventLog> = Context.GenericTag("effect-prisma-cache/testing/EventLog")

/**
 * An empty log.
 *
 * @since 0.1.0
 * @category constructors
 */
export const make = (): EventLog => {
  const events: Array<CacheEvent> = []
  const isOf = <Tag extends CacheEvent["_tag"]>(tag: Tag) =>
    (event: CacheEvent): event is Extract<CacheEvent, { readonly _tag: Tag }> => event._tag === tag
  return {
    [TypeId]: TypeId,
    onEvent: (event) => void events.push(event),
    all: Effect.sync(() => events.slice()),
    of: (tag) => Effect.sync(() => events.filter(isOf(tag))),
    take: Effect.sync(() => events.splice(0))
  }
}

/**
 * An empty log for each time the layer is built.
 *
 * @since 0.1.0
 * @category layers
 */
export const layer: Layer.Layer<EventLog> = Layer.sync(EventLog, make)
