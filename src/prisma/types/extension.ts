/**
 * The type of the extension as a whole.
 *
 * @since 0.1.0
 */
import type * as Runtime from "@prisma/client/runtime/client"
import type { ClientProperties } from "./client.js"
import type { GlobalOmit } from "./delegate.js"
import type { Models } from "./models.js"

/**
 * What the extension says it adds, in the form that `$extends` merges into the client's type.
 *
 * @since 0.1.0
 * @category models
 */
export interface ExtendedClient<Declared extends GlobalOmit = {}> {
  readonly $extends: {
    readonly extArgs: Runtime.Types.Extensions.InternalArgs<{}, { $allModels: Models<Declared> }, {}, ClientProperties>
  }
}

/**
 * An extension for `$extends` that gives every model the cache's options and the client its `$cache`.
 *
 * `Declared` is needed only where the client's global omit cannot be found in its type, and then is the type of the
 * very object: `CacheExtension<typeof omit>` for `new PrismaClient({ omit })`. It has no effect elsewhere.
 *
 * @since 0.1.0
 * @category models
 */
// `any`, because Prisma's parameter is a union: a generic parameter would be inferred as `unknown`, and no client type
// of another generator or version would be accepted by a precise one.
export type CacheExtension<Declared extends GlobalOmit = {}> = (client: any) => ExtendedClient<Declared>
