/**
 * Telemetry never affects the program: what has broken programs that were watched by others, and what could.
 */
import { HttpClient } from "@effect/platform"
import { assert, describe, it } from "@effect/vitest"
import {
  Cause,
  ConfigProvider,
  Context,
  Deferred,
  Effect,
  Exit,
  Fiber,
  Layer,
  Logger,
  ManagedRuntime,
  Scope,
  Tracer
} from "effect"
import { IngestionEvent, type LangfuseConfig, LangfuseIngest, LangfuseServer, LangfuseTracer } from "effect-langfuse"
import * as Client from "../utils/client.js"
import { isBalanced } from "../utils/ingest.js"
import { clients, fetchClient } from "./support/clients.js"
import * as FaultClock from "./support/clock.js"
import { generation, marker, newRun } from "./support/host.js"
import { hostile, huge } from "./support/hostile.js"
import * as Output from "./support/output.js"
import { type Protocol, protocols } from "./support/protocols.js"
import * as Raw from "./support/raw.js"
import * as Run from "./support/run.js"
import { serve } from "./support/server.js"

const { Fault } = LangfuseServer

/** The service as a user has it, with its own end. */
const start = (
  protocol: Protocol,
  options: Partial<LangfuseConfig.Options>,
  client: Layer.Layer<HttpClient.HttpClient> = fetchClient
) =>
  Effect.gen(function*() {
    const output = yield* Output.capture
    const scope = yield* Scope.make()
    const context = yield* LangfuseIngest.layer({
      publicKey: Run.publicKey,
      secretKey: Run.secretKey,
      protocol: protocol.name,
      interval: "20 millis",
      ...options
    }).pipe(Layer.provide(client), Layer.provideMerge(output.layer), Layer.buildWithScope(scope))
    const close = Effect.suspend(() => {
      const before = performance.now()
      return Effect.map(Effect.exit(Scope.close(scope, Exit.void)), (exit) => ({
        exit,
        took: performance.now() - before
      }))
    })
    return { ingest: Context.get(context, LangfuseIngest.LangfuseIngest), close, output }
  })

const event = (index: number, input: unknown) => generation(newRun(), index, input)

/** What code without types may hand over: the cast is that it has none. */
const untyped = (effect: Effect.Effect<unknown, unknown>) => effect as Effect.Effect<never>

const quiet = (output: Output.Output) => {
  assert.deepStrictEqual(output.uncaught(), [])
  Run.searchFor(output.text())
}

// Auto sends by way of these.
const wires = protocols.filter(({ name }) => name !== "auto")

describe.each(wires.map((protocol) => [protocol.name, protocol] as const))("over %s", (_, protocol) => {
  it.scopedLive("values that break serialisers are delivered with a note in their place, and nothing is thrown", () =>
    Effect.gen(function*() {
      const server = yield* serve(protocol)
      const { close, ingest, output } = yield* start(protocol, { baseUrl: server.url })
      const ids: Array<string> = []
      const fields = ["input", "output", "metadata"] as const
      const rows = [
        ...hostile.map((row) => [...row, fields] as const),
        ...huge.map((row) => [...row, fields.slice(0, 1)] as const)
      ]
      for (const [what, make, fields] of rows) {
        for (const field of fields) {
          const whole = event(ids.length, undefined)
          ids.push(whole.body.id)
          const taken = ingest.unsafeEnqueue({ ...whole, body: { ...whole.body, [field]: make() } })
          assert.isTrue(taken, `${what} as ${field}`)
        }
      }
      yield* ingest.flush
      yield* close
      const stored = yield* server.observations
      assert.sameMembers(stored.map(({ id }) => id), ids)
      assert.deepInclude(yield* ingest.stats, { offered: ids.length, delivered: ids.length })
      assert.deepStrictEqual(yield* server.losses, [])
      assert.isUndefined(Reflect.get({}, "polluted"))
      quiet(output)
    }))

  it.scopedLive("events that are no events at all neither throw nor take others with them", () =>
    Effect.gen(function*() {
      const server = yield* serve(protocol)
      const { close, ingest, output } = yield* start(protocol, { baseUrl: server.url })
      const good = event(1, "good")
      let offered = 0
      const values: Array<unknown> = [undefined, null, 7, "text", [], {}, () => {}, Symbol("s")]
      values.push(...hostile.map(([, make]) => make()))
      for (const [, make] of hostile) {
        values.push({ ...good, body: make() }, { ...good, id: make() }, { ...good, type: make() })
        values.push({ ...good, timestamp: make() }, { ...good, trace: make() })
        values.push({ ...good, body: { ...good.body, id: make() } }, { ...good, body: { ...good.body, tags: make() } })
      }
      for (const value of values) {
        offered++
        // Code without types may pass anything.
        assert.doesNotThrow(() => Reflect.apply(ingest.unsafeEnqueue, ingest, [value]))
      }
      yield* ingest.flush
      const last = event(2, "last")
      yield* ingest.enqueue(last)
      yield* ingest.flush
      yield* close
      assert.include((yield* server.observations).map(({ id }) => id), last.body.id)
      const stats = yield* ingest.stats
      assert.isTrue(isBalanced(stats))
      assert.deepInclude(stats, { offered: offered + 1, pending: 0 })
      quiet(output)
    }))
})

