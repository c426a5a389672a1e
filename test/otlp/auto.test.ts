import { assert, describe, it } from "@effect/vitest"
import type { Array as Arr } from "effect"
import { Effect, Exit, FastCheck, Fiber, Layer, Schedule, Scope, TestClock } from "effect"
import type { DeliveryReport, IngestionEvent, LangfuseConfig } from "effect-langfuse"
import { LangfuseIngest, LangfuseServer, LangfuseTransport } from "effect-langfuse"
import * as Auto from "../../src/internal/auto.js"
import * as Client from "../utils/client.js"
import { collectLogs, isBalanced, keys, turns, until } from "../utils/ingest.js"
import * as Memory from "../utils/memory.js"
import { event, readSpans, time } from "../utils/otlp.js"
import { runs } from "../utils/properties.js"

const traceId = "0123456789abcdef0123456789abcdef"
const id = (n: number) => n.toString(16).padStart(16, "0")

const whole = (n: number, body: object = {}) =>
  event("span-create", { id: id(n), traceId, startTime: time(n), endTime: time(n + 10), ...body }, { id: `whole ${n}` })
const create = (n: number) => event("span-create", { id: id(n), traceId, startTime: time(n) }, { id: `create ${n}` })
const end = (n: number) => event("span-update", { id: id(n), endTime: time(n + 10) }, { id: `end ${n}`, at: 1 })
const score = (name: string) => event("score-create", { id: name, name, value: 1, traceId }, { id: name })

const names = (events: ReadonlyArray<IngestionEvent.IngestionEvent>) => events.map((each) => each.id).sort()
const failures = (report: DeliveryReport.DeliveryReport) => names(report.failed.map((each) => each.event))

const v3 = { version: "3.160.0" }
const v4 = { version: "4.16.0" }
const old = { version: "3.10.0", otlp: false }

