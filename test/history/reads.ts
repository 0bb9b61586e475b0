import type { CacheInfo } from "effect-prisma-cache/CacheInfo"
import type { CachedClient } from "./client.js"
import { commentsOf, emailOf, families, familyOf, idOf, postOf, userOf } from "./subjects.js"

/** A subject, and the version that was seen of it. */
export type Seen = readonly [subject: number, version: number]

export interface Answer {
  readonly status: string
  readonly seen: ReadonlyArray<Seen>
}

/** A way to read something about a family. */
export type Read = (prisma: CachedClient, family: number) => Promise<Answer>

interface Told<A> {
  readonly withCacheInfo: () => PromiseLike<{ readonly data: A; readonly info: CacheInfo }>
}

const seeing =
  <A>(ask: (prisma: CachedClient, family: number) => Told<A>, seenIn: (data: A, family: number) => ReadonlyArray<Seen>): Read =>
  async (prisma, family) => {
    const { data, info } = await ask(prisma, family).withCacheInfo()
    return { status: info.source === "memory" ? "hit in memory" : info.status, seen: seenIn(data, family) }
  }

const cache = { ttl: "1 hour" } as const

type User = { readonly id: number; readonly balance: unknown } | null
type Post = { readonly id: number; readonly views: number } | null

const user = (row: User): ReadonlyArray<Seen> => row === null ? [] : [[userOf(familyOf(row.id)), Number(row.balance)]]
const post = (row: Post): ReadonlyArray<Seen> => row === null ? [] : [[postOf(familyOf(row.id)), row.views]]

const everybody = Array.from({ length: families }, (_, family) => idOf(family))

export const reads: Readonly<Record<string, Read>> = {
  "a user by id": seeing((prisma, family) => prisma.user.findUnique({ where: { id: idOf(family) }, cache }), user),
  "a user by e-mail": seeing((prisma, family) => prisma.user.findUnique({ where: { email: emailOf(family) }, cache }), user),
  "one column of a user": seeing(
    (prisma, family) => prisma.user.findUniqueOrThrow({ where: { email: emailOf(family) }, select: { balance: true }, cache }),
    ({ balance }, family) => [[userOf(family), Number(balance)]]
  ),
  "a user under a key": seeing(
    (prisma, family) => prisma.user.findUnique({ where: { id: idOf(family) }, cache: { ...cache, key: `user ${family}` } }),
    user
  ),
  "a user with posts": seeing(
    (prisma, family) => prisma.user.findUniqueOrThrow({ where: { id: idOf(family) }, include: { posts: true }, cache }),
    (row) => [...user(row), ...row.posts.flatMap(post)]
  ),
  "a user with posts and how many comments those have": seeing(
    (prisma, family) =>
      prisma.user.findFirstOrThrow({
        where: { email: emailOf(family) },
        include: { posts: { include: { _count: { select: { comments: true } } } } },
        cache
      }),
    (row, family) => [...user(row), ...row.posts.flatMap((one) => [...post(one), [commentsOf(family), one._count.comments] as const])]
  ),
  "all users": seeing(
    (prisma) => prisma.user.findMany({ where: { id: { in: everybody } }, cache }),
    (rows) => rows.flatMap(user)
  ),
  "all posts, with their authors": seeing(
    (prisma) => prisma.post.findMany({ orderBy: { author: { balance: "asc" } }, include: { author: true }, cache }),
    (rows) => rows.flatMap((row) => [...post(row), ...user(row.author)])
  ),
  "a post by id": seeing((prisma, family) => prisma.post.findUnique({ where: { id: idOf(family) }, cache }), post),
  "posts of an author": seeing(
    (prisma, family) => prisma.post.findMany({ where: { author: { email: emailOf(family) } }, cache }),
    (rows) => rows.flatMap(post)
  ),
  "a post's author": seeing(
    (prisma, family) => prisma.post.findUnique({ where: { id: idOf(family) } }).author({ cache }),
    user
  ),
  "the largest balance": seeing(
    (prisma, family) => prisma.user.aggregate({ where: { id: idOf(family) }, _max: { balance: true }, cache }),
    ({ _max }, family) => [[userOf(family), Number(_max.balance)]]
  ),
  "balances by user": seeing(
    (prisma) => prisma.user.groupBy({ by: ["id"], _sum: { balance: true }, cache }),
    (groups) => groups.map(({ _sum, id }) => [userOf(familyOf(id)), Number(_sum.balance)])
  ),
  "how many comments": seeing(
    (prisma, family) => prisma.comment.count({ where: { postId: idOf(family) }, cache }),
    (count, family) => [[commentsOf(family), count]]
  ),
  "raw rows": async (prisma) => {
    const rows = await prisma.$queryRaw<ReadonlyArray<{ readonly id: number; readonly balance: unknown }>>`
      SELECT id, balance FROM "User"
    `.cached({ reads: ["User"], ttl: "1 hour" })
    return { status: "unknown", seen: rows.flatMap(user) }
  }
}
