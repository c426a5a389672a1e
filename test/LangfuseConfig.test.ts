import { FetchHttpClient } from "@effect/platform"
import { assert, describe, it } from "@effect/vitest"
import { Cause, Config, ConfigProvider, Duration, Effect, Exit, Layer, Redacted } from "effect"
import * as IngestionEvent from "effect-langfuse/IngestionEvent"
import * as LangfuseConfig from "effect-langfuse/LangfuseConfig"
import * as LangfuseIngest from "effect-langfuse/LangfuseIngest"
import * as Client from "./utils/client.js"
import { collectLogs, event, keys, start } from "./utils/ingest.js"

const withEnv = (variables: Record<string, string>) =>
  Effect.withConfigProvider(ConfigProvider.fromMap(new Map(Object.entries(variables))))

const complete = { LANGFUSE_PUBLIC_KEY: "pk-lf-1", LANGFUSE_SECRET_KEY: "sk-lf-hidden" }

/** The text of the ConfigError that an environment causes. */
const problem = (variables: Record<string, string>) =>
  Effect.map(Effect.flip(withEnv({ ...complete, ...variables })(LangfuseConfig.env)), String)

const built = <E>(layer: Layer.Layer<LangfuseIngest.LangfuseIngest, E>) => Effect.scoped(Layer.build(layer))

