import { PrismaPg } from "@prisma/adapter-pg"
import * as fs from "node:fs"
import type { PrismaInternals } from "../../src/prisma/client.js"
import { PrismaClient } from "../prisma/generated/client/client.js"
import type { Pools } from "../prisma/soundness/randomQueries.js"
import type { Enums } from "../prisma/soundness/schemaOf.js"
import { shapesClient, shapesSql } from "../prisma/soundness/shapes.js"

/** A schema to write and read at random in. */
export interface World {
  /** What creates its tables. */
  readonly sql: () => string
  readonly client: (url: string) => Promise<PrismaInternals>
  readonly enums: Enums
  readonly pools: Pools
}

const uuids = [1, 2, 3, 4].flatMap((n) => [
  `0000000${n}-aaaa-4bbb-8ccc-dddddddddddd`,
  `0000000${n}-AAAA-4BBB-8CCC-DDDDDDDDDDDD`
])
const countries = ["aa", "bb", "cc"]

/** 17 models as an application has them, and 8 of shapes that are seldom: 25 in all. */
export const worlds: Readonly<Record<string, World>> = {
  application: {
    sql: () => fs.readFileSync(new URL("../prisma/schema.sql", import.meta.url), "utf8"),
    client: async (url) => new PrismaClient({ adapter: new PrismaPg({ connectionString: url, max: 4 }) }),
    enums: {
      Role: { USER: "USER", EDITOR: "EDITOR", ADMIN: "ADMIN" },
      Visibility: { PUBLIC: "public", UNLISTED: "unlisted", PRIVATE: "private" }
    },
    pools: {
      "Session.id": uuids,
      "Everything.uuid": uuids,
      "Country.code": countries,
      "Address.countryCode": countries,
      "Everything.time": [new Date(0)]
    }
  },
  shapes: {
    sql: shapesSql,
    client: shapesClient,
    enums: { Kind: { CAR: "CAR", BIKE: "bicycle" } },
    pools: { "Car.id": uuids, "Person.handle": ["a", "A", "b", "B"] }
  }
}
