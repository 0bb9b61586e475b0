import * as Memory from "../../src/CacheStore/Memory.js"
import { storeConformance } from "../conformance/store.js"

storeConformance({ name: "a store in memory", layer: Memory.layer(), time: "test", tells: true })
