/** A network between a client and its server, that does to them what networks do. */
import { once } from "node:events"
import type { Socket } from "node:net"
import { connect, createServer } from "node:net"
import { requestReader } from "./resp.js"

/** What happens to those who speak to each other. Nothing, unless it says so. */
export interface Weather {
  /** How much later everything arrives, in milliseconds. */
  readonly latency?: { readonly toServer?: number; readonly toClient?: number }
  /** How many bytes of answers come through in a second. */
  readonly bytesPerSecond?: number
  /**
   * Where nothing arrives: it is held, and arrives when the weather has changed, as it does where lost packets are sent
   * again. Connections are taken all the same.
   */
  readonly silent?: "toServer" | "toClient" | "both"
  /** Whether answers are garbage. */
  readonly garbled?: boolean
  /** Answers every command in the server's place, which hears of none. Connections from before and after are others. */
  readonly answer?: (command: ReadonlyArray<string>) => string | undefined
  /** Nobody listens, and connections there were are broken. */
  readonly refused?: boolean
}

/** Stands between a client and its server, and counts how often the one waited for the other. */
export interface Proxy {
  readonly port: number
  /** How often something was sent after everything sent before had been answered. */
  readonly roundTrips: () => number
  /** How many connections were made since it was started. */
  readonly connections: () => number
  /** How many there are. */
  readonly open: () => number
  /** From now on, for all connections, those that there are and those to come. */
  readonly set: (weather: Weather) => Promise<void>
  /** Breaks every connection; new ones are taken. */
  readonly cut: () => void
  /**
   * Nothing comes through the connections that there are, or these ones of them, counted from 1; new ones are not
   * affected. What was said in them arrives when what is answered is called.
   */
  readonly freeze: (connections?: ReadonlySet<number>) => () => void
  /** From now on connections lead to another server. Those that there are do not. */
  readonly lead: (serverPort: number) => void
  /** Breaks the connections as soon as the server has answered what is sent next, before the client hears of it. */
  readonly cutBeforeNextAnswer: () => void
  /** The same, the hard way: the client is told that its connection was reset. */
  readonly resetBeforeNextAnswer: () => void
  /** Of the next answer only so many bytes arrive; then nothing more does, or the connection breaks. */
  readonly truncateNextAnswer: (bytes: number, then: "stall" | "cut") => void
  readonly stop: () => Promise<void>
}

export interface ProxyOptions {
  /** Told of each command that a client sends, and on which of its connections, counted from 1. */
  readonly onCommand?: (command: ReadonlyArray<string>, connection: number) => void
}

interface LaneWeather {
  readonly latency: number
  readonly bytesPerSecond: number
  readonly isSilent: boolean
}

/** How often a trickle trickles, in milliseconds. */
const trickleEvery = 10

/** One direction of a connection. What goes through it arrives in order, whatever happens to it. */
const makeLane = (target: Socket, weather: () => LaneWeather) => {
  const underWay: Array<{ readonly chunk: Buffer; readonly due: number }> = []
  let timer: NodeJS.Timeout | undefined
  const pump = () => {
    clearTimeout(timer)
    const { bytesPerSecond, isSilent } = weather()
    for (let head = underWay[0]; head !== undefined && !isSilent; head = underWay[0]) {
      const early = head.due - performance.now()
      if (early > 0) return void (timer = setTimeout(pump, early))
      underWay.shift()
      const some = Math.max(1, Math.floor((bytesPerSecond * trickleEvery) / 1_000))
      if (head.chunk.length > some) {
        target.write(head.chunk.subarray(0, some))
        underWay.unshift({ chunk: head.chunk.subarray(some), due: performance.now() + trickleEvery })
      } else target.write(head.chunk)
    }
  }
  return {
    pump,
    close: () => clearTimeout(timer),
    push: (chunk: Buffer) => {
      underWay.push({ chunk, due: performance.now() + weather().latency })
      if (underWay.length === 1) pump()
    }
  }
}

/** What is neither an answer nor the beginning of one. */
const garbage = Buffer.from("\x00\xff\x13 no protocol at all \r\n%%\r\n")

type NextAnswer =
  | { readonly _tag: "Comes" }
  | { readonly _tag: "Lost"; readonly end: (client: Socket) => void }
  | { readonly _tag: "Truncated"; readonly bytes: number; readonly then: "stall" | "cut" }

