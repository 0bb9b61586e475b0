/**
 * The facade: a Proxy in front of the extended client, of its transaction clients and of whatever `$extends` makes of
 * it. It adds `.withCacheInfo()` to what reads return, and tells the hook on which client a query was called.
 * Everything else is the client's own, and whatever somebody puts in the place of a member is left in its place.
 */
import type { CacheInfo } from "../CacheInfo.js"
import { enclose } from "./call.js"
import type { Call } from "./call.js"
import { modelProperties, relationsOf } from "./client.js"
import type { PrismaInternals } from "./client.js"
import { isRead, isWrite } from "./operations.js"

/** @internal */
export interface FacadeOptions {
  /** Told of every client that somebody's `$extends` has made of this one. */
  readonly onExtended: (client: PrismaInternals) => void
}

type Method = (...args: ReadonlyArray<unknown>) => unknown

const facades = new WeakSet<object>()

/** @internal */
export const isFacade = (client: object): boolean => facades.has(client)

/** @internal */
export const makeFacade = (client: PrismaInternals, options: FacadeOptions): PrismaInternals => {
  const models = modelProperties(client)
  const delegates = new Map<string, { readonly of: object; readonly facade: object }>()
  const replaced = new Set<string | symbol>()

  const extend = (...args: ReadonlyArray<unknown>) => {
    const extended: PrismaInternals = client["$extends"](...args)
    // An extension may be any function: what it returns need not be a client.
    if (typeof extended !== "object" || extended === null || isFacade(extended) || !("_extensions" in extended)) return extended
    options.onExtended(extended)
    return makeFacade(extended, options)
  }

  const facade = new Proxy(client, {
    get: (target, member) => {
      const value = target[member]
      if (replaced.has(member)) return value
      if (member === "$extends" && typeof value === "function") return extend
      if (typeof member !== "string" || typeof value !== "object" || value === null || !models.has(member)) return value
      const known = delegates.get(member)
      if (known !== undefined && known.of === value) return known.facade
      const made = makeDelegate(client, value)
      delegates.set(member, { of: value, facade: made })
      return made
    },
    set: (target, member, value) => {
      replaced.add(member)
      return Reflect.set(target, member, value)
    },
    defineProperty: (target, member, descriptor) => {
      replaced.add(member)
      return Reflect.defineProperty(target, member, descriptor)
    }
  })
  facades.add(facade)
  return facade
}

/** A model of a client: its queries carry a call with them. */
const makeDelegate = (client: PrismaInternals, delegate: PrismaInternals): object => {
  const methods = new Map<string, Method>()
  const replaced = new Set<string | symbol>()
  const relations = relationsOf(client, delegate["$name"])

  const query = (operation: string): Method => {
    const known = methods.get(operation)
    if (known !== undefined) return known
    const read = isRead(operation)
    const method: Method = (args) => {
      // What is no object of arguments is for Prisma to reject.
      if (args !== undefined && (typeof args !== "object" || args === null)) return delegate[operation](args)
      const call = makeCall(client, args)
      const promise: PrismaInternals = delegate[operation]({ ...args, cache: enclose(call) })
      return decorate(client, promise, call, read, relations)
    }
    methods.set(operation, method)
    return method
  }

  return new Proxy(delegate, {
    get: (target, member) => {
      const value = target[member]
      if (typeof member !== "string" || typeof value !== "function" || replaced.has(member)) return value
      return isRead(member) || isWrite(member) ? query(member) : value
    },
    set: (target, member, value) => {
      replaced.add(member)
      return Reflect.set(target, member, value)
    },
    defineProperty: (target, member, descriptor) => {
      replaced.add(member)
      return Reflect.defineProperty(target, member, descriptor)
    }
  })
}

const makeCall = (client: PrismaInternals, args: object | undefined): Call => ({
  client,
  cache: args === undefined ? undefined : (args as { readonly cache?: unknown }).cache,
  info: undefined
})

/** Adds `.withCacheInfo()` to a read's promise, and to those of its relations. */
const decorate = (
  client: PrismaInternals,
  promise: PrismaInternals,
  call: Call,
  read: boolean,
  relations: ReadonlySet<string>
): PrismaInternals =>
  new Proxy(promise, {
    get: (target, member) => {
      if (read && member === "withCacheInfo") return () => withInfo(target, call)
      const value = target[member]
      if (typeof member !== "string" || typeof value !== "function" || !relations.has(member)) return value
      return (args?: object) => {
        const next = makeCall(client, args)
        // A relation asked for without a wish of its own has its parent's.
        const inherited = next.cache === undefined ? { ...next, cache: call.cache } : next
        const made: PrismaInternals = value({ ...args, cache: enclose(inherited) })
        return decorate(client, made, inherited, true, fluentRelations(made))
      }
    },
    has: (target, member) => (read && member === "withCacheInfo") || member in target
  })

/** The relations that a fluent promise has as methods: all of its own members that Prisma's promises do not have. */
const fluentRelations = (promise: PrismaInternals): ReadonlySet<string> =>
  new Set(Object.keys(promise).filter((member) => !promiseMembers.has(member)))

const promiseMembers = new Set(["then", "catch", "finally", "requestTransaction", "spec"])

interface Told {
  readonly data: unknown
  readonly info: CacheInfo
}

/** The same promise, resolving to its data and how it came about; it can stand in a batch like any other. */
const withInfo = (promise: PrismaInternals, call: Call): object => {
  const tell = (data: unknown): Told => ({ data, info: call.info ?? untold })
  let told: Promise<Told> | undefined
  const run = () => (told ??= promise["then"](tell))
  return {
    get spec() {
      return promise["spec"]
    },
    then: (onFulfilled?: (told: Told) => unknown, onRejected?: (error: unknown) => unknown) =>
      run().then(onFulfilled, onRejected),
    catch: (onRejected?: (error: unknown) => unknown) => run().catch(onRejected),
    finally: (onFinally?: () => void) => run().finally(onFinally),
    requestTransaction: (transaction: unknown) => promise["requestTransaction"](transaction).then(tell),
    [Symbol.toStringTag]: "PrismaPromise"
  }
}

/** For a query that never came to the hook: an extension added before the cache answered it. */
const untold: CacheInfo = { status: "bypass", key: undefined, tags: [], age: undefined, ttl: undefined }
