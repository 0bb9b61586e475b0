/**
 * The facade: a Proxy in front of the extended client, of its transaction clients and of whatever `$extends` makes of
 * it. It adds `.withCacheInfo()` to what reads return, and tells the hook on which client a query was called.
 * Everything else is the client's own, and whatever somebody puts in the place of a member is left in its place.
 */
import { uncachedInfo } from "../internal/uncachedInfo.js"
import { toAccelerateInfo } from "./accelerate.js"
import { enclose } from "./call.js"
import type { Call } from "./call.js"
import { modelProperties, overriddenOperations, relationsOf } from "./client.js"
import type { PrismaInternals } from "./client.js"
import { isRead, isWrite } from "./operations.js"
import { wishIn } from "./queryOptions.js"
import { isRaw } from "./raw.js"
import type { Attempt, ShortCut } from "./shortCut.js"

/** @internal */
export interface FacadeOptions {
  /** Told of every client that somebody's `$extends` has made of this one. */
  readonly onExtended: (client: PrismaInternals) => void
  /** Sends raw SQL for a client. */
  readonly raw: (client: PrismaInternals, member: string, args: ReadonlyArray<unknown>) => unknown
  /** What `.withAccelerateInfo()` says of the region. */
  readonly region: string
  /** Looks for answers before Prisma is asked, where that may be done. */
  readonly shortCut: ShortCut | undefined
}

type Method = (...args: ReadonlyArray<unknown>) => unknown

const facades = new WeakSet<object>()

/** @internal */
export const isFacade = (client: object): boolean => facades.has(client)

/** @internal */
export const makeFacade = (client: PrismaInternals, options: FacadeOptions): PrismaInternals => {
  const models = modelProperties(client)
  const delegates = new Map<string | symbol, object>()

  const extend = (...args: ReadonlyArray<unknown>) => {
    const extended: PrismaInternals = client["$extends"](...args)
    // An extension may be any function: what it returns need not be a client.
    if (typeof extended !== "object" || extended === null || isFacade(extended) || !("_extensions" in extended)) return extended
    options.onExtended(extended)
    return makeFacade(extended, options)
  }

  const raws = new Map<string, Method>()
  const raw = (member: string): Method => {
    const known = raws.get(member)
    if (known !== undefined) return known
    const method: Method = (...args) => options.raw(client, member, args)
    raws.set(member, method)
    return method
  }

  const facade = replaceable(client, (member) => {
    const known = delegates.get(member)
    if (known !== undefined) return known
    const value = client[member]
    if (member === "$extends" && typeof value === "function") return extend
    if (isRaw(member) && typeof value === "function") return raw(member)
    if (typeof member !== "string" || typeof value !== "object" || value === null || !models.has(member)) return value
    const made = makeDelegate(client, value, options)
    delegates.set(member, made)
    return made
  })
  facades.add(facade)
  return facade
}

/**
 * A Proxy whose members are what `get` says, until somebody puts something in their place. That stays here, so that it
 * can call what it replaces, and putting that back undoes it. Members say what they are when asked for their
 * descriptor, which Prisma's own do not: spies depend on it.
 */
const replaceable = (target: PrismaInternals, get: (member: string | symbol) => unknown): PrismaInternals => {
  const replaced = new Map<string | symbol, unknown>()
  const current = (member: string | symbol) => replaced.has(member) ? replaced.get(member) : get(member)
  const put = (member: string | symbol, value: unknown) => {
    if (value === get(member)) replaced.delete(member)
    else replaced.set(member, value)
    return true
  }
  return new Proxy(target, {
    get: (_, member) => current(member),
    set: (_, member, value) => put(member, value),
    has: (_, member) => replaced.has(member) || member in target,
    deleteProperty: (_, member) => replaced.delete(member) || Reflect.deleteProperty(target, member),
    defineProperty: (_, member, descriptor) =>
      "value" in descriptor ? put(member, descriptor.value) : Reflect.defineProperty(target, member, descriptor),
    getOwnPropertyDescriptor: (_, member) => {
      const own = Reflect.getOwnPropertyDescriptor(target, member)
      if (own === undefined && !replaced.has(member)) return undefined
      if (own !== undefined && (own.configurable !== true || own.get !== undefined || own.set !== undefined)) return own
      return { enumerable: true, writable: true, ...own, configurable: true, value: current(member) }
    }
  })
}

/** A model of a client: its queries carry a call with them. */
const makeDelegate = (client: PrismaInternals, delegate: PrismaInternals, options: FacadeOptions): object => {
  const methods = new Map<string | symbol, Method>()
  const { shortCut } = options
  const relations = relationsOf(client, delegate["$name"])
  const overridden = overriddenOperations(client, delegate["$name"])

  const query = (operation: string): Method => {
    const read = isRead(operation)
    const method: Method = (args) => {
      // What is no object of arguments is for Prisma to reject.
      if (args !== undefined && (typeof args !== "object" || args === null)) return delegate[operation](args)
      if (!read || shortCut === undefined) {
        const call = makeCall(client, args)
        // Prisma takes the line that calls this for the caller's.
        return decorate(client, direct(delegate[operation](enclosed(args, call))), call, read, relations, options)
      }
      const call = makeCall(client, args, showsSites ? new Error() : undefined)
      const ask = (): PrismaInternals => delegate[operation](enclosed(args, call))
      const source = makeLazy(call, ask, () => shortCut(call, delegate["$name"], operation, args))
      return decorate(client, source, call, read, relations, options)
    }
    methods.set(operation, method)
    return method
  }

  return replaceable(delegate, (member) => {
    const known = methods.get(member)
    if (known !== undefined) return known
    const value = delegate[member]
    if (typeof member !== "string" || typeof value !== "function" || overridden.has(member)) return value
    return isRead(member) || isWrite(member) ? query(member) : value
  })
}

