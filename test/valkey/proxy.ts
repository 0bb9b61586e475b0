import type { Socket } from "node:net"
import { connect, createServer } from "node:net"

/** Stands between a client and its server, and counts how often the one waited for the other. */
export interface Proxy {
  readonly port: number
  /** How often something was sent after everything sent before had been answered. */
  readonly roundTrips: () => number
  readonly connections: () => number
  /** Breaks every connection; new ones are taken. */
  readonly cut: () => void
  /** Breaks the connections as soon as the server has answered what is sent next, before the client hears of it. */
  readonly cutBeforeNextAnswer: () => void
  readonly stop: () => Promise<void>
}

export const startProxy = async (serverPort: number): Promise<Proxy> => {
  const open = new Set<Socket>()
  let trips = 0
  let made = 0
  let armed = false
  const cut = () => open.forEach((socket) => socket.destroy())
  const server = createServer((client) => {
    made++
    const upstream = connect({ host: "127.0.0.1", port: serverPort, noDelay: true })
    client.setNoDelay(true)
    let answered = true
    client.on("data", (chunk) => {
      if (answered) trips++
      answered = false
      upstream.write(chunk)
    })
    upstream.on("data", (chunk) => {
      answered = true
      if (armed) {
        armed = false
        cut()
      } else client.write(chunk)
    })
    for (const [one, other] of [[client, upstream], [upstream, client]] as const) {
      open.add(one)
      one.on("error", () => {})
      one.on("close", () => {
        open.delete(one)
        other.destroy()
      })
    }
  })
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve))
  const address = server.address()
  return {
    port: typeof address === "object" && address !== null ? address.port : 0,
    roundTrips: () => trips,
    connections: () => made,
    cut,
    cutBeforeNextAnswer: () => void (armed = true),
    stop: () =>
      new Promise((resolve) => {
        cut()
        server.close(() => resolve())
      })
  }
}
