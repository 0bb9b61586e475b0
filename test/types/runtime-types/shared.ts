// For a client that imports Prisma's run-time types from the very file that the extension imports them from.
export type SharesRuntimeTypes = true
