/**
 * The code that an error carries, e.g. `ECONNREFUSED`. Drivers put names and values into their messages: only what looks
 * like a code is taken.
 *
 * @internal
 */
export const codeIn = (error: unknown): string | undefined => {
  const code: unknown = typeof error === "object" && error !== null ? Reflect.get(error, "code") : undefined
  return typeof code === "string" && /^[A-Z][A-Z0-9_]{1,40}$/.test(code) ? code : undefined
}
