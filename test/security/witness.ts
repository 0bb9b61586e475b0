import * as Cause from "effect/Cause"
import * as Logger from "effect/Logger"
import type * as Tracer from "effect/Tracer"
import { format, inspect } from "node:util"
import { onTestFinished, vi } from "vitest"
import { recordingTracer } from "../support/recordingTracer.js"

/** A text that must not get out, for each place that it is in. */
export const canary = (place: string): string => `CANARY_${place}`

/** How a canary may look when it has been through something: base64 depends on what came before it. */
const forms: ReadonlyArray<RegExp> = [
  /CANARY_/i,
  new RegExp(Buffer.from("CANARY_").toString("hex"), "i"),
  /Q0FOQVJZ|NBTkFSW|DQU5BUl/
]

const texts = (value: unknown): ReadonlyArray<string> => {
  const json = () => {
    try {
      return String(JSON.stringify(value, (_, member: unknown) => typeof member === "bigint" ? `${member}` : member))
    } catch {
      return ""
    }
  }
  const ofError = value instanceof Error ? [value.message, String(value.stack), ...texts(value.cause)] : []
  return [String(value), json(), inspect(value, { depth: Infinity, showHidden: true, getters: true }), ...ofError]
}

export interface Witness {
  /** Takes down a value in every form that somebody might print it in. */
  readonly note: (what: string, value: unknown) => void
  /** What was taken down, by where it came from. */
  readonly heard: () => ReadonlySet<string>
  /** Of that, what holds a canary. */
  readonly leaks: () => ReadonlyArray<string>
  readonly logger: Logger.Logger<unknown, void>
  readonly tracer: Tracer.Tracer
}

/** Hears all that this process says until the test is over. */
export const makeWitness = (): Witness => {
  const notes: Array<{ readonly what: string; readonly text: string }> = []
  const note = (what: string, value: unknown) => {
    for (const text of texts(value)) notes.push({ what, text })
  }
  const undo: Array<() => void> = []
  for (const name of ["log", "info", "warn", "error", "debug", "trace"] as const) {
    const listener = (...args: ReadonlyArray<unknown>) => note(`console.${name}`, format(...args))
    const spy = vi.spyOn(console, name).mockImplementation(listener)
    undo.push(() => spy.mockRestore())
  }
  for (const name of ["stdout", "stderr"] as const) {
    const spy = vi.spyOn(process[name], "write").mockImplementation((chunk) => {
      note(name, String(chunk))
      return true
    })
    undo.push(() => spy.mockRestore())
  }
  for (const name of ["warning", "unhandledRejection", "uncaughtException"]) {
    const listener = (value: unknown) => note(name, value)
    process.on(name, listener)
    undo.push(() => process.off(name, listener))
  }
  onTestFinished(() => undo.forEach((each) => each()))

  return {
    note,
    heard: () => new Set(notes.map(({ what }) => what)),
    leaks: () =>
      Array.from(new Set(notes
        .filter(({ text }) => forms.some((form) => form.test(text)))
        .map(({ text, what }) => `${what}: ${text.slice(0, 300)}`))),
    logger: Logger.make(({ annotations, cause, message, spans }) => {
      note("log", message)
      note("log", Array.from(annotations))
      note("log", Array.from(spans))
      note("log", Cause.pretty(cause))
    }),
    tracer: recordingTracer((value) => note("span", value)).tracer
  }
}
