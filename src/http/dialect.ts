/**
 * Scripts as they are said over HTTP.
 */
import type { Argument, ScriptCall } from "../valkey/connection.js"
import { script as makeScript } from "../valkey/scripts.js"
import type { Script } from "../valkey/scripts.js"
import { escapeBytes, escapeText, unescapeArguments } from "./text.js"

interface Said {
  readonly script: Script
  readonly calls: ReadonlyArray<ScriptCall>
}

const variants = new Map<string, Script>()

const variant = (script: Script, unescaping: boolean, flags: boolean): Script => {
  if (!unescaping && flags) return script
  const name = `${script.sha} ${unescaping} ${flags}`
  const known = variants.get(name)
  if (known !== undefined) return known
  const [, firstLine = "", rest = ""] = /^(#!.*\n)?([^]*)$/.exec(script.lua) ?? []
  const made = makeScript((flags ? firstLine : "") + (unescaping ? `${unescapeArguments}\n` : "") + rest)
  variants.set(name, made)
  return made
}

const isBytes = (argument: Argument): argument is Uint8Array => typeof argument === "object"

const escape = (argument: Argument): string => isBytes(argument) ? escapeBytes(argument) : escapeText(String(argument))

/**
 * A script and its calls as text alone; without `flags`, also without the first line that only some servers read: what
 * it asks for is to be carried out when the memory is full.
 */
export const dialectOf = (script: Script, calls: ReadonlyArray<ScriptCall>, flags: boolean): Said => {
  const unescaping = calls.some(({ args }) => args.some(isBytes))
  return {
    script: variant(script, unescaping, flags),
    calls: unescaping ? calls.map(({ args, key }) => ({ key, args: args.map(escape) })) : calls
  }
}
