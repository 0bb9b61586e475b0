/**
 * Parts of keys as two processes might make them, and their digests. Run as a program it prints the digests.
 */
import { Decimal, JsonNull, skip } from "@prisma/client/runtime/client"
import * as Either from "effect/Either"
import * as CacheKey from "effect-prisma-cache/CacheKey"
import { argv } from "node:process"
import { fileURLToPath } from "node:url"
import { canonicalArgs } from "../../src/prisma/canonicalArgs.js"

const parts: ReadonlyArray<unknown> = [
  null,
  ["exchange rate", { to: "JPY", from: "EUR" }],
  [1, "1", 1n, true, -0, NaN, new Date(0), new Date(NaN), Uint8Array.of(1, 2), undefined],
  { b: { d: [{}, []], c: "\ud800" }, a: "é", 10: 1, 9: 2 },
  new URL("https://example.com/?q=1"),
  canonicalArgs({ where: { id: 142, userId: 287 } }),
  canonicalArgs({
    take: 5,
    where: {
      metadata: { equals: { b: 1, a: 2 }, path: ["x"] },
      OR: [{ views: { lt: 10, gte: 1 } }, { metadata: { equals: JsonNull } }],
      title: skip
    },
    select: { title: true, id: true, author: { select: { email: true }, where: { balance: new Decimal("1.50") } } },
    orderBy: [{ createdAt: "desc" }]
  })
]

/** Their digests in this process. */
export const digests = (): ReadonlyArray<string> =>
  parts.map((part) => Either.getOrThrow(CacheKey.make(part, { namespace: "shop" })).digest)

if (argv[1] === fileURLToPath(import.meta.url)) console.log(JSON.stringify(digests()))
