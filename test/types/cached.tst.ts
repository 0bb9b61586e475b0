import type { ConfigError } from "effect/ConfigError"
import * as Config from "effect/Config"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import type * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import Keyv from "keyv"
import { describe, expect, test } from "tstyche"
import * as KeyvCache from "../../src/KeyvCache.js"
import * as MemoryCache from "../../src/MemoryCache.js"
import * as QueryCache from "../../src/QueryCache.js"

class Service extends Context.Tag("Service")<Service, { readonly name: string }>() {}

const strategy = { ttl: "1 minute" } as const

describe("`cached`", () => {
  test("keeps arguments, value, errors and requirements, and needs the cache", () => {
    const find = QueryCache.cached(
      (id: number, lang?: "de" | "en") =>
        Effect.flatMap(Service, ({ name }) => id < 0 ? Effect.fail("negative" as const) : Effect.succeed({ id, name, lang })),
      { name: "find", strategy }
    )
    expect(find).type.toBe<
      (id: number, lang?: "de" | "en") => Effect.Effect<
        { id: number; name: string; lang: "de" | "en" | undefined },
        "negative",
        QueryCache.QueryCache | Service
      >
    >()
  })

  test("types what its options are given", () => {
    QueryCache.cached((id: number) => Effect.succeed({ id, owner: "ada" }), {
      name: "find",
      strategy,
      key: (id) => {
        expect(id).type.toBe<number>()
        return id
      },
      lateKeys: (value, id) => {
        expect(value).type.toBe<{ id: number; owner: string }>()
        expect(id).type.toBe<number>()
        return [{ key: value.owner }]
      }
    })
    expect(QueryCache.cached).type.not.toBeCallableWith((id: number) => Effect.succeed(id), { strategy })
  })

  test("takes a schema of its values, and no other", () => {
    const load = (id: number) => Effect.succeed(Option.some(id))
    expect(QueryCache.cached).type.toBeCallableWith(load, { name: "a", strategy, schema: Schema.Option(Schema.Number) })
    expect(QueryCache.cached).type.not.toBeCallableWith(load, { name: "a", strategy, schema: Schema.Option(Schema.String) })
  })
})

describe("a request", () => {
  test("takes a schema of the value, whatever it encodes to", () => {
    expect<QueryCache.Request<Date>>().type.toBeAssignableFrom({ key: "a", strategy, schema: Schema.Date })
    expect<QueryCache.Request<Date>>().type.not.toBeAssignableFrom({ key: "a", strategy, schema: Schema.NumberFromString })
  })
})

describe("a best effort cache", () => {
  test("takes any Keyv, and what is made for one", () => {
    expect(KeyvCache.layer).type.toBeCallableWith(new Keyv())
    expect(KeyvCache.layer).type.toBeCallableWith(new Map<string, string>())
    expect(KeyvCache.layer).type.not.toBeCallableWith({ get: () => undefined })
  })

  test("cannot be strict", () => {
    expect(KeyvCache.layer).type.toBeCallableWith(new Keyv(), { consistency: "after-commit" as const })
    expect(KeyvCache.layer).type.not.toBeCallableWith(new Keyv(), { consistency: "strict" as const })
  })
})

test("options may come from a Config", () => {
  expect(MemoryCache.layerConfig({ namespace: Config.string("NAMESPACE"), lock: { ttl: Config.integer("TTL") } })).type.toBe<
    Layer.Layer<MemoryCache.Services, ConfigError>
  >()
})
