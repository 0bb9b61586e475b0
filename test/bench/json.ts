/** JSON, which has no form for a BigInt: it is written as a text, since it would throw otherwise. */
export const textOf = (value: unknown): string =>
  JSON.stringify(value, (_, member: unknown) => typeof member === "bigint" ? member.toString() : member)
