/**
 * All types of the extension. The front door exports every one of them by its own name: TypeScript writes a name for
 * what it infers, and a program that exports its client could otherwise not emit declarations.
 *
 * @since 0.1.0
 */
export type * from "./client.js"
export type * from "./delegate.js"
export type * from "./exact.js"
export type * from "./extension.js"
export type * from "./fluent.js"
export type * from "./models.js"
export type * from "./options.js"
export type * from "./promise.js"
