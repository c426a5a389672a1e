/** What a server stores of the bytes that are written, of either protocol. */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { LangfuseServer, type Options, type StoredObservation } from "effect-langfuse/LangfuseServer"
import { Content, type Item, Observation, Trace, TraceFields } from "../../../src/core/item/item.js"
import { Bytes } from "../../../src/core/wire/bytes.js"
import { dialectOf } from "../../../src/core/wire/dialect.js"
import { ingestionWire } from "../../../src/core/wire/ingestionWire.js"
import { otlpWire } from "../../../src/core/wire/otlpWire.js"
import type { Writer } from "../../../src/core/wire/writer.js"
import { layerServer, post } from "../../utils/server.js"
import { types } from "./support/items.js"

const at = Date.parse("2026-02-03T04:05:06.789Z")
const traceId = "0af7651916cd43dd8448eb211c80319c"

const hex = (n: number) => (n + 1).toString(16).padStart(16, "0")

const observationOf = (n: number, given: Partial<Observation>, type: Observation["type"] = "generation") =>
  Object.assign(
    new Observation(`e${n}`, at, hex(n), "create", type, true),
    { traceId, start: at, end: at + 1000 },
    given
  )

const bodyOf = <A extends Item>({ begin, end, write }: Writer<A>, items: ReadonlyArray<A>): Uint8Array => {
  const out = new Bytes(1024)
  begin(out)
  for (const item of items) write(out, item)
  end(out)
  return out.view()
}

interface Endpoint {
  readonly name: string
  readonly server: Options
  readonly send: (items: ReadonlyArray<Observation | Trace>) => Effect.Effect<unknown, unknown, LangfuseServer>
}

const otlp = otlpWire({ serviceName: "checkout" })

const overOtlp: Endpoint["send"] = (items) =>
  post(otlp.path, bodyOf(otlp, items), { "content-type": otlp.contentType, "x-langfuse-ingestion-version": "4" })

const overBatch = (version: string): Endpoint["send"] => (items) => {
  const wire = ingestionWire(dialectOf(version))
  return post(wire.path, bodyOf(wire, items), { "content-type": wire.contentType })
}

const endpoints: ReadonlyArray<Endpoint> = [
  { name: "OTLP, v4", server: { version: "4.16.0" }, send: overOtlp },
  { name: "OTLP, v3", server: { version: "3.225.4" }, send: overOtlp },
  { name: "batch, v3", server: { version: "3.225.4" }, send: overBatch("3.225.4") }
]

const stored = ({ send, server }: Endpoint, items: ReadonlyArray<Observation | Trace>) =>
  Effect.gen(function*() {
    yield* send(items)
    const { losses, observations, traces } = yield* LangfuseServer
    assert.deepStrictEqual(yield* losses, [])
    return { observations: yield* observations, traces: yield* traces }
  }).pipe(Effect.provide(layerServer(server)))

const find = (rows: ReadonlyArray<StoredObservation>, n: number): StoredObservation => {
  const row = rows.find(({ id }) => id === hex(n))
  assert.isDefined(row, `observation ${n}`)
  return row
}