describe.each(protocols.map((protocol) => [protocol.name, protocol] as const))("over %s", (name, protocol) => {
  it.scopedLive("a burst of 10 000 events in one turn: each is delivered or dropped, and drops are told", () =>
    Effect.gen(function*() {
      const server = yield* serve(protocol)
      const { close, ingest, output } = yield* start(protocol, {
        baseUrl: server.url,
        capacity: 1024,
        shutdownTimeout: "20 seconds"
      })
      const run = newRun()
      let taken = 0
      for (let i = 0; i < 10_000; i++) if (ingest.unsafeEnqueue(generation(run, i, marker))) taken++
      yield* close
      const stats = yield* ingest.stats
      assert.deepInclude(stats, { offered: 10_000, delivered: taken, dropped: 10_000 - taken, failed: 0, pending: 0 })
      assert.strictEqual((yield* server.observations).length, taken)
      assert.isAbove(stats.dropped, 0)
      // One in ten seconds.
      assert.isAtMost(output.warnings().length, 2)
      assert.match(output.warnings()[0] ?? "", /no room for more Langfuse events/)
      quiet(output)
    }))

  it.scopedLive("a server that never answers, and 5000 events: one request, one batch and the queue are all that is held", () =>
    Effect.gen(function*() {
      const raw = yield* Raw.serve({ request: () => {} })
      const { close, ingest, output } = yield* start(protocol, {
        baseUrl: raw.url,
        capacity: 1024,
        maxBatch: 100,
        concurrency: 1,
        requestTimeout: "1 minute",
        shutdownTimeout: "300 millis"
      })
      const run = newRun()
      for (let i = 0; i < 5000; i++) {
        yield* ingest.enqueue(generation(run, i, marker))
        if (i % 500 === 0) yield* Effect.sleep("1 millis")
        assert.isAtMost((yield* ingest.stats).pending, 1024 + 100)
      }
      // The first is the question for the version.
      assert.isAtMost(raw.requests(), 2)
      assert.isAtMost(raw.open().most, 2)
      const { exit, took } = yield* close
      assert.isTrue(Exit.isSuccess(exit))
      assert.isBelow(took, 1500)
      const stats = yield* ingest.stats
      assert.deepInclude(stats, { offered: 5000, delivered: 0, pending: 0 })
      assert.strictEqual(stats.failed + stats.dropped, 5000)
      quiet(output)
    }))

  it.scopedLive("15 events of 900 KB and then the end: all of them arrive", () =>
    Effect.gen(function*() {
      const server = yield* serve(protocol)
      const { close, ingest } = yield* start(protocol, { baseUrl: server.url, shutdownTimeout: "20 seconds" })
      const events = Array.from({ length: 15 }, (_, index) => event(index, "x".repeat(900_000)))
      for (const each of events) assert.isTrue(ingest.unsafeEnqueue(each))
      yield* close
      assert.sameMembers((yield* server.observations).map(({ id }) => id), events.map(({ body }) => body.id))
      assert.deepInclude(yield* ingest.stats, { delivered: 15, failed: 0 })
    }))

  it.scopedLive("1000 observations that never end are not kept beyond the end of the program", () =>
    Effect.gen(function*() {
      const server = yield* serve(protocol)
      const { close, ingest, output } = yield* start(protocol, { baseUrl: server.url, shutdownTimeout: "20 seconds" })
      const run = newRun()
      for (let i = 0; i < 1000; i++) {
        const { body, ...envelope } = generation(run, i, marker)
        const { endTime: _, ...open } = body
        ingest.unsafeEnqueue({ ...envelope, body: open })
      }
      yield* ingest.flush
      yield* close
      assert.strictEqual((yield* server.observations).length, 1000)
      assert.deepInclude(yield* ingest.stats, { delivered: 1000, pending: 0 })
      quiet(output)
    }))

  describe.each(clients)("with %s", (_, client) => {
    it.scopedLive("when nobody listens the end of the program is not delayed", () =>
      Effect.gen(function*() {
        const port = yield* Raw.closedPort
        const { close, ingest, output } = yield* start(protocol, { baseUrl: `http://127.0.0.1:${port}` }, client)
        for (let i = 0; i < 300; i++) ingest.unsafeEnqueue(event(i, marker))
        const { exit, took } = yield* close
        assert.isTrue(Exit.isSuccess(exit))
        assert.isBelow(took, 1500)
        assert.deepInclude(yield* ingest.stats, { failed: 300, pending: 0 })
        quiet(output)
      }))
  })

  it.scopedLive("the program ends as it would unwatched: with its value, its failure, its defect or its interruption", () =>
    Effect.gen(function*() {
      const output = yield* Output.capture
      const raw = yield* Raw.serve({ connect: (socket) => socket.resetAndDestroy() })
      const traced = <A, E>(rest: Effect.Effect<A, E>) =>
        Effect.gen(function*() {
          const ingest = yield* LangfuseIngest.LangfuseIngest
          for (let i = 0; i < 20; i++) yield* ingest.enqueue(event(i, marker))
          return yield* rest
        })
      const defect = new Error("a bug of the program's own")
      const endings: ReadonlyArray<Effect.Effect<string, string>> = [
        Effect.succeed("value"),
        Effect.fail("failure"),
        Effect.die(defect),
        Effect.interrupt,
        Effect.acquireUseRelease(Effect.succeed("resource"), Effect.succeed, () => Effect.die(defect)),
        Effect.flatMap(Effect.fork(Effect.fail("in a fiber")), Fiber.join)
      ]
      const layer = LangfuseIngest.layer({
        publicKey: Run.publicKey,
        secretKey: Run.secretKey,
        protocol: name,
        baseUrl: raw.url
      }).pipe(Layer.provide(fetchClient), Layer.provideMerge(output.layer))
      const shape = <A, E>(exit: Exit.Exit<A, E>) =>
        Exit.match(exit, {
          onSuccess: (value) => ({ value }),
          onFailure: (cause) => ({
            failures: [...Cause.failures(cause)],
            defects: [...Cause.defects(cause)],
            isInterrupted: Cause.isInterrupted(cause)
          })
        })
      for (const ending of endings) {
        const watched = yield* Effect.exit(Effect.provide(traced(ending), layer))
        const unwatched = yield* Effect.exit(Effect.provide(traced(ending), LangfuseIngest.layerNoop))
        assert.deepStrictEqual(shape(watched), shape(unwatched))
      }
      quiet(output)
    }))
})

