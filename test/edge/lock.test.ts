import { lockConformance } from "../conformance/lock.js"
import { overHttp } from "./support.js"

lockConformance({ name: "a lock over HTTP", layer: overHttp(), time: "real", backdoor: true, tells: false })
