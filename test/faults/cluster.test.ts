import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest"
import { amount } from "../support/amount.js"
import type { Cluster, Member } from "../support/cluster.js"
import { startCluster } from "../support/cluster.js"
import { until } from "../support/process.js"
import { uniqueName } from "../support/servers.js"
import type { Options } from "./client.js"
import { makeDatabase } from "./database.js"
import type { Process } from "./world.js"
import { everyRow, isCached, isWell, load, nothingWrong, openProcess, readAll, rows, versionsIn } from "./world.js"

describe("a cluster of three masters, each with a replica", () => {
  let cluster: Cluster

  beforeAll(async () => {
    cluster = await startCluster()
  })
  afterEach(() => cluster.repair())
  afterAll(() => cluster?.stop())

  const makeWorld = async (options: Options = {}) => {
    const database = makeDatabase({ rows })
    const namespace = uniqueName("cluster")
    // A beginning that was given up and is carried out all the same, after its end, keeps its tags uncached that long.
    const intentTtl = 5_000
    const open = () => openProcess(cluster.connection, database, { namespace, intentTtl, ...options })
    const keys = () => cluster.keys(`epc1:${namespace}:`)
    const stampOf = (row: number) => `epc1:${namespace}:t:=row${encodeURIComponent(" ")}${row}`
    return { database, open, keys, stampOf }
  }

  const summary = (what: string, processes: ReadonlyArray<Process>) => {
    for (const { watched: { counts } } of processes) {
      const { acknowledged, behind, errors, events, failed, reads, statuses, undelivered, wrong, written } = counts
      console.log(`${what}: ${reads} reads, ${failed} failed, ${wrong} older than acknowledged, ${behind} behind, ` +
        `${acknowledged} invalidations acknowledged, ${undelivered} undelivered, ${written} writes`)
      console.log("  ", JSON.stringify({ statuses, events, errors }))
    }
  }

  it("whose slots move while they are read and written serves nothing old, and loses nothing", async () => {
    // Nobody is to be in a hurry here.
    const { database, keys, open } = await makeWorld({ budget: 10_000 })
    const processes = [await open(), await open()] as const
    const [one, other] = processes
    await isCached(one)
    await isCached(other)
    for (let time = 0; time < amount(1, 4); time++) {
      const finish = await cluster.move(await keys())
      // What has moved is asked for in its old place, which points to the new one.
      expect((await readAll(one)).map((read) => read?.status)).toEqual(everyRow.map(() => "hit"))
      await Promise.all(everyRow.map(one.watched.invalidate))
      expect(await versionsIn(other)).toEqual(everyRow.map(database.version))
      const stop = load(processes)
      const { reads } = one.watched.counts
      await until("they have read on", () => one.watched.counts.reads > reads + 200)
      await finish()
      await until("they have read on", () => one.watched.counts.reads > reads + 400)
      await stop()
      await isCached(other)
      expect(await versionsIn(one)).toEqual(everyRow.map(database.version))
    }
    summary("slots moved", processes)
    for (const { watched } of processes) expect(watched.counts).toMatchObject({ ...nothingWrong, undelivered: 0 })
  })

  it("of which a master is killed under load goes on, and caches again", async () => {
    const { open, stampOf } = await makeWorld()
    const processes = [await open(), await open()] as const
    await Promise.all(processes.map(isCached))
    const stop = load(processes)
    const { master } = await cluster.homeOf(stampOf(0))
    await cluster.kill(master)
    const [killedAt, reads] = [performance.now(), processes[0].watched.counts.reads]
    await cluster.takenOver(master)
    const takenOverAt = performance.now()
    const readsMeanwhile = processes[0].watched.counts.reads - reads
    await Promise.all(processes.map((process) => isWell(process)))
    await stop()
    await Promise.all(processes.map(isCached))
    const cachedAt = performance.now()
    console.log(`taken over after ${Math.round(takenOverAt - killedAt)} ms, ${readsMeanwhile} reads meanwhile; ` +
      `cached again ${Math.round(cachedAt - takenOverAt)} ms after that`)
    summary("a master killed", processes)
    for (const process of processes) expect(process.watched.counts).toMatchObject(nothingWrong)
    await cluster.repair()
    await Promise.all(processes.map(isCached))
    for (const process of processes) expect(process.watched.counts).toMatchObject(nothingWrong)
  })

  it("whose replica takes over without what was acknowledged last serves none of it", async () => {
    const { open, stampOf } = await makeWorld()
    const processes = [await open(), await open()] as const
    const [one, other] = processes
    await Promise.all(processes.map(isCached))
    const { master, replica } = await cluster.homeOf(stampOf(0))
    const offset = async ({ server }: Member, name: string) => {
      const info = String(await cluster.ask(server, "INFO", "replication"))
      return Number(new RegExp(`${name}:(\\d+)`).exec(info)?.[1])
    }
    const sent = await offset(master, "master_repl_offset")
    await until("the replica has all of it", async () => await offset(replica, "slave_repl_offset") >= sent)
    // From here on the replica hears nothing any more.
    await cluster.ask(master.server, "ACL", "SETUSER", "default", "-psync", "-sync")
    await cluster.ask(master.server, "CLIENT", "KILL", "TYPE", "replica")
    await Promise.all(everyRow.map(one.watched.invalidate))
    expect(one.watched.counts).toMatchObject({ acknowledged: rows, undelivered: 0 })
    expect(await cluster.ask(replica.server, "INFO", "replication")).toContain("master_link_status:down")
    await cluster.kill(master)
    await cluster.takenOver(master)
    await Promise.all(processes.map(isCached))
    await readAll(other)
    summary("a replica that lacks the last", processes)
    for (const process of processes) expect(process.watched.counts).toMatchObject(nothingWrong)
    const late = await open()
    await isCached(late)
    expect(late.watched.counts).toMatchObject(nothingWrong)
  })

  it("of which a master stood still, and was replaced, and goes on, serves nothing old", async () => {
    const { open, stampOf } = await makeWorld()
    const processes = [await open(), await open()] as const
    await Promise.all(processes.map(isCached))
    const stop = load(processes, 5)
    const { master } = await cluster.homeOf(stampOf(0))
    const goOn = await cluster.stall(master)
    await cluster.takenOver(master)
    await until("something was acknowledged since", async () => {
      const before = processes[0].watched.counts.acknowledged
      await Promise.all(everyRow.map(processes[0].watched.invalidate))
      return processes[0].watched.counts.acknowledged >= before + rows
    })
    await goOn()
    await Promise.all(processes.map((process) => isWell(process)))
    await stop()
    await Promise.all(processes.map(isCached))
    summary("a master stood still", processes)
    for (const process of processes) expect(process.watched.counts).toMatchObject(nothingWrong)
  })

  it("that is down, with a master and its replica killed, fails no read", async () => {
    const { database, open, stampOf } = await makeWorld()
    const processes = [await open(), await open()] as const
    const [one, other] = processes
    await Promise.all(processes.map(isCached))
    const { master, replica } = await cluster.homeOf(stampOf(0))
    await Promise.all([cluster.kill(master), cluster.kill(replica)])
    const stop = load(processes)
    await until("the rest of the cluster says so", cluster.isDown)
    const reads = one.watched.counts.reads
    await until("they read on", () => one.watched.counts.reads > reads + 200)
    await cluster.repair()
    await stop()
    await Promise.all(processes.map((process) => isWell(process)))
    await Promise.all(processes.map(isCached))
    expect(await versionsIn(other)).toEqual(everyRow.map(database.version))
    summary("a cluster that was down", processes)
    for (const process of processes) expect(process.watched.counts).toMatchObject(nothingWrong)
  })
})
