/**
 * The `retry` option, over real HTTP: what is sent again, and what never is.
 */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Schedule } from "effect"
import { LangfuseServer } from "effect-langfuse"
import { fetchClient } from "./support/clients.js"
import * as FaultClock from "./support/clock.js"
import { ingestion, type Protocol, protocols, rowsFor } from "./support/protocols.js"
import * as Raw from "./support/raw.js"
import * as Run from "./support/run.js"
import { serve } from "./support/server.js"

const { Fault } = LangfuseServer

const thrice = Schedule.intersect(Schedule.spaced("5 millis"), Schedule.recurs(3))

const sent = (server: LangfuseServer.Service, protocol: Protocol) =>
  Effect.map(server.requests, (requests) => requests.filter(({ path }) => path === protocol.path).map(({ ids }) => ids))

describe.concurrent.each(protocols.map((protocol) => [protocol.name, protocol] as const))("over %s", (_, protocol) => {
  const { route } = protocol
  const run = (server: LangfuseServer.Service, options: Run.Setup["options"] = {}) =>
    Run.run({ protocol, client: fetchClient, baseUrl: server.url, events: 5, options: { retry: thrice, ...options } })

  const passing: ReadonlyArray<readonly [string, LangfuseServer.Fault]> = [
    ["408", Fault.status(408, { route })],
    ["429", Fault.rateLimited(0, { route })],
    ["500", Fault.status(500, { route })],
    ["502", Fault.status(502, { route })],
    ["503", Fault.status(503, { route })],
    ["504", Fault.status(504, { route })],
    ["a reset before anything was stored", Fault.reset("before", { route })],
    ["a reset after everything was stored", Fault.reset("after", { route })],
    ["an answer that breaks off", Fault.reset("body", { route })]
  ]
  for (const [what, fault] of rowsFor(protocol, passing)) {
    it.scopedLive(`after ${what} the same events go out once more, with the same ids, and are stored once`, () =>
      Effect.gen(function*() {
        const server = yield* serve(protocol)
        yield* server.script(fault)
        const outcome = yield* run(server)
        assert.deepInclude(outcome.stats, { delivered: 5, failed: 0, rejected: 0 })
        assert.deepStrictEqual(outcome.warnings, [])
        const [first, second, ...more] = yield* sent(server, protocol)
        assert.deepStrictEqual(second, first)
        assert.deepStrictEqual(more, [])
        assert.sameMembers((yield* server.observations).map(({ id }) => id), [...outcome.delivered])
      }))
  }

  it.scopedLive("when it hangs, the same events go out once more after requestTimeout", () =>
    Effect.gen(function*() {
      const server = yield* serve(protocol)
      yield* server.script(Fault.hang({ route }))
      const outcome = yield* run(server, { requestTimeout: "700 millis" })
      assert.deepInclude(outcome.stats, { delivered: 5, failed: 0 })
      const [first, ...others] = yield* sent(server, protocol)
      // A slow machine may need more than one.
      assert.isAtLeast(others.length, 1)
      for (const ids of others) assert.deepStrictEqual(ids, first)
    }))

  // To auto a 404 says that there is no such endpoint, and that the other one is to be tried.
  for (const status of protocol.name === "auto" ? [401, 403, 405, 413, 422] : [401, 403, 404, 405, 413, 422]) {
    it.scopedLive(`${status} is not tried again`, () =>
      Effect.gen(function*() {
        const server = yield* serve(protocol)
        yield* server.always(Fault.status(status, { route }))
        const outcome = yield* run(server, { maxBatch: 1 })
        assert.deepInclude(outcome.stats, { delivered: 0, failed: 5 })
        assert.strictEqual((yield* sent(server, protocol)).length, 5)
      }))
  }

  it.scopedLive("the schedule says how often; then they have failed, with one warning", () =>
    Effect.gen(function*() {
      const server = yield* serve(protocol)
      yield* server.always(Fault.status(503, { route }))
      const outcome = yield* run(server)
      assert.deepInclude(outcome.stats, { delivered: 0, failed: 5 })
      assert.strictEqual((yield* sent(server, protocol)).length, 4)
      assert.strictEqual(outcome.warnings.length, 1)
      assert.match(outcome.warnings[0] ?? "", /^5 Langfuse events failed: 503/)
    }))

  it.scopedLive("close cuts the wait for another try short, at shutdownTimeout", () =>
    Effect.gen(function*() {
      const server = yield* serve(protocol)
      yield* server.always(Fault.status(503, { route }))
      const outcome = yield* Run.run({
        protocol,
        client: fetchClient,
        baseUrl: server.url,
        events: 5,
        options: { retry: Schedule.spaced("1 hour"), flushTimeout: "100 millis", shutdownTimeout: "200 millis" },
        meanwhile: () => Effect.asVoid(server.awaitRequests(2))
      })
      assert.deepInclude(outcome.stats, { delivered: 0, failed: 5 })
      assert.isBelow(outcome.closing, 1500)
      assert.strictEqual((yield* sent(server, protocol)).length, 1)
      assert.match(outcome.warnings.join(), /not sent or not confirmed within 200ms of closing/)
    }))

  it.scopedLive("Retry-After is waited for before the next try", () =>
    Effect.gen(function*() {
      const server = yield* serve(protocol)
      yield* server.script(Fault.rateLimited(20, { route }))
      const clock = FaultClock.make(40)
      const before = performance.now()
      const outcome = yield* Run.run({
        protocol,
        client: fetchClient,
        baseUrl: server.url,
        events: 5,
        clock,
        options: { retry: thrice, requestTimeout: "5 minutes", flushTimeout: "5 minutes", shutdownTimeout: "1 minute" }
      })
      assert.deepInclude(outcome.stats, { delivered: 5, failed: 0 })
      assert.isAtLeast(performance.now() - before, 480)
    }))
})

