// The clients that the type tests ask about. `generated-client` is one of four: two generators, two versions of
// Prisma. There is a tsconfig file for each beside this one.
import { PrismaClient } from "generated-client"
import type { CacheExtension } from "../../src/prisma/types/extension.js"

// No query runs, so that no adapter is needed; `never` is accepted as any of them.
declare const adapter: never

/** The extension without its run time. */
export declare const extension: CacheExtension

export const base = new PrismaClient({ adapter })

/** A client with the extension. */
export const prisma = base.$extends(extension)

/** The same client as Prisma types it when an extension adds nothing: what ours must equal. */
export const plain = base.$extends({})

/** Whether `T` is `any`, or has an `any` in a property, an element or what a promise resolves to, four levels deep. */
export type HasAny<T, Depth extends ReadonlyArray<unknown> = []> = 0 extends 1 & T
  ? true
  : Depth["length"] extends 4
    ? false
    : T extends string | number | boolean | bigint | symbol | null | undefined | Date | Uint8Array
      ? false
      : T extends PromiseLike<infer Value>
        ? HasAny<Value, [...Depth, unknown]>
        : T extends ReadonlyArray<infer Element>
          ? HasAny<Element, [...Depth, unknown]>
          : T extends { toFixed(): string }
            ? false
            : true extends { [K in keyof T]-?: HasAny<T[K], [...Depth, unknown]> }[keyof T]
              ? true
              : false