describe.each(wires.map((protocol) => [protocol.name, protocol] as const))("the tracer, over %s", (name, protocol) => {
  const traced = (baseUrl: string, output: Output.Output) =>
    LangfuseTracer.layer({ filter: "all" }).pipe(
      Layer.provideMerge(
        LangfuseIngest.layer({
          publicKey: Run.publicKey,
          secretKey: Run.secretKey,
          protocol: name,
          baseUrl,
          capacity: 20_000,
          shutdownTimeout: "20 seconds"
        })
      ),
      Layer.provide(fetchClient),
      Layer.provide(output.layer)
    )

  it.scopedLive("attributes that cannot be written cost the program nothing, and the span arrives", () =>
    Effect.gen(function*() {
      const server = yield* serve(protocol)
      const output = yield* Output.capture
      const values = hostile.map(([, make]) => make())
      const result = yield* Effect.forEach(values, (value, index) =>
        Effect.succeed(index).pipe(
          Effect.tap(Effect.annotateCurrentSpan("late", value)),
          Effect.withSpan("step", { attributes: { value, input: value } })
        )).pipe(Effect.provide(traced(server.url, output)))
      assert.deepStrictEqual(result, values.map((_, index) => index))
      assert.strictEqual((yield* server.observations).length, values.length)
      quiet(output)
    }))

  it.scopedLive("a span that failed is an ERROR, and only one that was interrupted is told to have been", () =>
    Effect.gen(function*() {
      const server = yield* serve(protocol)
      const output = yield* Output.capture
      yield* Effect.gen(function*() {
        yield* Effect.exit(Effect.withSpan(Effect.fail("no"), "failed"))
        yield* Effect.exit(Effect.withSpan(Effect.interrupt, "interrupted"))
        yield* Effect.withSpan(Effect.void, "succeeded")
      }).pipe(Effect.provide(traced(server.url, output)))
      const levels = new Map((yield* server.observations).map(({ level, name }) => [name, level]))
      assert.deepStrictEqual(
        levels,
        new Map([["failed", "ERROR"], ["interrupted", "WARNING"], ["succeeded", "DEFAULT"]])
      )
      quiet(output)
    }))

  it.scopedLive("3000 spans that end in one turn all arrive, when there is room for them", () =>
    Effect.gen(function*() {
      const server = yield* serve(protocol)
      const output = yield* Output.capture
      yield* Effect.forEach(
        Array.from({ length: 3000 }),
        () => Effect.withSpan(Effect.void, "step"),
        { discard: true }
      ).pipe(Effect.provide(traced(server.url, output)))
      assert.strictEqual((yield* server.observations).length, 3000)
      assert.deepStrictEqual(output.warnings(), [])
    }))
})

