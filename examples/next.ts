/**
 * Server code as Next.js has it: `npx tsx examples/next.ts`, after `npm run generate`. Each part is a file there.
 *
 * It runs in the Node runtime. In the edge runtime the client and the cache are those of docs/edge.md.
 */
import { MemoryCacheLive, prismaCache } from "effect-prisma-cache"
import { openShop } from "./shop.js"

// --- lib/prisma.ts -------------------------------------------------------------------------------------------------

// In an application: new PrismaClient({ adapter: new PrismaPg({ connectionString: process.env.DATABASE_URL }) })
const shop = await openShop()

const makeClient = () =>
  shop.client.$extends(prismaCache({
    cache: process.env["VALKEY_URL"] ?? MemoryCacheLive,
    namespace: "next",
    // What runs for show is to wait longer for Valkey than a shop should, which is 50 ms unless it says otherwise.
    budget: 10_000
  }))

// While one develops, a module is loaded anew with each change, and globalThis is not. Without this every change would
// open a pool of connections and an empty cache, beside those that are there.
const kept = globalThis as { prisma?: ReturnType<typeof makeClient> }
export const prisma = kept.prisma ??= makeClient()

// --- lib/products.ts -----------------------------------------------------------------------------------------------

/** For server components and route handlers alike. Next's own caches know nothing of it, and need not. */
export const findProducts = (atMost: number) =>
  prisma.product.findMany({
    where: { price: { lte: atMost }, stock: { gt: 0 } },
    select: { sku: true, name: true, price: true },
    orderBy: [{ price: "asc" }, { sku: "asc" }],
    take: 3,
    cache: { ttl: "1 minute", swr: "10 minutes", tags: ["catalogue"] }
  }).withCacheInfo()

// --- app/products/route.ts -----------------------------------------------------------------------------------------

export const GET = async (request: Request): Promise<Response> => {
  const atMost = Number(new URL(request.url).searchParams.get("atMost") ?? 100)
  if (!(atMost > 0 && atMost < 1_000_000)) return Response.json({ error: "atMost: how much?" }, { status: 400 })
  const { data, info } = await findProducts(atMost)
  return Response.json(data, { headers: { "x-cache": info.status } })
}

// --- app/products/actions.ts, with "use server" --------------------------------------------------------------------

/** The write invalidates what it touches by itself, every list of products among it. */
export const rename = async (form: FormData): Promise<void> => {
  await prisma.product.update({
    where: { sku: String(form.get("sku")) },
    data: { name: String(form.get("name")) }
  })
  // revalidatePath("/products"), where Next keeps the page that shows it
}

/** What changes somewhere else, in a search index or by another program, is said by a tag. */
export const refreshCatalogue = async (): Promise<void> => {
  await prisma.$cache.invalidate({ tags: ["catalogue"] })
}

// --- what visitors do ----------------------------------------------------------------------------------------------

const visit = async (what: string, atMost: string) => {
  const response = await GET(new Request(`http://localhost:3000/products?atMost=${atMost}`))
  const said: unknown = await response.json()
  const first = Array.isArray(said) ? said[0]?.name : ""
  console.log([what.padEnd(24), response.status, (response.headers.get("x-cache") ?? "").padEnd(6), first].join(" "))
}

const form = new FormData()
form.set("sku", "SKU-0090")
form.set("name", "A better product")

await visit("a first visit", "30")
await visit("a second visit", "30")
await rename(form)
await visit("after the action", "30")
await visit("once more", "30")
await refreshCatalogue()
await visit("after the tag", "30")
await visit("a visit gone wrong", "free")

await prisma.$disconnect()
await shop.close()
