/**
 * An application that comes from Prisma Accelerate. What it had to change is the import and where the database and the
 * cache are: `npx tsx examples/accelerate.ts`, after `npm run generate`.
 */
import { withAccelerate } from "effect-prisma-cache" // was "@prisma/extension-accelerate"
import { Prisma } from "./prisma/generated/client/client.js"
import { openShop } from "./shop.js"

const shop = await openShop()

// Was `new PrismaClient({ accelerateUrl })`. The cache is on Valkey at VALKEY_URL, or else in the memory of this process.
const prisma = shop.client.$extends(withAccelerate({
  namespace: "accelerate",
  // What runs for show is to wait longer for Valkey than a shop should, which is 50 ms unless it says otherwise.
  budget: 10_000,
  limits: { invalidationsPerMinute: 2 }
}))

const cheap = () =>
  prisma.product.findMany({
    where: { price: { lt: 20 } },
    orderBy: { id: "asc" },
    cacheStrategy: { ttl: 60, swr: 600, tags: ["products"] }
  }).withAccelerateInfo()

const tell = async (what: string) => {
  const { data, info } = await cheap()
  console.log(`${what.padEnd(32)}${info.cacheStatus.padEnd(8)}${data.length} products, of ${info.lastModified.toISOString()}`)
}

await prisma.$accelerate.invalidate({ tags: ["products"] })
await tell("a first read")
await tell("a second read")
// No invalidation is asked for: a write drops what it touched.
await prisma.product.update({ where: { id: 7 }, data: { price: "12.50" } })
await tell("after a write")
await prisma.$accelerate.invalidateAll()
await tell("after an invalidation")

try {
  await prisma.$accelerate.invalidate({ tags: ["products"] })
} catch (error) {
  if (!(error instanceof Prisma.PrismaClientKnownRequestError)) throw error
  console.log(`one invalidation too many: ${error.code}`)
}

await shop.close()
await prisma.$cache.close()