describe("what the program brings along", () => {
  const [protocol] = protocols
  if (protocol === undefined) throw new Error("there is no protocol")

  it.scopedLive("an HTTP client that throws, dies, interrupts, or answers nonsense fails requests and nothing else", () =>
    Effect.gen(function*() {
      const broken: ReadonlyArray<HttpClient.HttpClient> = [
        HttpClient.make(() => {
          throw new Error(marker)
        }),
        HttpClient.make(() => Effect.die(new Error(marker))),
        HttpClient.make(() => Effect.interrupt),
        HttpClient.make(() => untyped(Effect.void)),
        HttpClient.make(() => untyped(Effect.succeed({ status: 207 }))),
        HttpClient.make(() => untyped(Effect.fail(marker)))
      ]
      for (const each of broken) {
        const { close, ingest, output } = yield* start(
          protocol,
          { baseUrl: "http://127.0.0.1:9" },
          Layer.succeed(HttpClient.HttpClient, each)
        )
        for (let i = 0; i < 5; i++) yield* ingest.enqueue(event(i, marker))
        assert.deepInclude(yield* ingest.flush, { failed: 5, pending: 0 })
        yield* close
        assert.strictEqual(output.warnings().length, 1)
        quiet(output)
      }
    }))

  it.scopedLive("whoever flushes lends the exporter nothing: not their clock, nor their log annotations, nor their tracer", () =>
    Effect.gen(function*() {
      const port = yield* Raw.closedPort
      const { close, ingest, output } = yield* start(protocol, {
        baseUrl: `http://127.0.0.1:${port}`,
        interval: "1 milli"
      })
      const stopped = { ...FaultClock.make(), sleep: () => Effect.never }
      const spans: Array<string> = []
      const tracer = Tracer.make({
        span: (name, ...rest) => {
          spans.push(name)
          return native.span(name, ...rest)
        },
        context: (f, fiber) => native.context(f, fiber)
      })
      const native = yield* Effect.tracer
      yield* ingest.enqueue(event(1, marker))
      yield* ingest.flush.pipe(
        Effect.annotateLogs("request", marker),
        Effect.withLogSpan(marker),
        Effect.withTracer(tracer),
        Effect.withClock(stopped),
        // A flush that waits for a clock that stands still has no other end.
        Effect.timeoutOption("1 second")
      )
      // What comes after that flush leaves by the exporter's own clock.
      yield* ingest.enqueue(event(2, marker))
      for (let i = 0; i < 100 && (yield* ingest.stats).failed < 2; i++) yield* Effect.sleep("20 millis")
      assert.deepInclude(yield* ingest.stats, { offered: 2, failed: 2, pending: 0 })
      yield* close
      assert.deepStrictEqual(spans, [])
      assert.strictEqual(output.warnings().length, 1)
      quiet(output)
    }))

  it.scopedLive("a transformClient that throws fails requests; the program starts", () =>
    Effect.gen(function*() {
      const { ingest, output } = yield* start(protocol, {
        baseUrl: "http://127.0.0.1:9",
        transformClient: () => {
          throw new Error(marker)
        }
      })
      yield* ingest.enqueue(event(1, marker))
      assert.deepInclude(yield* ingest.flush, { failed: 1, pending: 0 })
      assert.match(output.warnings()[0] ?? "", /a bug in the HTTP client or transport/)
      quiet(output)
    }))

  it.scopedLive("a mask that throws, answers with a promise, or changes what it is given is no way out for the value", () =>
    Effect.gen(function*() {
      const server = yield* serve(protocol)
      const masks: ReadonlyArray<LangfuseConfig.Mask> = [
        () => {
          throw new Error(marker)
        },
        () => Promise.reject(new Error(marker)),
        (value) => Object.assign(Object(value), { then: () => {} }),
        () => Symbol("s"),
        () => () => marker
      ]
      for (const mask of masks) {
        const { close, ingest, output } = yield* start(protocol, { baseUrl: server.url, mask })
        const messages = [{ role: "user", content: marker }]
        assert.isTrue(ingest.unsafeEnqueue(event(1, messages)))
        assert.deepStrictEqual(messages, [{ role: "user", content: marker }])
        yield* ingest.flush
        yield* close
        quiet(output)
        assert.strictEqual(output.warnings().length, 1)
      }
      assert.strictEqual((yield* server.observations).length, masks.length)
      assert.notInclude(JSON.stringify(yield* server.observations), marker)
    }))

  it.scopedLive("a logger that throws is not heard of again", () =>
    Effect.gen(function*() {
      const port = yield* Raw.closedPort
      const output = yield* Output.capture
      const throwing = Logger.replace(
        Logger.defaultLogger,
        Logger.make(() => {
          throw new Error("the logger")
        })
      )
      const stats = yield* Effect.gen(function*() {
        const ingest = yield* LangfuseIngest.LangfuseIngest
        for (let i = 0; i < 2000; i++) ingest.unsafeEnqueue(event(i, marker))
        yield* ingest.flush
        return yield* ingest.stats
      }).pipe(
        Effect.provide(
          LangfuseIngest.layer({
            publicKey: Run.publicKey,
            secretKey: Run.secretKey,
            protocol: protocol.name,
            baseUrl: `http://127.0.0.1:${port}`,
            capacity: 1024
          }).pipe(Layer.provide(fetchClient), Layer.provide(throwing))
        )
      )
      assert.deepInclude(stats, { offered: 2000, failed: 1024, dropped: 976, pending: 0 })
      quiet(output)
    }))

  it.scopedLive("a logger that sends its lines to Langfuse does not feed itself", () =>
    Effect.gen(function*() {
      const port = yield* Raw.closedPort
      const holder: { ingest?: LangfuseIngest.Service } = {}
      let lines = 0
      const toLangfuse = Logger.replace(
        Logger.defaultLogger,
        Logger.make(({ message }) => {
          lines++
          holder.ingest?.unsafeEnqueue(IngestionEvent.unsafeSdkLog({ log: message }))
        })
      )
      const stats = yield* Effect.gen(function*() {
        const ingest = yield* LangfuseIngest.LangfuseIngest
        holder.ingest = ingest
        for (let i = 0; i < 50; i++) {
          for (let j = 0; j < 30; j++) ingest.unsafeEnqueue(event(j, marker))
          yield* ingest.flush
        }
        return yield* ingest.stats
      }).pipe(
        Effect.provide(
          LangfuseIngest.layer({
            publicKey: Run.publicKey,
            secretKey: Run.secretKey,
            protocol: protocol.name,
            baseUrl: `http://127.0.0.1:${port}`,
            capacity: 20
          }).pipe(Layer.provide(fetchClient), Layer.provide(toLangfuse))
        )
      )
      assert.isTrue(isBalanced(stats))
      assert.isAbove(lines, 0)
      assert.isBelow(lines, 10)
    }))

  it.scopedLive("a getter that enqueues, and so calls itself without end, ends, and the ledger balances", () =>
    Effect.gen(function*() {
      const server = yield* serve(protocol)
      const { close, ingest, output } = yield* start(protocol, { baseUrl: server.url })
      let depth = 0
      const endless = (): unknown => ({
        get again() {
          depth++
          ingest.unsafeEnqueue(event(depth, endless()))
          return depth
        }
      })
      assert.doesNotThrow(() => ingest.unsafeEnqueue(event(0, endless())))
      const stats = yield* ingest.stats
      assert.isTrue(isBalanced(stats), JSON.stringify(stats))
      yield* ingest.flush
      yield* close
      const after = yield* ingest.stats
      assert.isTrue(isBalanced(after))
      assert.strictEqual(after.pending, 0)
      assert.isAbove(depth, 1)
      quiet(output)
    }))

  it("layers can be built and events enqueued without a turn of the event loop", () => {
    const fake = Client.make()
    const runtime = ManagedRuntime.make(
      LangfuseIngest.layer({
        publicKey: Run.publicKey,
        secretKey: Run.secretKey,
        protocol: protocol.name,
        baseUrl: "http://127.0.0.1:9"
      }).pipe(Layer.provide(fake.layer))
    )
    const ingest = runtime.runSync(LangfuseIngest.LangfuseIngest)
    assert.isTrue(runtime.runSync(ingest.enqueue(event(1, marker))))
    assert.isTrue(ingest.unsafeEnqueue(event(2, marker)))
    return runtime.dispose().then(() => {
      assert.deepInclude(Effect.runSync(ingest.stats), { offered: 2, delivered: 2 })
    })
  })

  it.scopedLive("without configuration the program starts: tracing is off, and one warning names what is missing", () =>
    Effect.gen(function*() {
      const output = yield* Output.capture
      const accepted = yield* Effect.gen(function*() {
        const ingest = yield* LangfuseIngest.LangfuseIngest
        return yield* ingest.enqueue(event(1, marker))
      }).pipe(
        Effect.provide(
          LangfuseIngest.layerFromEnv.pipe(
            Layer.provide(fetchClient),
            Layer.provide(Layer.setConfigProvider(ConfigProvider.fromMap(new Map()))),
            Layer.provideMerge(output.layer)
          )
        )
      )
      assert.isFalse(accepted)
      assert.deepStrictEqual(output.warnings(), [
        "Langfuse tracing is off: LANGFUSE_PUBLIC_KEY and LANGFUSE_SECRET_KEY not set"
      ])
    }))

  it.scopedLive("closing twice, flushing after the end and flushing while closing all end", () =>
    Effect.gen(function*() {
      const server = yield* serve(protocol)
      yield* server.script(Fault.delay(100, { route: protocol.route }))
      const { close, ingest } = yield* start(protocol, { baseUrl: server.url, interval: "1 hour" })
      yield* ingest.enqueue(event(1, marker))
      const closing = yield* Effect.fork(close)
      const flushes = yield* Effect.forEach([1, 2, 3], () => Effect.fork(ingest.flush))
      yield* Fiber.join(closing)
      yield* Effect.forEach(flushes, Fiber.join)
      yield* close
      assert.deepStrictEqual(yield* ingest.flush, { delivered: 0, rejected: 0, failed: 0, pending: 0 })
      assert.deepInclude(yield* ingest.stats, { offered: 1, delivered: 1 })
    }))

  it.scopedLive("a fiber that is interrupted closes its layer like any other: what it enqueued arrives", () =>
    Effect.gen(function*() {
      const server = yield* serve(protocol)
      const output = yield* Output.capture
      const started = yield* Deferred.make<LangfuseIngest.Service>()
      const fiber = yield* Effect.gen(function*() {
        const ingest = yield* LangfuseIngest.LangfuseIngest
        for (let i = 0; i < 12; i++) yield* ingest.enqueue(event(i, marker))
        yield* Deferred.succeed(started, ingest)
        return yield* Effect.never
      }).pipe(
        Effect.provide(
          LangfuseIngest.layer({
            publicKey: Run.publicKey,
            secretKey: Run.secretKey,
            protocol: protocol.name,
            baseUrl: server.url,
            interval: "1 hour"
          }).pipe(Layer.provide(fetchClient), Layer.provide(output.layer))
        ),
        Effect.fork
      )
      const ingest = yield* Deferred.await(started)
      yield* Fiber.interrupt(fiber)
      assert.deepInclude(yield* ingest.stats, { offered: 12, delivered: 12, pending: 0 })
      assert.strictEqual((yield* server.observations).length, 12)
      quiet(output)
    }))
})
