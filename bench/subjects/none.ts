/** The same program without telemetry. */
import { main } from "../lib/child.js"

await main({
  open: () => Promise.resolve({ record: () => {}, flush: () => Promise.resolve(), close: () => Promise.resolve() }),
  lag: () => 0
})
