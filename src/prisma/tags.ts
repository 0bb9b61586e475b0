import type { Tag } from "./schema/model.js"

/**
 * The one tag of a client of whose models nothing is known, not even their names.
 *
 * @internal
 */
export const everyTag: Tag = "m:*"
