/**
 * Raw SQL. Nobody reads it here: what it reads or touches is declared on the query, or taken to be everything.
 */
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import { CacheOptionsError } from "../CacheError.js"
import * as CacheKey from "../CacheKey.js"
import type { Answer, Request, Touches } from "../QueryCache.js"
import { callersContext } from "./asyncContext.js"
import { canonicalArgs } from "./canonicalArgs.js"
import { isName, show } from "./checks.js"
import type { PrismaInternals } from "./client.js"
import { isDefinite, isOver, isRolledBack } from "./errors.js"
import type { HookContext } from "./hook.js"
import { readCache } from "./queryOptions.js"
import { bypassed } from "./read.js"
import { transactionIdOf } from "./transactions.js"

const operations = new Set(["$executeRaw", "$executeRawUnsafe", "$queryRaw", "$queryRawUnsafe", "$queryRawTyped"])

/** @internal */
export const isRaw = (member: string | symbol): member is string => typeof member === "string" && operations.has(member)

/** Statements that begin like this, and hold no word of the second kind, change nothing. */
const reads = /^\s*(?:--[^\n]*\n\s*|\/\*[\s\S]*?\*\/\s*)*(?:select|with|values|table|show|explain)\b/i
const writes = /\b(?:insert|update|delete|merge|truncate|call|into|drop|alter|create|nextval|setval|do)\b/i

const textOf = (args: ReadonlyArray<unknown>): string => {
  const first = args[0]
  if (typeof first === "string") return first
  if (typeof first !== "object" || first === null) return ""
  if (Array.isArray(first)) return first.join("?")
  const { sql, strings } = first as { readonly sql?: unknown; readonly strings?: unknown }
  return typeof sql === "string" ? sql : Array.isArray(strings) ? strings.join("?") : ""
}

const mayWrite = (member: string, args: ReadonlyArray<unknown>): boolean => {
  if (member.startsWith("$execute")) return true
  const text = textOf(args)
  return !reads.test(text) || writes.test(text)
}

/** What tells a raw query from others: the text and the values, wherever they stand. */
const keyParts = (member: string, args: ReadonlyArray<unknown>): ReadonlyArray<unknown> => {
  const [first, ...values] = args
  if (Array.isArray(first)) return [member, [...first], values]
  if (typeof first === "object" && first !== null) {
    const sql = first as { readonly strings?: ReadonlyArray<string>; readonly sql?: string; readonly values?: unknown }
    return [member, sql.strings === undefined ? sql.sql ?? "" : [...sql.strings], sql.values ?? [], values]
  }
  return [member, first, values]
}

type Send = () => PromiseLike<unknown>

