/**
 * What comes from outside can be anything: none of it may throw, loop, or be taken for what it is not.
 */
import { assert, describe, it } from "@effect/vitest"
import { ConfigProvider, Context, Effect, Either, Exit, FastCheck, Layer, Logger, Redacted, Scope } from "effect"
import * as IngestionResponse from "effect-langfuse/IngestionResponse"
import * as LangfuseConfig from "effect-langfuse/LangfuseConfig"
import * as LangfuseIngest from "effect-langfuse/LangfuseIngest"
import { parse as parseSession } from "../../examples/lib/session.js"
import { Trace } from "../../src/core/item/item.js"
import * as Answers from "../../src/core/wire/answers.js"
import { readHealth } from "../../src/core/wire/health.js"
import * as Client from "../utils/client.js"
import { event, isBalanced, keys } from "../utils/ingest.js"
import * as Clock from "./support/clock.js"
import { runs, timeout } from "./support/runs.js"

const json = FastCheck.json({ maxDepth: 4 })

/** Text that is JSON, nearly JSON, or nothing of the kind. */
const text = FastCheck.oneof(
  json,
  FastCheck.fullUnicodeString({ maxLength: 200 }),
  FastCheck.tuple(json, FastCheck.nat(200)).map(([whole, length]) => whole.slice(0, length)),
  FastCheck.string({ maxLength: 200 })
)

/** Objects with the keys that are looked for, and any values. */
const like = (...names: ReadonlyArray<string>): FastCheck.Arbitrary<unknown> =>
  FastCheck.dictionary(
    FastCheck.oneof(FastCheck.constantFrom(...names), FastCheck.string({ maxLength: 5 })),
    FastCheck.letrec((tie) => ({
      value: FastCheck.oneof(
        { depthSize: "small", withCrossShrink: true },
        FastCheck.constantFrom(null, true, 0, -1, 1.5, 1e300, "", "x", "201", 201, 400, 503),
        FastCheck.array(tie("value"), { maxLength: 4 }),
        FastCheck.dictionary(FastCheck.constantFrom(...names), tie("value"), { maxKeys: 4 })
      )
    })).value,
    { maxKeys: 6 }
  )

describe("an answer of the batch endpoint", () => {
  const ids = ["a", "b", "c", "unknown"]
  const batch = ids.map((id) => new Trace(id, 0, id))

  it.prop(
    "is decoded or refused, and settles each event of the batch once",
    [FastCheck.oneof(
      text,
      like("successes", "errors", "id", "status", "message", "error").map((value) => JSON.stringify(value)),
      FastCheck.record({
        successes: FastCheck.array(FastCheck.record({
          id: FastCheck.constantFrom(...ids, "d", "__proto__"),
          status: FastCheck.oneof(FastCheck.integer(), FastCheck.double({ noNaN: true, noDefaultInfinity: true }))
        })),
        errors: FastCheck.array(FastCheck.record({
          id: FastCheck.constantFrom(...ids, "constructor"),
          status: FastCheck.integer(),
          message: FastCheck.option(FastCheck.fullUnicodeString(), { nil: undefined }),
          error: FastCheck.oneof(FastCheck.jsonValue(), json, FastCheck.constant("[{\"code\":\"x\",\"path\":[]}]"))
        }))
      }).map((value) => JSON.stringify(value))
    )],
    ([answer]) => {
      const decoded = IngestionResponse.decode(answer)
      if (Either.isLeft(decoded)) return
      const outcomeOf = Answers.batchOutcomes(decoded.right)
      for (const outcome of batch.map(outcomeOf)) {
        if (outcome === "delivered") continue
        const { description } = "failed" in outcome ? outcome.failed : outcome.rejected
        assert.isAtMost(description.length, 1000)
      }
    },
    { fastCheck: runs(200), timeout }
  )

  it.prop("that is no text is decoded or refused as well", [FastCheck.anything()], ([answer]) => {
    assert.isTrue(Either.isEither(IngestionResponse.decode(answer)))
  }, { fastCheck: runs(200), timeout })
})

