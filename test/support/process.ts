import type { ChildProcess } from "node:child_process"
import { spawn } from "node:child_process"
import { createServer, Socket } from "node:net"
import type { Readable, Writable } from "node:stream"
import { setTimeout as delay } from "node:timers/promises"

/** How often a condition is looked at while something starts or settles, in milliseconds. */
const pollEvery = 10

/** Looks at a condition until it holds, and fails by name when it does not within `within` milliseconds. */
export const until = async (
  what: string,
  holds: () => boolean | Promise<boolean>,
  within = 30_000
): Promise<void> => {
  const deadline = performance.now() + within
  while (!(await holds())) {
    if (performance.now() > deadline) {
      throw new Error(`Waited ${within} ms in vain: ${what}`)
    }
    await delay(pollEvery)
  }
}

const canListen = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const probe = createServer()
    probe.once("error", () => resolve(false))
    probe.listen(port, "127.0.0.1", () => probe.close(() => resolve(true)))
  })

/**
 * A loopback port that nobody listens on. It is drawn from below the range that the kernel gives to outgoing
 * connections, so that no client of this run can take it before the server does.
 */
export const freePort = async (): Promise<number> => {
  for (let attempt = 0; attempt < 200; attempt++) {
    const port = 20_000 + Math.floor(Math.random() * 12_000)
    if (await canListen(port)) {
      return port
    }
  }
  throw new Error("No free loopback port was found between 20000 and 32000")
}

/** Whether a child has ended, by itself or by a signal. */
export const hasExited = (child: ChildProcess): boolean => child.exitCode !== null || child.signalCode !== null

/** Resolves once a child has ended. Waiting for it keeps this process alive, unlike the child itself. */
export const exited = async (child: ChildProcess): Promise<void> => {
  if (!hasExited(child)) {
    child.ref()
    await new Promise((resolve) => child.once("exit", resolve))
  }
}

/** Ends a child with `signal`, then with SIGKILL when it has not left within `patience` milliseconds. */
export const terminate = async (child: ChildProcess, signal: NodeJS.Signals, patience = 10_000): Promise<void> => {
  if (hasExited(child)) {
    return
  }
  child.kill(signal)
  const impatience = setTimeout(() => child.kill("SIGKILL"), patience)
  await exited(child)
  clearTimeout(impatience)
}

/** A pipe to a child is a socket, which keeps the event loop alive unless told otherwise. */
export const unrefPipe = (pipe: Readable | Writable | null): void => {
  if (pipe instanceof Socket) {
    pipe.unref()
  }
}

/**
 * Takes a server down when this process dies without stopping it, SIGKILL included: a small shell holds the other end
 * of a pipe, which the kernel closes with us. Returns what dismisses that shell once the server was stopped properly.
 */
export const endWithThisProcess = (pid: number, signal: "INT" | "KILL", directory: string): () => Promise<void> => {
  const script = [
    "cat > /dev/null",
    `kill -${signal} "$1" 2> /dev/null`,
    "n=0; while kill -0 \"$1\" 2> /dev/null && [ $n -lt 50 ]; do sleep 0.1; n=$((n + 1)); done",
    "kill -KILL \"$1\" 2> /dev/null",
    "rm -rf \"$2\""
  ].join("\n")
  const guard = spawn("sh", ["-c", script, "guard", String(pid), directory], {
    detached: true,
    stdio: ["pipe", "ignore", "ignore"]
  })
  guard.unref()
  unrefPipe(guard.stdin)
  return async () => {
    // The group, since the shell may have `cat` as a child.
    if (guard.pid !== undefined && !hasExited(guard)) {
      process.kill(-guard.pid, "SIGKILL")
      await exited(guard)
    }
  }
}
