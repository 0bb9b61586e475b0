import { storeConformance } from "../conformance/store.js"
import { kinds } from "../valkey/targets.js"

for (const { layer, name } of kinds()) {
  storeConformance({ name: `a store on ${name}`, layer, time: "real", backdoor: true, tells: true })
}
