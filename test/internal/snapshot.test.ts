import { assert, describe, it } from "@effect/vitest"
import { DateTime, FastCheck, Option, Redacted } from "effect"
import type { IngestionEvent } from "effect-langfuse/IngestionEvent"
import * as Snapshot from "../../src/internal/snapshot.js"

const utf8 = (text: string): number => new TextEncoder().encode(text).length

const make = (policy: Partial<Snapshot.Policy> = {}) =>
  Snapshot.make({ content: "full", maxEventBytes: 1_000_000, onMaskFailure: () => {}, ...policy })

/** What untyped code may enqueue. */
const untyped = (event: unknown): IngestionEvent => event as IngestionEvent

const event = (type: string, body: Record<string, unknown>, more: Record<string, unknown> = {}): IngestionEvent =>
  untyped({ type, id: "event-1", timestamp: "2026-01-02T03:04:05.678Z", body, ...more })

const generation = (body: Record<string, unknown>): IngestionEvent =>
  event("generation-create", { id: "g1", traceId: "t1", ...body })

interface Wire {
  readonly type: unknown
  readonly id: unknown
  readonly timestamp: unknown
  readonly body: { readonly [key: string]: unknown }
}

const wire = (snapshot: Snapshot.Snapshot): Wire => JSON.parse(snapshot.json()) as Wire

const body = (snapshot: Snapshot.Snapshot) => wire(snapshot).body

const trace = (snapshot: Snapshot.Snapshot): Record<string, unknown> =>
  JSON.parse(snapshot.traceText ?? "null") as Record<string, unknown>

const full = generation({
  name: "chat",
  startTime: "2026-01-02T03:04:05.678Z",
  model: "gpt-5",
  modelParameters: { temperature: 0.5 },
  usageDetails: { input: 3, output: 4, total: 7 },
  input: [{ role: "user", content: "hé 😀" }],
  output: "bye",
  metadata: { a: 1 }
})

const secret = "s3cr3t"

