/**
 * Faults that last, come back, or are told by the server: pauses, restarts, clocks that jump, limits of size.
 */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit, Scope } from "effect"
import { LangfuseServer } from "effect-langfuse"
import * as Answers from "./support/answers.js"
import { fetchClient } from "./support/clients.js"
import * as FaultClock from "./support/clock.js"
import { protocols } from "./support/protocols.js"
import * as Proxy from "./support/proxy.js"
import * as Raw from "./support/raw.js"
import * as Run from "./support/run.js"
import { serve } from "./support/server.js"

const { Fault } = LangfuseServer

/** So many seconds of the program's pass in one of the test's. */
const pace = 40

/** When a request arrived, on the wall. */
const arrivals = (server: LangfuseServer.Service, count: number) =>
  Effect.map(server.awaitRequests(count), () => performance.now())

describe.concurrent.each(protocols.map((protocol) => [protocol.name, protocol] as const))(
  "over %s",
  (name, protocol) => {
    const client = fetchClient
    /** What auto asks before its first batch. */
    const questions = 1

    describe("429", () => {
      const limited = (headers: Readonly<Record<string, string>>, body: unknown) =>
        Fault.respond({
          status: 429,
          headers: {
            "content-type": "application/json; charset=utf-8",
            "x-ratelimit-limit": "1000",
            "x-ratelimit-remaining": "0",
            // Neither a number nor a date of HTTP, and so nothing to go by.
            "x-ratelimit-reset": "Mon Nov 23 2026 12:00:30 GMT+0000 (Coordinated Universal Time)",
            ...headers
          },
          body: typeof body === "string" ? body : JSON.stringify(body),
          route: protocol.route
        })
      const body = (seconds: unknown) => ({
        message: "Rate limit exceeded",
        code: "rate_limited",
        details: { retryAfterSeconds: seconds, limit: 1000, remaining: 0, resetAt: "2026-11-23T12:00:30.000Z" }
      })
      /** What is left of it when it is read depends on the machine: half a second of the wall's is allowed for. */
      const soon = () => new Date(FaultClock.make(pace).unsafeCurrentTimeMillis() + 51_000).toUTCString()

      /** Header, body, and how long the pause then is, in seconds of the program's clock. */
      const rows: ReadonlyArray<readonly [string, () => LangfuseServer.Fault, number, number]> = [
        ["seconds", () => limited({ "retry-after": "20" }, body(20)), 20, 20],
        ["seconds that the body contradicts", () => limited({ "retry-after": "20" }, body(1)), 20, 20],
        ["a date", () => limited({ "retry-after": soon() }, body(1)), 31, 51],
        ["a date in the past", () => limited({ "retry-after": "Wed, 21 Oct 2015 07:28:00 GMT" }, body(20)), 0, 0],
        ["nothing, and the body says it", () => limited({}, body(20)), 20, 20],
        ["nothing at all", () => limited({}, "<html>Too Many Requests</html>"), 1, 1],
        ["an age of the world", () => limited({ "retry-after": "9".repeat(400) }, body(1)), 60, 60],
        ["a negative number", () => limited({ "retry-after": "-20" }, body(20)), 0, 1],
        ["words", () => limited({ "retry-after": "in a while" }, body("soon")), 1, 1],
        ["a zero", () => limited({ "retry-after": "0" }, body(20)), 0, 0]
      ]
      for (const [what, fault, least, most] of name === "ingestion" ? rows : rows.slice(0, 1)) {
        it.scopedLive(`Retry-After with ${what}: its batch fails, the next one waits, but a minute at most`, () =>
          Effect.gen(function*() {
            const server = yield* serve(protocol)
            const clock = FaultClock.make(pace)
            yield* server.script(fault())
            const first = yield* Effect.fork(arrivals(server, questions + 1))
            const second = yield* Effect.fork(arrivals(server, questions + 2))
            const outcome = yield* Run.run({
              protocol,
              client,
              baseUrl: server.url,
              events: 10,
              clock,
              options: {
                interval: "1 second",
                requestTimeout: "5 minutes",
                flushTimeout: "10 minutes",
                shutdownTimeout: "5 minutes"
              }
            })
            const waited = (((yield* second) - (yield* first)) / 1000) * pace
            assert.deepInclude(outcome.stats, { delivered: 5, failed: 5, rejected: 0 })
            assert.sameMembers((yield* server.observations).map(({ id }) => id), [...outcome.delivered])
            assert.isAtLeast(waited, least - 0.5)
            // What the machine takes counts for as much more as the clock is faster.
            assert.isBelow(waited, most + 1.2 * pace)
            assert.strictEqual(outcome.warnings.length, 1)
            assert.match(outcome.warnings[0] ?? "", /429: .*asked to wait \d+(\.\d+)? s; fewer, larger batches/)
          }))
      }

      it.scopedLive("a pause of a minute holds up neither the program nor its end", () =>
        Effect.gen(function*() {
          const server = yield* serve(protocol)
          yield* server.always(Fault.rateLimited(3600, { route: protocol.route }))
          const outcome = yield* Run.run({
            protocol,
            client,
            baseUrl: server.url,
            options: { flushTimeout: "100 millis", shutdownTimeout: "200 millis" },
            meanwhile: (ingest) => Run.settled(ingest, 5)
          })
          assert.deepInclude(outcome.stats, { delivered: 0, failed: 15 })
          assert.strictEqual((yield* server.requests).length, questions + 1)
        }))
    })

    describe("413", () => {
      it.scopedLive("at any size: requests are halved until they pass, and what does not pass alone has failed", () =>
        Effect.gen(function*() {
          // An event takes a little more than 1200 bytes here.
          for (const maxBodyBytes of [900, 2_000, 4_000, 6_500, 13_000]) {
            const server = yield* serve(protocol, { maxBodyBytes })
            // The endpoint has no limit for OTLP; a proxy in front of it does.
            const limit = name === "ingestion"
              ? undefined
              : yield* Proxy.serve(
                server.url,
                ({ text }) =>
                  text.length > maxBodyBytes
                    ? { status: 413, body: "<h1>413 Request Entity Too Large</h1>" }
                    : undefined
              )
            const outcome = yield* Run.run({
              protocol,
              client,
              baseUrl: limit?.url ?? server.url,
              padding: 800,
              options: { maxBatch: 15 }
            })
            assert.sameMembers((yield* server.observations).map(({ id }) => id), [...outcome.delivered])
            assert.strictEqual(outcome.stats.delivered, maxBodyBytes < 1_500 ? 0 : 15, `${maxBodyBytes}`)
            // One request for the whole, and two more for each time that one is halved.
            const requests = limit?.requests() ?? (yield* server.requests).length - questions
            assert.isAtMost(requests, 2 * 15 - 1)
            assert.strictEqual(outcome.warnings.length, outcome.stats.failed > 0 ? 1 : 0)
          }
        }))

      it.scopedLive("always: it ends, and a single warning says so", () =>
        Effect.gen(function*() {
          const server = yield* serve(protocol)
          yield* server.always(Fault.respond({ status: 413, body: "Body exceeded 4.5mb limit", route: protocol.route }))
          const outcome = yield* Run.run({ protocol, client, baseUrl: server.url })
          assert.deepInclude(outcome.stats, { delivered: 0, failed: 15 })
          assert.strictEqual((yield* server.requests).length, questions + 3 * 9)
          assert.strictEqual(outcome.warnings.length, 1)
          assert.match(outcome.warnings[0] ?? "", /413: .*lower maxEventBytes/)
        }))

      it.scopedLive("on one half of a batch: what the other half delivered counts, although close cuts the rest short", () =>
        Effect.gen(function*() {
          const server = yield* serve(protocol)
          yield* server.script(
            Fault.respond({ status: 413, route: protocol.route }),
            Fault.delay(0, { route: protocol.route }),
            Fault.hang({ route: protocol.route })
          )
          const outcome = yield* Run.run({
            protocol,
            client,
            baseUrl: server.url,
            events: 5,
            options: { flushTimeout: "100 millis", shutdownTimeout: "200 millis" },
            // The third request, which hangs, is made when the second has been answered.
            meanwhile: () => Effect.asVoid(server.awaitRequests(questions + 3))
          })
          assert.deepInclude(outcome.stats, { delivered: 2, failed: 3 })
          assert.sameMembers((yield* server.observations).map(({ id }) => id), [...outcome.delivered])
        }))
    })

    const alone = (status: number) =>
      Effect.gen(function*() {
        const server = yield* serve(protocol)
        const picky = yield* Proxy.serve(
          server.url,
          ({ text }) => text.includes("in 7 ") ? { status, body: "no" } : undefined
        )
        const outcome = yield* Run.run({ protocol, client, baseUrl: picky.url })
        assert.deepInclude(outcome.stats, { delivered: 14, failed: 1 })
        assert.deepStrictEqual([...outcome.failed], [outcome.accepted[7] ?? "?"])
        assert.sameMembers((yield* server.observations).map(({ id }) => id), [...outcome.delivered])
        assert.strictEqual(outcome.warnings.length, 1)
      })

    it.scopedLive("a 413 for one event costs that event alone", () => alone(413))

    if (name !== "ingestion") it.scopedLive("a 400 for one span costs that span alone", () => alone(400))

    it.scopedLive("one failure is no blackout: the next batch goes out, and what failed is logged at the usual level", () =>
      Effect.gen(function*() {
        const server = yield* serve(protocol)
        const [answer] = Answers.gateway.filter(({ status }) => status === 502)
        yield* server.script(
          Fault.respond({
            status: answer?.status ?? 502,
            headers: answer?.headers,
            body: answer?.body,
            route: protocol.route
          })
        )
        const outcome = yield* Run.run({ protocol, client, baseUrl: server.url, events: 30 })
        assert.deepInclude(outcome.stats, { delivered: 25, failed: 5 })
        assert.strictEqual(outcome.warnings.length, 1)
      }))

    it.scopedLive("a server that restarts between batches costs at most the batches in between", () =>
      Effect.gen(function*() {
        const first = yield* Scope.make()
        const before = yield* serve(protocol).pipe(Scope.extend(first))
        const port = Number(new URL(before.url).port)
        let held: ReadonlyArray<string> = []
        const second = yield* Effect.scope
        let after: LangfuseServer.Service | undefined
        const outcome = yield* Run.run({
          protocol,
          client,
          baseUrl: before.url,
          events: 15,
          // Windows of one batch each, the first of which goes to the first server.
          options: { maxBatch: 5, interval: "1 hour" },
          meanwhile: Effect.fnUntraced(function*(ingest) {
            yield* Run.settled(ingest, 15)
            held = (yield* before.observations).map(({ id }) => id)
            yield* Scope.close(first, Exit.void)
            after = yield* serve(protocol, { port }).pipe(Scope.extend(second))
          }),
          then: 15
        })
        const stored = [...held, ...after === undefined ? [] : (yield* after.observations).map(({ id }) => id)]
        assert.sameMembers(stored, [...outcome.delivered])
        assert.strictEqual(held.length, 15)
        assert.deepInclude(outcome.stats, { delivered: 30, failed: 0 })
      }))

    it.scopedLive("while the server is gone all fails at once, and when it is back all arrives", () =>
      Effect.gen(function*() {
        const port = yield* Raw.closedPort
        const scope = yield* Effect.scope
        let server: LangfuseServer.Service | undefined
        const outcome = yield* Run.run({
          protocol,
          client,
          baseUrl: `http://127.0.0.1:${port}`,
          meanwhile: Effect.fnUntraced(function*(ingest) {
            yield* Run.settled(ingest, 15)
            server = yield* serve(protocol, { port }).pipe(Scope.extend(scope))
          }),
          then: 15
        })
        assert.deepInclude(outcome.stats, { offered: 30, delivered: 15, failed: 15 })
        assert.sameMembers(
          server === undefined ? [] : (yield* server.observations).map(({ id }) => id),
          [...outcome.delivered]
        )
        assert.strictEqual(outcome.warnings.length, 1)
      }))

    describe("a clock that jumps", () => {
      const day = 24 * 60 * 60 * 1000
      for (const [what, by] of [["ahead", day], ["back", -day]] as const) {
        it.scopedLive(`a day ${what} between batches loses nothing and delays nothing`, () =>
          Effect.gen(function*() {
            const server = yield* serve(protocol)
            const clock = FaultClock.make()
            const outcome = yield* Run.run({
              protocol,
              client,
              baseUrl: server.url,
              clock,
              meanwhile: () => Effect.sync(() => clock.jump(by)),
              then: 15
            })
            assert.deepInclude(outcome.stats, { offered: 30, delivered: 30 })
            assert.deepStrictEqual(outcome.warnings, [])
          }))

        it.scopedLive(`a day ${what} during a pause does not make it longer`, () =>
          Effect.gen(function*() {
            const server = yield* serve(protocol)
            const clock = FaultClock.make(pace)
            yield* server.script(Fault.rateLimited(20, { route: protocol.route }))
            const outcome = yield* Run.run({
              protocol,
              client,
              baseUrl: server.url,
              clock,
              events: 5,
              options: {
                interval: "1 second",
                requestTimeout: "5 minutes",
                flushTimeout: "3 minutes",
                shutdownTimeout: "1 minute"
              },
              meanwhile: Effect.fnUntraced(function*(ingest) {
                yield* Run.settled(ingest, 5)
                yield* Effect.sleep("4 seconds")
                clock.jump(by)
              }),
              then: 10
            })
            assert.deepInclude(outcome.stats, { offered: 15, delivered: 10, failed: 5 })
          }))

        it.scopedLive(`a day ${what} while a server hangs: the request still ends when its time is up`, () =>
          Effect.gen(function*() {
            const server = yield* serve(protocol)
            const clock = FaultClock.make()
            yield* server.script(Fault.hang({ route: protocol.route }))
            const outcome = yield* Run.run({
              protocol,
              client,
              baseUrl: server.url,
              clock,
              events: 5,
              options: { requestTimeout: "1 second" },
              meanwhile: () => Effect.zipRight(server.awaitRequests(questions + 1), Effect.sync(() => clock.jump(by))),
              then: 5
            })
            assert.deepInclude(outcome.stats, { offered: 10, delivered: 5, failed: 5 })
          }))
      }
    })
  }
)

describe.sequential("after all of that", () => {
  it("nothing that any of these runs put out holds a key or a payload", () => {
    Run.searchWholeOutput()
  })
})
