/**
 * A Prisma schema as a list of tokens, without white space and comments.
 */

/** @internal */
export type Token =
  | { readonly kind: "name" | "mark"; readonly text: string }
  | { readonly kind: "string"; readonly text: string }

// In this order: white space and comments, a string, a name or a number, a mark.
const lexeme =
  /(\s+|\/\/[^\n]*|\/\*[\s\S]*?\*\/)|("(?:[^"\\\n]|\\.)*")|([\p{L}\p{N}_][\p{L}\p{N}_-]*)|(@@|[{}()[\]:,.?!=@+-])/uy

const unquoted = (literal: string): string => {
  if (!literal.includes("\\")) return literal.slice(1, -1)
  const value: unknown = JSON.parse(literal)
  return String(value)
}

/**
 * `undefined` where there is something that no Prisma schema has.
 *
 * @internal
 */
export const tokenize = (text: string): ReadonlyArray<Token> | undefined => {
  const tokens: Array<Token> = []
  lexeme.lastIndex = text.startsWith("\ufeff") ? 1 : 0
  while (lexeme.lastIndex < text.length) {
    const found = lexeme.exec(text)
    if (found === null) return undefined
    const [, blank, literal, name, mark] = found
    if (blank !== undefined) continue
    if (literal !== undefined) {
      try {
        tokens.push({ kind: "string", text: unquoted(literal) })
      } catch {
        return undefined
      }
    } else if (name !== undefined) tokens.push({ kind: "name", text: name })
    else if (mark !== undefined) tokens.push({ kind: "mark", text: mark })
  }
  return tokens
}
