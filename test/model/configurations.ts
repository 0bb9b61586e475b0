/** What must hold, and where it is known to end: each configuration is explored until no state is left to look at. */
import type { Configuration } from "./configuration.js"
import { batches } from "./configurations/batches.js"
import { expired } from "./configurations/expired.js"
import { flights } from "./configurations/flights.js"
import { hardenedReads } from "./configurations/hardened.js"
import { lostConnections } from "./configurations/lostConnections.js"
import { ownResults } from "./configurations/ownResults.js"
import { restarts } from "./configurations/restarts.js"
import { rows } from "./configurations/rows.js"
import { afterCommitWrites, limits, strictWrites } from "./configurations/writes.js"

export const configurations: ReadonlyArray<Configuration> = [
  ...afterCommitWrites,
  ...strictWrites,
  ...lostConnections,
  ...hardenedReads,
  ...ownResults,
  ...rows,
  ...flights,
  ...expired,
  ...batches,
  ...restarts,
  ...limits
]