const start = (server: LangfuseServer.Options, options: Partial<LangfuseConfig.TransportOptions> = {}) =>
  Effect.gen(function*() {
    const memory = yield* Memory.make({ ...keys, ...server })
    const logs = collectLogs()
    const transport = yield* Memory.build(
      LangfuseTransport.LangfuseTransport,
      LangfuseTransport.layerAuto({ ...keys, baseUrl: memory.server.url, ...options }).pipe(Layer.provide(memory.layer))
    )
    const early: Array<DeliveryReport.DeliveryReport> = []
    const run = <A>(effect: Effect.Effect<A>) =>
      effect.pipe(
        Effect.provideService(LangfuseTransport.Progress, (report) => {
          early.push(report)
        }),
        Effect.provide(logs.layer)
      )
    return {
      ...memory,
      logs,
      /** What `Progress` was told. */
      early,
      send: (...batch: Arr.NonEmptyReadonlyArray<IngestionEvent.IngestionEvent>) => run(transport.send(batch)),
      flush: run(transport.flush ?? Effect.die("no flush")),
      drain: run(transport.drain),
      paths: Effect.map(
        memory.server.requests,
        (requests) => requests.map((each) => each.path.replace("/api/public/", ""))
      ),
      stored: Effect.map(memory.server.observations, (all) => all.map((each) => each.id))
    }
  })

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
          assert.deepStrictEqual(names((yield* send(whole(1))).delivered), ["whole 1"])
          assert.deepStrictEqual(names((yield* send(whole(2))).delivered), ["whole 2"])
          assert.deepStrictEqual(yield* paths, ["health", path, path])
          assert.deepStrictEqual(yield* stored, [id(1), id(2)])
          assert.deepStrictEqual(infos(logs), [])
        }))
    }

    it.scoped("but only once, however many batches start at the same time", () =>
      Effect.gen(function*() {
        const { paths, send } = yield* start(v4)
        yield* Effect.all([send(whole(1)), send(whole(2)), send(whole(3))], { concurrency: 3 })
        assert.strictEqual((yield* paths).filter((path) => path === "health").length, 1)
      }))

    it("Langfuse Cloud is known by its address", () => {
      for (const host of ["cloud", "us.cloud", "eu.cloud", "hipaa.cloud", "jp.cloud"]) {
        assert.isTrue(Auto.isCloud(`https://${host}.langfuse.com`), host)
      }
      for (
        const url of ["https://langfuse.com", "https://mycloud.langfuse.com", "https://cloud.langfuse.com.evil.test"]
      ) {
        assert.isFalse(Auto.isCloud(url), url)
      }
    })

    it.scoped("Langfuse Cloud is not asked", () =>
      Effect.gen(function*() {
        const { layer, requests } = Client.make(() =>
          new Response("{}", { headers: { "content-type": "application/json" } })
        )
        const transport = yield* Memory.build(
          LangfuseTransport.LangfuseTransport,
          LangfuseTransport.layerAuto({ ...keys, baseUrl: "https://us.cloud.langfuse.com" }).pipe(Layer.provide(layer))
        )
        assert.strictEqual((yield* transport.send([whole(1)])).delivered.length, 1)
        assert.deepStrictEqual(requests.map((each) => each.url), [
          "https://us.cloud.langfuse.com/api/public/otel/v1/traces"
        ])
        assert.deepStrictEqual(readSpans(requests[0]?.text ?? "").map((span) => span.spanId), [id(1)])
      }))
  })

  describe("a health check that does not help", () => {
    it.scoped("nobody listens: the batch fails, and the next one asks again", () =>
      Effect.gen(function*() {
        const { logs, paths, send, setUp, stored } = yield* start(v3)
        yield* setUp(false)
        const report = yield* send(whole(1), score("score"))
        assert.deepStrictEqual(failures(report), ["score", "whole 1"])
        assert.isTrue(report.failed.every(({ error }) => error.reason === "Unreachable"))
        yield* setUp(true)
        assert.deepStrictEqual(names((yield* send(whole(2))).delivered), ["whole 2"])
        assert.deepStrictEqual(yield* paths, ["health", "ingestion"])
        assert.deepStrictEqual(yield* stored, [id(2)])
        assert.deepStrictEqual(infos(logs), [])
      }))

    it.scoped("a server in trouble: the batch fails, and the next one asks again", () =>
      Effect.gen(function*() {
        const { paths, send, server } = yield* start(v4)
        yield* server.script(LangfuseServer.Fault.status(502, { route: "health" }))
        assert.deepInclude((yield* send(whole(1))).failed[0]?.error, { reason: "Status", status: 502 })
        assert.strictEqual((yield* send(whole(2))).delivered.length, 1)
        assert.deepStrictEqual(yield* paths, ["health", "health", "otel/v1/traces"])
      }))

    it.scoped("one that says it is ill still says what it is", () =>
      Effect.gen(function*() {
        const { paths, send, server } = yield* start(v4)
        yield* server.script(LangfuseServer.Fault.respond({
          route: "health",
          status: 503,
          headers: { "content-type": "application/json" },
          body: JSON.stringify({ status: "No events within the last 3 minutes", version: "4.2.0" })
        }))
        assert.strictEqual((yield* send(whole(1))).delivered.length, 1)
        assert.deepStrictEqual(yield* paths, ["health", "otel/v1/traces"])
      }))

    it.scoped("a proxy in front of it keeps it to itself: OTLP is tried, and falls back", () =>
      Effect.gen(function*() {
        for (
          const fault of [
            LangfuseServer.Fault.html({ route: "health" }),
            LangfuseServer.Fault.status(401, { route: "health" })
          ]
        ) {
          const modern = yield* start(v4)
          yield* modern.server.script(fault)
          assert.strictEqual((yield* modern.send(whole(1))).delivered.length, 1)
          assert.deepStrictEqual(yield* modern.paths, ["health", "otel/v1/traces"])

          const ancient = yield* start(old)
          yield* ancient.server.script(fault)
          assert.deepStrictEqual(names((yield* ancient.send(whole(1), score("score"))).delivered), ["score", "whole 1"])
          assert.deepStrictEqual(yield* ancient.stored, [id(1)])
          assert.strictEqual(infos(ancient.logs).length, 1)
        }
      }))

    it.scoped("is tried again as the schedule says", () =>
      Effect.gen(function*() {
        const { send, server } = yield* start(v4, { retry: Schedule.recurs(2) })
        yield* server.script(
          LangfuseServer.Fault.status(503, { route: "health" }),
          LangfuseServer.Fault.status(503, { route: "health" })
        )
        assert.strictEqual((yield* send(whole(1))).delivered.length, 1)
      }))

    it.scoped("hangs: the batch fails after requestTimeout", () =>
      Effect.gen(function*() {
        const { send, server } = yield* start(v4, { requestTimeout: "1 second" })
        yield* server.script(LangfuseServer.Fault.hang({ route: "health" }))
        const sending = yield* Effect.fork(send(whole(1)))
        yield* server.awaitRequests(1)
        yield* turns()
        yield* TestClock.adjust("1 second")
        assert.strictEqual((yield* Fiber.join(sending)).failed[0]?.error.reason, "Timeout")
        assert.strictEqual((yield* send(whole(2))).delivered.length, 1)
      }))
  })

  describe("a server that is upgraded to v4 while we run", () => {
    it.scoped("gets the events it refused over OTLP, those only, and everything after that", () =>
      Effect.gen(function*() {
        const { early, logs, paths, send, server, stored } = yield* start(v3)
        yield* send(whole(1))
        yield* server.setVersion("4.16.0")
        const report = yield* send(
          whole(2),
          score("score"),
          event("trace-create", { id: traceId, userId: "ada" }, { id: "trace" })
        )
        assert.deepStrictEqual(names(report.delivered), ["score", "trace", "whole 2"])
        assert.deepStrictEqual([report.failed, report.rejected], [[], []])
        assert.deepStrictEqual(yield* paths, ["health", "ingestion", "ingestion", "otel/v1/traces"])
        // The score was accepted the first time.
        assert.strictEqual((yield* server.scores).length, 1)
        assert.deepStrictEqual((yield* server.accepted).filter((each) => each === "score"), ["score"])

        yield* send(whole(3), score("other"))
        assert.deepStrictEqual((yield* paths).slice(4).sort(), ["ingestion", "otel/v1/traces"])
        assert.deepStrictEqual(yield* stored, [id(1), id(2), id(3)])
        // Refusals that lead to another try are nobody's business.
        assert.deepStrictEqual(early.flatMap((each) => [...each.failed, ...each.rejected]), [])
        assert.deepStrictEqual(infos(logs), [
          "the batch endpoint of this Langfuse takes only scores and logs: " +
          "traces and observations now go to the OpenTelemetry endpoint"
        ])
      }))

    it.scoped("says so once, even to several batches at one time", () =>
      Effect.gen(function*() {
        const { logs, send, server, stored } = yield* start(v3)
        yield* send(whole(1))
        yield* server.setVersion("4.16.0")
        yield* Effect.all([send(whole(2)), send(whole(3)), send(whole(4))], { concurrency: 3 })
        assert.deepStrictEqual(yield* stored, [id(1), id(2), id(3), id(4)])
        assert.strictEqual(infos(logs).length, 1)
      }))

    it.scoped("an event that it refuses for another reason stays refused", () =>
      Effect.gen(function*() {
        const { paths, send } = yield* start(v3)
        const report = yield* send(event("span-create", { id: id(1), level: "loud" }, { id: "bad" }), whole(2))
        assert.deepStrictEqual(names(report.rejected.map((each) => each.event)), ["bad"])
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
        assert.deepStrictEqual(names((yield* send(whole(3))).delivered), ["whole 3"])
        yield* server.setVersion("4.16.0")
        yield* server.setOtlp(true)
        assert.deepStrictEqual(names((yield* send(whole(4))).delivered), ["whole 4"])
        assert.sameMembers([...yield* stored], [id(1), id(2), id(3), id(4)])
        assert.strictEqual(infos(logs).length, 3)
      }))
  })

  describe("a server without the OpenTelemetry endpoint", () => {
    it.scoped("gets what it answered with 404, and all that was held, at its batch endpoint", () =>
      Effect.gen(function*() {
        const { early, logs, paths, send, server } = yield* start(v4)
        assert.deepStrictEqual(
          names((yield* send(create(1), event("trace-create", { id: traceId, name: "t" }, { id: "trace" }))).delivered),
          []
        )
        yield* server.setVersion("3.10.0")
        yield* server.setOtlp(false)
        const report = yield* send(
          event("span-create", { id: id(2), traceId: "f".repeat(32), endTime: time(5) }, { id: "two" }),
          score("score")
        )
        assert.deepStrictEqual(names(report.delivered), ["create 1", "score", "trace", "two"])
        assert.deepStrictEqual([report.failed, report.rejected], [[], []])
        assert.deepStrictEqual(early.flatMap((each) => each.failed), [])
        assert.deepStrictEqual(names((yield* send(end(1))).delivered), ["end 1"])
        const one = (yield* server.observations).find((each) => each.id === id(1))
        assert.deepInclude(one, { endTime: time(11), startTime: time(1) })
        assert.deepStrictEqual((yield* paths).filter((path) => path === "otel/v1/traces").length, 1)
        assert.deepStrictEqual(infos(logs), [
          "this Langfuse has no OpenTelemetry endpoint (404): traces and observations now go to the batch endpoint"
        ])
      }))

    it.scoped("is found out by a flush and a drain as well", () =>
      Effect.gen(function*() {
        for (const way of ["flush", "drain"] as const) {
          const one = yield* start(v4)
          yield* one.send(event("trace-create", { id: traceId, name: "t" }, { id: "trace" }))
          yield* one.server.setVersion("3.10.0")
          yield* one.server.setOtlp(false)
          assert.deepStrictEqual(names((yield* one[way]).delivered), ["trace"])
          assert.deepStrictEqual((yield* one.server.traces).map((each) => each.name), ["t"])
        }
      }))

    it.scoped("and by what leaves because its time has come", () =>
      Effect.gen(function*() {
        const memory = yield* Memory.make({ ...keys, ...v4 })
        const scope = yield* Effect.acquireRelease(Scope.make(), (scope) => Scope.close(scope, Exit.void))
        const ingest = yield* Memory.build(
          LangfuseIngest.LangfuseIngest,
          LangfuseIngest.layer({ ...keys, baseUrl: memory.server.url }).pipe(
            Layer.provide(memory.layer),
            Layer.provide(collectLogs().layer)
          )
        ).pipe(Scope.extend(scope))
        yield* ingest.enqueue(create(1))
        yield* TestClock.adjust("2 seconds")
        yield* turns()
        yield* memory.server.setVersion("3.10.0")
        yield* memory.server.setOtlp(false)
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
        assert.deepStrictEqual(failures(report), ["whole 1"])
        assert.deepInclude(report.failed[0]?.error, { reason: "Status", status: 404 })
        assert.deepStrictEqual(yield* paths, ["health", "otel/v1/traces", "ingestion"])
      }))

    it.scoped("whose batch endpoint wants none of it either: rejected, once", () =>
      Effect.gen(function*() {
        const { paths, send } = yield* start({ ...v4, otlp: false })
        const report = yield* send(whole(1), score("score"))
        assert.deepStrictEqual(names(report.rejected.map((each) => each.event)), ["whole 1"])
        assert.deepStrictEqual(names(report.delivered), ["score"])
        assert.strictEqual((yield* paths).length, 4)
      }))
  })

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

  // -----------------------------------------------------------------------------------

  const step = FastCheck.oneof(
    { arbitrary: FastCheck.constant("send" as const), weight: 6 },
    { arbitrary: FastCheck.constantFrom("v3" as const, "v4" as const, "old" as const), weight: 3 },
    { arbitrary: FastCheck.constantFrom("down" as const, "up" as const, "flush" as const), weight: 2 }
  )

  it.effect.prop(
    "however often the server changes under it, every event is settled once and the server has what was delivered",
    { steps: FastCheck.array(step, { maxLength: 25 }) },
    ({ steps }) =>
      Effect.scoped(Effect.gen(function*() {
        const one = yield* start(v3)
        const settled: Array<string> = []
        const delivered = new Set<string>()
        const sent: Array<string> = []
        let n = 1
        const settle = (report: DeliveryReport.DeliveryReport) => {
          for (const each of report.delivered) delivered.add(each.id)
          settled.push(
            ...names(report.delivered),
            ...failures(report),
            ...names(report.rejected.map((each) => each.event))
          )
        }
        for (const each of steps) {
          switch (each) {
            case "send": {
              const batch = [whole(n), create(n + 1), score(`score ${n}`)] as const
              sent.push(...names(batch))
              settle(yield* one.send(...batch))
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
            case "flush":
              settle(yield* one.flush)
              break
          }
        }
        yield* one.setUp(true)
        settle(yield* one.drain)
        assert.deepStrictEqual(settled.slice().sort(), sent.slice().sort())
        const stored = new Set(yield* one.stored)
        for (const name of delivered) {
          const [, number] = /^(?:whole|create) (\d+)$/.exec(name) ?? []
          if (number !== undefined) assert.isTrue(stored.has(id(Number(number))), `${name} is on the server`)
        }
        assert.strictEqual(
          (yield* one.server.scores).length,
          [...delivered].filter((name) => name.startsWith("score")).length
        )
        assert.deepStrictEqual(
          one.early.flatMap((report) => report.delivered).filter((each) => !delivered.has(each.id)),
          []
        )
      })),
    runs(20)
  )
})
