/**
 * What only `auto` has to cope with: servers that are not what they seem, or change.
 */
import { assert, describe, it } from "@effect/vitest"
import { Context, Effect, Layer } from "effect"
import { IngestionEvent, LangfuseIngest, LangfuseServer } from "effect-langfuse"
import { fetchClient } from "./support/clients.js"
import { auto } from "./support/protocols.js"
import * as Proxy from "./support/proxy.js"
import * as Run from "./support/run.js"
import { publicKey, secretKey } from "./support/run.js"
import { serve } from "./support/server.js"

const { Fault } = LangfuseServer

const run = (baseUrl: string, setup: Partial<Run.Setup> = {}) =>
  Run.run({ protocol: auto, client: fetchClient, baseUrl, ...setup })

const stored = (server: LangfuseServer.Service) =>
  Effect.map(server.observations, (observations) => observations.map(({ id }) => id))

/** Lines about which protocol is used. */
const switches = (outcome: Run.Outcome) =>
  outcome.output.text().split("\n").filter((line) =>
    line.startsWith("{\"message\"") && line.includes("traces and observations now go to")
  )

describe.concurrent("auto", () => {
  const rounds = [["auto", "3.225.4"], ["auto", "4.16.0"], ["otlp", "4.16.0"]] as const
  for (const [protocol, version] of rounds) {
    it.scopedLive(`what was said first counts as first before it is known which Langfuse it is: ${protocol}, ${version}`, () =>
      Effect.gen(function*() {
        const server = yield* serve(auto, { version })
        yield* server.script(Fault.delay("200 millis", { route: "health" }))
        const ingest = yield* Layer.build(
          LangfuseIngest.layer({ publicKey, secretKey, baseUrl: server.url, protocol }).pipe(Layer.provide(fetchClient))
        ).pipe(Effect.map(Context.get(LangfuseIngest.LangfuseIngest)))
        const traceId = "0123456789abcdef0123456789abcdef"
        const startTime = new Date("2023-11-14T22:13:20Z")
        const id = "00000000000000aa"
        // Three batches, of which the last is about what is in the first.
        ingest.unsafeEnqueue(IngestionEvent.unsafeSpanCreate({ id, traceId, startTime }))
        for (let i = 0; i < 1100; i++) {
          ingest.unsafeEnqueue(IngestionEvent.unsafeSpanCreate({ traceId, startTime, endTime: startTime }))
        }
        ingest.unsafeEnqueue(IngestionEvent.unsafeSpanUpdate({ id, output: "new", endTime: startTime }))
        yield* ingest.flush
        assert.deepInclude(yield* ingest.stats, { delivered: 1102, pending: 0, rejected: 0 })
        const root = (yield* server.observations).find((observation) => observation.id === id)
        assert.deepInclude(root, { startTime: startTime.toISOString(), output: "new" })
      }))
  }

  const health: ReadonlyArray<readonly [string, LangfuseServer.Fault]> = [
    ["a page", Fault.html({ route: "health" })],
    ["nothing", Fault.empty({ route: "health" })],
    ["404", Fault.respond({ status: 404, route: "health", body: "no" })],
    ["401", Fault.status(401, { route: "health" })],
    ["a version that is none", Fault.respond({ status: 200, route: "health", body: "{\"version\":\"soon\"}" })],
    ["a version that is no text", Fault.respond({ status: 200, route: "health", body: "{\"version\":4}" })],
    ["a list", Fault.respond({ status: 200, route: "health", body: "[4]" })],
    ["half of its body", Fault.truncate({ route: "health" })]
  ]
  for (const [what, fault] of health) {
    for (const version of ["3.120.0", "4.16.0"]) {
      it.scopedLive(`when the health check of ${version} answers with ${what}, all events arrive`, () =>
        Effect.gen(function*() {
          const server = yield* serve(auto, { version })
          yield* server.always(fault)
          const outcome = yield* run(server.url)
          assert.deepInclude(outcome.stats, { delivered: 15, failed: 0, rejected: 0 })
          assert.sameMembers(yield* stored(server), [...outcome.delivered])
        }))
    }
  }

  it.scopedLive("when the health check fails, all events arrive all the same", () =>
    Effect.gen(function*() {
      const server = yield* serve(auto)
      yield* server.script(
        Fault.status(503, { route: "health" }),
        Fault.reset("before", { route: "health" })
      )
      const outcome = yield* run(server.url)
      assert.deepInclude(outcome.stats, { delivered: 15, failed: 0 })
      assert.sameMembers(yield* stored(server), [...outcome.delivered])
    }))

  it.scopedLive("a server too old for OpenTelemetry, whose health check is hidden: all arrive, and one line says why", () =>
    Effect.gen(function*() {
      const server = yield* serve(auto, { version: "3.10.0", otlp: false })
      yield* server.always(Fault.status(404, { route: "health" }))
      const outcome = yield* run(server.url)
      assert.deepInclude(outcome.stats, { delivered: 15, failed: 0, rejected: 0 })
      assert.sameMembers(yield* stored(server), [...outcome.delivered])
      assert.strictEqual(switches(outcome).length, 1)
    }))

  it.scopedLive("an upgrade to v4 under way: nothing is lost or sent twice, and one line says why", () =>
    Effect.gen(function*() {
      const server = yield* serve(auto, { version: "3.120.0" })
      const outcome = yield* run(server.url, {
        meanwhile: (ingest) => Effect.zipRight(Run.settled(ingest, 15), server.setVersion("4.16.0")),
        then: 15
      })
      assert.deepInclude(outcome.stats, { offered: 30, delivered: 30, failed: 0, rejected: 0 })
      assert.sameMembers(yield* stored(server), [...outcome.delivered])
      assert.strictEqual(switches(outcome).length, 1)
    }))

  it.scopedLive("a gateway that lets no endpoint take traces: all are refused, and each is tried a few times at most", () =>
    Effect.gen(function*() {
      const server = yield* serve(auto, { otlp: false })
      const gateway = yield* Proxy.serve(server.url, () => undefined)
      yield* server.always(Fault.status(404, { route: "health" }))
      const outcome = yield* run(gateway.url, { events: 100 })
      assert.strictEqual(outcome.stats.delivered, 0)
      assert.strictEqual(outcome.stats.rejected + outcome.stats.failed, 100)
      assert.deepStrictEqual(yield* stored(server), [])
      assert.isAtMost(gateway.requests(), 3 * 20)
      assert.isAtMost(outcome.warnings.length, 2)
    }))
})

describe.sequential("after all of that", () => {
  it("nothing that any of these runs put out holds a key or a payload", () => {
    Run.searchWholeOutput()
  })
})
