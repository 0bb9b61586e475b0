import type { CachedClient } from "./client.js"
import { commentsOf, emailOf, idOf, postOf, userOf } from "./subjects.js"

/** A subject that was written, and its version then, where the write's result says it. */
export type Written = readonly [subject: number, version?: number]

/** A way to write something of a family. */
export type Write = (prisma: CachedClient, family: number) => Promise<ReadonlyArray<Written>>

const more = { increment: 1 } as const

const abort = new Error("rolled back on purpose")

export const writes: Readonly<Record<string, Write>> = {
  "a user by id": async (prisma, family) => {
    const { balance } = await prisma.user.update({ where: { id: idOf(family) }, data: { balance: more } })
    return [[userOf(family), Number(balance)]]
  },
  "a user by e-mail, with its result under a key": async (prisma, family) => {
    const { balance } = await prisma.user.update({
      where: { email: emailOf(family) },
      data: { balance: more },
      cache: { key: `user ${family}`, ttl: "1 hour" }
    })
    return [[userOf(family), Number(balance)]]
  },
  "users by a filter": async (prisma, family) => {
    await prisma.user.updateMany({ where: { email: { startsWith: emailOf(family) } }, data: { balance: more } })
    return [[userOf(family)]]
  },
  "users by a filter, and their rows": async (prisma, family) => {
    const rows = await prisma.user.updateManyAndReturn({ where: { email: emailOf(family) }, data: { balance: more } })
    return rows.map(({ balance }) => [userOf(family), Number(balance)])
  },
  "a user that might not be there": async (prisma, family) => {
    const email = emailOf(family)
    const { balance } = await prisma.user.upsert({ where: { email }, create: { email }, update: { balance: more } })
    return [[userOf(family), Number(balance)]]
  },
  "a user in raw SQL": async (prisma, family) => {
    await prisma.$executeRaw`UPDATE "User" SET balance = balance + 1 WHERE id = ${idOf(family)}`.touches("User")
    return [[userOf(family)]]
  },
  "a post": async (prisma, family) => {
    const { views } = await prisma.post.update({ where: { id: idOf(family) }, data: { views: more } })
    return [[postOf(family), views]]
  },
  "a post of a user": async (prisma, family) => {
    const id = idOf(family)
    await prisma.user.update({ where: { id }, data: { posts: { update: { where: { id }, data: { views: more } } } } })
    return [[postOf(family)]]
  },
  "a user of a post": async (prisma, family) => {
    await prisma.post.update({
      where: { id: idOf(family) },
      data: { views: more, author: { update: { balance: more } } }
    })
    return [[postOf(family)], [userOf(family)]]
  },
  "a comment": async (prisma, family) => {
    await prisma.comment.create({ data: { body: "a comment", postId: idOf(family) } })
    return [[commentsOf(family)]]
  },
  "a comment of a post": async (prisma, family) => {
    await prisma.post.update({ where: { id: idOf(family) }, data: { comments: { create: { body: "another" } } } })
    return [[commentsOf(family)]]
  },
  "comments, many at once": async (prisma, family) => {
    const comment = { body: "one of two", postId: idOf(family) }
    await prisma.comment.createMany({ data: [comment, comment] })
    return [[commentsOf(family)], [commentsOf(family)]]
  },
  "an interactive transaction": (prisma, family) =>
    prisma.$transaction(async (tx) => {
      const { balance } = await tx.user.update({ where: { id: idOf(family) }, data: { balance: more } })
      const { views } = await tx.post.update({ where: { id: idOf(family) }, data: { views: more } })
      return [[userOf(family), Number(balance)], [postOf(family), views]]
    }),
  "a batch": async (prisma, family) => {
    const [{ balance }] = await prisma.$transaction([
      prisma.user.update({ where: { email: emailOf(family) }, data: { balance: more } }),
      prisma.comment.create({ data: { body: "in a batch", postId: idOf(family) } })
    ])
    return [[userOf(family), Number(balance)], [commentsOf(family)]]
  },
  "a transaction that is rolled back": async (prisma, family) => {
    const body = prisma.$transaction(async (tx) => {
      await tx.user.update({ where: { id: idOf(family) }, data: { balance: more } })
      throw abort
    })
    await body.catch((error: unknown) => {
      if (error !== abort) throw error
    })
    return []
  }
}