/** Without a server's port there is nobody behind it: only `answer` answers. */
export const startProxy = async (serverPort?: number, options: ProxyOptions = {}): Promise<Proxy> => {
  const { onCommand } = options
  let target = serverPort
  interface Link {
    readonly connection: number
    readonly client: Socket
    readonly pump: () => void
    readonly drop: () => void
    isFrozen: boolean
  }
  const links = new Set<Link>()
  const frozen = new Set<Link>()
  let weather: Weather = {}
  let next: NextAnswer = { _tag: "Comes" }
  let trips = 0
  let made = 0
  const breakAll = (end: (client: Socket) => void) => links.forEach(({ client }) => end(client))
  const cut = () => breakAll((client) => client.destroy())

  const listener = createServer((client) => {
    const connection = ++made
    client.setNoDelay(true)
    const upstream = target === undefined ? undefined : connect({ host: "127.0.0.1", port: target, noDelay: true })
    const toClient = makeLane(client, () => ({
      latency: weather.latency?.toClient ?? 0,
      bytesPerSecond: weather.bytesPerSecond ?? Infinity,
      isSilent: link.isFrozen || weather.silent === "both" || weather.silent === "toClient"
    }))
    const toServer = upstream && makeLane(upstream, () => ({
      latency: weather.latency?.toServer ?? 0,
      bytesPerSecond: Infinity,
      isSilent: link.isFrozen || weather.silent === "both" || weather.silent === "toServer"
    }))
    const answerInPlace = (command: ReadonlyArray<string>) => {
      const answer = weather.answer?.(command)
      if (answer !== undefined) toClient.push(Buffer.from(answer, "latin1"))
    }
    const read = requestReader((command) => {
      onCommand?.(command, connection)
      answerInPlace(command)
    })
    let answered = true
    let isStalled = false
    client.on("data", (chunk: Buffer) => {
      if (answered) trips++
      answered = false
      const inPlace = weather.answer !== undefined
      if (onCommand !== undefined || inPlace) read(chunk)
      if (!inPlace) toServer?.push(chunk)
    })
    upstream?.on("data", (chunk: Buffer) => {
      answered = true
      const what = next
      next = { _tag: "Comes" }
      if (isStalled) return
      switch (what._tag) {
        case "Comes":
          return toClient.push(weather.garbled === true ? garbage : chunk)
        case "Lost":
          return breakAll(what.end)
        case "Truncated":
          isStalled = true
          toClient.push(chunk.subarray(0, what.bytes))
          if (what.then === "cut") client.end()
      }
    })
    const link: Link = {
      connection,
      client,
      pump: () => {
        toServer?.pump()
        toClient.pump()
      },
      drop: () => {
        links.delete(link)
        frozen.delete(link)
        toServer?.close()
        toClient.close()
        client.destroy()
        upstream?.destroy()
      },
      isFrozen: false
    }
    links.add(link)
    for (const socket of [client, upstream]) {
      socket?.on("error", () => {})
      // That one side has gone away the other does not learn through a network that hands on nothing.
      socket?.on("close", () => link.isFrozen ? links.delete(link) : link.drop())
    }
  })
  const listen = async (port: number) => {
    listener.listen(port, "127.0.0.1")
    await once(listener, "listening")
  }
  const close = () =>
    new Promise<void>((resolve) => {
      listener.close(() => resolve())
      cut()
    })
  await listen(0)
  const address = listener.address()
  const port = typeof address === "object" && address !== null ? address.port : 0

  return {
    port,
    roundTrips: () => trips,
    connections: () => made,
    open: () => links.size,
    set: async (changed) => {
      const wasRefused = weather.refused === true
      // An answer in the server's place must not overtake one of its own, nor stand for a greeting that it needs.
      const isAnother = weather.answer !== changed.answer
      weather = changed
      if (changed.refused === true) {
        if (!wasRefused) await close()
        return
      }
      if (wasRefused) await listen(port)
      if (isAnother) cut()
      links.forEach(({ pump }) => pump())
    },
    cut,
    freeze: (connections) => {
      const these = Array.from(links).filter(({ connection }) => connections?.has(connection) !== false)
      for (const link of these) {
        link.isFrozen = true
        frozen.add(link)
      }
      return () => {
        for (const link of these) {
          link.isFrozen = false
          link.pump()
          // Whoever has gone away meanwhile has said all that it had to say.
          if (!links.has(link)) setImmediate(link.drop)
        }
      }
    },
    lead: (port) => void (target = port),
    cutBeforeNextAnswer: () => void (next = { _tag: "Lost", end: (client) => client.destroy() }),
    resetBeforeNextAnswer: () => void (next = { _tag: "Lost", end: (client) => client.resetAndDestroy() }),
    truncateNextAnswer: (bytes, then) => void (next = { _tag: "Truncated", bytes, then }),
    stop: () => {
      frozen.forEach(({ drop }) => drop())
      return weather.refused === true ? Promise.resolve() : close()
    }
  }
}
