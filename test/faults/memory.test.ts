/**
 * Caches with a memory of their own: what happens to them when something happens to the server, or to the connection on
 * which they hear of each other.
 */
import * as IoRedis from "ioredis"
import { Redis } from "iovalkey"
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest"
import type { Cluster, Member } from "../support/cluster.js"
import { startCluster } from "../support/cluster.js"
import { until } from "../support/process.js"
import { uniqueName } from "../support/servers.js"
import { makeDatabase } from "./database.js"
import type { Stage } from "./stage.js"
import { stateOf } from "./stage.js"
import type { Process } from "./world.js"
import { everyRow, isRemembered, isWell, load, makeWorld, nothingWrong, openProcess, readAll, rows, versionsIn } from "./world.js"

const memory = true

/** How long something may take that takes as long as a connection that has died without a word: in milliseconds. */
const silence = 5_000

const sourcesIn = async (process: Process) => new Set((await readAll(process)).map((read) => read?.source))

const isForgotten = (process: Process, within?: number) =>
  until("nothing is remembered", async () => !(await sourcesIn(process)).has("memory"), within)

/** What the other one wrote is seen. */
const isSeen = ({ watched }: Process, versions: ReadonlyArray<number>, within?: number) =>
  until("what another process wrote is seen", async () => {
    const seen = await Promise.all(everyRow.map(watched.read))
    return seen.every((read, row) => (read?.version ?? -1) >= (versions[row] ?? 0))
  }, within)

const invalidateAll = ({ watched }: Process) => Promise.all(everyRow.map(watched.invalidate))

const expectNothingWrong = (...processes: ReadonlyArray<Process>) => {
  for (const { watched } of processes) expect(watched.counts).toMatchObject(nothingWrong)
}

/** Which connections have begun to listen, and how often each said so. */
const listeners = () => {
  const asked = new Map<number, number>()
  const onCommand = ([name = ""]: ReadonlyArray<string>, connection: number) => {
    if (name.toLowerCase() === "subscribe") asked.set(connection, (asked.get(connection) ?? 0) + 1)
  }
  return { onCommand, asked }
}

const permit = ({ ask }: Stage, ...rules: ReadonlyArray<string>) => ask("ACL", "SETUSER", "app", ...rules)

const strange = "answering with what nobody asked for"

describe("with a memory of its own, before a server that is", () => {
  const states = ["killed, and started again", "stopped", "half-open: nothing comes through", "cut off again and again", strange]
  it.each(states.map(stateOf))("$name: no read fails, its own writes are seen at once, those of others in time", async (state) => {
    const { database, open, stage } = await makeWorld()
    const one = await open({ memory })
    const other = await open({ memory }, stage.undisturbed)
    await invalidateAll(one)
    await Promise.all([one, other].map(isRemembered))
    await state.begin(stage)
    const stop = load([one, other], 10)
    await isForgotten(one)
    // Nothing of that is heard.
    const acknowledged = await other.watched.invalidate(0)
    if (acknowledged) expect((await one.watched.read(0))?.version).toBeGreaterThanOrEqual(database.floor(0))
    const { reads } = one.watched.counts
    await until("they have read on", () => one.watched.counts.reads > reads + 200)
    await state.end(stage)
    await stop()
    await Promise.all([one, other].map(isWell))
    await Promise.all([one, other].map(isRemembered))
    for (const process of [one, other]) {
      await isSeen(process, everyRow.map(database.version), silence)
      expect(process.client.health().undelivered).toBe(0)
    }
    await Promise.all([one, other].map(isRemembered))
    const { remembered } = one.watched.counts
    await readAll(one)
    expect(one.watched.counts.remembered).toBe(remembered + rows)
    expectNothingWrong(one, other)
  })
})

