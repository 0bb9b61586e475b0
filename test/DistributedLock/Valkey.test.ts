import { lockConformance } from "../conformance/lock.js"
import { kinds } from "../valkey/targets.js"

for (const { layer, name } of kinds()) {
  lockConformance({ name: `a lock on ${name}`, layer, time: "real", backdoor: true })
}
