import { Redis } from "iovalkey"
import type { ChildProcess } from "node:child_process"
import { execFileSync, spawn } from "node:child_process"
import * as fs from "node:fs/promises"
import { connect } from "node:net"
import { tmpdir } from "node:os"
import * as path from "node:path"
import { endWithThisProcess, exited, freePort, hasExited, terminate, unrefPipe, until } from "./process.js"

export interface ValkeyServer {
  readonly url: string
  readonly host: "127.0.0.1"
  readonly port: number
  /** The process that answers now: it changes with `restart`. */
  readonly pid: number
  /** Where it keeps its files, removed when it is stopped. */
  readonly directory: string
  /** Sends a signal. Resolves once the process is gone for SIGKILL, SIGTERM and SIGINT, at once for any other. */
  readonly kill: (signal: NodeJS.Signals) => Promise<void>
  /**
   * Starts it again on the same port, stopping it first when it still runs: empty unless it was told to save. `args`
   * hold for this start only.
   */
  readonly restart: (args?: ReadonlyArray<string>) => Promise<void>
  readonly stop: () => Promise<void>
}

const onPath = async (program: string): Promise<string | undefined> => {
  for (const directory of (process.env["PATH"] ?? "").split(path.delimiter)) {
    const file = path.join(directory, program)
    if (await fs.access(file, fs.constants.X_OK).then(() => true, () => false)) {
      return file
    }
  }
  return undefined
}

/** Debian starts what it installs unless this file says no: the default port is not ours to take. */
const withoutService = async (install: () => void): Promise<void> => {
  const policy = "/usr/sbin/policy-rc.d"
  const ours = await fs.writeFile(policy, "#!/bin/sh\nexit 101\n", { flag: "wx", mode: 0o755 }).then(
    () => true,
    () => false
  )
  try {
    install()
  } finally {
    if (ours) {
      await fs.rm(policy, { force: true })
    }
  }
}

/** The server program of this machine, installed from Debian where that is possible and nothing else is there. */
export const valkeyProgram = async (): Promise<string> => {
  const find = async () => (await onPath("valkey-server")) ?? (await onPath("redis-server"))
  const present = await find()
  if (present !== undefined) {
    return present
  }
  if (process.getuid?.() === 0 && (await onPath("apt-get")) !== undefined) {
    const env = { ...process.env, DEBIAN_FRONTEND: "noninteractive" }
    const run = (...args: ReadonlyArray<string>) =>
      execFileSync("apt-get", args, { env, stdio: ["ignore", "ignore", 2] })
    await withoutService(() => {
      run("update")
      run("install", "-y", "--no-install-recommends", "redis-server")
    })
    const installed = await find()
    if (installed !== undefined) {
      return installed
    }
  }
  throw new Error("These tests need valkey-server or redis-server (7 or newer) on the PATH: install either of them")
}

/** Whether anything that speaks the protocol answers: an error such as NOAUTH is an answer too. */
const answers = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect({ host: "127.0.0.1", port })
    const settle = (answer: boolean) => {
      socket.destroy()
      resolve(answer)
    }
    socket.setTimeout(1_000, () => settle(false))
    socket.once("error", () => settle(false))
    socket.once("close", () => resolve(false))
    socket.once("connect", () => socket.write("PING\r\n"))
    socket.once("data", () => settle(true))
  })

interface Running {
  readonly child: ChildProcess
  readonly pid: number
  readonly dismiss: () => Promise<void>
}

const launch = async (
  program: string,
  port: number,
  directory: string,
  args: ReadonlyArray<string>
): Promise<Running | string> => {
  const base = ["--port", String(port), "--bind", "127.0.0.1", "--dir", directory, "--save", "", "--appendonly", "no"]
  const child = spawn(program, [...base, "--daemonize", "no", ...args], { stdio: ["ignore", "pipe", "ignore"] })
  let said = ""
  child.stdout.on("data", (chunk: Buffer) => (said = (said + chunk.toString()).slice(-4_000)))
  child.once("error", (error) => (said += String(error)))
  const { pid } = child
  if (pid === undefined) {
    return `${program} could not be started`
  }
  const dismiss = endWithThisProcess(pid, "KILL", directory)
  await until("Valkey answers", async () => hasExited(child) || await answers(port))
  if (hasExited(child)) {
    await dismiss()
    return said
  }
  child.unref()
  unrefPipe(child.stdout)
  return { child, pid, dismiss }
}

