import { fileURLToPath } from "node:url"
import { defineConfig } from "vitest/config"

const source = fileURLToPath(new URL("./src", import.meta.url))

export default defineConfig({
  resolve: {
    // The package under its own name is its source here, as in tsconfig.json, so that no test needs a build.
    alias: [
      { find: /^effect-prisma-cache$/, replacement: `${source}/index.ts` },
      { find: /^effect-prisma-cache\/(.*)$/, replacement: `${source}/$1.ts` }
    ]
  },
  test: {
    include: ["test/**/*.test.ts"],
    exclude: ["**/node_modules/**", "**/generated/**", "dist/**"],
    globalSetup: ["test/support/globalSetup.ts"],
    pool: "forks",
    // Most of what a test waits for is a server, so three files at once suit even a small machine. Where files share
    // processes (--no-isolate), one that is let go of while it is idle takes the next file with it: none is.
    poolOptions: { forks: { minForks: 3, maxForks: 3 } },
    // A bound on what hangs, not on how fast a machine is.
    testTimeout: 120_000,
    hookTimeout: 120_000,
    teardownTimeout: 20_000
  }
})