describe("what a refusal says", () => {
  const headers = FastCheck.dictionary(
    FastCheck.constantFrom("retry-after", "content-type", "x-ratelimit-reset"),
    FastCheck.oneof(
      FastCheck.string(),
      FastCheck.nat().map(String),
      FastCheck.double().map(String),
      FastCheck.bigInt().map(String),
      FastCheck.date({ noInvalidDate: true }).map((date) => date.toUTCString()),
      FastCheck.constantFrom(
        "",
        " ",
        "-1",
        "+5",
        "1e3",
        "0x10",
        "Infinity",
        "NaN",
        "1, 2",
        "9".repeat(500),
        "5 seconds"
      )
    )
  )
  const bodies = FastCheck.oneof(
    text,
    like("details", "retryAfterSeconds", "message", "error").map((value) => JSON.stringify(value)),
    FastCheck.anything().map((retryAfterSeconds) => {
      try {
        return JSON.stringify({ details: { retryAfterSeconds } })
      } catch {
        return "{"
      }
    })
  )

  it.prop(
    "of waiting is a time from nothing to a minute",
    [headers, bodies, FastCheck.double({ min: -8.64e15, max: 8.64e15, noNaN: true })],
    ([headers, text, now]) => {
      const pause = Answers.retryAfter({ status: 429, headers, text }, now)
      assert.isTrue(Number.isFinite(pause) && pause >= 0 && pause <= 60_000, String(pause))
    },
    { fastCheck: runs(500), timeout }
  )

  it.prop("of its reason is a short text or nothing", [bodies], ([text]) => {
    const message = Answers.serverMessage(text)
    assert.isTrue(message === undefined || (message.length > 0 && message.length <= 200))
  }, { fastCheck: runs(500), timeout })
})

describe("what the health check says", () => {
  const healths = FastCheck.oneof(
    text,
    like("version", "status").map((value) => JSON.stringify(value)),
    FastCheck.record({
      version: FastCheck.oneof(
        FastCheck.string(),
        FastCheck.constantFrom("4", "v3.1", "4.0.0-dev", "4x", "v", "-1", "1e9", "9".repeat(400)),
        FastCheck.anything()
      ),
      status: FastCheck.anything()
    }).map((value) => {
      try {
        return JSON.stringify(value)
      } catch {
        return "{"
      }
    })
  )

  it.prop("is a version and a state, both of them short, or nothing", [healths], ([text]) => {
    const { state, version } = readHealth(text)
    if (state !== undefined) assert.isAtMost(state.length, 200)
    if (version !== undefined) assert.match(version, /^\d.{0,39}$/s)
  }, { fastCheck: runs(500), timeout })
})

describe("any answer at all", () => {
  const statuses = FastCheck.oneof(
    FastCheck.constantFrom(200, 204, 207, 400, 404, 413, 429, 500),
    FastCheck.integer({
      min: 200,
      max: 599
    })
  )
  const answers = FastCheck.record({
    status: statuses,
    headers: FastCheck.dictionary(
      FastCheck.constantFrom("content-type", "retry-after", "content-length", "content-encoding", "location"),
      FastCheck.constantFrom("application/json", "text/html", "0", "1", "7", "gzip", "/", "x"),
      { maxKeys: 3 }
    ),
    text: FastCheck.oneof(
      text,
      like("successes", "errors", "id", "status", "version", "message").map((value) => JSON.stringify(value)),
      FastCheck.constantFrom("{\"version\":\"4.0.0\"}", "{\"version\":\"3.1.0\"}", "{\"successes\":[],\"errors\":[]}")
    )
  })

  const responseOf = ({ headers, status, text }: typeof answers extends FastCheck.Arbitrary<infer A> ? A : never) =>
    new Response([101, 204, 205, 304].includes(status) ? null : text, { status, headers })

  for (const protocol of ["ingestion", "otlp", "auto"] as const) {
    it(`settles every event, over ${protocol}`, () =>
      FastCheck.assert(
        FastCheck.asyncProperty(FastCheck.array(answers, { minLength: 1, maxLength: 12 }), async (script) => {
          const clock = Clock.make()
          const last = { status: 500, headers: {}, text: "" }
          const fake = Client.make((_, index) => responseOf(script[index] ?? last), () => responseOf(script[0] ?? last))
          const scope = Effect.runSync(Scope.make())
          const context = await Effect.runPromise(
            Layer.buildWithScope(
              LangfuseIngest.layer({ ...keys, protocol, baseUrl: "https://langfuse.test", maxBatch: 3 }).pipe(
                Layer.provide(fake.layer),
                Layer.provide(Logger.remove(Logger.defaultLogger))
              ),
              scope
            ).pipe(Effect.withClock(clock))
          )
          const ingest = Context.get(context, LangfuseIngest.LangfuseIngest)
          for (let i = 0; i < 7; i++) ingest.unsafeEnqueue(event(`e${i}`))
          const closing = Effect.runPromise(Effect.withClock(Scope.close(scope, Exit.void), clock))
          await clock.advance(10_000)
          await closing
          const stats = Effect.runSync(ingest.stats)
          assert.isTrue(isBalanced(stats))
          assert.deepInclude(stats, { offered: 7, pending: 0, dropped: 0 })
          assert.isAtMost(fake.requests.length, 60)
        }),
        runs(40)
      ), timeout)
  }
})

