import type { CacheInfo, CacheStatus } from "../CacheInfo.js"

/**
 * What is told of an answer that is in no cache.
 *
 * @internal
 */
export const uncachedInfo = (status: CacheStatus): CacheInfo => ({
  status,
  source: undefined,
  key: undefined,
  tags: [],
  createdAt: undefined,
  age: undefined,
  ttl: undefined
})
