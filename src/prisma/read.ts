/**
 * Reads: which entry it is, and what the answer depends on.
 */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import { QueryTimeoutError } from "../CacheError.js"
import type { CacheInfo } from "../CacheInfo.js"
import type { Answer, Late, Request } from "../QueryCache.js"
import type { Call } from "./call.js"
import { isName } from "./checks.js"
import { laterQueryExtensions } from "./client.js"
import { customKeys, queryKey } from "./entryKeys.js"
import type { Arguments, Query } from "./entryKeys.js"
import { isDefinite } from "./errors.js"
import type { HookContext } from "./hook.js"
import type { Cached } from "./queryOptions.js"
import type { RowRead } from "./rowRead.js"

/**
 * What a query that left the cache alone is told of.
 *
 * @internal
 */
export const untouched: CacheInfo = { status: "off", key: undefined, tags: [], createdAt: undefined, age: undefined, ttl: undefined }

/** @internal */
export const bypassed: CacheInfo = { ...untouched, status: "bypass" }

const inTime = <A>(label: string, timeout: Duration.DurationInput | undefined, query: Effect.Effect<A, unknown>) =>
  timeout === undefined
    ? query
    : Effect.timeoutFail(query, {
      duration: timeout,
      onTimeout: () => new QueryTimeoutError({ label, millis: Duration.toMillis(timeout) })
    })

/** @internal */
export const makeRead = (context: HookContext) => {
  const { settings, shared, warn } = context

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
  const rowLoad = (query: Query, row: RowRead) => {
    let late: ReadonlyArray<string> = []
    return {
      late: () => late,
      run: async () => {
        const found = await query.send(row.select(query.args) as Arguments)
        late = row.late(found) ?? [row.guard]
        return row.strip(found)
      }
    }
  }

  return async (query: Query, wish: Cached, call: Call | undefined): Promise<unknown> => {
    const { key, namespace } = wish
    const around = isHidden(call) ? undefined : context.surroundings(call?.client, query.label)
    const named = around && customKeys(query, around)
    const made = around === undefined || named === undefined
      ? undefined
      : typeof key === "string"
      ? named({ key, namespace })
      : queryKey(query, around, namespace)
    if (made === undefined || Either.isLeft(made)) {
      // Arguments that cannot be told apart are wrong, and Prisma will say how.
      if (made !== undefined) warn(`${query.label}: ${made.left.message}`)
      if (call !== undefined) call.info = bypassed
      return query.send(query.args)
    }
    if (call !== undefined) call.signature = made.right.digest
    const depends = context.dependencies(query)
    const row = depends?.row && rowLoad(query, depends.row)
    const load = inTime(query.label, wish.strategy.hardTimeout, Effect.tryPromise({
      try: row === undefined ? () => query.send(query.args) : row.run,
      catch: (error) => error
    }))
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
    const request: Request<unknown> = {
      key: made.right,
      strategy: wish.strategy,
      keys: typeof key === "string" ? [{ key, namespace }] : undefined,
      dependencies: depends?.tags,
      late: hasLate ? late : undefined,
      guards: hasLate
        ? { keys: typeof key === "function", dependencies: depends?.row === undefined ? [] : [depends.row.guard] }
        : undefined,
      mode: wish.refresh ? "refresh" : "use",
      types: await context.types(),
      accepts: query.operation.endsWith("OrThrow") ? (value) => value !== null : undefined,
      isDefinite
    }
    const answer = await shared.run<Answer<unknown>, unknown>(context.base, (cache) =>
      cache === undefined ? Effect.map(load, (value) => ({ value, info: bypassed })) : cache.answer(request, load))
    if (call !== undefined) call.info = answer.info
    return answer.value
  }
}
