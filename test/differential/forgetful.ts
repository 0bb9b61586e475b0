import * as Effect from "effect/Effect"
import type { CacheStore } from "effect-prisma-cache/CacheStore"

/** A store that is not told of some of the tags that writes touch: those with this text in their names. */
export const forgetful = (store: CacheStore, text: string): CacheStore => {
  const isKnown = ({ tag }: { readonly tag: string }) => !tag.includes(text)
  const answers = <A extends { readonly tag: string }>(steps: ReadonlyArray<A>, told: ReadonlyArray<boolean>) => {
    const left = [...told]
    return steps.map((step) => isKnown(step) && left.shift() === true)
  }
  return {
    ...store,
    begin: (tags, token, ttl) => store.begin(tags.filter(isKnown), token, ttl),
    end: (tags, token, committed, ttl) =>
      Effect.map(store.end(tags.filter(isKnown), token, committed, ttl), (told) => answers(tags, told)),
    invalidate: (steps, ttl) =>
      Effect.map(store.invalidate(steps.filter(isKnown), ttl), (told) => answers(steps, told))
  }
}
