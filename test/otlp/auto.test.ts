import { assert, describe, it } from "@effect/vitest"
import { Effect, FastCheck, Layer, Metric, TestClock } from "effect"
import type * as LangfuseConfig from "effect-langfuse/LangfuseConfig"
import * as LangfuseIngest from "effect-langfuse/LangfuseIngest"
import * as LangfuseServer from "effect-langfuse/LangfuseServer"
import { isCloud } from "../../src/internal/address.js"
import { runs } from "../properties/support/runs.js"
import * as Client from "../utils/client.js"
import { type collectLogs, isBalanced, keys, turns, until } from "../utils/ingest.js"
import * as Memory from "../utils/memory.js"
import { event, spanIdFor, spansOf, time } from "../utils/otlp.js"
import * as Transport from "../utils/transport.js"

const traceId = "0123456789abcdef0123456789abcdef"
const id = (n: number) => n.toString(16).padStart(16, "0")

const whole = (n: number, body: object = {}) =>
  event("span-create", { id: id(n), traceId, startTime: time(n), endTime: time(n + 10), ...body }, { id: `whole ${n}` })
const create = (n: number) => event("span-create", { id: id(n), traceId, startTime: time(n) }, { id: `create ${n}` })
const end = (n: number) => event("span-update", { id: id(n), endTime: time(n + 10) }, { id: `end ${n}`, at: 1 })
const score = (name: string) => event("score-create", { id: name, name, value: 1, traceId }, { id: name })

const v3 = { version: "3.160.0" }
const v4 = { version: "4.16.0" }
const old = { version: "3.10.0", otlp: false }

const start = (server: LangfuseServer.Options, options: Partial<LangfuseConfig.Options> = {}) =>
  Transport.start("auto", server, options)

const infos = (logs: ReturnType<typeof collectLogs>) =>
  logs.lines.filter((line) => line.level === "INFO").map((line) => line.message)

