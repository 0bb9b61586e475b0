import type { Contestant } from "./contestant.js"
import { throughEffect, throughPrisma } from "./ours.js"
import { asyncCacheDedupe, bento, cachifiedOnValkey, extensionRedis } from "./peers.js"
import { bare, byHand, constant } from "./plain.js"

/** Everybody who takes part. The first is what the others are compared with where it has a figure. */
export const contestants: ReadonlyArray<Contestant> = [
  bare,
  constant,
  byHand("GET + JSON.parse", false),
  byHand("GET + JSON.parse, pipelined", true),
  bento("bentocache 1, Valkey", "valkey"),
  bento("bentocache 1, memory + Valkey", "memory and valkey"),
  extensionRedis("prisma-extension-redis 5, JSON", "JSON"),
  extensionRedis("prisma-extension-redis 5, superjson", "superjson"),
  asyncCacheDedupe("async-cache-dedupe 3, Valkey"),
  cachifiedOnValkey("cachified 5, Valkey"),
  throughPrisma("ours, Valkey, Prisma"),
  throughPrisma("ours, Valkey, Prisma's hook", { shortCut: false }),
  throughEffect("ours, Valkey, Effect"),
  throughPrisma("ours, memory + Valkey, Prisma", { memory: true }),
  throughPrisma("ours, memory + Valkey, Prisma's hook", { memory: true, shortCut: false }),
  throughEffect("ours, memory + Valkey, Effect", { memory: true })
]
