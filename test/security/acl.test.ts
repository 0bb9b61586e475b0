import { Redis } from "iovalkey"
import { readFileSync } from "node:fs"
import { beforeEach, describe, expect, it, onTestFinished } from "vitest"
import { startValkeyCluster } from "../support/valkey.js"
import { open, round, useServer } from "./support.js"

const page = readFileSync(new URL("../../docs/security.md", import.meta.url), "utf8")

/** The lines of the documentation: what a user of a server needs, and what is added on a cluster. */
const rules = (pattern: RegExp): ReadonlyArray<string> => {
  const found = pattern.exec(page)?.[1]
  if (found === undefined) throw new Error(`docs/security.md has no line like ${pattern}`)
  return found.split(" ").filter((rule) => rule !== "")
}
const password = "the-password"
const onServer = rules(/^ACL SETUSER cache (.*)$/m).map((rule) => rule.startsWith(">") ? `>${password}` : rule)
const onCluster = rules(/on a cluster `([^`]*)`/)
const commands = [...onServer, ...onCluster].filter((rule) => rule.startsWith("+"))

const denials = async (admin: Redis): Promise<ReadonlyArray<string>> => {
  const log = await admin.call("ACL", "LOG") as ReadonlyArray<ReadonlyArray<unknown>>
  return Array.from(new Set(log.map((entry) => {
    const field = (name: string) => String(entry[entry.indexOf(name) + 1])
    return `${field("reason")}: ${field("object")}`
  })))
}

/** A server's user with these rules and no others. */
const user = async (admin: Redis, given: ReadonlyArray<string>) => {
  await admin.call("ACL", "SETUSER", "cache", "reset", ...given)
  await admin.call("ACL", "LOG", "RESET")
  await admin.call("SCRIPT", "FLUSH")
  await admin.call("FLUSHALL")
}

describe("a user with the rights of the documentation", () => {
  const valkey = useServer()
  const url = () => `valkey://cache:${password}@127.0.0.1:${valkey.server.port}`

  beforeEach(() => user(valkey.admin, onServer))

  it.each(["after-commit", "strict"] as const)("is all that a cache needs: %s writes", async (consistency) => {
    const opened: Array<ReturnType<typeof open>> = []
    const told = await round((given) => {
      const made = open(url(), { consistency: given, hardened: given === "strict" })
      opened.push(made)
      return made
    }, consistency)
    expect(await denials(valkey.admin)).toEqual([])
    expect(opened.flatMap(({ failures }) => failures())).toEqual([])
    expect(told).toEqual({
      cold: 1,
      warm: "hit",
      invalidated: ["miss", "hit", "miss", "miss", "miss"],
      // Hardened, a write's own result is not.
      kept: consistency === "strict" ? "miss" : "hit"
    })
  })

  it.each(commands.filter((rule) => onServer.includes(rule)))("could not do without %s, and fails no query without it", async (rule) => {
    await user(valkey.admin, onServer.filter((one) => one !== rule))
    await round((consistency) => open(url(), { consistency, hardened: true, budget: 1_000 }), "strict", false)
    const told = await denials(valkey.admin)
    expect(told.length).toBeGreaterThan(0)
    expect(told).toEqual([`command: ${rule.slice(1)}`])
  })

  it("is all that a cache needs in another database and with a prefix, as the documentation says", async () => {
    const moved = onServer.map((rule) =>
      rule.startsWith("~") ? rule.replace("~", "~mine:") : rule.replace(/^&epc1:0:/, "&epc1:3:mine:"))
    await user(valkey.admin, [...moved, "+select"])
    const at = { host: "127.0.0.1", port: valkey.server.port, username: "cache", password, db: 3, keyPrefix: "mine:" }
    const told = await round((consistency) => open(at, { consistency }), "strict")
    expect(await denials(valkey.admin)).toEqual([])
    expect(told).toMatchObject({ cold: 1, warm: "hit", kept: "hit" })
  })

  it("reaches nothing but the namespace's own names", async () => {
    const client = new Redis(url(), { retryStrategy: () => null })
    onTestFinished(() => client.disconnect())
    expect(await client.get("epc1:shop:n")).toBeNull()
    for (const command of [
      ["get", "epc1:other:n"],
      ["get", "session"],
      ["mget", "epc1:shop:n", "epc1:other:n"],
      ["set", "epc1:shopping:n", "1"],
      ["eval", "return redis.call('GET', 'epc1:other:n')", "0"],
      ["eval", "return redis.call('KEYS', '*')", "0"],
      ["publish", "epc1:0:news:prisma-cache-lock:epc1:other:e:exact-1:", "stored"],
      ["keys", "*"],
      ["scan", "0"],
      ["flushall"],
      ["config", "get", "*"],
      ["acl", "whoami"],
      ["monitor"],
      ["client", "list"]
    ]) {
      const [name = "", ...args] = command
      await expect(client.call(name, ...args), command.join(" ")).rejects.toThrow(/NOPERM|permission|can't (access|run)/)
    }
  })
})

describe("a user of a cluster with the rights of the documentation", () => {
  it("is all that a cache needs", { timeout: 120_000 }, async () => {
    const cluster = await startValkeyCluster()
    const admins = cluster.nodes.map(({ host, port }) => new Redis({ host, port }))
    onTestFinished(async () => {
      admins.forEach((admin) => admin.disconnect())
      await cluster.stop()
    })
    for (const admin of admins) await user(admin, [...onServer, ...onCluster])
    const nodes = cluster.nodes.map(({ host, port }) => ({ host, port }))
    const connection = { cluster: { nodes, options: { redisOptions: { username: "cache", password } } } }
    const opened: Array<ReturnType<typeof open>> = []
    const told = await round((consistency) => {
      const made = open(connection, { consistency })
      opened.push(made)
      return made
    }, "strict")
    expect((await Promise.all(admins.map(denials))).flat()).toEqual([])
    expect(opened.flatMap(({ failures }) => failures())).toEqual([])
    expect(told).toMatchObject({ cold: 1, warm: "hit" })
  })
})
