import type { Options } from "tsup"
import { buildEntries } from "./test/package/publicModules.js"

const options: Options = {
  entry: buildEntries(),
  format: ["esm", "cjs"],
  target: "node20",
  platform: "node",
  // A module that two entries share exists once: a service tag or an error class must not have a double.
  splitting: true,
  dts: true,
  sourcemap: true,
  clean: true,
  treeshake: false,
  // It is published for ESM only, which `require` of Node 20 does not load.
  noExternal: [/^@noble\/hashes/],
  esbuildOptions: (build, { format }) => {
    if (format === "cjs") {
      // Splitting CommonJS takes a second compiler, which would turn each `?.` into a call with closures. Done here
      // first, it costs nothing at run time.
      build.supported = {
        "optional-chain": false,
        "nullish-coalescing": false,
        "logical-assignment": false,
        "class-field": false,
        "class-static-field": false
      }
    }
  },
  outDir: "dist"
}

export default options
