/**
 * What the store and the lock say to Valkey, and how scripts are said; what carries it is a batcher's business.
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import type * as Scope from "effect/Scope"
import type { CacheError } from "../CacheError.js"
import type { Script } from "./scripts.js"
import type { Watcher } from "./subscriber.js"

/** What goes into a command. Text goes as UTF-8. */
export type Argument = string | number | Uint8Array

/** Who asks what for, and is told what came of it: once. */
export interface Question<A> {
  readonly operation: string
  readonly done: (answer: A) => void
  readonly failed: (error: CacheError) => void
}

export interface Command extends Question<unknown> {
  readonly name: string
  readonly args: ReadonlyArray<Argument>
  /** Whether it outlasts a connection that breaks. It may then be carried out twice. */
  readonly patient?: boolean
}

export interface Read extends Question<ReadonlyArray<Uint8Array | null>> {
  readonly keys: ReadonlyArray<string>
  /** How long it is waited for, in milliseconds. A batcher that does not keep time may ignore it. */
  readonly millis: number | undefined
}

/** Carries what is asked in one tick to the server, all of it together. */
export interface Batcher {
  /** Whether reads fail with `Timeout` when their time is over. */
  readonly keepsTime: boolean
  readonly command: (command: Command) => void
  readonly read: (read: Read) => void
}

/**
 * @since 0.1.0
 * @category type ids
 */
export const TypeId: unique symbol = Symbol.for("effect-prisma-cache/ValkeyConnection")

/**
 * @since 0.1.0
 * @category type ids
 */
export type TypeId = typeof TypeId

/**
 * What a script is carried out on.
 *
 * @since 0.1.0
 * @category models
 */
export interface ScriptCall {
  readonly key: string
  readonly args: ReadonlyArray<Argument>
}

/**
 * What the store and the lock say to Valkey, however it gets there. All that is said in one tick goes out together, in
 * order.
 *
 * @since 0.1.0
 * @category models
 */
export interface ValkeyConnection {
  readonly [TypeId]: TypeId
  /** A cluster carries out commands for different nodes in whatever order. */
  readonly isCluster: boolean
  /** The node that a key lives on, where there are several. */
  readonly nodeOf?: ((key: string) => string) | undefined
  /**
   * In whose life the server is that holds a key: another one when it was started again or another has taken over.
   * `undefined` until it is known, empty where there is no telling.
   */
  readonly lifeOf: (key: string) => string | undefined
  /** Finds out in which lives the servers of these keys are; `again`: although that was known. */
  readonly learnLives: (keys: ReadonlyArray<string>, again?: boolean) => Effect.Effect<void, CacheError>
  /** What the keys hold. */
  readonly read: (
    operation: string,
    keys: ReadonlyArray<string>
  ) => Effect.Effect<ReadonlyArray<Uint8Array | null>, CacheError>
  /** The same in plain code. */
  readonly unsafeRead: (read: Read) => void
  /** Whether plain reads keep to the time that they are given. */
  readonly keepsTime: boolean
  /** One command; its answer as the server gave it, texts as bytes. */
  readonly command: (operation: string, name: string, args: ReadonlyArray<Argument>) => Effect.Effect<unknown, CacheError>
  /** A script on one key after the other, in order, and what each of them came to. */
  readonly scripts: (
    operation: string,
    script: Script,
    calls: ReadonlyArray<ScriptCall>,
    options?: { readonly patient?: boolean }
  ) => Effect.Effect<ReadonlyArray<Either.Either<unknown, CacheError>>>
  /** A script on one key. */
  readonly script: (
    operation: string,
    script: Script,
    key: string,
    args: ReadonlyArray<Argument>
  ) => Effect.Effect<unknown, CacheError>
  /** The name of a channel, as others say it whose keys are the same. */
  readonly channel: (name: string) => string
  /**
   * Listens to a channel for as long as the connection lives: once, however often it is asked to with one function.
   * Answers when nothing more is missed, or when there is no telling when that will be.
   */
  readonly listen: (channel: string, onMessage: (message: string) => void) => Effect.Effect<void>
  /** Listens to a channel until the scope closes, and says when messages may be missed. Who cannot listen has none. */
  readonly watch?: ((channel: string, watcher: Watcher) => Effect.Effect<void, never, Scope.Scope>) | undefined
}

/**
 * The service tag of the connection.
 *
 * @since 0.1.0
 * @category service tags
 */
export const ValkeyConnection: Context.Tag<ValkeyConnection, ValkeyConnection> = Context.GenericTag(
  "effect-prisma-cache/ValkeyConnection"
)

/**
 * A connection over what carries its commands.
 *
 * @since 0.1.0
 * @category constructors
 */
export const make = (
  batcher: Batcher,
  rest: Pick<ValkeyConnection, "isCluster" | "nodeOf" | "lifeOf" | "learnLives" | "channel" | "listen" | "watch">
): ValkeyConnection => {
  /**
   * Sends the calls, by the script's hash or with its text, and answers when all of them are answered. A server that
   * has not met the script is sent the text; so is all that came after, even what it has carried out because
   * somebody else made it known in between: the order must not change.
   */
  const send = (
    operation: string,
    script: Script,
    calls: ReadonlyArray<ScriptCall>,
    patient: boolean,
    known: boolean,
    done: (results: Array<Either.Either<unknown, CacheError>>) => void
  ) => {
    const results: Array<Either.Either<unknown, CacheError>> = []
    let left = calls.length
    let unknownFrom = calls.length
    const settle = (i: number, result: Either.Either<unknown, CacheError>) => {
      results[i] = result
      if (--left > 0) return
      if (unknownFrom === calls.length) return done(results)
      send(operation, script, calls.slice(unknownFrom), patient, false, (rest) =>
        done([...results.slice(0, unknownFrom), ...rest]))
    }
    calls.forEach(({ args, key }, i) =>
      batcher.command({
        operation,
        name: known ? "evalsha" : "eval",
        args: [known ? script.sha : script.lua, 1, key, ...args],
        patient,
        done: (reply) => settle(i, Either.right(reply)),
        failed: (error) => {
          if (known && error.reason === "Rejected" && error.code === "NOSCRIPT") unknownFrom = Math.min(unknownFrom, i)
          settle(i, Either.left(error))
        }
      })
    )
  }
  const scripts: ValkeyConnection["scripts"] = (operation, script, calls, options) =>
    calls.length === 0
      ? Effect.succeed([])
      : Effect.async((resume) =>
        send(operation, script, calls, options?.patient ?? false, true, (results) => resume(Effect.succeed(results)))
      )

  return {
    [TypeId]: TypeId,
    ...rest,
    keepsTime: batcher.keepsTime,
    command: (operation, name, args) =>
      Effect.async((resume) =>
        batcher.command({
          operation,
          name,
          args,
          done: (reply) => resume(Effect.succeed(reply)),
          failed: (error) => resume(Effect.fail(error))
        })
      ),
    unsafeRead: batcher.read,
    read: (operation, keys) =>
      Effect.async((resume) =>
        batcher.read({
          operation,
          keys,
          millis: undefined,
          done: (values) => resume(Effect.succeed(values)),
          failed: (error) => resume(Effect.fail(error))
        })
      ),
    scripts,
    script: (operation, script, key, args) =>
      Effect.flatMap(scripts(operation, script, [{ key, args }]), ([result]) => result ?? Effect.succeed(null))
  }
}
