// For a client that was generated with a copy of Prisma's run-time types beside it.
export type SharesRuntimeTypes = false