describe("with a memory of its own, a process whose connection that listens", () => {
  const makePair = async () => {
    const { asked, onCommand } = listeners()
    const world = await makeWorld({ onCommand })
    const one = await world.open({ memory })
    const other = await world.open({ memory }, world.stage.undisturbed)
    await Promise.all([one, other].map(isRemembered))
    return { ...world, one, other, asked, listening: () => new Set(asked.keys()) }
  }

  it("is cut hears again by itself, and misses nothing that was said in between", async () => {
    const { database, one, other, stage } = await makePair()
    for (let time = 0; time < 5; time++) {
      const cut = stage.ask("CLIENT", "KILL", "TYPE", "pubsub")
      await invalidateAll(other)
      expect(await cut).toBe(2)
      await isSeen(one, everyRow.map(database.version), silence)
      await Promise.all([one, other].map(isRemembered))
    }
    expect(await versionsIn(one)).toEqual(everyRow.map(database.version))
    expectNothingWrong(one, other)
  })

  it("is cut for good serves nothing out of memory from then on, and does not insist", async () => {
    const { asked, database, listening, one, other, stage } = await makePair()
    // Whoever listens where it may not any more is cut off.
    await permit(stage, "resetchannels")
    await isForgotten(one, 1_500)
    for (let time = 0; time < 3; time++) {
      await invalidateAll(other)
      expect(await versionsIn(one)).toEqual(everyRow.map(database.version))
      await invalidateAll(one)
      expect(await versionsIn(one)).toEqual(everyRow.map(database.version))
      expect(await sourcesIn(one)).not.toContain("memory")
    }
    // It asks again on the connection that it has.
    await until("it has asked several times", () => (asked.get(2) ?? 0) + (asked.get(3) ?? 0) > 5)
    expect(listening().size).toBeLessThanOrEqual(2)
    await permit(stage, "&*")
    await isRemembered(one)
    await invalidateAll(other)
    await isSeen(one, everyRow.map(database.version), silence)
    expect(one.watched.counts).toMatchObject({ ...nothingWrong, undelivered: 0 })
  })

  it("goes silent serves nothing out of memory two seconds later, and hears again by itself", async () => {
    const { database, listening, one, other, stage } = await makePair()
    const before = listening().size
    const thaw = stage.proxy.freeze(listening())
    await invalidateAll(other)
    expect(other.watched.counts).toMatchObject({ acknowledged: rows })
    await isSeen(one, everyRow.map(database.version), silence)
    await isRemembered(one)
    expect(listening().size).toBe(before + 1)
    // What was held up says nothing that is new.
    thaw()
    await isRemembered(one)
    expect(await versionsIn(one)).toEqual(everyRow.map(database.version))
    expectNothingWrong(one, other)
  })

  it("goes silent whenever it is made again asks each server no more than that", async () => {
    const { asked, database, listening, one, other, stage } = await makePair()
    const before = listening().size
    await stage.proxy.set({ silent: "toClient" })
    await isForgotten(one)
    await until("it has been made three times", () => listening().size >= before + 3)
    const made = Array.from(asked.values()).slice(before)
    expect(Math.max(...made)).toBeLessThanOrEqual(3)
    await stage.proxy.set({})
    await isWell(one)
    await isRemembered(one)
    await invalidateAll(other)
    await isSeen(one, everyRow.map(database.version), silence)
    expectNothingWrong(one, other)
  })
})

describe("with a memory of its own, a process whose user may not publish", () => {
  it("goes on writing and is right itself; others are as late as `maxAge` lets them be", async () => {
    const { database, open, stage } = await makeWorld()
    await permit(stage, "-publish")
    const one = await open({ memory })
    const other = await open({ memory: { maxAge: "1 second" } }, stage.undisturbed)
    await Promise.all([one, other].map(isRemembered))
    for (let time = 0; time < 3; time++) {
      await Promise.all(everyRow.map((row) => time === 1 ? one.watched.write(row) : one.watched.invalidate(row)))
      expect(await versionsIn(one)).toEqual(everyRow.map(database.version))
    }
    await isSeen(other, everyRow.map(database.version), silence)
    // Others may publish: of them it hears.
    await isRemembered(one)
    await invalidateAll(other)
    await isSeen(one, everyRow.map(database.version), silence)
    expect(one.watched.counts).toMatchObject({ ...nothingWrong, undelivered: 0, refused: 0, errors: {} })
    expectNothingWrong(other)
  })
})

