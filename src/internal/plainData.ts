/**
 * What kind of thing a value is, in words that give nothing of it away.
 *
 * @internal
 */
export const describe = (value: unknown): string => {
  if (typeof value !== "object" || value === null) return `a ${typeof value}`
  const prototype: unknown = Object.getPrototypeOf(value)
  if (prototype === null) return "an object without a prototype"
  const constructor: unknown = Object.getOwnPropertyDescriptor(prototype, "constructor")?.value
  const name: unknown = typeof constructor === "function" ? constructor.name : undefined
  return typeof name !== "string" || name === "" ? "an instance of a class without a name" : `an instance of ${name}`
}

/**
 * Whether an array has all of its elements and nothing else. Names that are no indices come last among the keys.
 *
 * @internal
 */
export const isDense = (list: ReadonlyArray<unknown>): boolean => {
  const keys = Object.keys(list)
  return keys.length === list.length && (keys.length === 0 || keys[keys.length - 1] === String(keys.length - 1))
}