describe("a session file", () => {
  it.effect.prop(
    "is read, or refused in one line that says where",
    [FastCheck.oneof(
      text,
      like("trajectory", "history", "info", "role", "content", "response", "thought", "action", "observation").map((
        value
      ) => JSON.stringify(value))
    )],
    ([file]) =>
      Effect.gen(function*() {
        const exit = yield* Effect.exit(parseSession("some/file.json", file))
        if (Exit.isSuccess(exit)) return
        assert.strictEqual(exit.cause._tag, "Fail")
        if (exit.cause._tag !== "Fail") return
        const { line } = exit.cause.error
        assert.isTrue(line.startsWith("some/file.json"))
        assert.notInclude(line, "\n")
      }),
    { fastCheck: runs(200), timeout }
  )
})

describe("the environment", () => {
  const names = [
    "LANGFUSE_BASE_URL",
    "LANGFUSE_BASEURL",
    "LANGFUSE_HOST",
    "LANGFUSE_FLUSH_AT",
    "LANGFUSE_FLUSH_INTERVAL",
    "LANGFUSE_TIMEOUT",
    "LANGFUSE_SAMPLE_RATE",
    "LANGFUSE_TRACING_ENVIRONMENT",
    "LANGFUSE_RELEASE",
    "LANGFUSE_TRACING_ENABLED",
    "LANGFUSE_PUBLIC_KEY",
    "LANGFUSE_SECRET_KEY"
  ]

  it.effect.prop(
    "is options or an error that names the variable, and never a defect",
    [FastCheck.dictionary(
      FastCheck.constantFrom(...names),
      FastCheck.oneof(
        FastCheck.string(),
        FastCheck.fullUnicodeString(),
        FastCheck.double().map(String),
        FastCheck.webUrl(),
        FastCheck.constantFrom("", " ", "0", "-1", "1e9", "NaN", "true", "on", "http://", "https://a:b@c", "ftp://x")
      )
    )],
    ([variables]) =>
      Effect.gen(function*() {
        const provider = ConfigProvider.fromMap(new Map(Object.entries(variables)))
        const exit = yield* Effect.exit(Effect.withConfigProvider(LangfuseConfig.env, provider))
        if (Exit.isFailure(exit)) {
          assert.strictEqual(exit.cause._tag, "Fail")
          assert.isTrue(names.some((name) => String(exit.cause).includes(name)))
          return
        }
        const { baseUrl, secretKey } = exit.value
        if (baseUrl !== undefined) assert.match(baseUrl, /^https?:\/\/[^@/]+(\/.*[^/])?$/)
        if (secretKey !== undefined) assert.isTrue(Redacted.isRedacted(secretKey))
      }),
    { fastCheck: runs(200), timeout }
  )
})

describe("a traced value", () => {
  const anything = FastCheck.anything({
    maxDepth: 4,
    withBigInt: true,
    withBoxedValues: true,
    withDate: true,
    withMap: true,
    withNullPrototype: true,
    withObjectString: true,
    withSet: true,
    withSparseArray: true,
    withTypedArray: true,
    withUnicodeString: true
  })

  it("is always sent as valid JSON", () =>
    FastCheck.assert(
      FastCheck.asyncProperty(FastCheck.array(anything, { minLength: 1, maxLength: 20 }), async (values) => {
        const clock = Clock.make()
        const fake = Client.make()
        const report = await LangfuseIngest.LangfuseIngest.pipe(
          Effect.flatMap((ingest) => {
            for (const [index, value] of values.entries()) {
              assert.isTrue(
                ingest.unsafeEnqueue(event(`e${index}`, { input: value, output: [value], metadata: { value } }))
              )
            }
            return ingest.flush
          }),
          Effect.provide(
            LangfuseIngest.layer({ ...keys, protocol: "ingestion", baseUrl: "https://langfuse.test" }).pipe(
              Layer.provide(fake.layer)
            )
          ),
          Effect.withClock(clock),
          Effect.runPromise
        )
        assert.strictEqual(report.delivered, values.length)
        for (const { text } of fake.requests) assert.isArray(JSON.parse(text).batch)
      }),
      runs(40)
    ), timeout)
})
