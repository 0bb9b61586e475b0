/**
 * For tests of what is built on the cache: caches whose time is the test's, that never cache, or that tell what
 * happened, and stores and locks with faults on command. Nothing here needs a test framework.
 *
 * @module
 * @since 0.1.0
 */

/**
 * @since 0.1.0
 */
export * as EventLog from "./testing/EventLog.js"

/**
 * @since 0.1.0
 */
export * as Faults from "./testing/Faults.js"

/**
 * @since 0.1.0
 */
export * as TestCache from "./testing/TestCache.js"
