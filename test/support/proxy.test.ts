import { once } from "node:events"
import type { Socket } from "node:net"
import { connect, createServer } from "node:net"
import { afterAll, beforeAll, beforeEach, describe, expect, it, onTestFinished } from "vitest"
import { until } from "./process.js"
import type { Proxy } from "./proxy.js"
import { startProxy } from "./proxy.js"

/** A server that answers every line with what it was sent, in capitals. */
const startEcho = async () => {
  let heard = ""
  const sockets = new Set<Socket>()
  const server = createServer((socket) => {
    sockets.add(socket)
    socket.on("error", () => {})
    socket.on("close", () => sockets.delete(socket))
    socket.on("data", (chunk: Buffer) => {
      heard += chunk.toString()
      socket.write(chunk.toString().toUpperCase())
    })
  })
  server.listen(0, "127.0.0.1")
  await once(server, "listening")
  const address = server.address()
  return {
    port: typeof address === "object" && address !== null ? address.port : 0,
    heard: () => heard,
    forget: () => void (heard = ""),
    connections: () => sockets.size,
    stop: () => new Promise<void>((resolve) => {
      sockets.forEach((socket) => socket.destroy())
      server.close(() => resolve())
    })
  }
}

describe("a proxy", () => {
  let echo: Awaited<ReturnType<typeof startEcho>>
  let proxy: Proxy

  beforeAll(async () => {
    echo = await startEcho()
    proxy = await startProxy(echo.port)
  })
  beforeEach(async () => {
    await proxy.set({})
    proxy.cut()
    await until("no connection is left", () => proxy.open() === 0 && echo.connections() === 0)
    echo.forget()
  })
  afterAll(async () => {
    await proxy.stop()
    await echo.stop()
  })

  /** A connection, and what came of it. */
  const open = async (port = proxy.port) => {
    const socket = connect({ host: "127.0.0.1", port, noDelay: true })
    onTestFinished(() => void socket.destroy())
    let heard = ""
    let error: string | undefined
    let closed = false
    socket.on("data", (chunk: Buffer) => (heard += chunk.toString("latin1")))
    socket.on("error", (problem: NodeJS.ErrnoException) => (error = problem.code))
    socket.on("close", () => (closed = true))
    await Promise.race([once(socket, "connect"), once(socket, "close")]).catch(() => {})
    return {
      say: (text: string) => void socket.write(text),
      leave: () => void socket.end(),
      heard: () => heard,
      hears: (text: string) => until(`it hears ${text}`, () => heard === text),
      isClosed: () => until("it is closed", () => closed),
      error: () => error
    }
  }

  it("hands on what is said, and counts connections and round trips", async () => {
    const [trips, connections] = [proxy.roundTrips(), proxy.connections()]
    const client = await open()
    client.say("one")
    await client.hears("ONE")
    client.say("two")
    await client.hears("ONETWO")
    expect([proxy.roundTrips() - trips, proxy.connections() - connections, proxy.open()]).toEqual([2, 1, 1])
  })

  it("delays each direction by itself, and keeps what was said in order when the weather changes", async () => {
    const client = await open()
    for (const latency of [{ toServer: 80 }, { toClient: 80 }, { toServer: 40, toClient: 40 }]) {
      await proxy.set({ latency })
      const startedAt = performance.now()
      const before = client.heard()
      client.say("a")
      await client.hears(`${before}A`)
      // Timers are never early by more than a millisecond.
      expect(performance.now() - startedAt).toBeGreaterThan(78)
    }
    await proxy.set({ latency: { toServer: 100 } })
    client.say("slow")
    await proxy.set({})
    client.say("fast")
    await client.hears("AAASLOWFAST")
  })

  it("lets answers trickle", async () => {
    await proxy.set({ bytesPerSecond: 1_000 })
    const client = await open()
    const startedAt = performance.now()
    client.say("x".repeat(200))
    await client.hears("X".repeat(200))
    // Ten bytes at a time, the first at once.
    expect(performance.now() - startedAt).toBeGreaterThan(180)
  })

  it("holds what is said in a direction that is silent, and delivers it later", async () => {
    const client = await open()
    await proxy.set({ silent: "toServer" })
    client.say("a")
    const another = await open()
    another.say("b")
    expect([echo.heard(), client.heard()]).toEqual(["", ""])
    await proxy.set({ silent: "toClient" })
    await until("the server has heard", () => echo.heard().length === 2)
    expect([client.heard(), another.heard()]).toEqual(["", ""])
    await proxy.set({})
    await client.hears("A")
    await another.hears("B")
  })

  it("cuts connections, and takes new ones", async () => {
    const client = await open()
    proxy.cut()
    await client.isClosed()
    const another = await open()
    another.say("a")
    await another.hears("A")
  })

  it("freezes the connections that there are, and delivers later what was said in them", async () => {
    const client = await open()
    client.say("a")
    await client.hears("A")
    const thaw = proxy.freeze()
    client.say("b")
    client.leave()
    const another = await open()
    another.say("c")
    await another.hears("C")
    expect(echo.heard()).toBe("ac")
    thaw()
    await until("the server has heard", () => echo.heard() === "acb")
    await until("that connection is gone", () => echo.connections() === 1)
  })

  it("leads to another server", async () => {
    const other = await startEcho()
    onTestFinished(other.stop)
    const client = await open()
    proxy.lead(other.port)
    onTestFinished(() => proxy.lead(echo.port))
    const another = await open()
    client.say("a")
    another.say("b")
    await client.hears("A")
    await another.hears("B")
    expect([echo.heard(), other.heard()]).toEqual(["a", "b"])
  })

  it.each([
    ["cuts", () => proxy.cutBeforeNextAnswer(), undefined],
    ["resets", () => proxy.resetBeforeNextAnswer(), "ECONNRESET"]
  ] as const)("%s the connection when the server has heard, before the client does", async (_, arm, error) => {
    const client = await open()
    arm()
    client.say("a")
    await client.isClosed()
    expect([echo.heard(), client.heard(), client.error()]).toEqual(["a", "", error])
  })

  it.each(["stall", "cut"] as const)("truncates an answer in its middle, to %s then", async (then) => {
    const client = await open()
    proxy.truncateNextAnswer(3, then)
    client.say("abcdef")
    await client.hears("ABC")
    if (then === "cut") return client.isClosed()
    client.say("more")
    await until("the server has heard", () => echo.heard() === "abcdefmore")
    const another = await open()
    another.say("a")
    await another.hears("A")
    expect(client.heard()).toBe("ABC")
  })

  it("garbles answers", async () => {
    const client = await open()
    await proxy.set({ garbled: true })
    client.say("a")
    await until("it hears something", () => client.heard() !== "")
    expect(client.heard()).not.toContain("A")
    await proxy.set({})
    const another = await open()
    another.say("a")
    await another.hears("A")
  })

  it("refuses connections, and takes them again at the same port", async () => {
    const client = await open()
    await proxy.set({ refused: true })
    await client.isClosed()
    const refused = await open()
    await refused.isClosed()
    expect(refused.error()).toBe("ECONNREFUSED")
    await proxy.set({ silent: "both", refused: true })
    await proxy.set({})
    const another = await open()
    another.say("a")
    await another.hears("A")
  })

  it("answers commands in the server's place, and tells of them", async () => {
    const commands: Array<readonly [string, number]> = []
    const fake = await startProxy(undefined, {
      onCommand: (command, connection) => commands.push([command.join(" "), connection])
    })
    onTestFinished(() => fake.stop())
    await fake.set({ answer: ([name]) => name === "ping" ? "+PONG\r\n" : name === "hush" ? undefined : "-LOADING\r\n" })
    const client = await open(fake.port)
    const another = await open(fake.port)
    client.say("PING\r\n*3\r\n$3\r\nset\r\n$1\r\na\r\n$4\r\nb\r\nb\r\n*1\r\n$4\r\nHU")
    client.say("SH\r\n")
    await client.hears("+PONG\r\n-LOADING\r\n")
    another.say("*2\r\n$3\r\nGET\r\n$1\r\na\r\n")
    await another.hears("-LOADING\r\n")
    expect(commands).toEqual([["ping", 1], ["set a b\r\nb", 1], ["hush", 1], ["get a", 2]])
  })
})