describe("snapshot", () => {
  describe("of an event", () => {
    it("gives a trace or a score without an id of its own that of the event, since Langfuse would not store it", () => {
      for (const type of ["trace-create", "score-create"]) {
        for (const id of [undefined, null, ""]) {
          const snapshot = make()(event(type, { name: "n", id }))
          assert.strictEqual(body(snapshot)["id"], "event-1")
          assert.strictEqual(snapshot.bodyId, "event-1")
        }
        assert.strictEqual(body(make()(event(type, { id: "own" })))["id"], "own")
      }
      assert.isUndefined(body(make()(event("span-create", { name: "n" })))["id"])
    })

    it("is the event on the wire, without trace and envelope metadata", () => {
      const snapshot = make()(untyped({ ...full, metadata: { not: "read" }, trace: { userId: "u" } }))
      assert.deepStrictEqual(wire(snapshot), untyped({ ...full }) as unknown as Wire)
      assert.deepStrictEqual(snapshot.body as unknown, full.body as unknown)
      assert.deepStrictEqual(snapshot.trace, { userId: "u" })
      assert.strictEqual(snapshot.type, "generation-create")
      assert.strictEqual(snapshot.id, "event-1")
      assert.strictEqual(snapshot.timestamp, "2026-01-02T03:04:05.678Z")
    })

    it("has the texts of its parts", () => {
      const snapshot = make()(event("sdk-log", { log: { a: 1 }, id: "l" }))
      assert.strictEqual(snapshot.logText, `{"a":1}`)
      assert.strictEqual(snapshot.headText, `{"id":"l"}`)
      assert.isUndefined(snapshot.inputText)
      assert.isUndefined(snapshot.traceText)
      const other = make()(full)
      assert.strictEqual(other.inputText, `[{"role":"user","content":"hé 😀"}]`)
      assert.strictEqual(other.outputText, `"bye"`)
      assert.strictEqual(other.metadataText, `{"a":1}`)
      assert.notProperty(JSON.parse(other.headText), "input")
    })

    it("says which trace and body it is about", () => {
      const ids = (event: IngestionEvent) => {
        const { bodyId, traceId } = make()(event)
        return [bodyId, traceId]
      }
      assert.deepStrictEqual(ids(full), ["g1", "t1"])
      assert.deepStrictEqual(ids(event("trace-create", { id: "t2" })), ["t2", "t2"])
      assert.deepStrictEqual(ids(event("score-create", { id: "s", sessionId: "x", name: "n" })), ["s", undefined])
      assert.deepStrictEqual(ids(event("sdk-log", { log: 1 })), [undefined, undefined])
      assert.deepStrictEqual(ids(event("span-create", { id: "a\ud800", traceId: 5 })), ["a\ufffd", undefined])
    })

    it("measures itself exactly", () => {
      for (
        const value of [
          full,
          event("sdk-log", { log: 1 }),
          event("span-create", { id: "é" }),
          event("span-create", {}),
          event("trace-create", { metadata: 1, input: null }),
          untyped({ ...full, id: "with \"quotes\" and \n and é" })
        ]
      ) {
        const snapshot = make()(value)
        assert.strictEqual(snapshot.bytes, utf8(snapshot.json()))
      }
    })

    it("holds two bytes a character of the texts that are not ASCII, those of the trace context too", () => {
      const ascii = make()(event("span-create", { id: "s", input: "x".repeat(1000) }))
      assert.strictEqual(ascii.heldBytes, ascii.bytes)
      const latin = make()(event("span-create", { id: "s", input: "é" + "x".repeat(999) }))
      assert.isAtLeast(latin.heldBytes, ascii.heldBytes + 1000)
      const traced = make()(event("span-create", { id: "s" }, { trace: { metadata: "x".repeat(1000) } }))
      assert.isAtLeast(traced.heldBytes, traced.bytes + 1000)
    })

    it("can be enqueued again, and spoken of as JSON, as the event it is of", () => {
      const snapshot = make()(untyped({ ...full, trace: { userId: "u" } }))
      const plain = untyped({ ...full, trace: { userId: "u" } })
      assert.deepStrictEqual(JSON.parse(JSON.stringify(snapshot)), plain as unknown)
      assert.deepStrictEqual(Snapshot.plain(snapshot), plain)
      assert.strictEqual(make()(snapshot).json(), snapshot.json())
      assert.deepStrictEqual(make()(snapshot).trace, snapshot.trace)
    })

    it("of gives the snapshot itself, and one of a plain event as it is", () => {
      const snapshot = make()(full)
      assert.strictEqual(Snapshot.of(snapshot), snapshot)
      assert.isTrue(Snapshot.isSnapshot(snapshot))
      assert.isFalse(Snapshot.isSnapshot(full))
      const huge = generation({ input: "x".repeat(3_000_000) })
      assert.deepStrictEqual(wire(Snapshot.of(huge)), huge as unknown as Wire)
    })
  })

  describe("and the program's objects", () => {
    it("shows what was enqueued, whatever changes afterwards", () => {
      const tags = ["a"]
      const usageDetails = { input: 1 }
      const modelParameters = { stop: ["x"] }
      const messages = [{ role: "user", content: "first" }]
      const metadata = { nested: { n: 1 } }
      const context = { tags: ["t"], metadata: { m: 1 }, userId: "u" }
      const value = generation({ tags, usageDetails, modelParameters, input: messages, output: messages, metadata })
      const enqueued = {
        id: "event-1",
        type: value.type,
        timestamp: "t",
        body: { ...value.body, name: "n" },
        trace: context
      }
      const snapshot = make()(untyped(enqueued))
      const before = [snapshot.json(), snapshot.traceText]

      tags.push("b")
      usageDetails.input = 2
      modelParameters.stop.push("y")
      messages.push({ role: "assistant", content: "second" })
      Object.assign(messages[0] as object, { content: "changed" })
      metadata.nested.n = 2
      context.tags.push("t2")
      context.metadata.m = 2
      enqueued.id = "other"
      enqueued.body.name = "later"

      assert.deepStrictEqual([snapshot.json(), snapshot.traceText], before)
      assert.deepStrictEqual(body(snapshot)["input"], [{ role: "user", content: "first" }])
      assert.deepStrictEqual(trace(snapshot)["tags"], ["t"])
    })

    it("gives a new body each time, so that changing one changes no other", () => {
      const snapshot = make()(full)
      Object.assign(snapshot.body, { id: "changed" })
      assert.strictEqual((snapshot.body as { id: string }).id, "g1")
      assert.strictEqual(body(snapshot)["id"], "g1")
    })

    it("isolates a value that cannot be serialised to its own field", () => {
      const cycle: Record<string, unknown> = {}
      cycle["self"] = cycle
      const snapshot = make()(generation({
        input: 10n,
        output: cycle,
        metadata: {
          at: new Date(NaN),
          get fails() {
            throw new Error(secret)
          }
        },
        startTime: new Date(0),
        endTime: DateTime.unsafeMake(1)
      }))
      assert.deepStrictEqual(body(snapshot), {
        id: "g1",
        traceId: "t1",
        startTime: "1970-01-01T00:00:00.000Z",
        endTime: "1970-01-01T00:00:00.001Z",
        input: "10n",
        output: { self: "<circular: $>" },
        metadata: { at: "<invalid date>", fails: "<unreadable: the getter threw>" }
      })
    })

    it("keeps the rest of a body with a getter that throws", () => {
      const value = {
        id: "g1",
        traceId: "t1",
        get model() {
          throw new Error(secret)
        },
        get input() {
          throw new Error(secret)
        },
        output: "fine"
      }
      assert.deepStrictEqual(body(make()(event("generation-create", value))), {
        id: "g1",
        traceId: "t1",
        model: "<unreadable: the getter threw>",
        input: "<unreadable: the getter threw>",
        output: "fine"
      })
    })

    it("keeps a key named __proto__ as data, beside a getter that throws too", () => {
      const value = JSON.parse(`{"id":"b","__proto__":{"polluted":1}}`) as Record<string, unknown>
      assert.include(make()(event("span-create", value)).json(), `"__proto__":{"polluted":1}`)
      const masked = make({ mask: () => ({ masked: true }) })(event("span-create", value))
      assert.include(masked.json(), `"__proto__":{"masked":true}`)
      Object.defineProperty(value, "name", {
        enumerable: true,
        get() {
          throw new Error(secret)
        }
      })
      assert.include(make()(event("span-create", value)).json(), `"__proto__":{"polluted":1}`)
    })

    it("never shows what is Redacted, in whatever field", () => {
      const key = Redacted.make(secret)
      const hidden = { key, list: [Option.some(key)] }
      const everywhere = {
        id: key,
        traceId: key,
        name: key,
        input: key,
        output: hidden,
        metadata: new Map([["k", key]]),
        log: hidden,
        statusMessage: key,
        comment: key,
        tags: [key],
        modelParameters: hidden,
        value: key,
        usageDetails: hidden,
        unknown: hidden
      }
      for (const policy of [{}, { mask: (value: unknown) => value }, { maxEventBytes: 300 }]) {
        const snapshot = make(policy)(untyped({
          type: "generation-create",
          id: key,
          timestamp: key,
          body: everywhere,
          trace: everywhere
        }))
        assert.notInclude(JSON.stringify(snapshot) + snapshot.json() + snapshot.traceText, secret)
        assert.strictEqual(snapshot.id, "<redacted>")
        assert.deepStrictEqual(body(make()(generation({ name: key })))["name"], "<redacted>")
      }
    })

    it("is total: what is no event becomes one that the server refuses", () => {
      const { proxy, revoke } = Proxy.revocable({}, {})
      revoke()
      const trap = () => {
        throw new Error(secret)
      }
      const hostile = new Proxy({}, { get: trap, ownKeys: trap, getPrototypeOf: trap, has: trap })
      const values: ReadonlyArray<unknown> = [
        undefined,
        null,
        1,
        "event",
        [],
        {},
        Symbol(),
        () => 1,
        proxy,
        hostile,
        { type: 1, id: null, timestamp: new Date(0), body: null },
        { type: hostile, id: proxy, timestamp: hostile, body: proxy, trace: proxy },
        { type: "span-create", id: "i", timestamp: "t", body: hostile, trace: hostile },
        { type: "span-create", id: "i", timestamp: "t", body: "text", trace: 5 },
        { type: "span-create", id: "i", timestamp: "t", body: [1], trace: [1] },
        { type: "span-create", id: "i", timestamp: "t", body: () => 1, trace: null },
        { type: "span-create", id: "i", timestamp: "t", body: { id: "b", toJSON: () => "text" } }
      ]
      for (const policy of [{}, { mask: () => "masked" }, { content: "metadata" as const }, { maxEventBytes: 10 }]) {
        for (const value of values) {
          const snapshot = make({ environment: "e", release: "r", ...policy })(untyped(value))
          const sent = wire(snapshot)
          assert.strictEqual(snapshot.bytes, utf8(snapshot.json()))
          for (const name of ["type", "id", "timestamp"] as const) assert.strictEqual(sent[name], snapshot[name])
          assert.isString(sent.id)
          assert.notInclude(snapshot.json(), secret)
          assert.doesNotThrow(() => [snapshot.body, snapshot.trace, Snapshot.of(untyped(value))])
          assert.isFalse(Snapshot.isSnapshot(untyped(value)))
        }
      }
      assert.isNull(wire(make()(event("span-create", untyped("text") as never))).body)
      assert.strictEqual(make()(untyped({ timestamp: new Date(0) })).timestamp, "1970-01-01T00:00:00.000Z")
      assert.deepStrictEqual(body(make()(untyped(values.at(-1)))), { id: "b" })
    })
  })

  describe("environment and release", () => {
    const fill = make({ environment: "prod", release: "v1" })

    it("fill what the event leaves out, where the type has the field", () => {
      const filled = (type: string) => {
        const { environment, release } = body(fill(event(type, { id: "b", log: 1 })))
        return [environment, release]
      }
      assert.deepStrictEqual(filled("trace-create"), ["prod", "v1"])
      for (const type of ["span-create", "span-update", "generation-update", "event-create", "agent-create"]) {
        assert.deepStrictEqual(filled(type), ["prod", undefined])
      }
      assert.deepStrictEqual(filled("score-create"), ["prod", undefined])
      for (const type of ["sdk-log", "observation-create", "observation-update"]) {
        assert.deepStrictEqual(filled(type), [undefined, undefined])
      }
    })

    it("leave what the event says, a release cleared with null too", () => {
      const said = (value: Record<string, unknown>) => {
        const { environment, release } = body(fill(event("trace-create", { id: "b", ...value })))
        return [environment, release]
      }
      assert.deepStrictEqual(said({ environment: "dev", release: "v0" }), ["dev", "v0"])
      assert.deepStrictEqual(said({ environment: null, release: null }), ["prod", null])
      assert.deepStrictEqual(said({ environment: undefined, release: undefined }), ["prod", "v1"])
    })

    it("fill the trace context likewise, and make none where there is none", () => {
      assert.deepStrictEqual(trace(fill(event("span-create", { id: "b" }, { trace: { userId: "u" } }))), {
        userId: "u",
        environment: "prod",
        release: "v1"
      })
      assert.isUndefined(fill(event("span-create", { id: "b" })).traceText)
    })

    it("are measured", () => {
      for (const value of [{}, { id: "b" }, { environment: null }]) {
        const snapshot = fill(event("trace-create", value))
        assert.strictEqual(snapshot.bytes, utf8(snapshot.json()))
      }
    })
  })

  describe("content: metadata", () => {
    it("leaves out inputs and outputs, the trace's too, without looking at them, and nothing else", () => {
      let reads = 0
      const looked = { toJSON: () => reads++ }
      const snapshot = make({ content: "metadata" })(untyped({
        ...generation({ input: looked, output: looked, metadata: { a: 1 }, statusMessage: "s", name: "n" }),
        trace: { input: looked, output: looked, metadata: { m: 1 }, name: "t" }
      }))
      assert.strictEqual(reads, 0)
      assert.deepStrictEqual(body(snapshot), {
        id: "g1",
        traceId: "t1",
        statusMessage: "s",
        name: "n",
        metadata: { a: 1 }
      })
      assert.deepStrictEqual(trace(snapshot), { name: "t", metadata: { m: 1 } })
    })

    it("leaves scores, comments and logs", () => {
      const policy = make({ content: "metadata" })
      const score = { id: "s", name: "n", value: "text", dataType: "TEXT", comment: "c", traceId: "t" }
      assert.deepStrictEqual(body(policy(event("score-create", score))), score)
      assert.deepStrictEqual(body(policy(event("sdk-log", { log: "l" }))), { log: "l" })
    })
  })

  describe("mask", () => {
    const calls: Array<readonly [unknown, Snapshot.MaskContext]> = []
    const recording = (value: unknown, context: Snapshot.MaskContext) => {
      calls.push([value, context])
      return value
    }
    const seen = (event: IngestionEvent, policy: Partial<Snapshot.Policy> = {}) => {
      calls.length = 0
      make({ mask: recording, ...policy })(event)
      return calls.map(([value, { field }]) => [field, value] as const).sort(([a], [b]) => a < b ? -1 : 1)
    }

    it("sees each content field of an observation and of its trace context, and the context it is in", () => {
      const fields = {
        input: "i",
        output: ["o"],
        metadata: { m: 1 },
        statusMessage: "s",
        modelParameters: { stop: "x" },
        comment: "c",
        name: "n",
        version: "v",
        model: "gpt",
        level: "ERROR",
        userId: "u",
        sessionId: "s",
        tags: ["t"]
      }
      assert.deepStrictEqual(seen(generation(fields)), [
        ["comment", "c"],
        ["input", "i"],
        ["metadata", { m: 1 }],
        ["modelParameters", { stop: "x" }],
        ["output", ["o"]],
        ["statusMessage", "s"]
      ])
      for (const [, context] of calls) {
        assert.strictEqual(context.type, "generation-create")
        assert.strictEqual(context.traceId, "t1")
      }
      const traced = seen(event("span-create", { id: "b" }, { trace: { input: 1, output: 2, metadata: 3, name: "n" } }))
      assert.deepStrictEqual(traced, [["input", 1], ["metadata", 3], ["output", 2]])
      seen(event("trace-create", { id: "t9", input: 1 }))
      assert.strictEqual(calls[0]?.[1].traceId, "t9")
    })

    it("sees logs and the text of scores, but no measure and no category", () => {
      const score = (value: unknown, dataType?: unknown) => seen(event("score-create", { id: "s", value, dataType }))
      assert.deepStrictEqual(score("free", "TEXT"), [["value", "free"]])
      assert.deepStrictEqual(score("free", "CORRECTION"), [["value", "free"]])
      assert.deepStrictEqual(score("free", "text"), [["value", "free"]])
      assert.deepStrictEqual(score("good", "CATEGORICAL"), [])
      assert.deepStrictEqual(score("good"), [])
      assert.deepStrictEqual(score(0.5, "NUMERIC"), [])
      assert.deepStrictEqual(score(1, "TEXT"), [])
      assert.deepStrictEqual(seen(event("sdk-log", { log: { l: 1 } })), [["log", { l: 1 }]])
    })

    it("sees fields that are not Langfuse's as metadata", () => {
      assert.deepStrictEqual(seen(generation({ prompt: "p", value: "v" })), [["metadata", "p"], ["metadata", "v"]])
      assert.deepStrictEqual(seen(generation({ constructor: "c" })), [["metadata", "c"]])
    })

    it("is not asked about null, nothing, or what is not sent", () => {
      assert.deepStrictEqual(seen(generation({ input: null, statusMessage: null, metadata: undefined })), [])
      assert.deepStrictEqual(
        seen(generation({ input: "i", output: "o", metadata: "m" }), { content: "metadata" }),
        [["metadata", "m"]]
      )
    })

    it("sees values as they would be sent, and cannot reach the program's objects", () => {
      const input = { key: Redacted.make(secret), at: new Date(0), text: "\ud800", list: [1] }
      const mask: Snapshot.Mask = (value) => {
        assert.deepStrictEqual(value, { key: "<redacted>", at: "1970-01-01T00:00:00.000Z", text: "\ufffd", list: [1] })
        const copy = value as { list: Array<number> }
        copy.list.push(2)
        return copy.list
      }
      assert.deepStrictEqual(body(make({ mask })(generation({ input })))["input"], [1, 2])
      assert.deepStrictEqual(input.list, [1])
    })

    it("keeps each field in the form that the server takes", () => {
      const with_ = (masked: unknown, type: string, fields: Record<string, unknown>) => {
        const { id: _, traceId: __, dataType: ___, ...rest } = body(
          make({ mask: () => masked })(event(type, { id: "b", traceId: "t", ...fields }))
        )
        return rest
      }
      const observation = { input: 1, output: 1, metadata: { a: 1 }, statusMessage: "s", modelParameters: { a: 1 } }
      assert.deepStrictEqual(with_(undefined, "generation-create", observation), {})
      assert.deepStrictEqual(with_({ m: [1n] }, "generation-create", observation), {
        input: { m: ["1n"] },
        output: { m: ["1n"] },
        metadata: { m: ["1n"] },
        statusMessage: `{"m":["1n"]}`,
        modelParameters: { m: ["1n"] }
      })
      assert.deepStrictEqual(with_("***", "generation-create", observation), {
        input: "***",
        output: "***",
        metadata: "***",
        statusMessage: "***",
        modelParameters: { masked: "***" }
      })
      assert.deepStrictEqual(with_([1], "generation-create", { modelParameters: {} }), {
        modelParameters: { masked: "[1]" }
      })
      const text = { value: "v", dataType: "TEXT", comment: "c" }
      assert.deepStrictEqual(with_(undefined, "score-create", text), { value: "<masked: the mask left nothing>" })
      assert.deepStrictEqual(with_(12, "score-create", text), { value: "12", comment: "12" })
      for (const nothing of [undefined, null, NaN, new Map()]) {
        assert.isNotNull(with_(nothing, "sdk-log", { log: 1 })["log"])
      }
      assert.deepStrictEqual(with_(null, "sdk-log", { log: 1 }), { log: "<masked: the mask left nothing>" })
    })

    it("fails closed, once a field, when it throws or returns what is no value", () => {
      const results: ReadonlyArray<() => unknown> = [
        () => {
          throw new Error(secret)
        },
        () => () => secret,
        () => Symbol(secret),
        () => Promise.resolve(secret),
        () => Promise.reject(new Error(secret)),
        () => ({ then: () => secret }),
        () => ({
          get then() {
            throw new Error(secret)
          }
        })
      ]
      for (const mask of results) {
        let failures = 0
        const snapshot = make({ mask, onMaskFailure: () => failures++ })(untyped({
          ...generation({
            input: secret,
            output: [secret],
            metadata: { secret },
            modelParameters: { secret },
            statusMessage: secret
          }),
          trace: { metadata: { secret } }
        }))
        const note = "<masked: the mask failed>"
        assert.deepStrictEqual(body(snapshot), {
          id: "g1",
          traceId: "t1",
          input: note,
          output: note,
          metadata: { masked: note },
          modelParameters: { masked: note },
          statusMessage: note
        })
        assert.deepStrictEqual(trace(snapshot), { metadata: { masked: note } })
        assert.strictEqual(failures, 6)
      }
    })

    it("survives a counter that throws", () => {
      const fails = () => {
        throw new Error(secret)
      }
      const snapshot = make({ mask: fails, onMaskFailure: fails })(generation({ input: 1 }))
      assert.strictEqual(body(snapshot)["input"], "<masked: the mask failed>")
    })

    it("is applied before anything is cut, so that no secret survives by being cut in two", () => {
      const mask = (value: unknown) => typeof value === "string" ? value.replaceAll(secret, "*") : value
      const snapshot = make({ mask, maxEventBytes: 1000 })(generation({ input: secret.repeat(1000) }))
      assert.notInclude(snapshot.json(), "s3")
    })
  })

  describe("maxEventBytes", () => {
    const limit = 3000
    const cut = make({ maxEventBytes: limit })

    const kept = {
      id: "g1",
      traceId: "t1",
      startTime: "2026-01-02T03:04:05.678Z",
      model: "gpt-5",
      usageDetails: { input: 1, output: 2, total: 3 }
    }

    const fits = (snapshot: Snapshot.Snapshot) => {
      assert.isAtMost(utf8(snapshot.json()), limit)
      assert.strictEqual(snapshot.bytes, utf8(snapshot.json()))
      const sent = body(snapshot)
      for (const [key, value] of Object.entries(kept)) assert.deepStrictEqual(sent[key], value)
      return sent
    }

    it("leaves an event that takes exactly as much", () => {
      const value = generation({ ...kept, input: "é".repeat(500) })
      const exact = make()(value).bytes
      assert.deepStrictEqual(wire(make({ maxEventBytes: exact })(value)), value as unknown as Wire)
      assert.notStrictEqual(body(make({ maxEventBytes: exact - 1 })(value))["input"], "é".repeat(500))
    })

    it("keeps the beginning of a string, and says how much was cut and why", () => {
      const input = "line \"one\"\n".repeat(1000)
      const sent = fits(cut(generation({ ...kept, input, output: "short", metadata: { a: 1 } })))
      const text = sent["input"] as string
      const [, beginning, lost, total] = /^([^]*)\.\.\.<cut (\d+) of (\d+) bytes: maxEventBytes is 3000>$/.exec(text) ??
        []
      assert.isTrue(input.startsWith(beginning as string))
      assert.strictEqual(Number(total), utf8(JSON.stringify(input)))
      assert.strictEqual(Number(lost), Number(total) - utf8(JSON.stringify(beginning)) + 2)
      assert.isAbove((beginning as string).length, 1500)
      assert.strictEqual(sent["output"], "short")
      assert.deepStrictEqual(sent["metadata"], { a: 1 })
    })

    it("gives the beginning of the JSON text of anything else", () => {
      const input = Array.from({ length: 500 }, (_, i) => ({ role: "user", content: `message "${i}"` }))
      const sent = fits(cut(generation({ ...kept, input })))
      const text = sent["input"] as string
      assert.isTrue(JSON.stringify(input).startsWith(text.slice(0, 1500)))
      assert.match(text, /\.\.\.<cut \d+ of \d+ bytes: maxEventBytes is 3000>$/)
    })

    it("cuts the largest first, then both", () => {
      const both = fits(cut(generation({ ...kept, input: "i".repeat(9000), output: "o".repeat(9000), metadata: "m" })))
      const [input, output] = [both["input"] as string, both["output"] as string]
      assert.isBelow(Math.abs(input.length - output.length), 10)
      const one = fits(cut(generation({ ...kept, input: "i".repeat(9000), output: "o".repeat(900) })))
      assert.strictEqual(one["output"], "o".repeat(900))
    })

    it("keeps metadata an object, with its small values whole", () => {
      const sent = fits(cut(generation({
        ...kept,
        metadata: { small: 1, list: [1, 2], big: "b".repeat(9000), bigger: ["c".repeat(20_000)], last: "z" }
      })))
      const metadata = sent["metadata"] as Record<string, unknown>
      assert.deepStrictEqual(Object.keys(metadata), ["small", "list", "big", "bigger", "last"])
      assert.strictEqual(metadata["small"], 1)
      assert.deepStrictEqual(metadata["list"], [1, 2])
      assert.match(metadata["big"] as string, /^b+\.\.\.<cut \d+ of 9002 bytes/)
      assert.match(metadata["bigger"] as string, /^\["c+\.\.\.<cut/)
      assert.strictEqual(metadata["last"], "z")
    })

    it("keeps the first keys of metadata that has too many, and says so", () => {
      const metadata = Object.fromEntries(Array.from({ length: 5000 }, (_, i) => [`key${i}`, i]))
      const sent = fits(cut(generation({ ...kept, metadata })))["metadata"] as Record<string, unknown>
      assert.strictEqual(sent["key0"], 0)
      assert.isAbove(Object.keys(sent).length, 50)
      assert.match(sent["<cut>"] as string, /<cut \d+ of \d+ bytes: maxEventBytes is 3000>$/)
    })

    it("cuts a log", () => {
      const snapshot = cut(event("sdk-log", { log: { text: "l".repeat(9000) } }))
      assert.isAtMost(utf8(snapshot.json()), limit)
      assert.match(body(snapshot)["log"] as string, /^\{"text":"l+\.\.\.<cut/)
    })

    it("cuts long messages and names, never ids, times, model or usage", () => {
      const long = "n".repeat(5000)
      const sent = fits(cut(generation({
        ...kept,
        name: long,
        statusMessage: "é".repeat(5000),
        version: long,
        modelParameters: { stop: long, temperature: 0.5 },
        tags: ["a", long, "b"],
        input: long,
        output: long,
        metadata: { long }
      })))
      for (const name of ["name", "statusMessage", "version", "input", "output"]) {
        assert.match(sent[name] as string, /<cut \d+ of \d+ bytes: maxEventBytes is 3000>$/)
      }
      assert.strictEqual((sent["modelParameters"] as { temperature: number }).temperature, 0.5)
      const tags = sent["tags"] as Array<string>
      assert.deepStrictEqual(tags.slice(0, 2), ["a", "b"])
      assert.match(tags[2] as string, /<cut/)
      const huge = { ...kept, id: "i".repeat(5000) }
      assert.strictEqual(body(cut(generation(huge)))["id"], huge.id)
    })

    it("cuts the text of a score and its comment", () => {
      const snapshot = cut(event("score-create", {
        id: "s",
        name: "n",
        value: "v".repeat(5000),
        dataType: "CORRECTION",
        comment: "c".repeat(5000)
      }))
      assert.isAtMost(utf8(snapshot.json()), limit)
      assert.match(body(snapshot)["value"] as string, /^v+\.\.\.<cut/)
      assert.match(body(snapshot)["comment"] as string, /^c+\.\.\.<cut/)
    })

    it("leaves content whole that a short head leaves room for, though the head is more than half", () => {
      const value = generation({ ...kept, statusMessage: "s".repeat(1800), input: "i".repeat(300) })
      assert.deepStrictEqual(wire(cut(value)), value as unknown as Wire)
    })

    it("gives a long message all that short content leaves", () => {
      const sent = fits(cut(generation({ ...kept, statusMessage: "s".repeat(2900), input: "i".repeat(300) })))
      assert.strictEqual(sent["input"], "i".repeat(300))
      assert.isAbove((sent["statusMessage"] as string).length, 2300)
    })

    it("cuts messages further where the notes of three cut fields need the room", () => {
      const long = "l".repeat(5000)
      const snapshot = make({ maxEventBytes: 800 })(generation({
        name: "n",
        statusMessage: long,
        input: long,
        output: long,
        metadata: { long }
      }))
      assert.isAtMost(utf8(snapshot.json()), 800)
      assert.strictEqual(body(snapshot)["name"], "n")
    })

    it("bounds the trace context as well", () => {
      const snapshot = cut(event("span-create", { id: "s" }, {
        trace: { userId: "u", input: "i".repeat(9000), metadata: { a: "m".repeat(9000), b: 1 } }
      }))
      assert.isAtMost(utf8(snapshot.traceText ?? ""), limit)
      assert.strictEqual(trace(snapshot)["userId"], "u")
      assert.strictEqual((trace(snapshot)["metadata"] as { b: number }).b, 1)
    })

    it("does not split characters or escape sequences", () => {
      for (const unit of ["😀", "é終", "\\", "\"", "\u0001", "a\\\"\n😀"]) {
        for (let shift = 0; shift < 12; shift++) {
          const input = "x".repeat(shift) + unit.repeat(3000)
          const text = fits(cut(generation({ ...kept, input })))["input"] as string
          const beginning = text.slice(0, text.lastIndexOf("...<cut"))
          assert.isTrue(input.startsWith(beginning))
          assert.isFalse(/\p{Surrogate}/u.test(beginning))
          const nested = fits(cut(generation({ ...kept, output: [input] })))["output"] as string
          const start = nested.slice(0, nested.lastIndexOf("...<cut"))
          assert.isTrue(JSON.stringify([input]).startsWith(start))
          assert.isFalse(/\p{Surrogate}/u.test(start))
        }
      }
    })
  })

  describe("for any event", () => {
    const runs = { fastCheck: { numRuns: 300 } }

    const types = FastCheck.constantFrom(
      "trace-create",
      "span-create",
      "span-update",
      "generation-create",
      "event-create",
      "tool-create",
      "score-create",
      "sdk-log",
      "observation-create"
    )
    const anything = FastCheck.anything({
      withBigInt: true,
      withBoxedValues: true,
      withDate: true,
      withMap: true,
      withNullPrototype: true,
      withSet: true,
      withSparseArray: true,
      withTypedArray: true,
      stringUnit: "binary"
    })
    const text = FastCheck.string({ unit: "binary", maxLength: 30 })
    const fields = FastCheck.constantFrom(
      ..."id traceId name startTime model usageDetails tags statusMessage comment value dataType environment release"
        .split(" "),
      ..."modelParameters input output metadata log __proto__ toJSON other".split(" ")
    )
    const bodies = FastCheck.array(FastCheck.tuple(fields, FastCheck.oneof(text, anything)), { maxLength: 10 }).map(
      (entries) => Object.fromEntries(entries) as Record<string, unknown>
    )
    const policies: FastCheck.Arbitrary<Partial<Snapshot.Policy>> = FastCheck.record({
      content: FastCheck.constantFrom("full", "metadata"),
      maxEventBytes: FastCheck.constantFrom(200, 1000, 1_000_000),
      environment: FastCheck.constantFrom(undefined, "prod"),
      release: FastCheck.constantFrom(undefined, "v1"),
      mask: FastCheck.constantFrom(undefined, (value: unknown) => value, () => undefined)
    })

    it.prop(
      "the JSON parses to an event with the same envelope, and is measured exactly",
      [types, text, text, bodies, FastCheck.option(bodies, { nil: undefined }), policies],
      ([type, id, timestamp, value, context, policy]) => {
        const snapshot = make(policy)(untyped({ type, id, timestamp, body: value, trace: context }))
        const sent = wire(snapshot)
        assert.deepStrictEqual([sent.type, sent.id, sent.timestamp], [type, id, timestamp])
        assert.strictEqual(snapshot.bytes, utf8(snapshot.json()))
        assert.isAtLeast(snapshot.heldBytes, snapshot.bytes)
        assert.deepStrictEqual(snapshot.body as unknown, sent.body)
        JSON.parse(snapshot.headText)
        JSON.parse(snapshot.traceText ?? "null")
      },
      runs
    )

    it.prop(
      "a mask that replaces a marker leaves none, wherever it was",
      [
        types,
        FastCheck.letrec<{ readonly tree: unknown }>((tie) => ({
          tree: FastCheck.oneof(
            { maxDepth: 3, withCrossShrink: true },
            FastCheck.constant(`before ${secret} after`),
            FastCheck.integer(),
            FastCheck.array(tie("tree"), { maxLength: 3 }),
            FastCheck.dictionary(FastCheck.constantFrom("a", "b", secret), tie("tree"), { maxKeys: 3 }),
            FastCheck.tuple(tie("tree")).map(([value]) => new Map([[secret, value]])),
            tie("tree").map(Option.some),
            FastCheck.tuple(tie("tree")).map(([cause]) => new Error(secret, { cause }))
          )
        })).tree,
        policies
      ],
      ([type, value, policy]) => {
        const mask = (value: unknown): unknown => JSON.parse(JSON.stringify(value).replaceAll(secret, "*"))
        const content = {
          input: value,
          output: value,
          metadata: value,
          log: value,
          statusMessage: value,
          comment: value,
          modelParameters: value,
          value,
          dataType: "TEXT",
          prompt: value
        }
        const snapshot = make({ ...policy, mask })(event(type, { id: "b", ...content }, { trace: content }))
        assert.notInclude(snapshot.json(), secret)
        assert.notInclude(snapshot.traceText ?? "", secret)
      },
      runs
    )

    it.prop(
      "an event that is too large is cut to the limit, and ids, times, model and usage survive",
      [
        FastCheck.record({
          input: FastCheck.option(anything),
          output: FastCheck.option(FastCheck.tuple(text, FastCheck.integer({ min: 0, max: 800 }))),
          metadata: FastCheck.option(
            FastCheck.dictionary(text, FastCheck.oneof(anything, text.map((t) => t.repeat(300))), {
              maxKeys: 30
            })
          ),
          name: text.map((name) => name.repeat(200)),
          statusMessage: text.map((name) => name.repeat(400)),
          tags: FastCheck.array(text, { maxLength: 200 })
        }),
        FastCheck.integer({ min: 2200, max: 6000 })
      ],
      ([{ input, metadata, name, output, statusMessage, tags }, maxEventBytes]) => {
        const value = {
          id: "g1",
          traceId: "t1",
          startTime: "2026-01-02T03:04:05.678Z",
          model: "gpt-5",
          usageDetails: { input: 1, output: 2 },
          name,
          statusMessage,
          tags,
          input,
          output: output?.[0].repeat(output[1]),
          metadata
        }
        const snapshot = make({ maxEventBytes })(event("generation-create", value))
        assert.isAtMost(utf8(snapshot.json()), maxEventBytes)
        assert.strictEqual(snapshot.bytes, utf8(snapshot.json()))
        const sent = body(snapshot)
        for (const key of ["id", "traceId", "startTime", "model", "usageDetails"] as const) {
          assert.deepStrictEqual(sent[key], value[key])
        }
        if (metadata !== null) assert.isObject(sent["metadata"])
        assert.isTrue((sent["tags"] as Array<unknown>).every((tag) => typeof tag === "string"))
        // Nothing is cut from what fits.
        const whole = make({ maxEventBytes: Infinity })(event("generation-create", value))
        if (whole.bytes <= maxEventBytes) assert.strictEqual(snapshot.json(), whole.json())
      },
      runs
    )

    it.prop("later changes are invisible", [types, bodies, bodies], ([type, value, later]) => {
      const nested = { list: [1] as Array<unknown> }
      const target: Record<string, unknown> = {
        ...value,
        metadata: { nested },
        usageDetails: nested,
        tags: nested.list
      }
      const context: Record<string, unknown> = { metadata: nested, tags: nested.list }
      const snapshot = make()(event(type, target, { trace: context }))
      const before = [snapshot.json(), snapshot.traceText, snapshot.body, snapshot.trace]
      nested.list.push(2)
      Object.assign(nested, later)
      Object.assign(target, later)
      Object.assign(context, later)
      assert.deepStrictEqual([snapshot.json(), snapshot.traceText, snapshot.body, snapshot.trace], before)
    }, runs)
  })
})
