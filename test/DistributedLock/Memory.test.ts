import * as Layer from "effect/Layer"
import * as Memory from "../../src/DistributedLock/Memory.js"
import { DistributedLock } from "../../src/DistributedLock.js"
import { lockConformance, OtherLock } from "../conformance/lock.js"

lockConformance({
  name: "a lock in memory",
  // Whoever shares a lock in memory shares the very value.
  layer: Layer.effect(OtherLock, DistributedLock).pipe(Layer.provideMerge(Memory.layer)),
  time: "test"
})
