import { FetchHttpClient } from "@effect/platform"
import { assert, describe, it } from "@effect/vitest"
import { LangfuseSpanProcessor } from "@langfuse/otel"
import { setLangfuseTracerProvider, startActiveObservation } from "@langfuse/tracing"
import { NodeTracerProvider } from "@opentelemetry/sdk-trace-node"
import { Effect, Layer, Redacted } from "effect"
import { Langfuse as LangfuseEffect, LangfuseIngest, LangfuseTracer } from "effect-langfuse"
import { Langfuse } from "langfuse"
import { gzipSync } from "node:zlib"
import type * as Dev from "../../cli/dev/dev.js"
import { act, hex, indexed, startDev } from "./utils.js"

const summaries = (running: Dev.Running) => running.store.catalog.since(0).traces

const protocols = (
  running: Dev.Running
) => [...new Set(running.store.deliveries.list().map(({ gzip, protocol }) => gzip ? `${protocol} gzip` : protocol))]

// ---------------------------------------------------------------------------------------------------------------------
// protobuf by hand: what any SDK in any language sends
// ---------------------------------------------------------------------------------------------------------------------

const varint = (value: number): ReadonlyArray<number> =>
  value < 128 ? [value] : [(value % 128) + 128, ...varint(Math.floor(value / 128))]

const bytesField = (field: number, content: Uint8Array): Uint8Array =>
  Uint8Array.from([...varint(field * 8 + 2), ...varint(content.length), ...content])

const textField = (field: number, text: string): Uint8Array => bytesField(field, new TextEncoder().encode(text))

const fixed64 = (field: number, value: bigint): Uint8Array => {
  const content = new DataView(new ArrayBuffer(8))
  content.setBigUint64(0, value, true)
  return Uint8Array.from([...varint(field * 8 + 1), ...new Uint8Array(content.buffer)])
}

const join = (...parts: ReadonlyArray<Uint8Array>): Uint8Array => Uint8Array.from(parts.flatMap((part) => [...part]))

const attribute = (key: string, value: string) =>
  bytesField(9, join(textField(1, key), bytesField(2, textField(1, value))))

const exported = (trace: string): Uint8Array => {
  const span = join(
    bytesField(1, Buffer.from(hex(trace, 32), "hex")),
    bytesField(2, Buffer.from(hex("span", 16), "hex")),
    textField(5, "complete"),
    fixed64(7, 1_767_225_600_000_000_000n),
    fixed64(8, 1_767_225_601_000_000_000n),
    attribute("gen_ai.request.model", "large-1"),
    attribute("gen_ai.prompt", "hi"),
    attribute("langfuse.trace.name", trace)
  )
  const scope = join(bytesField(1, textField(1, "some-sdk")), bytesField(2, span))
  return bytesField(1, bytesField(2, scope))
}

describe("clients of dev", () => {
  it.scopedLive("this library, over the protocol it finds out", () =>
    Effect.gen(function*() {
      const running = yield* startDev()
      const live = LangfuseTracer.layer().pipe(
        Layer.provideMerge(LangfuseIngest.layer({
          baseUrl: running.url,
          publicKey: running.publicKey,
          secretKey: Redacted.make(running.secretKey)
        })),
        Layer.provide(FetchHttpClient.layer)
      )
      yield* Effect.succeed("yo").pipe(
        LangfuseEffect.generation("complete", { model: "large-1", input: "hi", output: (answer) => answer }),
        Effect.tap(LangfuseEffect.scoreTrace({ name: "good", value: true })),
        LangfuseEffect.agent("agent"),
        LangfuseEffect.withTrace({ name: "ours", tags: ["t"] }),
        Effect.provide(live)
      )
      yield* indexed(running, 2)
      yield* Effect.sleep("500 millis")
      const [trace] = summaries(running)
      assert.deepStrictEqual([trace?.name, trace?.scores, trace?.tags, trace?.models], ["ours", 1, ["t"], ["large-1"]])
    }))

  it.scopedLive("the official SDK v5, over OpenTelemetry", () =>
    Effect.gen(function*() {
      const running = yield* startDev()
      const processor = new LangfuseSpanProcessor({ baseUrl: running.url, publicKey: "pk", secretKey: "sk" })
      const provider = new NodeTracerProvider({ spanProcessors: [processor] })
      setLangfuseTracerProvider(provider)
      yield* act(() =>
        startActiveObservation("complete", async (generation) => {
          generation.update({ model: "large-1", input: [{ role: "user", content: "hi" }], output: "yo" })
        }, { asType: "generation" })
      )
      yield* act(() => provider.forceFlush())
      setLangfuseTracerProvider(null)
      yield* indexed(running, 1)
      const [trace] = summaries(running)
      assert.deepStrictEqual([trace?.generations, trace?.models, trace?.preview], [1, ["large-1"], "hi"])
      yield* act(() => provider.shutdown())
    }))

  it.scopedLive("the official SDK v3, over the batch endpoint", () =>
    Effect.gen(function*() {
      const running = yield* startDev()
      const client = new Langfuse({ baseUrl: running.url, publicKey: "pk", secretKey: "sk" })
      const trace = client.trace({ name: "v3", input: "hi", userId: "ada", tags: ["old"] })
      trace.generation({ name: "complete", model: "large-1", input: "hi", output: "yo" }).end()
      trace.score({ name: "good", value: 1 })
      yield* act(() => client.shutdownAsync())
      yield* indexed(running, 1)
      yield* Effect.sleep("500 millis")
      const [summary] = summaries(running)
      assert.deepStrictEqual(
        [summary?.name, summary?.observations, summary?.scores, summary?.userId, summary?.tags],
        ["v3", 1, 1, "ada", ["old"]]
      )
      assert.include(protocols(running), "batch")
    }))

  it.scopedLive("plain OTLP in protobuf, with gzip and without", () =>
    Effect.gen(function*() {
      const running = yield* startDev()
      const sendExport = (trace: string, gzip: boolean) =>
        act(() =>
          fetch(`${running.url}/v1/traces`, {
            method: "POST",
            headers: { "content-type": "application/x-protobuf", ...(gzip ? { "content-encoding": "gzip" } : {}) },
            body: gzip ? new Uint8Array(gzipSync(exported(trace))) : new Uint8Array(exported(trace))
          })
        )
      assert.strictEqual((yield* sendExport("zipped", true)).status, 200)
      assert.strictEqual((yield* sendExport("plain", false)).status, 200)
      yield* indexed(running, 2)
      assert.sameMembers(summaries(running).map(({ name }) => name), ["zipped", "plain"])
      assert.sameMembers(protocols(running), ["otlp protobuf gzip", "otlp protobuf"])
    }))
})
