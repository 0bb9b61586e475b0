/**
 * Reads: which entry it is, and what the answer depends on.
 */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import { QueryTimeoutError } from "../CacheError.js"
import { uncachedInfo } from "../internal/uncachedInfo.js"
import type { Answer, Late, Request } from "../QueryCache.js"
import type { ValueTypes } from "../Serializer.js"
import type { Call } from "./call.js"
import { isName } from "./checks.js"
import { laterQueryExtensions } from "./client.js"
import { customKeys, queryKey } from "./entryKeys.js"
import type { Arguments, Query, Send, SentQuery } from "./entryKeys.js"
import { isDefinite } from "./errors.js"
import type { HookContext } from "./hook.js"
import type { Cached } from "./queryOptions.js"
import type { RowRead } from "./rowRead.js"
import { makeSpanAttributes } from "./spanAttributes.js"

/**
 * What a query that left the cache alone is told of.
 *
 * @internal
 */
export const untouched = uncachedInfo("off")

/** @internal */
export const bypassed = uncachedInfo("bypass")

const inTime = <A>(label: string, timeout: Duration.DurationInput | undefined, query: Effect.Effect<A, unknown>) =>
  timeout === undefined
    ? query
    : Effect.timeoutFail(query, {
      duration: timeout,
      onTimeout: () => new QueryTimeoutError({ label, millis: Duration.toMillis(timeout) })
    })

const isThere = (value: unknown) => value !== null

/** A read, ready to be looked for, and what asks the database if it is not found. */
export interface Prepared {
  readonly request: Request<unknown>
  readonly load: (send: Send) => Effect.Effect<unknown, unknown>
}

/** @internal */
export type Prepare = (
  query: Query,
  wish: Cached,
  call: Call | undefined,
  types: ValueTypes,
  /** What decides the result beside the query, where that is known already. */
  around?: ReadonlyArray<unknown>,
  /** Whom to tell what is wrong. Default: whoever listens to events. */
  say?: (message: string) => void
) => Prepared | undefined

/** @internal */
export interface Reader {
  readonly prepare: Prepare
  /** Answers a read in the hook. */
  readonly read: (query: SentQuery, wish: Cached, call: Call | undefined) => Promise<unknown>
}

/** @internal */
export const makeReader = (context: HookContext): Reader => {
  const { settings, shared, warn } = context
  const attributesOf = makeSpanAttributes(context.base)

  /** Whether extensions that sit between the cache and the database may change the query in ways nobody told of. */
  const isHidden = (call: Call | undefined): boolean => {
    if (settings.varyBy !== undefined || settings.trustLaterExtensions) return false
    return call === undefined ? context.family.queries : laterQueryExtensions(call.client).length > 0
  }

  const nameOf = (label: string, key: (result: unknown) => unknown, value: unknown): string | undefined => {
    try {
      const name = key(value)
      if (isName(name)) return name
      warn(`${label}: the key function did not return a string that is not empty; the result is not stored`)
    } catch (error) {
      const what = error instanceof Error ? error.name : typeof error
      warn(`${label}: the key function threw (${what}); the result is not stored`)
    }
    return undefined
  }

  /** A row-level read selects what identifies its row, and finds out from the result what else it depends on. */
  const rowLoad = (args: Arguments, row: RowRead) => {
    let late: ReadonlyArray<string> = []
    return {
      late: () => late,
      run: async (send: Send) => {
        const found = await send(row.select(args) as Arguments)
        late = row.late(found) ?? [row.guard]
        return row.strip(found)
      }
    }
  }

  /** `undefined` where there is no telling which entry it is. */
  const prepare: Prepare = (query, wish, call, types, known, say = warn) => {
    const { key, namespace } = wish
    const around = known ?? (isHidden(call) ? undefined : context.surroundings(call?.client, query.label, say))
    if (around === undefined) return undefined
    const named = typeof key === "string" || typeof key === "function" ? customKeys(query, around) : undefined
    const made = typeof key === "string" && named !== undefined
      ? named({ key, namespace })
      : queryKey(query, around, namespace)
    if (Either.isLeft(made)) {
      // Arguments that cannot be told apart are wrong, and Prisma will say how.
      say(`${query.label}: ${made.left.message}`)
      return undefined
    }
    if (call !== undefined) call.signature = made.right.digest
    const depends = context.dependencies(query)
    const row = depends?.row && rowLoad(query.args, depends.row)
    const late = (value: unknown): Late | undefined => {
      const dependencies = row?.late() ?? []
      if (typeof key !== "function") return { keys: [], dependencies, entries: [] }
      const name = nameOf(query.label, key, value)
      if (name === undefined) return undefined
      const ref = { key: name, namespace }
      return {
        keys: [ref],
        dependencies,
        // Asked for when something is stored only: a hit asks for the name alone.
        get entries() {
          const entry = named?.(ref)
          return entry !== undefined && Either.isRight(entry) ? [entry.right] : []
        }
      }
    }
    const hasLate = row !== undefined || typeof key === "function"
    return {
      request: {
        key: made.right,
        strategy: wish.strategy,
        keys: typeof key === "string" ? [{ key, namespace }] : undefined,
        dependencies: depends?.tags,
        late: hasLate ? late : undefined,
        guards: hasLate
          ? { keys: typeof key === "function", dependencies: depends?.row === undefined ? [] : [depends.row.guard] }
          : undefined,
        mode: wish.refresh ? "refresh" : "use",
        types,
        attributes: attributesOf(query),
        accepts: query.operation.endsWith("OrThrow") ? isThere : undefined,
        isDefinite
      },
      load: (send) =>
        inTime(
          query.label,
          wish.strategy.hardTimeout,
          Effect.tryPromise({
            try: () => row === undefined ? send(query.args) : row.run(send),
            catch: (error) => error
          })
        )
    }
  }

  const read: Reader["read"] = async (query, wish, call) => {
    const { send } = query
    const looked = call?.looked
    if (call !== undefined && looked !== undefined) {
      const answer = await looked.run(looked.rest(looked.load(send)))
      call.info = answer.info
      return answer.value
    }
    const types = context.types()
    const prepared = prepare(query, wish, call, types instanceof Promise ? await types : types)
    if (prepared === undefined) {
      if (call !== undefined) call.info = bypassed
      return send(query.args)
    }
    const load = () => prepared.load(send)
    const direct = () => Effect.map(load(), (value): Answer<unknown> => ({ value, info: bypassed }))
    const answer = await shared.answer(context.base, prepared.request, load, direct)
    if (call !== undefined) call.info = answer.info
    return answer.value
  }

  return { prepare, read }
}
