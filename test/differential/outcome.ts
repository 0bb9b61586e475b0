import { inspect, isDeepStrictEqual } from "node:util"

/** What came of a query. */
export type Outcome = { readonly answer: unknown } | { readonly error: unknown }

export const outcomeOf = async (send: () => PromiseLike<unknown>): Promise<Outcome> => {
  try {
    return { answer: await send() }
  } catch (error) {
    return { error }
  }
}

/** Errors in what an error tells besides, without where they came from. */
const told = (value: unknown): unknown => {
  if (value instanceof Error) return { type: value.constructor.name, ...(told({ ...value }) as object), message: value.message }
  if (Array.isArray(value)) return value.map(told)
  if (typeof value !== "object" || value === null || Object.getPrototypeOf(value) !== Object.prototype) return value
  return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, told(member)]))
}

/** What an error says. Where the query was called from, and the text of that place, are not of the query. */
const saying = (error: unknown): unknown => {
  if (!(error instanceof Error)) return error
  const { clientVersion, code, meta, name } = error as Error & Readonly<Record<string, unknown>>
  return { type: error.constructor.name, name, code, meta: told(meta), clientVersion, message: error.message.split("\n").at(-1) }
}

const comparable = (outcome: Outcome): unknown =>
  "error" in outcome ? { error: saying(outcome.error) } : { answer: outcome.answer }

/** All of a value, as text: classes, own keys in their order, hidden ones too, `undefined`, `-0`. */
export const written = (value: unknown): string =>
  inspect(value, {
    depth: Infinity,
    maxArrayLength: Infinity,
    maxStringLength: Infinity,
    breakLength: Infinity,
    showHidden: true
  })

/** The same without what hides in objects: for people. */
export const shown = (value: unknown): string =>
  inspect(value, { depth: Infinity, maxArrayLength: 40, maxStringLength: 400, breakLength: 120 })

/** Whether nothing tells the two apart: values, types, classes, the order of keys, the error. */
export const areTheSame = (one: Outcome, other: Outcome): boolean => {
  const [first, second] = [comparable(one), comparable(other)]
  return isDeepStrictEqual(first, second) && written(first) === written(second)
}

export const shownOutcome = (outcome: Outcome): string => shown(comparable(outcome))