describe("with a memory of its own, over a client of the caller's", () => {
  const clients = {
    "that connects when it is used": (url: string) => new Redis(url, { lazyConnect: true }),
    "that never connects a second time": (url: string) => new Redis(url, { retryStrategy: () => null }),
    "with a prefix, in another database": (url: string) => new Redis(url, { keyPrefix: "prefix:", db: 3 }),
    "that queues nothing, and pipelines by itself": (url: string) =>
      new Redis(url, { enableOfflineQueue: false, enableAutoPipelining: true }),
    "of the other driver": (url: string) => new IoRedis.Redis(url.replace("valkey:", "redis:"), { keyPrefix: "prefix:", db: 3 })
  }
  it.each(Object.entries(clients))("%s, others are heard, also after a cut, and nothing is left behind", async (_, make) => {
    const { database, stage } = await makeWorld()
    const pubsub = async () => String(await stage.ask("CLIENT", "LIST", "TYPE", "pubsub")).split("\n").filter((line) => line !== "")
    const namespace = uniqueName("given")
    const open = async () => {
      const client = make(stage.undisturbed)
      client.on("error", () => {})
      onTestFinished(() => client.disconnect())
      const events = client.eventNames().map((name) => client.listenerCount(name))
      const process = await openProcess(client, database, { namespace, memory, commandTimeout: 1_000 })
      return { ...process, isAsBefore: () => expect(client.eventNames().map((name) => client.listenerCount(name))).toEqual(events) }
    }
    const [one, other] = [await open(), await open()]
    for (let time = 0; time < 3; time++) {
      await Promise.all([one, other].map(isRemembered))
      await invalidateAll(other)
      await isSeen(one, everyRow.map(database.version), silence)
      expect(await stage.ask("CLIENT", "KILL", "TYPE", "pubsub")).toBe(2)
      await invalidateAll(one)
      await isSeen(other, everyRow.map(database.version), silence)
    }
    await Promise.all([one, other].map(isRemembered))
    expectNothingWrong(one, other)
    await Promise.all([one, other].map(({ client }) => client.close()))
    await until("nobody listens", async () => (await pubsub()).length === 0)
    one.isAsBefore()
    other.isAsBefore()
  })

  it("that is closed by the caller, what happens in between leaves nothing behind", async () => {
    const { database, stage } = await makeWorld()
    const client = new Redis(stage.undisturbed, { retryStrategy: () => 20 })
    client.on("error", () => {})
    const one = await openProcess(client, database, { namespace: uniqueName("given"), memory, commandTimeout: 1_000 })
    await isRemembered(one)
    // Closed while the connection that listens is being made again.
    await stage.server.kill("SIGKILL")
    await isForgotten(one)
    await one.client.close()
    client.disconnect()
    await stage.server.restart()
    const connections = async () => String(await stage.ask("CLIENT", "LIST")).trim().split("\n").length
    await until("only the administrator is there", async () => (await connections()) === 1)
    expectNothingWrong(one)
  })
})

describe("with a memory of its own, on a cluster of three masters", () => {
  let cluster: Cluster

  beforeAll(async () => {
    cluster = await startCluster()
  })
  afterAll(() => cluster?.stop())

  /** The node that a process listens to. */
  const heardBy = async (name: string, killed?: Member) => {
    const living = (await cluster.members()).filter(({ id, isLost, isMaster }) => isMaster && !isLost && id !== killed?.id)
    const lists = await Promise.all(living.map(({ server }) => cluster.ask(server, "CLIENT", "LIST", "TYPE", "pubsub")))
    return living.find((_, i) => String(lists[i]).includes(` name=${name} `))
  }

  it("a process hears of what others write, and listens to another node when its own is killed", async () => {
    const database = makeDatabase({ rows })
    const namespace = uniqueName("cluster")
    const open = (name: string) => {
      const { nodes } = cluster.connection.cluster
      const connection = { cluster: { nodes, options: { redisOptions: { connectionName: name } } } }
      return openProcess(connection, database, { namespace, memory, intentTtl: 5_000 })
    }
    const [one, other] = [await open("one"), await open("other")]
    await Promise.all([one, other].map(isRemembered))
    for (const [writer, reader] of [[one, other], [other, one]] as const) {
      await invalidateAll(writer)
      await isSeen(reader, everyRow.map(database.version), silence)
      await Promise.all([one, other].map(isRemembered))
    }

    const master = await heardBy("one")
    if (master === undefined) throw new Error("it listens to nobody")
    const stop = load([one, other], 5)
    await cluster.kill(master)
    await until("it listens to another node", async () => await heardBy("one", master) !== undefined)
    await cluster.takenOver(master)
    await Promise.all([one, other].map(isWell))
    await stop()
    await Promise.all([one, other].map(isRemembered))
    await invalidateAll(other)
    await isSeen(one, everyRow.map(database.version), silence)
    await cluster.repair()
    await Promise.all([one, other].map(isRemembered))
    expect(await versionsIn(one)).toEqual(everyRow.map(database.version))
    expectNothingWrong(one, other)
  })
})
