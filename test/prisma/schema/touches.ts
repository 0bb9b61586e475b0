import { expect } from "vitest"
import { writeReach } from "../../../src/prisma/reach.js"
import type { DataModel } from "../../../src/prisma/schema/model.js"
import { testModel } from "./models.js"

/** The tags that a write touches, for reading: with spaces between them. */
export const touches = (model: string, operation: string, args: object, given: DataModel = testModel): string => {
  const { models, tags } = writeReach(given, model, operation, args)
  const ofModels = tags.filter((tag) => tag.startsWith("m:"))
  expect(ofModels).toEqual(models.map((name) => `m:${name}`))
  expect(tags.slice(0, ofModels.length)).toEqual(ofModels)
  expect(new Set(tags).size).toBe(tags.length)
  return tags.join(" ")
}
