/**
 * Why a value cannot be encoded, thrown by the recursive code of the codecs and turned into a typed error at their
 * edge. No `Error`: taking a stack trace would cost more than the whole encoding.
 *
 * @internal
 */
export class EncodeFailure {
  constructor(readonly reason: "Unsupported" | "TooDeep" | "TooLarge", readonly message: string) {}
}

/**
 * Why bytes cannot be decoded.
 *
 * @internal
 */
export class DecodeFailure {
  constructor(readonly reason: "Malformed" | "UnknownType") {}
}

/**
 * Levels of objects and arrays. Far from what the stack holds, and the end of every cyclic value.
 *
 * @internal
 */
export const maxDepth = 512

/** @internal */
export const tooDeep = (): EncodeFailure =>
  new EncodeFailure("TooDeep", `it is nested deeper than ${maxDepth} levels, or cyclic`)

/**
 * What somebody else's code threw in the middle of an encoding: a getter, a proxy, a `toJSON`. Also the engine, which
 * says in the same way that the stack is used up and that a string would be too long. What was thrown is not kept, as
 * it may tell what the value holds.
 *
 * @internal
 */
export const asEncodeFailure = (error: unknown): EncodeFailure => {
  if (error instanceof EncodeFailure) return error
  if (error instanceof RangeError && error.message.includes("call stack")) {
    return new EncodeFailure("TooDeep", "it is nested too deep for the stack that is left")
  }
  if (error instanceof RangeError && error.message.includes("string length")) {
    return new EncodeFailure("TooLarge", "it would be longer than a string can be")
  }
  return new EncodeFailure("Unsupported", "a getter, a proxy or a method that was asked for a part threw an error")
}
