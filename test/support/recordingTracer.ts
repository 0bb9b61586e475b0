import * as Cause from "effect/Cause"
import * as Exit from "effect/Exit"
import * as Option from "effect/Option"
import * as Tracer from "effect/Tracer"

export interface RecordedSpan {
  readonly name: string
  /** The name of the span around it. */
  readonly parent: string | undefined
  readonly attributes: ReadonlyMap<string, unknown>
  /** How it ended, if it has. */
  readonly exit: Exit.Exit<unknown, unknown> | undefined
}

const nameOf = (span: Tracer.AnySpan): string | undefined => span._tag === "Span" ? span.name : undefined

/**
 * A tracer that keeps its spans, in the order in which they began. `tell` hears at once whatever a tracer could pass
 * on: names, attributes, events, failures.
 */
export const recordingTracer = (tell: (value: unknown) => void = () => {}) => {
  const spans: Array<RecordedSpan> = []
  let made = 0
  const tracer = Tracer.make({
    context: (run) => run(),
    span: (name, parent, context, links, startTime, kind) => {
      const attributes = new Map<string, unknown>()
      const seen = {
        name,
        parent: Option.getOrUndefined(Option.map(parent, nameOf)),
        attributes,
        exit: undefined as RecordedSpan["exit"]
      }
      spans.push(seen)
      tell(name)
      return {
        _tag: "Span",
        name,
        spanId: `${++made}`,
        traceId: "trace",
        parent,
        context,
        status: { _tag: "Started", startTime },
        attributes,
        links,
        sampled: true,
        kind,
        attribute: (key, value) => {
          attributes.set(key, value)
          tell([key, value])
        },
        event: (event, _, given) => tell([event, given]),
        addLinks: () => {},
        end: (_, exit) => {
          seen.exit = exit
          tell(Exit.isFailure(exit) ? Cause.pretty(exit.cause) : "ended")
        }
      }
    }
  })
  return { spans, tracer }
}
