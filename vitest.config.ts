import { fileURLToPath } from "node:url"
import { defineConfig } from "vitest/config"
import type { Reporter } from "vitest/node"

// The closing line of the run in a form that any script can read.
const tally: Reporter = {
  onTestRunEnd(modules) {
    const count = { passed: 0, failed: 0, skipped: 0 }
    for (const module of modules) {
      for (const test of module.children.allTests()) {
        const { state } = test.result()
        count[state === "pending" ? "skipped" : state] += 1
      }
      // A file that failed to load runs no test, and must not read as success.
      count.failed += module.errors().length
    }
    const skipped = count.skipped > 0 ? `, ${count.skipped} skipped` : ""
    process.stdout.write(`\n${count.passed} passed, ${count.failed} failed${skipped}\n`)
  }
}

export default defineConfig({
  resolve: {
    alias: [
      { find: /^effect-langfuse$/, replacement: fileURLToPath(new URL("./src/index.ts", import.meta.url)) },
      { find: /^effect-langfuse\/(.*)$/, replacement: fileURLToPath(new URL("./src/$1.ts", import.meta.url)) }
    ]
  },
  test: {
    include: ["test/**/*.test.ts"],
    // The same random cases in every run: what is found must not depend on the day.
    setupFiles: ["test/utils/properties.ts"],
    reporters: ["default", tally],
    testTimeout: 20_000 * Math.max(1, Number(process.env["PROPERTY_RUNS"] ?? "1")),
    // Loopback servers and timing of real requests: one slow neighbour must not fail the others.
    maxWorkers: 2
  }
})
