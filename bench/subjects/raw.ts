/**
 * What the machine allows: events that are ready, `JSON.stringify`, and undici. It keeps no promise: nothing is bounded,
 * copied, checked or counted.
 */
import { Agent } from "undici"
import { main } from "../lib/child.js"
import type { Settings } from "../lib/subject.js"
import { authorization } from "../lib/subject.js"
import type { Work } from "../lib/workload.js"

const eventOf = (work: Work) => ({
  id: crypto.randomUUID(),
  type: "generation-create",
  timestamp: work.end.toISOString(),
  body: {
    id: crypto.randomUUID(),
    traceId: work.traceId,
    parentObservationId: work.parentId,
    name: work.name,
    startTime: work.start.toISOString(),
    endTime: work.end.toISOString(),
    model: work.model,
    usageDetails: work.usage,
    metadata: { attempt: 1 },
    input: work.input,
    output: work.output
  }
})

const open = (settings: Settings) => {
  const url = new URL(settings.baseUrl)
  const agent = new Agent()
  const size = settings.batch ?? 100
  const headers = { "content-type": "application/json", accept: "application/json", authorization }
  let ready: Array<ReturnType<typeof eventOf>> = []
  let next = 0
  let waiting: Array<ReturnType<typeof eventOf>> = []
  let sending = Promise.resolve()

  const send = (batch: ReadonlyArray<unknown>): void => {
    sending = sending.then(async () => {
      const { body } = await agent.request({
        origin: url.origin,
        path: `${url.pathname}/api/public/ingestion`,
        method: "POST",
        headers,
        body: JSON.stringify({ batch })
      })
      await body.text()
    }).catch(() => {})
  }

  const sendWaiting = (): void => {
    if (waiting.length === 0) return
    send(waiting)
    waiting = []
  }

  const timer = setInterval(sendWaiting, settings.interval ?? 2000)
  return Promise.resolve({
    prepare: (works: ReadonlyArray<Work>) => {
      ready = works.map(eventOf)
      next = 0
    },
    record: (works: ReadonlyArray<Work>) => {
      for (const event of ready.slice(next, next + works.length)) {
        waiting.push(event)
        if (waiting.length >= size) sendWaiting()
      }
      next += works.length
    },
    flush: () => {
      sendWaiting()
      return sending
    },
    close: async () => {
      clearInterval(timer)
      sendWaiting()
      // A program has to end some time, also when the server never answers.
      const giveUp = setTimeout(() => void agent.destroy(), 5000)
      await sending
      clearTimeout(giveUp)
      await agent.destroy()
    }
  })
}

await main({ open, lag: () => 0 })