const startAt = async (makeArgs: (port: number) => Promise<ReadonlyArray<string>>): Promise<ValkeyServer> => {
  const program = await valkeyProgram()
  const directory = await fs.mkdtemp(path.join(tmpdir(), "valkey-"))
  const attempt = async (left: number): Promise<{ port: number; args: ReadonlyArray<string>; running: Running }> => {
    const port = await freePort()
    const args = await makeArgs(port)
    const running = await launch(program, port, directory, args)
    if (typeof running !== "string") {
      return { port, args, running }
    }
    if (left === 0) {
      throw new Error(`${path.basename(program)} did not start: ${running}`)
    }
    return attempt(left - 1)
  }
  const { args, port, running } = await attempt(2)
  let current = running
  const end = async (): Promise<void> => {
    // SIGKILL, since a server held by SIGSTOP or by a slow script hears nothing else, and its data is of no worth.
    await terminate(current.child, "SIGKILL")
    await current.dismiss()
  }
  return {
    url: `valkey://127.0.0.1:${port}`,
    host: "127.0.0.1",
    port,
    directory,
    get pid() {
      return current.pid
    },
    kill: async (signal) => {
      current.child.kill(signal)
      if (signal === "SIGKILL" || signal === "SIGTERM" || signal === "SIGINT") {
        await exited(current.child)
      }
    },
    restart: async (more = []) => {
      await end()
      const again = await launch(program, port, directory, [...args, ...more])
      if (typeof again === "string") {
        throw new Error(`${path.basename(program)} did not start again: ${again}`)
      }
      current = again
    },
    stop: async () => {
      await end()
      await fs.rm(directory, { recursive: true, force: true })
    }
  }
}

/** Starts a server of the caller's own on a free loopback port, without persistence. `args` come last, so they win. */
export const startValkey = (options: { readonly args?: ReadonlyArray<string> } = {}): Promise<ValkeyServer> =>
  startAt(async () => options.args ?? [])

/**
 * A server to share with whoever else uses it: the one that VALKEY_URL names, which is never stopped, or a new one.
 * A test that stops, fills or configures its server starts its own with `startValkey`.
 */
export const sharedValkey = async (): Promise<{ readonly url: string; readonly stop: () => Promise<void> }> => {
  const given = process.env["VALKEY_URL"]
  return given === undefined || given === "" ? startValkey() : { url: given, stop: async () => {} }
}

export interface ValkeyCluster {
  /** The three masters, then their replicas, if any were asked for. */
  readonly nodes: ReadonlyArray<ValkeyServer>
  readonly stop: () => Promise<void>
}

/** The hash slots of a cluster, dealt out to its masters in equal runs. */
const slots = 16_384

/** Starts a real cluster of three masters, each with `replicas` replicas, and waits until every node calls it ok. */
export const startValkeyCluster = async (
  options: { readonly replicas?: number; readonly args?: ReadonlyArray<string> } = {}
): Promise<ValkeyCluster> => {
  const masters = 3
  const size = masters * (1 + (options.replicas ?? 0))
  const clusterArgs = async (port: number): Promise<ReadonlyArray<string>> => {
    // The file is named by port: a second attempt on another port must not read what the first one wrote.
    const cluster = ["--cluster-enabled", "yes", "--cluster-config-file", `nodes-${port}.conf`]
    const timing = ["--cluster-node-timeout", "2000", "--cluster-port", String(await freePort())]
    return [...cluster, ...timing, ...(options.args ?? [])]
  }
  const started = await Promise.allSettled(Array.from({ length: size }, () => startAt(clusterArgs)))
  const nodes = started.flatMap((result) => (result.status === "fulfilled" ? [result.value] : []))
  const stop = async (): Promise<void> => {
    await Promise.all(nodes.map((node) => node.stop()))
  }
  const clients = nodes.map((node) => new Redis({ port: node.port, host: node.host, lazyConnect: true }))
  try {
    const failed = started.find((result) => result.status === "rejected")
    if (failed !== undefined) {
      throw failed.reason
    }
    const info = async (client: Redis): Promise<string> => String(await client.call("CLUSTER", "INFO"))
    const everyNode = (what: string, holds: (client: Redis, index: number) => Promise<boolean>) =>
      until(what, async () => (await Promise.all(clients.map(holds))).every(Boolean))
    const busPorts = await Promise.all(clients.map(async (client) => {
      const [, port] = await client.call("CONFIG", "GET", "cluster-port") as [string, string]
      return port
    }))
    await Promise.all(clients.map(async (client, index) => {
      await client.call("CLUSTER", "SET-CONFIG-EPOCH", index + 1)
      if (index < masters) {
        const first = Math.floor((slots * index) / masters)
        const last = Math.floor((slots * (index + 1)) / masters) - 1
        await client.call("CLUSTER", "ADDSLOTSRANGE", first, last)
      }
      for (const [other, node] of nodes.entries()) {
        if (other < index) {
          await client.call("CLUSTER", "MEET", node.host, node.port, busPorts[other] ?? "")
        }
      }
    }))
    await everyNode("the cluster's nodes know each other", async (client) =>
      (await info(client)).includes(`cluster_known_nodes:${size}\r`))
    for (let index = masters; index < size; index++) {
      const master = String(await clients[index % masters]?.call("CLUSTER", "MYID"))
      await clients[index]?.call("CLUSTER", "REPLICATE", master)
    }
    await everyNode("the cluster is ok on every node", async (client, index) =>
      (await info(client)).includes("cluster_state:ok") &&
      (index < masters || String(await client.call("INFO", "replication")).includes("master_link_status:up")))
    return { nodes, stop }
  } catch (error) {
    await stop()
    throw error
  } finally {
    for (const client of clients) {
      client.disconnect()
    }
  }
}
