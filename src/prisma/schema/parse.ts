/**
 * What a Prisma schema says about its models. Written for schemas that Prisma has accepted: it finds its way through
 * those and gives up on what it does not understand, so that nobody relies on half a schema.
 */
import { tokenize } from "./tokens.js"
import type { Token } from "./tokens.js"

/** @internal */
export interface ParsedSchema {
  /** Of the `datasource`, as it stands there. */
  readonly provider: string | undefined
  readonly models: ReadonlyArray<ParsedModel>
}

/** @internal */
export interface ParsedModel {
  readonly name: string
  readonly view: boolean
  readonly fields: ReadonlyArray<ParsedField>
  /** Those that begin with `@@`. */
  readonly attributes: ReadonlyArray<Attribute>
}

/** @internal */
export interface ParsedField {
  readonly name: string
  readonly type: string
  readonly list: boolean
  readonly optional: boolean
  readonly attributes: ReadonlyArray<Attribute>
}

/** @internal */
export interface Attribute {
  /** With dots and without `@`: `id`, `db.VarChar`. */
  readonly name: string
  readonly args: ReadonlyArray<Argument>
}

/** @internal */
export interface Argument {
  readonly name: string | undefined
  readonly value: Expression
}

/** @internal */
export type Expression =
  | { readonly _tag: "Text"; readonly text: string }
  /** A name, a number or a call; dots are part of it. */
  | { readonly _tag: "Name"; readonly name: string }
  | { readonly _tag: "List"; readonly items: ReadonlyArray<Expression> }
  | { readonly _tag: "Other" }

class SyntaxFailure {}

class Cursor {
  private at = 0
  constructor(private readonly tokens: ReadonlyArray<Token>) {}
  get done(): boolean {
    return this.at === this.tokens.length
  }
  next(): Token {
    const token = this.tokens[this.at++]
    if (token === undefined) throw new SyntaxFailure()
    return token
  }
  sees(mark: string): boolean {
    const token = this.tokens[this.at]
    return token?.kind === "mark" && token.text === mark
  }
  /** Whether the next token is this mark, which is then left behind. */
  takes(mark: string): boolean {
    const seen = this.sees(mark)
    if (seen) this.at++
    return seen
  }
  expect(mark: string): void {
    if (!this.takes(mark)) throw new SyntaxFailure()
  }
  name(): string {
    const token = this.next()
    if (token.kind !== "name") throw new SyntaxFailure()
    return token.text
  }
  /** Whether an argument begins here that is given by its name. */
  seesNamed(): boolean {
    const [first, second] = [this.tokens[this.at], this.tokens[this.at + 1]]
    return first?.kind === "name" && second?.kind === "mark" && second.text === ":"
  }
}

const path = (cursor: Cursor): string => {
  let name = cursor.name()
  while (cursor.takes(".")) name += `.${cursor.name()}`
  return name
}

const separated = <A>(cursor: Cursor, end: string, item: () => A): ReadonlyArray<A> => {
  const items: Array<A> = []
  while (!cursor.takes(end)) {
    items.push(item())
    if (!cursor.takes(",") && !cursor.sees(end)) throw new SyntaxFailure()
  }
  return items
}

const argument = (cursor: Cursor): Argument => {
  if (!cursor.seesNamed()) return { name: undefined, value: expression(cursor) }
  const name = cursor.name()
  cursor.expect(":")
  return { name, value: expression(cursor) }
}

const argumentsOf = (cursor: Cursor): ReadonlyArray<Argument> => separated(cursor, ")", () => argument(cursor))

const expression = (cursor: Cursor): Expression => {
  if (cursor.takes("[")) return { _tag: "List", items: separated(cursor, "]", () => expression(cursor)) }
  if (cursor.takes("{")) {
    skipToEnd(cursor)
    return { _tag: "Other" }
  }
  const signed = cursor.takes("-") || cursor.takes("+")
  const token = cursor.next()
  if (token.kind === "string" && !signed) return { _tag: "Text", text: token.text }
  if (token.kind !== "name") throw new SyntaxFailure()
  let name = token.text
  while (cursor.takes(".")) name += `.${cursor.name()}`
  if (cursor.takes("(")) argumentsOf(cursor)
  return signed ? { _tag: "Other" } : { _tag: "Name", name }
}

/** Leaves a block behind whose opening brace has been taken. */
const skipToEnd = (cursor: Cursor): void => {
  for (let open = 1; open > 0;) {
    const token = cursor.next()
    if (token.kind !== "mark") continue
    if (token.text === "{") open++
    if (token.text === "}") open--
  }
}

const attribute = (cursor: Cursor): Attribute => {
  const name = path(cursor)
  return { name, args: cursor.takes("(") ? argumentsOf(cursor) : [] }
}

const field = (cursor: Cursor): ParsedField => {
  const name = cursor.name()
  const type = cursor.name()
  // Unsupported("…")
  if (cursor.takes("(")) argumentsOf(cursor)
  let list = false
  let optional = false
  for (;;) {
    if (cursor.takes("[")) {
      cursor.expect("]")
      list = true
    } else if (cursor.takes("?")) optional = true
    else if (!cursor.takes("!")) break
  }
  const attributes: Array<Attribute> = []
  while (cursor.takes("@")) attributes.push(attribute(cursor))
  return { name, type, list, optional, attributes }
}

const model = (cursor: Cursor, view: boolean): ParsedModel => {
  const name = cursor.name()
  cursor.expect("{")
  const fields: Array<ParsedField> = []
  const attributes: Array<Attribute> = []
  while (!cursor.takes("}")) {
    if (cursor.takes("@@")) attributes.push(attribute(cursor))
    else fields.push(field(cursor))
  }
  return { name, view, fields, attributes }
}

const providerOf = (cursor: Cursor): string | undefined => {
  cursor.name()
  cursor.expect("{")
  let provider: string | undefined
  while (!cursor.takes("}")) {
    const name = cursor.name()
    cursor.expect("=")
    const value = expression(cursor)
    if (name === "provider" && value._tag === "Text") provider = value.text
  }
  return provider
}

/**
 * `undefined` for a text that is not understood from its first to its last letter.
 *
 * @internal
 */
export const parseSchema = (text: string): ParsedSchema | undefined => {
  const tokens = tokenize(text)
  if (tokens === undefined) return undefined
  const cursor = new Cursor(tokens)
  const models: Array<ParsedModel> = []
  let provider: string | undefined
  try {
    while (!cursor.done) {
      const keyword = cursor.name()
      if (keyword === "model" || keyword === "view") models.push(model(cursor, keyword === "view"))
      else if (keyword === "datasource") provider = providerOf(cursor)
      else {
        cursor.name()
        cursor.expect("{")
        skipToEnd(cursor)
      }
    }
  } catch (failure) {
    if (failure instanceof SyntaxFailure) return undefined
    throw failure
  }
  return { provider, models }
}
