import { serializerConformance } from "../conformance/serializer.js"
import { amount } from "../support/amount.js"
import { bareCompositions } from "./support.js"

// The last one is made of all the others.
for (const [id, layer] of Object.entries(bareCompositions).slice(amount(-1, 0))) {
  serializerConformance(`${id} on the web platform`, layer)
}
