/**
 * What is read and written: so many users with one post each. Three things are counted of each of them: the writes of
 * the user (in `balance`), those of the post (in `views`), and the post's comments.
 */
export const families = 10

export const userOf = (family: number): number => family
export const postOf = (family: number): number => families + family
export const commentsOf = (family: number): number => 2 * families + family

export const idOf = (family: number): number => family + 1
export const familyOf = (id: number): number => id - 1
export const emailOf = (family: number): string => `user${idOf(family)}@example.org`

/** All of them, with nothing counted yet. */
export const seed = `
  TRUNCATE "User" RESTART IDENTITY CASCADE;
  TRUNCATE "Post" RESTART IDENTITY CASCADE;
  INSERT INTO "User" (email) SELECT 'user' || i || '@example.org' FROM generate_series(1, ${families}) i;
  INSERT INTO "Post" (title, "authorId") SELECT 'post ' || i, i FROM generate_series(1, ${families}) i;
`