/** Prisma's errors show the line of the call, except there. */
const showsSites = globalThis.process?.env["NODE_ENV"] !== "production"

const makeCall = (client: PrismaInternals, args: object | undefined, site?: Error): Call => ({
  client,
  cache: args === undefined ? undefined : wishIn(args),
  info: undefined,
  signature: undefined,
  site,
  looked: undefined
})

/** The arguments with the call in the place of what they say about the cache. */
const enclosed = (args: object | undefined, call: Call): object => {
  const { cacheStrategy: _, ...others } = (args ?? {}) as { readonly cacheStrategy?: unknown }
  return { ...others, cache: enclose(call) }
}

/** What a query is waited for by, and Prisma's own promise for all the rest of what that can do. */
interface Source {
  readonly promise: PrismaInternals
  readonly own: () => PrismaInternals
}

const direct = (promise: PrismaInternals): Source => ({ promise, own: () => promise })

/**
 * A read that Prisma hears of only if it is not answered before. Like Prisma's own promises it does nothing until it is
 * waited for, and then once.
 */
const makeLazy = (call: Call, ask: () => PrismaInternals, look: () => Attempt | Promise<Attempt> | undefined): Source => {
  let asked: PrismaInternals | undefined
  let answer: Promise<unknown> | undefined
  const own = () => (asked ??= ask())
  const settle = (found: Attempt): unknown => {
    if (found._tag === "Missed") {
      call.looked = found.looked
      return own()
    }
    call.info = found.info
    return found.value
  }
  const askOwn = (): Promise<unknown> => own()["then"]((value: unknown) => value)
  const start = (): Promise<unknown> => {
    const found = asked === undefined ? look() : undefined
    if (found === undefined) return askOwn()
    if (found instanceof Promise) return found.then(settle)
    return found._tag === "Hit" ? Promise.resolve(settle(found)) : Promise.resolve(found).then(settle)
  }
  const run = () => (answer ??= start())
  return {
    own,
    promise: {
      then: (onFulfilled?: (value: unknown) => unknown, onRejected?: (error: unknown) => unknown) =>
        run().then(onFulfilled, onRejected),
      catch: (onRejected?: (error: unknown) => unknown) => run().catch(onRejected),
      finally: (onFinally?: () => void) => run().finally(onFinally),
      [Symbol.toStringTag]: "PrismaPromise"
    }
  }
}

const isTelling = (member: string | symbol) => member === "withCacheInfo" || member === "withAccelerateInfo"

/** Adds `.withCacheInfo()` and `.withAccelerateInfo()` to a read's promise, and to those of its relations. */
const decorate = (
  client: PrismaInternals,
  { own, promise }: Source,
  call: Call,
  read: boolean,
  relations: ReadonlySet<string>,
  options: FacadeOptions
): PrismaInternals => {
  // A handler's every answer is compared with what the target has, which must therefore be no other handler's.
  const facade: PrismaInternals = new Proxy(promise, {
    get: (target, member) => {
      if (read && member === "withCacheInfo") return () => withInfo(facade, () => call.info ?? untold)
      if (read && member === "withAccelerateInfo") {
        return () => withInfo(facade, () => toAccelerateInfo(call.info ?? untold, call.signature, options.region))
      }
      const value = Object.hasOwn(target, member) ? target[member] : own()[member]
      if (typeof member !== "string" || typeof value !== "function" || !relations.has(member)) return value
      return (args?: object) => {
        const next = makeCall(client, args)
        // A relation asked for without a wish of its own has its parent's.
        const inherited = next.cache === undefined ? { ...next, cache: call.cache } : next
        const made: PrismaInternals = value(enclosed(args, inherited))
        return decorate(client, direct(made), inherited, read, fluentRelations(made), options)
      }
    },
    has: (_, member) => (read && isTelling(member)) || member in own(),
    ownKeys: () => Reflect.ownKeys(own()),
    getOwnPropertyDescriptor: (_, member) => Reflect.getOwnPropertyDescriptor(own(), member)
  })
  return facade
}

/** The relations that a fluent promise has as methods: all of its own members that Prisma's promises do not have. */
const fluentRelations = (promise: PrismaInternals): ReadonlySet<string> =>
  new Set(Object.keys(promise).filter((member) => !promiseMembers.has(member)))

const promiseMembers = new Set(["then", "catch", "finally", "requestTransaction", "spec"])

interface Told {
  readonly data: unknown
  readonly info: unknown
}

/** The same promise, resolving to its data and how it came about; it can stand in a batch like any other. */
const withInfo = (promise: PrismaInternals, info: () => unknown): object => {
  const tell = (data: unknown): Told => ({ data, info: info() })
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
const untold = uncachedInfo("bypass")