describe("layerAuto", () => {
  describe("asks the server once, before the first batch", () => {
    const cases: ReadonlyArray<readonly [title: string, server: LangfuseServer.Options, path: string]> = [
      ["v2", { version: "2.95.3", otlp: false }, "ingestion"],
      ["v3", v3, "ingestion"],
      ["v4", v4, "otel/v1/traces"],
      ["v4 in legacy mode", { ...v4, writeMode: "legacy" }, "otel/v1/traces"],
      ["v4 in dual mode", { ...v4, writeMode: "dual" }, "otel/v1/traces"],
      ["v4 in events_only mode", { ...v4, writeMode: "events_only" }, "otel/v1/traces"],
      ["a later version", { version: "11.0.0-rc.1" }, "otel/v1/traces"]
    ]
    for (const [title, server, path] of cases) {
      it.scoped(title, () =>
        Effect.gen(function*() {
          const { logs, paths, send, stored } = yield* start(server)
          assert.deepStrictEqual(yield* paths, [])
          assert.deepStrictEqual((yield* send(whole(1))).delivered, ["whole 1"])
          assert.deepStrictEqual((yield* send(whole(2))).delivered, ["whole 2"])
          assert.deepStrictEqual(yield* paths, ["health", path, path])
          assert.deepStrictEqual(yield* stored, [id(1), id(2)])
          assert.deepStrictEqual(infos(logs), [])
        }))
    }

    it.scoped("but only once, however many batches start at the same time", () =>
      Effect.gen(function*() {
        const { ingest, paths } = yield* start(v4, { maxBatch: 1 })
        for (const n of [1, 2, 3]) yield* ingest.enqueue(whole(n))
        yield* ingest.flush
        assert.strictEqual((yield* paths).filter((path) => path === "health").length, 1)
      }))

    it("Langfuse Cloud is known by its address", () => {
      for (const host of ["cloud", "us.cloud", "eu.cloud", "hipaa.cloud", "jp.cloud"]) {
        assert.isTrue(isCloud(`https://${host}.langfuse.com`), host)
      }
      for (
        const url of ["https://langfuse.com", "https://mycloud.langfuse.com", "https://cloud.langfuse.com.evil.test"]
      ) {
        assert.isFalse(isCloud(url), url)
      }
    })

    it.scoped("Langfuse Cloud is not asked", () =>
      Effect.gen(function*() {
        const { healthChecks, layer, requests } = Client.make(() => Client.json(200, {}))
        const { send } = yield* Transport.over("auto", layer, { baseUrl: "https://us.cloud.langfuse.com" })
        assert.strictEqual((yield* send(whole(1))).delivered.length, 1)
        assert.deepStrictEqual(healthChecks, [])
        assert.deepStrictEqual(requests.map((each) => each.url), [
          "https://us.cloud.langfuse.com/api/public/otel/v1/traces"
        ])
        assert.deepStrictEqual(spansOf(requests).map((span) => span.spanId), [id(1)])
      }))
  })

  describe("a health check that does not help never stops events", () => {
    it.scoped("nobody listens: the batch fails, and half a minute later it is asked again", () =>
      Effect.gen(function*() {
        const { ingest, logs, paths, send, setUp } = yield* start(v3)
        yield* setUp(false)
        const report = yield* send(whole(1), score("score"))
        assert.deepStrictEqual([report.failed, report.reasons], [["score", "whole 1"], ["Unreachable"]])
        yield* setUp(true)
        // A v3 as late as this takes either.
        assert.deepStrictEqual((yield* send(whole(2))).delivered, ["whole 2"])
        assert.deepStrictEqual(yield* paths, ["otel/v1/traces"])
        yield* TestClock.adjust("30 seconds")
        // What is asked again is not waited for.
        assert.deepStrictEqual((yield* send(whole(3))).delivered, ["whole 3"])
        assert.deepStrictEqual((yield* send(whole(4))).delivered, ["whole 4"])
        assert.deepStrictEqual(yield* paths, ["otel/v1/traces", "health", "otel/v1/traces", "ingestion"])
        assert.strictEqual((yield* ingest.status).protocol, "ingestion")
        assert.deepStrictEqual(infos(logs), [])
      }))

    it.scoped("whatever it answers: OTLP is tried, and falls back", () =>
      Effect.gen(function*() {
        for (
          const fault of [
            LangfuseServer.Fault.html({ route: "health" }),
            LangfuseServer.Fault.status(401, { route: "health" }),
            LangfuseServer.Fault.status(502, { route: "health" }),
            LangfuseServer.Fault.empty({ route: "health" })
          ]
        ) {
          const modern = yield* start(v4)
          yield* modern.server.script(fault)
          assert.strictEqual((yield* modern.send(whole(1))).delivered.length, 1)
          assert.deepStrictEqual(yield* modern.paths, ["health", "otel/v1/traces"])

          const ancient = yield* start(old)
          yield* ancient.server.script(fault)
          assert.deepStrictEqual((yield* ancient.send(whole(1), score("score"))).delivered, ["score", "whole 1"])
          assert.deepStrictEqual(yield* ancient.stored, [id(1)])
          assert.strictEqual(infos(ancient.logs).length, 1)
        }
      }))

    it.scoped("one that says it is ill still says what it is", () =>
      Effect.gen(function*() {
        const { paths, send, server } = yield* start(v3)
        yield* server.script(LangfuseServer.Fault.respond({
          route: "health",
          status: 503,
          headers: { "content-type": "application/json" },
          body: JSON.stringify({ status: "No events within the last 3 minutes", version: "3.2.0" })
        }))
        assert.strictEqual((yield* send(whole(1))).delivered.length, 1)
        assert.deepStrictEqual(yield* paths, ["health", "ingestion"])
      }))

    it.scoped("one that hangs holds the first batch up for a second, and no other", () =>
      Effect.gen(function*() {
        for (const protocol of ["auto", "ingestion"] as const) {
          const { ingest, send, server, words } = yield* Transport.start(protocol, protocol === "auto" ? v4 : v3)
          yield* server.script(LangfuseServer.Fault.hang({ route: "health" }))
          yield* Effect.fork(send(whole(1)))
          yield* server.awaitRequests(1)
          yield* turns()
          assert.deepStrictEqual(words, [])
          yield* TestClock.adjust("1 second")
          yield* until(() => words.length === 1)
          assert.deepStrictEqual(words[0]?.kind, "delivered")
          yield* TestClock.adjust("5 seconds")
          assert.deepStrictEqual((yield* send(whole(2))).delivered, ["whole 2"])
          assert.isTrue(isBalanced(yield* ingest.stats))
        }
      }))
  })

  describe("a server that is upgraded to v4 while we run", () => {
    it.scoped("gets the events it refused over OTLP, those only, and everything after that", () =>
      Effect.gen(function*() {
        const { logs, paths, send, server, stored, words } = yield* start(v3)
        yield* send(whole(1))
        yield* server.setVersion("4.16.0")
        const report = yield* send(
          whole(2),
          score("score"),
          event("trace-create", { id: traceId, userId: "ada" }, { id: "trace" })
        )
        assert.deepStrictEqual(report.delivered, ["score", "trace", "whole 2"])
        assert.deepStrictEqual([report.failed, report.rejected], [[], []])
        assert.deepStrictEqual(yield* paths, ["health", "ingestion", "ingestion", "otel/v1/traces"])
        // The score was accepted the first time.
        assert.strictEqual((yield* server.scores).length, 1)
        assert.deepStrictEqual((yield* server.accepted).filter((each) => each === "score"), ["score"])

        yield* send(whole(3), score("other"))
        assert.deepStrictEqual((yield* paths).slice(4).sort(), ["ingestion", "otel/v1/traces"])
        assert.sameMembers([...yield* stored], [id(1), id(2), id(3), spanIdFor(`root of ${traceId}`)])
        // Refusals that lead to another try are nobody's business.
        assert.isTrue(words.every(({ kind }) => kind === "delivered"))
        assert.deepStrictEqual(infos(logs), [
          "the batch endpoint of this Langfuse takes only scores and logs: " +
          "traces and observations now go to the OpenTelemetry endpoint"
        ])
      }))

    it.scoped("says so once, even to several batches at one time", () =>
      Effect.gen(function*() {
        const { ingest, logs, send, server, stored } = yield* start(v3, { concurrency: 3, maxBatch: 1 })
        yield* send(whole(1))
        yield* server.setVersion("4.16.0")
        yield* send(whole(2), whole(3), whole(4))
        assert.sameMembers([...yield* stored], [id(1), id(2), id(3), id(4)])
        assert.deepInclude(yield* ingest.stats, { delivered: 4, pending: 0 })
        assert.strictEqual(infos(logs).length, 1)
      }))

    it.scoped("an event that it refuses for another reason stays refused", () =>
      Effect.gen(function*() {
        const { paths, send } = yield* start(v3)
        const report = yield* send(event("span-create", { id: id(1), level: "loud" }, { id: "bad" }), whole(2))
        assert.deepStrictEqual(report.rejected, ["bad"])
        assert.deepStrictEqual(yield* paths, ["health", "ingestion"])
      }))

    it.scoped("and back again", () =>
      Effect.gen(function*() {
        const { logs, send, server, stored } = yield* start(v3)
        yield* send(whole(1))
        yield* server.setVersion("4.16.0")
        yield* send(whole(2))
        yield* server.setVersion("3.10.0")
        yield* server.setOtlp(false)
        assert.deepStrictEqual((yield* send(whole(3))).delivered, ["whole 3"])
        yield* server.setVersion("4.16.0")
        yield* server.setOtlp(true)
        assert.deepStrictEqual((yield* send(whole(4))).delivered, ["whole 4"])
        assert.sameMembers([...yield* stored], [id(1), id(2), id(3), id(4)])
        // Each change is said once, and another one of the same kind not within ten seconds.
        assert.strictEqual(infos(logs).length, 2)
      }))
  })

  describe("a server without the OpenTelemetry endpoint", () => {
    it.scoped("gets what it answered with 404, and all that was held, at its batch endpoint", () =>
      Effect.gen(function*() {
        const { ingest, logs, paths, send, server, words } = yield* start(v4)
        assert.deepStrictEqual((yield* send(create(1))).delivered, [])
        yield* server.setVersion("3.10.0")
        yield* server.setOtlp(false)
        const report = yield* send(
          event("trace-create", { id: traceId, name: "t" }, { id: "trace" }),
          event("span-create", { id: id(2), traceId: "f".repeat(32), endTime: time(5) }, { id: "two" }),
          score("score")
        )
        assert.deepStrictEqual(report.delivered, ["create 1", "score", "trace", "two"])
        assert.isTrue(words.every(({ kind }) => kind === "delivered"))
        assert.deepStrictEqual((yield* send(end(1))).delivered, ["end 1"])
        const one = (yield* server.observations).find((each) => each.id === id(1))
        assert.deepInclude(one, { endTime: time(11), startTime: time(1) })
        assert.deepStrictEqual((yield* paths).filter((path) => path === "otel/v1/traces").length, 1)
        assert.deepInclude(yield* ingest.stats, { offered: 5, delivered: 5 })
        assert.deepStrictEqual(infos(logs), [
          "this Langfuse has no OpenTelemetry endpoint (404): traces and observations now go to the batch endpoint"
        ])
      }))

    it.scoped("is found out by the close as well", () =>
      Effect.gen(function*() {
        const { close, ingest, send, server, stored } = yield* start(v4)
        yield* send(create(1))
        yield* server.setVersion("3.10.0")
        yield* server.setOtlp(false)
        assert.deepStrictEqual((yield* close).delivered, ["create 1"])
        assert.deepStrictEqual(yield* stored, [id(1)])
        assert.deepInclude(yield* ingest.stats, { delivered: 1, pending: 0 })
      }))

    it.scoped("and by what leaves because its time has come", () =>
      Effect.gen(function*() {
        const { ingest, send, server } = yield* start(v4)
        yield* send(create(1))
        yield* server.setVersion("3.10.0")
        yield* server.setOtlp(false)
        yield* TestClock.adjust("10 minutes")
        yield* until(Effect.map(ingest.stats, ({ pending }) => pending === 0))
        assert.deepInclude(yield* ingest.stats, { delivered: 1, failed: 0 })
        assert.isTrue(isBalanced(yield* ingest.stats))
      }))

    it.scoped("nor any other: the events fail, once, and nothing goes round in circles", () =>
      Effect.gen(function*() {
        const { paths, send, server } = yield* start(v4)
        yield* server.always(LangfuseServer.Fault.status(404))
        const report = yield* send(whole(1))
        assert.deepStrictEqual([report.failed, report.reasons], [["whole 1"], ["Status 404"]])
        assert.deepStrictEqual(yield* paths, ["health", "otel/v1/traces", "ingestion"])
      }))

    it.scoped("whose batch endpoint wants none of it either: rejected, once, and no storm of lines", () =>
      Effect.gen(function*() {
        const { logs, paths, send } = yield* start({ ...v4, otlp: false })
        const report = yield* send(whole(1), score("score"))
        assert.deepStrictEqual([report.rejected, report.delivered], [["whole 1"], ["score"]])
        assert.strictEqual((yield* paths).length, 4)
        for (let n = 2; n <= 20; n++) assert.deepStrictEqual((yield* send(whole(n))).delivered, [])
        assert.isAtMost(infos(logs).length, 2)
      }))
  })

  it.scoped("sends a derived trace where its observation goes, and counts it once", () =>
    Effect.gen(function*() {
      const delivered = Effect.map(
        Metric.value(
          Metric.counter("langfuse_ingest_traces_total", {
            incremental: true,
            description: "Traces sent because observations belong to them, by their outcome."
          }).pipe(Metric.tagged("outcome", "delivered"))
        ),
        ({ count }) => count
      )
      const before = yield* delivered
      const { send, server } = yield* start({ ...old, version: "4.0.0-lies" })
      yield* server.setVersion("3.10.0")
      const told = event("span-create", { id: id(1), traceId, endTime: time(1) }, { id: "e", trace: { input: "q" } })
      assert.deepStrictEqual((yield* send(told)).delivered, ["e"])
      assert.deepStrictEqual((yield* server.traces).map(({ input }) => input), ["q"])
      assert.strictEqual((yield* delivered) - before, 1)
    }))

  it.scoped("is what the ingest service uses when no protocol is named", () =>
    Effect.gen(function*() {
      for (const version of ["3.160.0", "4.16.0"]) {
        const memory = yield* Memory.make({ ...keys, version })
        const ingest = yield* Memory.build(
          LangfuseIngest.LangfuseIngest,
          LangfuseIngest.layer({ ...keys, baseUrl: memory.server.url }).pipe(Layer.provide(memory.layer))
        )
        yield* ingest.enqueue(whole(1))
        assert.deepInclude(yield* ingest.flush, { delivered: 1, pending: 0 })
        assert.deepStrictEqual((yield* memory.server.observations).map((each) => each.id), [id(1)])
      }
    }))

  describe("an old server knows fewer types, whatever the protocol option says", () => {
    const seven = ["agent", "tool", "chain", "retriever", "evaluator", "embedding", "guardrail"]

    for (const protocol of ["auto", "ingestion"] as const) {
      for (const [version, isOld] of [["3.95.0", true], ["2.95.12", true], ["3.98.2", false]] as const) {
        it.scoped(`${protocol} to ${version}`, () =>
          Effect.gen(function*() {
            const fake = Client.make(Client.accept, Client.healthy(version))
            const { send } = yield* Transport.over(protocol, fake.layer)
            const { delivered } = yield* send(
              ...seven.map((type, n) => event(`${type}-create`, { id: id(n + 1), traceId, name: type }, { id: type }))
            )
            assert.sameMembers([...delivered], seven)
            const sent: ReadonlyArray<{ readonly id: string; readonly type: string; readonly body: object }> = fake
              .requests.flatMap(({ text }) => JSON.parse(text).batch)
            for (const { body, id, type } of sent) {
              const old = id === "embedding" ? "generation-create" : "span-create"
              assert.strictEqual(type, isOld ? old : `${id}-create`)
              if (isOld) assert.deepNestedInclude(body, { "metadata.observationType": id })
            }
            assert.strictEqual(fake.healthChecks.length, 1)
          }))
      }
    }
  })

  it.scoped("50 quick trace-creates of one trace keep their order on v3", () =>
    Effect.gen(function*() {
      const { send, server } = yield* start(v3)
      for (const round of [0, 1]) {
        const names = Array.from({ length: 50 }, (_, n) => `${round} ${n}`)
        yield* send(...names.map((name) => event("trace-create", { id: traceId, name }, { id: name })))
        assert.strictEqual((yield* server.traces)[0]?.name, `${round} 49`)
      }
    }))

  // -----------------------------------------------------------------------------------

  const step = FastCheck.oneof(
    { arbitrary: FastCheck.constant("send" as const), weight: 6 },
    { arbitrary: FastCheck.constantFrom("v3" as const, "v4" as const, "old" as const), weight: 3 },
    { arbitrary: FastCheck.constantFrom("down" as const, "up" as const, "half a minute" as const), weight: 2 }
  )

  it.effect.prop(
    "however often the server changes under it, every event is settled once and the server has what was delivered",
    { steps: FastCheck.array(step, { maxLength: 25 }) },
    ({ steps }) =>
      Effect.scoped(Effect.gen(function*() {
        const one = yield* start(v3)
        const sent: Array<string> = []
        let n = 1
        for (const each of steps) {
          switch (each) {
            case "send": {
              const batch = [whole(n), create(n + 1), score(`score ${n}`)] as const
              sent.push(...batch.map((event) => event.id))
              yield* one.send(...batch)
              n += 2
              break
            }
            case "v3":
              yield* one.server.setVersion("3.160.0")
              yield* one.server.setOtlp(true)
              break
            case "v4":
              yield* one.server.setVersion("4.16.0")
              yield* one.server.setOtlp(true)
              break
            case "old":
              yield* one.server.setVersion("3.10.0")
              yield* one.server.setOtlp(false)
              break
            case "down":
            case "up":
              yield* one.setUp(each === "up")
              break
            case "half a minute":
              yield* TestClock.adjust("30 seconds")
          }
        }
        yield* one.setUp(true)
        yield* one.close
        assert.deepStrictEqual(one.words.map((word) => word.id).sort(), sent.slice().sort())
        const stored = new Set(yield* one.stored)
        const delivered = one.words.filter(({ kind }) => kind === "delivered").map((word) => word.id)
        for (const name of delivered) {
          const [, number] = /^(?:whole|create) (\d+)$/.exec(name) ?? []
          if (number !== undefined) assert.isTrue(stored.has(id(Number(number))), `${name} is on the server`)
        }
        assert.strictEqual(
          (yield* one.server.scores).length,
          delivered.filter((name) => name.startsWith("score")).length
        )
        const stats = yield* one.ingest.stats
        assert.isTrue(isBalanced(stats))
        assert.deepInclude(stats, { offered: sent.length, delivered: delivered.length, pending: 0 })
      })),
    { fastCheck: runs(20), timeout: 60_000 }
  )
})
