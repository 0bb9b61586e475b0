import { storeConformance } from "../conformance/store.js"
import { overHttp } from "./support.js"

storeConformance({ name: "a store over HTTP", layer: overHttp(), time: "real", backdoor: true })

storeConformance({
  name: "a store over HTTP whose server knows no flags of scripts",
  layer: overHttp({ withoutFlags: true }),
  time: "real",
  backdoor: true
})