/** @internal */
export const makeRaw = (context: HookContext) => {
  const { settings, shared, transactions } = context

  const modelsOf = (subject: string, names: ReadonlyArray<unknown>): ReadonlyArray<string> => {
    const known = context.models
    const problems = names.flatMap((name, i) =>
      isName(name) && known.has(name)
        ? []
        : [{ path: `${subject}[${i}]`, message: `got ${show(name)}, allowed: a model of the schema: ${Array.from(known).join(", ")}` }]
    )
    if (problems.length > 0) throw new CacheOptionsError(`raw SQL`, problems)
    return names as ReadonlyArray<string>
  }

  /** A raw write, between its announcement and its end, in whatever transaction it stands. */
  const write = async (label: string, client: PrismaInternals, touches: Touches, batch: boolean, send: Send) => {
    const id = transactionIdOf(client)
    if (id !== undefined) {
      await transactions.touch(id, touches)
      return send()
    }
    const effect = Effect.uninterruptible(Effect.tryPromise({ try: send, catch: (error) => error }))
    const isSure = batch ? undefined : isRolledBack
    return shared.run(context.base, (cache) =>
      cache === undefined ? effect : cache.write({ label, touches, isRolledBack: isSure, isOver }, effect))
  }

  const policy = (label: string): Touches | undefined => {
    if (settings.invalidation === "manual") return undefined
    if (settings.rawWrites === "refuse") {
      throw new CacheOptionsError(label, [{
        path: "touches",
        message: "got nothing, allowed: the models that this statement writes, `.touches(\"User\")`; or `.touches()` if it writes none"
      }])
    }
    if (settings.rawWrites === "invalidate-all") return { all: true }
    context.warn(`${label}: raw SQL that may write does not say what; declare it with .touches(...), or nothing is invalidated`)
    return undefined
  }

  const readThrough = async (
    label: string,
    client: PrismaInternals,
    parts: ReadonlyArray<unknown>,
    options: { readonly reads?: unknown; readonly [name: string]: unknown },
    send: Send
  ) => {
    const { reads: named, ...cache } = options
    if (!Array.isArray(named) || named.length === 0) {
      throw new CacheOptionsError(label, [{ path: "reads", message: `got ${show(named)}, allowed: the models that the statement reads` }])
    }
    const models = modelsOf("reads", named)
    const wish = readCache(label, cache, undefined, settings.defaults)
    const around = context.surroundings(client, label)
    if (wish._tag !== "Cached" || transactionIdOf(client) !== undefined || around === undefined) return send()
    const { key, namespace } = wish
    const made = CacheKey.make(["raw", ...around, typeof key === "string" ? [key] : canonicalArgs({ parts })], { namespace, label })
    if (Either.isLeft(made)) return send()
    const request: Request<unknown> = {
      key: made.right,
      strategy: wish.strategy,
      keys: typeof key === "string" ? [{ key, namespace }] : undefined,
      dependencies: context.declaredReads(models),
      mode: wish.refresh ? "refresh" : "use",
      types: await context.types(),
      isDefinite
    }
    const load = Effect.tryPromise({ try: send, catch: (error) => error })
    const answer = await shared.run<Answer<unknown>, unknown>(context.base, (cache) =>
      cache === undefined ? Effect.map(load, (value) => ({ value, info: bypassed })) : cache.answer(request, load))
    return answer.value
  }

  /** The client's own raw query, and on its promise `.touches(...)` and `.cached({ reads })`. */
  return (client: PrismaInternals, member: string, args: ReadonlyArray<unknown>): unknown => {
    const promise: PrismaInternals = client[member](...args)
    const undeclared = mayWrite(member, args)
    const within = callersContext()

    const lazily = (run: (send: Send, batch: boolean) => Promise<unknown>): object => {
      let running: Promise<unknown> | undefined
      const start = () => (running ??= run(() => within(() => promise["then"]((value: unknown) => value)), false))
      return {
        get spec() {
          return promise["spec"]
        },
        then: (onFulfilled?: (value: unknown) => unknown, onRejected?: (error: unknown) => unknown) =>
          start().then(onFulfilled, onRejected),
        catch: (onRejected?: (error: unknown) => unknown) => start().catch(onRejected),
        finally: (onFinally?: () => void) => start().finally(onFinally),
        requestTransaction: (transaction: unknown) => run(() => promise["requestTransaction"](transaction), true),
        [Symbol.toStringTag]: "PrismaPromise"
      }
    }
    const touching = (touches: () => Touches | undefined) =>
      lazily(async (send, batch) => {
        const named = touches()
        return named === undefined ? send() : write(member, client, named, batch, send)
      })
    return Object.assign(touching(() => undeclared ? policy(member) : undefined), {
      touches: (...models: ReadonlyArray<unknown>) => {
        const declared = modelsOf("touches", models)
        return touching(() => declared.length === 0 ? undefined : context.declaredTouches(declared))
      },
      cached: (options: { readonly reads?: unknown }) =>
        lazily((send, batch) => batch ? Promise.resolve(send()) : readThrough(member, client, keyParts(member, args), options, send))
    })
  }
}