describe.concurrent("over ingestion alone", () => {
  it.scopedLive("within one answer only the events that are worth it are tried again, never those accepted or refused", () =>
    Effect.gen(function*() {
      const server = yield* serve(ingestion)
      const isOneOf = (indices: ReadonlyArray<number>) => (event: unknown) =>
        typeof event === "object" && event !== null && "id" in event &&
        indices.includes(Number(String(event.id).split("-")[1]))
      yield* server.script(
        Fault.rewrite((body) => {
          const answer: { readonly successes: ReadonlyArray<{ readonly id: string }> } = JSON.parse(body)
          const refusals = new Map([[1, 400], [2, 503], [3, 429]])
          const statusOf = (id: string) => refusals.get(Number(id.split("-")[1]))
          return JSON.stringify({
            successes: answer.successes.filter(({ id }) => statusOf(id) === undefined),
            errors: answer.successes.flatMap(({ id }) => {
              const status = statusOf(id)
              return status === undefined ? [] : [{ id, status, message: "for now" }]
            })
          })
        }, { route: "ingestion" }),
        Fault.reject(isOneOf([3]), { status: 500 })
      )
      const outcome = yield* Run.run({
        protocol: ingestion,
        client: fetchClient,
        baseUrl: server.url,
        events: 5,
        options: { retry: thrice }
      })
      const indices = (ids: ReadonlyArray<string>) => ids.map((id) => Number(id.split("-")[1]))
      assert.deepStrictEqual((yield* sent(server, ingestion)).map(indices), [[0, 1, 2, 3, 4], [2, 3], [3]])
      assert.deepInclude(outcome.stats, { delivered: 4, rejected: 1, failed: 0 })
    }))

  it.scopedLive("a schedule that breaks ends the tries, not the exporter", () =>
    Effect.gen(function*() {
      const server = yield* serve(ingestion)
      yield* server.script(Fault.status(503, { route: "ingestion" }), Fault.status(503, { route: "ingestion" }))
      const outcome = yield* Run.run({
        protocol: ingestion,
        client: fetchClient,
        baseUrl: server.url,
        events: 10,
        options: {
          retry: Schedule.mapEffect(Schedule.recurs(5), () => Effect.die(new Error("the schedule")))
        }
      })
      assert.deepInclude(outcome.stats, { delivered: 0, failed: 10 })
    }))

  it.scopedLive("with nobody listening the tries end, and so does the program", () =>
    Effect.gen(function*() {
      const port = yield* Raw.closedPort
      const outcome = yield* Run.run({
        protocol: ingestion,
        client: fetchClient,
        baseUrl: `http://127.0.0.1:${port}`,
        options: { retry: thrice }
      })
      assert.deepInclude(outcome.stats, { delivered: 0, failed: 15 })
      assert.strictEqual(outcome.warnings.length, 1)
    }))
})

describe.sequential("after all of that", () => {
  it("nothing that any of these runs put out holds a key or a payload", () => {
    Run.searchWholeOutput()
  })
})
