/**
 * A server that speaks Upstash's REST protocol, in front of a Valkey: commands as arrays, alone, in a pipeline or in a
 * transaction, for whoever brings the token.
 */
import { Redis } from "iovalkey"
import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from "node:http"
import { createServer } from "node:http"
import type { AddressInfo } from "node:net"
import { text } from "node:stream/consumers"

type Words = ReadonlyArray<string>

/** A request, as it came. */
export interface Seen {
  readonly path: string
  readonly headers: IncomingHttpHeaders
  readonly length: number
  readonly commands: ReadonlyArray<Words>
}

/** Answers in the place of the bridge, or leaves it to the bridge. */
export type Fault = (response: ServerResponse, seen: Seen) => "pass" | void

export interface Bridge {
  readonly url: string
  readonly token: string
  /** All that was asked, in order. */
  readonly requests: ReadonlyArray<Seen>
  /** From now on requests fail in this way, or no longer do. */
  readonly fail: (fault: Fault | undefined) => void
  /** Forgets what was asked. */
  readonly reset: () => void
  readonly stop: () => Promise<void>
}

export interface BridgeOptions {
  /** Says with each answer how far it got, as servers do that read from copies. */
  readonly syncToken?: () => string
  /** Reads a script's first line no better than servers did before there were any flags. */
  readonly withoutFlags?: boolean
}

const isWords = (value: unknown): value is Words =>
  Array.isArray(value) && value.length > 0 && value.every((word) => typeof word === "string" || typeof word === "number")

/** What a reply is in JSON: all text in base64, but for the one word. */
const encode = (reply: unknown, base64: boolean): unknown => {
  if (Array.isArray(reply)) return reply.map((one) => encode(one, base64))
  if (!Buffer.isBuffer(reply)) return reply
  const text = reply.toString()
  return base64 && text !== "OK" ? reply.toString("base64") : text
}

export const startBridge = async (valkeyUrl: string, options: BridgeOptions = {}): Promise<Bridge> => {
  const client = new Redis(valkeyUrl)
  const token = `token-${Math.random().toString(36).slice(2)}`
  const requests: Array<Seen> = []
  let fault: Fault | undefined

  const call = async ([name = "", ...args]: Words, base64: boolean) => {
    const [script = ""] = args
    if (options.withoutFlags === true && name.toLowerCase() === "eval" && script.startsWith("#!")) {
      return { error: "ERR Unexpected flag in script shebang: allow-oom" }
    }
    try {
      return { result: encode(await client.callBuffer(name, ...args), base64) }
    } catch (error) {
      return { error: error instanceof Error ? error.message : String(error) }
    }
  }
  const carryOut = async ({ commands, headers, path }: Seen): Promise<readonly [status: number, body: unknown]> => {
    const base64 = headers["upstash-encoding"] === "base64"
    if (path === "/") {
      const [command = []] = commands
      const answer = await call(command, base64)
      return ["error" in answer ? 400 : 200, answer]
    }
    if (path === "/pipeline") {
      const answers: Array<object> = []
      for (const command of commands) answers.push(await call(command, base64))
      return [200, answers]
    }
    const transaction = client.multi()
    for (const [name = "", ...args] of commands) transaction.callBuffer(name, ...args)
    const results = await transaction.exec()
    const answers = results?.map(([error, reply]) =>
      error === null ? { result: encode(reply, base64) } : { error: error.message })
    return [200, answers]
  }
  const answer = async (request: IncomingMessage, response: ServerResponse) => {
    const reply = (status: number, body: unknown) => {
      response.writeHead(status, {
        "content-type": "application/json",
        ...(options.syncToken === undefined ? {} : { "upstash-sync-token": options.syncToken() })
      })
      response.end(JSON.stringify(body))
    }
    const path = request.url ?? ""
    const body = await text(request)
    const parsed: unknown = JSON.parse(body)
    const commands: unknown = path === "/" ? [parsed] : parsed
    const wellFormed = Array.isArray(commands) && commands.every(isWords)
    const seen: Seen = { path, headers: request.headers, length: body.length, commands: wellFormed ? commands : [] }
    requests.push(seen)
    if (fault !== undefined && fault(response, seen) !== "pass") return
    const { authorization, "content-type": type } = request.headers
    if (authorization !== `Bearer ${token}`) return reply(401, { error: "WRONGPASS invalid or missing auth token" })
    if (type !== "application/json") return reply(400, { error: "ERR expected application/json" })
    if (request.method !== "POST") return reply(405, { error: "ERR method not allowed" })
    if (!["/", "/pipeline", "/multi-exec"].includes(path)) return reply(404, { error: "ERR no such endpoint" })
    if (!wellFormed) return reply(400, { error: "ERR expected commands, each an array" })
    reply(...await carryOut(seen))
  }
  const server = createServer((request, response) => {
    answer(request, response).catch(() => response.destroy())
  })
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve))
  const { port } = server.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${port}`,
    token,
    requests,
    fail: (next) => (fault = next),
    reset: () => void (requests.length = 0),
    stop: async () => {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
      client.disconnect()
    }
  }
}
