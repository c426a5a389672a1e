/** Langfuse's SDK up to version 3, over the batch endpoint. */
import { Langfuse } from "langfuse"
import { main } from "../lib/child.js"
import type { Settings } from "../lib/subject.js"
import { credentials } from "../lib/subject.js"
import type { Work } from "../lib/workload.js"

const open = (settings: Settings) => {
  const langfuse = new Langfuse({
    ...credentials,
    baseUrl: settings.baseUrl,
    ...(settings.batch === undefined ? {} : { flushAt: settings.batch }),
    ...(settings.interval === undefined ? {} : { flushInterval: settings.interval })
  })
  return Promise.resolve({
    record: (works: ReadonlyArray<Work>) => {
      for (const work of works) {
        langfuse.generation({
          traceId: work.traceId,
          parentObservationId: work.parentId,
          name: work.name,
          startTime: work.start,
          endTime: work.end,
          model: work.model,
          input: work.input,
          output: work.output,
          usageDetails: work.usage,
          metadata: { attempt: 1 }
        })
      }
    },
    flush: () => langfuse.flushAsync(),
    close: () => langfuse.shutdownAsync()
  })
}

// Its flush does not wait for every request that is on its way.
await main({ open, lag: () => 1000 })
