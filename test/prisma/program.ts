/**
 * A program that caches a query on two clients, closes them and comes to its end: it is to exit by itself. Without a
 * Valkey it says nothing of where entries are kept.
 */
import { prismaCache } from "effect-prisma-cache/PrismaCache"
import { makePrisma } from "../support/database.js"
import { unhurried } from "../support/unhurried.js"

const [, , url = "", valkey] = process.argv
const say = (word: string) => void process.stdout.write(`${word}\n`)

const one = makePrisma(url).prisma.$extends(prismaCache(valkey === undefined ? undefined : { ...unhurried, cache: valkey }))
const other = makePrisma(url).prisma.$extends(
  prismaCache(valkey === undefined ? {} : { ...unhurried, cache: valkey, namespace: "other" })
)
for (const prisma of [one, other]) {
  await prisma.counter.findMany({ cache: true })
  await prisma.$disconnect()
}
say("closed")
