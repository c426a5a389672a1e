/**
 * What our subjects share.
 */
import type { LangfuseConfig } from "effect-langfuse"
import * as IngestionEvent from "effect-langfuse/IngestionEvent"
import * as LangfuseIngest from "effect-langfuse/LangfuseIngest"
import * as Layer from "effect/Layer"
import * as ManagedRuntime from "effect/ManagedRuntime"
import * as Redacted from "effect/Redacted"
import { clientOf } from "./client.js"
import type { Instance, Settings, Subject } from "./subject.js"
import { credentials } from "./subject.js"
import type { Work } from "./workload.js"

/** The service as a program has it. */
export const layerOf = (settings: Settings, protocol: LangfuseConfig.Protocol) =>
  LangfuseIngest.layer({
    publicKey: credentials.publicKey,
    secretKey: Redacted.make(credentials.secretKey),
    baseUrl: settings.baseUrl,
    protocol,
    maxBatch: settings.batch,
    interval: settings.interval,
    capacity: settings.capacity,
    // A capacity that is to hold a burst has to hold its bytes too.
    ...(settings.capacity === undefined ? {} : { maxQueueBytes: 2 ** 31 }),
    ...(settings.patience === undefined
      ? {}
      : { flushTimeout: settings.patience, shutdownTimeout: settings.patience })
  }).pipe(Layer.provide(clientOf(settings)))

export const inputOf = (work: Work): IngestionEvent.GenerationInput => ({
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

/** Events from plain code, as the SDKs are called too. */
export const events = (protocol: LangfuseConfig.Protocol): Subject => ({
  open: async (settings): Promise<Instance> => {
    const runtime = ManagedRuntime.make(layerOf(settings, protocol))
    const ingest = await runtime.runPromise(LangfuseIngest.LangfuseIngest)
    return {
      record: (works) => {
        for (const work of works) ingest.unsafeEnqueue(IngestionEvent.unsafeGenerationCreate(inputOf(work)))
      },
      flush: () => runtime.runPromise(ingest.flush),
      close: () => runtime.dispose()
    }
  },
  lag: () => 0
})