describe.each(endpoints)("what is stored over $name", (endpoint) => {
  it.effect("stores every field as it is meant", () =>
    Effect.gen(function*() {
      const item = observationOf(0, {
        name: "chat",
        parentId: hex(9),
        level: "WARNING",
        statusMessage: "slow \u{1f600}",
        model: "gpt-5",
        version: "v2",
        environment: "staging",
        completionStart: at + 500,
        input: new Content("[{\"role\":\"user\",\"content\":\"hi\"}]", true),
        output: new Content("plain \"text\"", false),
        metadata: new Map([
          ["text", new Content("a", false)],
          ["number", new Content("1", true)],
          ["flag", new Content("false", true)],
          ["list", new Content("[1,2]", true)]
        ]),
        parameters: "{\"temperature\":0.5}",
        usage: "{\"input\":26,\"input_cached_tokens\":64,\"output\":6,\"total\":96}",
        cost: "{\"input\":0.25,\"total\":0.5}",
        promptName: "prompt",
        promptVersion: 3
      })
      const { observations } = yield* stored(endpoint, [item])
      const row = find(observations, 0)
      assert.deepInclude(row, {
        traceId,
        parentObservationId: hex(9),
        type: "GENERATION",
        name: "chat",
        startTime: "2026-02-03T04:05:06.789Z",
        endTime: "2026-02-03T04:05:07.789Z",
        completionStartTime: "2026-02-03T04:05:07.289Z",
        level: "WARNING",
        statusMessage: "slow \u{1f600}",
        model: "gpt-5",
        modelParameters: { temperature: 0.5 },
        usageDetails: { input: 26, input_cached_tokens: 64, output: 6, total: 96 },
        totalCost: 0.5,
        promptName: "prompt",
        promptVersion: 3,
        input: [{ role: "user", content: "hi" }],
        output: "plain \"text\"",
        environment: "staging",
        version: "v2"
      })
      assert.deepInclude(row.metadata, { text: "a", number: 1, flag: false })
      assert.deepStrictEqual(row.metadata["list"], [1, 2])
    }))

  it.effect("stores every content that was given", () =>
    Effect.gen(function*() {
      const contents: ReadonlyArray<readonly [Content, unknown]> = [
        [new Content("false", true), false],
        [new Content("0", true), 0],
        [new Content("", false), ""],
        [new Content("[]", true), []],
        [new Content("{}", true), {}],
        [new Content("x", false), "x"],
        [new Content("\ud83d", false), "\ufffd"]
      ]
      const { observations } = yield* stored(
        endpoint,
        contents.map(([content], n) => observationOf(n, { input: content, output: content }))
      )
      for (const [n, [, expected]] of contents.entries()) {
        assert.deepStrictEqual(find(observations, n).input, expected)
        assert.deepStrictEqual(find(observations, n).output, expected)
      }
    }))

  it.effect("stores every type", () =>
    Effect.gen(function*() {
      const { observations } = yield* stored(endpoint, types.map((type, n) => observationOf(n, {}, type)))
      for (const [n, type] of types.entries()) assert.strictEqual(find(observations, n).type, type.toUpperCase())
    }))

  it.effect("stores the trace", () =>
    Effect.gen(function*() {
      const fields = Object.assign(new TraceFields(), {
        name: "trace",
        userId: "ada",
        sessionId: "s",
        release: "r",
        version: "v",
        environment: "staging",
        tags: ["a", "b"],
        isPublic: true,
        metadata: new Map([["plan", new Content("gold", false)]]),
        input: new Content("{\"q\":1}", true),
        output: new Content("done", false),
        start: at
      })
      const { traces } = yield* stored(endpoint, [
        Object.assign(new Trace("e", at, traceId), { fields }),
        observationOf(0, { parentId: hex(9), environment: "staging" })
      ])
      assert.strictEqual(traces.length, 1)
      assert.deepInclude(traces[0], {
        id: traceId,
        name: "trace",
        userId: "ada",
        sessionId: "s",
        release: "r",
        version: "v",
        environment: "staging",
        public: true,
        input: { q: 1 },
        output: "done",
        timestamp: "2026-02-03T04:05:06.789Z"
      })
      assert.deepStrictEqual(traces[0]?.tags, ["a", "b"])
      assert.deepInclude(traces[0]?.metadata, { plan: "gold" })
    }))
})

describe("what servers would lose over OTLP", () => {
  it.effect.each(["3.225.4", "4.16.0"])("%s stores with a note", (version) =>
    Effect.gen(function*() {
      const long = "n".repeat(1500)
      const context = Object.assign(new TraceFields(), { name: long })
      const { observations } = yield* stored({ name: "", server: { version }, send: overOtlp }, [
        observationOf(0, { level: "loud", promptName: "p", promptVersion: null }),
        observationOf(1, { name: long, context }),
        observationOf(2, { id: "an id of ours" })
      ])
      assert.strictEqual(observations.length, 3)
      assert.strictEqual(find(observations, 0).level, "DEFAULT")
      assert.deepInclude(find(observations, 0).metadata, { originalLevel: "loud", originalPromptName: "p" })
      assert.deepInclude(find(observations, 1).metadata, { originalName: long, originalTraceName: long })
      assert.isTrue(observations.some(({ metadata }) => metadata["originalId"] === "an id of ours"))
    }))
})
