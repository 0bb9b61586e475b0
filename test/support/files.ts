import { SystemError } from "@effect/platform/Error"
import * as FileSystem from "@effect/platform/FileSystem"
import * as KeyValueStore from "@effect/platform/KeyValueStore"
import * as Path from "@effect/platform/Path"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { access, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"

const attempt = <A>(method: string, run: () => Promise<A>): Effect.Effect<A, SystemError> =>
  Effect.tryPromise({
    try: run,
    catch: (error) =>
      new SystemError({
        module: "FileSystem",
        method,
        reason: error instanceof Error && "code" in error && error.code === "ENOENT" ? "NotFound" : "Unknown"
      })
  })

/** As much of a file system as a `KeyValueStore` needs. */
const files = FileSystem.layerNoop({
  exists: (path) => Effect.promise(() => access(path).then(() => true, () => false)),
  makeDirectory: (path) => attempt("makeDirectory", () => mkdir(path, { recursive: true }).then(() => {})),
  readFile: (path) => attempt("readFile", () => readFile(path).then((bytes) => new Uint8Array(bytes))),
  writeFile: (path, bytes) => attempt("writeFile", () => writeFile(path, bytes)),
  remove: (path) => attempt("remove", () => rm(path))
})

/** A `KeyValueStore` in files of a directory of its own, which goes with the layer. */
export const filesLayer: Layer.Layer<KeyValueStore.KeyValueStore> = Layer.unwrapScoped(Effect.map(
  Effect.acquireRelease(
    Effect.promise(() => mkdtemp(join(tmpdir(), "effect-prisma-cache-"))),
    (path) => Effect.promise(() => rm(path, { recursive: true, force: true }))
  ),
  (path) => KeyValueStore.layerFileSystem(path).pipe(Layer.provide([files, Path.layer]), Layer.orDie)
))
