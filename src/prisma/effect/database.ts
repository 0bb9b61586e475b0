/**
 * A client as effects: an object whose members are made as they are asked for.
 */
import * as Effect from "effect/Effect"
import { CacheError } from "../../CacheError.js"
import { relationTargets } from "../client.js"
import type { PrismaInternals } from "../client.js"
import { isRead, isWrite } from "../operations.js"
import type { CacheClient } from "../types/client.js"
import { tagsOf } from "./errors.js"
import { failure, makeKind, makeRowQueries, PrismaQuery, RawPrismaQuery, waitFor } from "./query.js"
import { label as transactionLabel, runInTransaction, sendBatch } from "./transaction.js"
import type { Cache, Within } from "./types.js"

interface Options {
  readonly spans: boolean
  readonly within: Within
}

type Method = (...args: ReadonlyArray<unknown>) => unknown

const raws = new Set(["$queryRaw", "$queryRawUnsafe", "$executeRaw", "$executeRawUnsafe"])

/** Operations that answer with one row, whose promise has its relations as methods. */
const rowReads = new Set(["findUnique", "findUniqueOrThrow", "findFirst", "findFirstOrThrow"])

/** An object that looks like `target` from the outside, with members that are made once, as they are asked for. */
const lazily = (target: object, make: (member: string) => unknown): object => {
  const made = new Map<string, unknown>()
  return new Proxy(target, {
    get: (_, member) => {
      if (typeof member !== "string") return undefined
      if (made.has(member)) return made.get(member)
      const value = make(member)
      if (value !== undefined) made.set(member, value)
      return value
    },
    set: () => false
  })
}

/** @internal */
export const makeDatabase = (client: PrismaInternals, options: Options): object => {
  const rowQueries = makeRowQueries((model) => relationTargets(client, model))
  return lazily({}, (member) => {
    const own = ownMember(client, member, options)
    if (own !== undefined) return own
    const value: unknown = client[member]
    const isModel = !member.startsWith("$") && typeof value === "object" && value !== null
    return isModel ? makeModel(value, member, rowQueries, options) : undefined
  })
}

const makeModel = (
  delegate: PrismaInternals,
  member: string,
  rowQueries: ReturnType<typeof makeRowQueries>,
  { spans, within }: Options
): object => {
  const name: unknown = delegate["$name"]
  const model = typeof name === "string" ? name : member
  return lazily({}, (operation) => {
    const value: unknown = delegate[operation]
    if (typeof value !== "function") return value
    const kind = makeKind(model, operation, within, spans)
    const Query = rowReads.has(operation) ? rowQueries(model) : PrismaQuery
    const known = isRead(operation) || isWrite(operation)
    const method: Method = known
      ? (args) => new Query(() => delegate[operation](args), kind)
      : (...args) => new PrismaQuery(() => later(() => delegate[operation](...args)), kind)
    return method
  })
}

/** Methods of extensions may return what is no promise. */
const later = (run: () => unknown): PrismaInternals => Promise.resolve().then(run) as unknown as PrismaInternals

const ownMember = (client: PrismaInternals, member: string, { spans, within }: Options): unknown => {
  if (member === "$client") return client
  if (member === "$run") {
    const tags = tagsOf("other", within)
    return (body: (client: PrismaInternals) => PromiseLike<unknown>) =>
      waitFor(() => body(client), (thrown) => failure(thrown, "$run", tags, true))
  }
  const value: unknown = client[member]
  if (value === undefined) return undefined
  if (raws.has(member)) {
    const kind = makeKind(undefined, member, within, spans)
    return (...args: ReadonlyArray<unknown>) => new RawPrismaQuery(() => client[member](...args), kind)
  }
  if (member === "$cache") return makeCache(value as CacheClient)
  if (member === transactionLabel) {
    return (input: unknown, settings?: object) => {
      const effect = typeof input === "function"
        ? runInTransaction(
          client,
          (tx) => input(makeDatabase(tx, { spans, within: "transaction" })) as Effect.Effect<unknown, unknown, unknown>,
          settings
        )
        : sendBatch(client, input as ReadonlyArray<PrismaQuery>, settings)
      return spans
        ? Effect.withSpan(effect, `prisma.${transactionLabel}`, { kind: "client", captureStackTrace: false })
        : effect
    }
  }
  return undefined
}

const makeCache = (cache: CacheClient): Cache => {
  const send = (start: () => Promise<void>): Effect.Effect<void, CacheError> =>
    Effect.catchAll(
      Effect.tryPromise({ try: start, catch: (error) => error }),
      // Whatever else it is, it says that the call was wrong.
      (error) => error instanceof CacheError ? Effect.fail(error) : Effect.die(error)
    )
  return {
    invalidate: (targets) => send(() => cache.invalidate(targets)),
    invalidateAll: (options) => send(() => cache.invalidateAll(options)),
    explain: (model, operation, args) => cache.explain(model, operation, args),
    stats: Effect.sync(() => cache.stats()),
    health: Effect.sync(() => cache.health()),
    close: Effect.promise(() => cache.close())
  }
}