describe("LangfuseConfig", () => {
  describe("environment", () => {
    it.effect("reads every variable of the official SDKs", () =>
      Effect.gen(function*() {
        const env = yield* withEnv({
          ...complete,
          LANGFUSE_BASE_URL: "https://langfuse.example/sub/",
          LANGFUSE_FLUSH_AT: "15",
          LANGFUSE_FLUSH_INTERVAL: "0.5",
          LANGFUSE_TIMEOUT: "7",
          LANGFUSE_SAMPLE_RATE: "0.25",
          LANGFUSE_TRACING_ENVIRONMENT: "Staging",
          LANGFUSE_RELEASE: "v1.2.3",
          OTEL_SERVICE_NAME: "checkout",
          LANGFUSE_TRACING_ENABLED: "false"
        })(LangfuseConfig.env)
        assert.strictEqual(env.publicKey, "pk-lf-1")
        assert.strictEqual(env.secretKey && Redacted.value(env.secretKey), "sk-lf-hidden")
        assert.strictEqual(env.baseUrl, "https://langfuse.example/sub")
        assert.strictEqual(env.maxBatch, 15)
        assert.deepStrictEqual(env.interval, Duration.millis(500))
        assert.deepStrictEqual(env.requestTimeout, Duration.seconds(7))
        assert.strictEqual(env.sampleRate, 0.25)
        assert.strictEqual(env.environment, "staging")
        assert.strictEqual(env.release, "v1.2.3")
        assert.strictEqual(env.serviceName, "checkout")
        assert.strictEqual(env.enabled, false)
      }))

    it.effect("LANGFUSE_BASE_URL wins over LANGFUSE_BASEURL, and that over LANGFUSE_HOST; a blank one is not set", () =>
      Effect.gen(function*() {
        const all = { LANGFUSE_BASE_URL: "http://a", LANGFUSE_BASEURL: "http://b", LANGFUSE_HOST: "http://c" }
        const baseUrl = (variables: Record<string, string>) =>
          Effect.map(withEnv(variables)(LangfuseConfig.env), (env) => env.baseUrl)
        assert.strictEqual(yield* baseUrl(all), "http://a")
        assert.strictEqual(yield* baseUrl({ ...all, LANGFUSE_BASE_URL: " " }), "http://b")
        assert.strictEqual(yield* baseUrl({ LANGFUSE_HOST: "http://c" }), "http://c")
        assert.strictEqual(yield* baseUrl({}), undefined)
      }))

    it.effect("a malformed value names the variable, what it got and what it takes", () =>
      Effect.gen(function*() {
        const cases: ReadonlyArray<readonly [name: string, value: string, got: string, takes: string]> = [
          ["LANGFUSE_SAMPLE_RATE", "7", "7", "a number from 0 to 1"],
          ["LANGFUSE_SAMPLE_RATE", "half", "\"half\"", "a number"],
          ["LANGFUSE_FLUSH_AT", "1.5", "1.5", "a whole number"],
          ["LANGFUSE_FLUSH_INTERVAL", "-1", "\"-1\"", "a number of seconds"],
          ["LANGFUSE_TIMEOUT", "soon", "\"soon\"", "a number of seconds"],
          ["LANGFUSE_BASE_URL", "langfuse.example", "\"langfuse.example\"", "an http or https address"],
          ["LANGFUSE_HOST", "ftp://x", "\"ftp://x\"", "an http or https address"],
          ["LANGFUSE_TRACING_ENVIRONMENT", "Prod EU", "\"Prod EU\"", "a-z, 0-9"],
          ["LANGFUSE_TRACING_ENVIRONMENT", "langfuse-x", "\"langfuse-x\"", "not starting with"],
          ["LANGFUSE_TRACING_ENABLED", "maybe", "\"maybe\"", "true or false"]
        ]
        for (const [name, value, got, takes] of cases) {
          const text = yield* problem({ [name]: value })
          assert.include(text, name)
          assert.include(text.replaceAll("\\", ""), got)
          assert.include(text.replaceAll("\\", ""), takes)
        }
      }))

    it.effect("a key in the wrong variable, or a malformed key, is never shown", () =>
      Effect.gen(function*() {
        for (
          const [name, value] of [
            ["LANGFUSE_BASE_URL", "sk-lf-hidden"],
            ["LANGFUSE_BASE_URL", "https://user:hidden@example.com"],
            ["LANGFUSE_SECRET_KEY", "sk-lf-hid den"],
            ["LANGFUSE_SAMPLE_RATE", "sk-lf-hidden"]
          ] as const
        ) {
          const text = yield* problem({ [name]: value })
          assert.include(text, name)
          assert.notInclude(text, "hid")
        }
      }))
  })

  describe("layers", () => {
    it.effect("layerFromEnv without keys: tracing is off, and one warning names what is missing", () =>
      Effect.gen(function*() {
        const logs = collectLogs()
        const fake = Client.make()
        const enqueued = yield* Effect.flatMap(LangfuseIngest.LangfuseIngest, (ingest) => ingest.enqueue(event("a")))
          .pipe(
            Effect.provide(
              LangfuseIngest.layerFromEnv.pipe(Layer.provide(fake.layer), Layer.provideMerge(logs.layer))
            ),
            withEnv({ LANGFUSE_PUBLIC_KEY: "pk-lf-1" })
          )
        assert.isFalse(enqueued)
        assert.strictEqual(logs.warnings().length, 1)
        assert.include(logs.warnings()[0] ?? "", "LANGFUSE_SECRET_KEY")
        assert.notInclude(logs.warnings()[0] ?? "", "LANGFUSE_PUBLIC_KEY")
        assert.strictEqual(fake.requests.length, 0)
      }))

    it.effect("layerFromEnv with a malformed value is a ConfigError", () =>
      Effect.gen(function*() {
        const error = yield* built(LangfuseIngest.layerFromEnv.pipe(Layer.provide(FetchHttpClient.layer))).pipe(
          withEnv({ ...complete, LANGFUSE_SAMPLE_RATE: "7" }),
          Effect.flip
        )
        assert.include(String(error), "LANGFUSE_SAMPLE_RATE")
      }))

    it.effect("LANGFUSE_TRACING_ENABLED=false turns tracing off without a word", () =>
      Effect.gen(function*() {
        const logs = collectLogs()
        const enqueued = yield* Effect.flatMap(LangfuseIngest.LangfuseIngest, (ingest) => ingest.enqueue(event("a")))
          .pipe(
            Effect.provide(
              LangfuseIngest.layerFromEnv.pipe(Layer.provide(Client.make().layer), Layer.provideMerge(logs.layer))
            ),
            withEnv({ ...complete, LANGFUSE_TRACING_ENABLED: "false" })
          )
        assert.isFalse(enqueued)
        assert.deepStrictEqual(logs.lines, [])
      }))

    it.effect("layerFromEnvWith: options win over variables", () =>
      Effect.gen(function*() {
        const fake = Client.make()
        yield* Effect.gen(function*() {
          const ingest = yield* LangfuseIngest.LangfuseIngest
          yield* ingest.enqueue(event("a"))
          yield* ingest.flush
        }).pipe(
          Effect.provide(
            LangfuseIngest.layerFromEnvWith({ baseUrl: "https://option.test", protocol: "ingestion" }).pipe(
              Layer.provide(fake.layer)
            )
          ),
          withEnv({ ...complete, LANGFUSE_BASE_URL: "https://variable.test" })
        )
        assert.strictEqual(fake.requests[0]?.url, "https://option.test/api/public/ingestion")
      }))

    it.effect("layerConfig is strict: a missing key is a ConfigError", () =>
      Effect.gen(function*() {
        const layer = LangfuseIngest.layerConfig({
          publicKey: Config.string("LANGFUSE_PUBLIC_KEY"),
          secretKey: Config.redacted("LANGFUSE_SECRET_KEY")
        }).pipe(Layer.provide(FetchHttpClient.layer))
        const error = yield* built(layer).pipe(withEnv({ LANGFUSE_PUBLIC_KEY: "pk-lf-1" }), Effect.flip)
        assert.include(String(error), "LANGFUSE_SECRET_KEY")
      }))

    it.effect("layerConfig: an option that makes no sense is a ConfigError", () =>
      Effect.gen(function*() {
        const layer = LangfuseIngest.layerConfig({
          publicKey: Config.string("LANGFUSE_PUBLIC_KEY"),
          secretKey: Config.redacted("LANGFUSE_SECRET_KEY"),
          capacity: Config.integer("CAPACITY")
        }).pipe(Layer.provide(FetchHttpClient.layer))
        const error = yield* built(layer).pipe(withEnv({ ...complete, CAPACITY: "-3" }), Effect.flip)
        assert.include(String(error), "capacity")
        assert.include(String(error), "-3")
      }))

    it.effect("layer: an option that makes no sense is a defect that carries the ConfigError", () =>
      Effect.gen(function*() {
        for (
          const options of [
            { sampleRate: 2 },
            { sampleRate: Number.NaN },
            { capacity: 1.5 },
            { interval: -1 },
            { requestTimeout: "1 year" },
            { baseUrl: "not an address" },
            { publicKey: "" },
            { secretKey: Redacted.make("with blank") },
            { environment: "Prod EU" },
            { content: "some" },
            { protocol: "carrier pigeon" }
          ]
        ) {
          // What plain JavaScript can pass, whatever the types say.
          const given = { ...keys, ...options } as LangfuseConfig.Options
          const exit = yield* Effect.exit(
            built(LangfuseIngest.layer(given).pipe(Layer.provide(FetchHttpClient.layer)))
          )
          assert.isTrue(Exit.isFailure(exit), JSON.stringify(options))
          if (Exit.isFailure(exit)) {
            const text = Cause.pretty(exit.cause)
            assert.include(text, Object.keys(options)[0] ?? "")
            assert.notInclude(text, "sk-lf-test-secret")
          }
        }
      }))
  })

  it("what is not given has the documented default", () => {
    const { flushTimeout, interval, requestTimeout, shutdownTimeout, ...plain } = LangfuseConfig.defaults
    assert.deepStrictEqual(plain, {
      baseUrl: "https://cloud.langfuse.com",
      capacity: 10_000,
      maxBatch: 512,
      maxQueueBytes: 67_108_864,
      maxBatchBytes: 2_500_000,
      maxEventBytes: 1_000_000,
      protocol: "auto",
      sampleRate: 1,
      content: "full",
      compression: "none",
      enabled: true
    })
    assert.deepStrictEqual([interval, requestTimeout, flushTimeout, shutdownTimeout].map(Duration.toSeconds), [
      2,
      5,
      5,
      5
    ])
  })

  it.scoped("0 is 1 for what has to be at least one", () =>
    Effect.gen(function*() {
      const { batches, ingest } = yield* start({ maxBatch: 0, capacity: 0, concurrency: 0, interval: 0 })
      assert.isTrue(yield* ingest.enqueue(event("a")))
      assert.isFalse(yield* ingest.enqueue(event("b")))
      yield* ingest.flush
      assert.isTrue(yield* ingest.enqueue(event("c")))
      yield* ingest.flush
      assert.deepStrictEqual(batches(), [["a"], ["c"]])
    }))

  it.effect("layerMemory takes an event whose body cannot be read for a refusal, also while it samples", () =>
    Effect.gen(function*() {
      const ingest = yield* LangfuseIngest.LangfuseIngest
      const hostile: IngestionEvent.IngestionEvent = {
        type: "span-create",
        id: "e",
        timestamp: "2026-11-23T12:00:00.000Z",
        get body(): never {
          throw new Error("s3cr3t")
        }
      }
      assert.isFalse(ingest.unsafeEnqueue(hostile))
      assert.isFalse(yield* ingest.enqueue(hostile))
      assert.deepInclude(yield* ingest.stats, { offered: 2, rejected: 2, pending: 0 })
      assert.deepStrictEqual(yield* (yield* LangfuseIngest.CapturedEvents).all, [])
    }).pipe(Effect.provide(LangfuseIngest.layerMemoryWith({ sampleRate: 0.5 }))))

  it.effect("layerMemory keeps events as they would leave, for a test to read", () =>
    Effect.gen(function*() {
      const ingest = yield* LangfuseIngest.LangfuseIngest
      const captured = yield* LangfuseIngest.CapturedEvents
      const input = { secret: Redacted.make("hidden"), list: [1] }
      assert.isTrue(yield* ingest.enqueue(yield* IngestionEvent.traceCreate({ id: "t1", name: "n", input })))
      input.list.push(2)
      const [first, ...rest] = yield* captured.all
      assert.deepStrictEqual(rest, [])
      assert.strictEqual(first?.type, "trace-create")
      assert.deepInclude(first?.body, { id: "t1", name: "n", input: { secret: "<redacted>", list: [1] } })
      assert.deepInclude(yield* ingest.stats, { offered: 1, delivered: 1 })
      yield* captured.clear
      assert.deepStrictEqual(yield* captured.all, [])
    }).pipe(Effect.provide(LangfuseIngest.layerMemory)))

  it.effect("layerNoop takes nothing", () =>
    Effect.gen(function*() {
      const ingest = yield* LangfuseIngest.LangfuseIngest
      assert.isFalse(yield* ingest.enqueue(event("a")))
      assert.deepInclude(yield* ingest.stats, { offered: 0 })
    }).pipe(Effect.provide(LangfuseIngest.layerNoop)))
})
