/** What a step changed, in words, for traces. */
import type { Result } from "./database.js"
import type { TagState } from "./tags.js"
import type { Entry, World } from "./world.js"

export const describeState = (state: TagState | undefined): string => {
  if (state === null || state === undefined) return "nothing"
  if (state.kind === "stamp") {
    return `${state.hard}${state.until === null ? "" : "~"}${state.soft === 0 ? "" : `.${state.soft}`}`
  }
  const tokens = state.tokens.map(({ expired, token }) => expired ? `${token} (expired)` : `${token}`)
  const marks = [
    ...state.previous === null ? [] : [`before: ${describeState(state.previous)}`],
    ...state.solo === null ? [] : [`solo: ${state.solo}`]
  ]
  return `intent of ${tokens.join(", ")}${marks.length > 0 ? ` (${marks.join(", ")})` : ""}`
}

export const describeResult = (result: Result): string =>
  result.map((row) => {
    if (row === null) return "no row"
    const of = row.email === "" ? row.id : `${row.id}/${row.email}`
    return `row ${of} by ${row.version === 0 ? "nobody" : row.version}`
  }).join(", ")

const describeEntry = (entry: Entry | null | undefined): string => {
  if (entry === null || entry === undefined) return "nothing"
  const stamps = Object.entries(entry.stamps).map(([tag, stamp]) => `${tag}=${describeState(stamp)}`)
  return `{${describeResult(entry.result)} under ${stamps.join(" ")}}`
}

export const describe = (before: World, after: World): string => {
  const changes: Array<string> = []
  for (const tag in after.tags) {
    if (before.tags[tag] !== after.tags[tag]) changes.push(`${tag}: ${describeState(after.tags[tag])}`)
  }
  for (const name in after.entries) {
    if (before.entries[name] !== after.entries[name]) changes.push(`${name}: ${describeEntry(after.entries[name])}`)
  }
  if (before.log !== after.log) changes.push(`commit ${after.log.length - 1}`)
  if (before.mustSeeFresh !== after.mustSeeFresh) {
    const which = before.mustSee === after.mustSee ? "fresh reads must see" : "must be seen"
    changes.push(`${which}: ${after.mustSeeFresh.join(", ")}`)
  }
  return changes.join("; ")
}
