import { assert, describe, it } from "@effect/vitest"
import { Fault, LangfuseServer, type Options, type StoredObservation } from "effect-langfuse/LangfuseServer"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as FastCheck from "effect/FastCheck"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Scope from "effect/Scope"
import * as Tracer from "effect/Tracer"
import { gzipSync } from "node:zlib"
import { dialectOf } from "../src/server/dialect.js"
import * as Environment from "../src/server/environment.js"
import * as Events from "../src/server/events.js"
import * as Store from "../src/server/store.js"
import * as V from "../src/server/validation.js"
import { basic, ingest, layerServer, post, type Reply, request } from "./utils/server.js"

// Everything here follows the documented and observed behaviour of Langfuse's server, and sends requests by hand:
// nothing of our own client takes part.

const t = (second: number, millisecond = 0) => new Date(Date.UTC(2026, 0, 1, 12, 0, second, millisecond)).toISOString()

interface Overrides {
  readonly id?: unknown
  readonly timestamp?: unknown
}

const event = (type: string, body: { readonly [key: string]: unknown }, overrides: Overrides = {}) => ({
  id: `${type}/${String(body["id"])}`,
  timestamp: t(0),
  type,
  body,
  ...overrides
})

interface Answer {
  readonly successes: ReadonlyArray<{ readonly id: string; readonly status: number }>
  readonly errors: ReadonlyArray<
    { readonly id: string; readonly status: number; readonly message?: string; readonly error?: string }
  >
}

/** The lists of a 207; anything else fails the test. */
const answerOf = (reply: Reply): Answer => {
  assert.strictEqual(reply.status, 207, reply.text)
  // The assertions of the tests look at every field they use.
  return reply.json as Answer
}

const send = (...batch: ReadonlyArray<unknown>) => Effect.map(ingest(batch), answerOf)

/** The issues inside the text of an error. */
const issuesOf = (text: string | undefined): ReadonlyArray<V.Issue> => {
  const issues: unknown = JSON.parse(text ?? "")
  assert.isArray(issues)
  return issues as ReadonlyArray<V.Issue>
}

const ids = (list: ReadonlyArray<{ readonly id: string }>) => list.map((entry) => entry.id)

/** Sends one event and says why it was refused. */
const refusal = (raw: unknown) =>
  Effect.map(send(raw), (answer) => {
    assert.deepStrictEqual(answer.successes, [])
    assert.strictEqual(answer.errors.length, 1)
    const [error] = answer.errors
    assert.strictEqual(error?.status, 400)
    assert.strictEqual(error?.message, "Invalid request data")
    return issuesOf(error?.error)
  })

const paths = (issues: ReadonlyArray<V.Issue>) => issues.map((issue) => issue.path.join("."))

/** Sends one event that must be taken. */
const taken = (raw: ReturnType<typeof event>) =>
  Effect.map(
    send(raw),
    (answer) => assert.deepStrictEqual(answer, { successes: [{ id: String(raw.id), status: 201 }], errors: [] })
  )

const only = <A>(list: ReadonlyArray<A>): A => {
  assert.strictEqual(list.length, 1)
  return list[0] as A
}

const onlyObservation = Effect.flatMap(LangfuseServer, (server) => Effect.map(server.observations, only))
const onlyTrace = Effect.flatMap(LangfuseServer, (server) => Effect.map(server.traces, only))
const onlyScore = Effect.flatMap(LangfuseServer, (server) => Effect.map(server.scores, only))

const v3: Options = { version: "3.225.4" }

const test = <E>(title: string, run: Effect.Effect<unknown, E, Layer.Layer.Success<ReturnType<typeof layerServer>>>) =>
  it.live(title, () => Effect.provide(run, layerServer(v3)))

const testWith = <E>(
  options: Options,
  title: string,
  run: Effect.Effect<unknown, E, Layer.Layer.Success<ReturnType<typeof layerServer>>>
) => it.live(title, () => Effect.provide(run, layerServer(options)))

describe("LangfuseServer", () => {
  describe("health and unknown paths", () => {
    testWith(
      {},
      "the health check needs no key and tells the version",
      Effect.gen(function*() {
        const server = yield* LangfuseServer
        const reply = yield* request(`${server.url}/api/public/health`)
        assert.strictEqual(reply.status, 200)
        assert.deepStrictEqual(reply.json, { status: "OK", version: "4.16.0" })
        yield* server.setVersion("4.17.1")
        const later = yield* request(`${server.url}/api/public/health?failIfDatabaseUnavailable=true`)
        assert.deepStrictEqual(later.json, { status: "OK", version: "4.17.1" })
      })
    )

    test(
      "an unknown path answers the framework's page",
      Effect.gen(function*() {
        const reply = yield* post("/api/public/nothing", {})
        assert.strictEqual(reply.status, 404)
        assert.match(reply.headers.get("content-type") ?? "", /^text\/html/)
        assert.isUndefined(reply.json)
      })
    )
  })

  describe("the request as a whole", () => {
    const raw = (init: RequestInit) =>
      Effect.flatMap(LangfuseServer, (server) => request(`${server.url}/api/public/ingestion`, init))

    const unauthorized = (headers: { readonly [name: string]: string }) =>
      Effect.map(
        raw({
          method: "POST",
          body: JSON.stringify({ batch: [] }),
          headers: { "content-type": "application/json", ...headers }
        }),
        (reply) => [reply.status, reply.json] as const
      )

    test(
      "without the right secret the answer is 401 and says why",
      Effect.gen(function*() {
        const refused = (message: string) => [401, { error: "UnauthorizedError", message }] as const
        const wrong = (what: string) => refused(`${what}. Confirm that you've configured the correct host.`)
        const withKeys = (publicKey: string, secretKey: string) =>
          unauthorized({ authorization: basic(publicKey, secretKey) })
        assert.deepStrictEqual(yield* unauthorized({}), refused("No authorization header"))
        assert.deepStrictEqual(
          yield* unauthorized({ authorization: "Token x" }),
          refused("Invalid authorization header")
        )
        assert.deepStrictEqual(
          yield* unauthorized({ authorization: basic("pk-lf-local", "sk-lf-local").replace("Basic", "basic") }),
          refused("Invalid authorization header")
        )
        assert.deepStrictEqual(yield* withKeys("pk-lf-local", "sk-lf-other"), wrong("Invalid credentials"))
        assert.deepStrictEqual(yield* withKeys("", "sk-lf-local"), wrong("Invalid authorization header"))
        assert.deepStrictEqual(yield* withKeys("pk-lf-local", ""), wrong("Invalid authorization header"))
        assert.deepStrictEqual(yield* unauthorized({ authorization: "Basic %" }), wrong("Invalid character"))
        assert.deepStrictEqual(
          yield* unauthorized({ authorization: "Bearer pk-lf-other" }),
          wrong("Invalid public key")
        )
      })
    )

    test(
      "the secret alone identifies the project",
      Effect.gen(function*() {
        const reply = yield* ingest([], { authorization: basic("pk-lf-other", "sk-lf-local") })
        assert.strictEqual(reply.status, 207)
      })
    )

    testWith(
      { ...v3, publicKey: "pk-own", secretKey: Redacted.make("sk-own") },
      "the keys can be chosen",
      Effect.gen(function*() {
        const server = yield* LangfuseServer
        assert.strictEqual(server.publicKey, "pk-own")
        assert.strictEqual((yield* ingest([])).status, 207)
        assert.strictEqual((yield* ingest([], { authorization: basic("pk-lf-local", "sk-lf-local") })).status, 401)
      })
    )

    test(
      "only POST is served, and a wrong method is noticed before a missing key",
      Effect.gen(function*() {
        const reply = yield* raw({ method: "PUT", body: "{}", headers: { "content-type": "application/json" } })
        assert.strictEqual(reply.status, 405)
        assert.deepStrictEqual(reply.json, { error: "MethodNotAllowedError", message: "Method not allowed" })
        assert.strictEqual((yield* raw({ method: "GET" })).status, 405)
      })
    )

    test(
      "browsers of any origin may send",
      Effect.gen(function*() {
        const reply = yield* raw({ method: "OPTIONS", headers: { "access-control-request-headers": "authorization" } })
        assert.strictEqual(reply.status, 204)
        assert.strictEqual(reply.headers.get("access-control-allow-origin"), "*")
        assert.strictEqual(reply.headers.get("access-control-allow-headers"), "authorization")
        const { url } = yield* LangfuseServer
        for (const path of ["health", "scores", "otel/v1/traces"]) {
          const { headers, status } = yield* request(`${url}/api/public/${path}`, { method: "OPTIONS" })
          assert.strictEqual(status, 204, path)
          assert.strictEqual(headers.get("access-control-allow-origin"), "*", path)
        }
        const sent = yield* ingest([])
        assert.strictEqual(sent.headers.get("access-control-allow-origin"), "*")
        assert.isNull(sent.headers.get("access-control-expose-headers"))
      })
    )

    test(
      "a body that is no JSON is refused in plain text, before the key is looked at",
      Effect.gen(function*() {
        const reply = yield* raw({
          method: "POST",
          body: "{\"batch\":[",
          headers: { "content-type": "application/json" }
        })
        assert.strictEqual(reply.status, 400)
        assert.strictEqual(reply.text, "Invalid JSON")
        assert.isNull(reply.headers.get("access-control-allow-origin"))
      })
    )

    test(
      "a gzip body is no JSON",
      Effect.gen(function*() {
        const body = gzipSync(JSON.stringify({ batch: [event("trace-create", { id: "t" })] }))
        const reply = yield* post("/api/public/ingestion", new Uint8Array(body), { "content-encoding": "gzip" })
        assert.strictEqual(reply.status, 400)
        assert.strictEqual(reply.text, "Invalid JSON")
      })
    )

    test(
      "a body that does not say it is JSON fails the shape check",
      Effect.gen(function*() {
        for (const type of ["text/plain", "application/octet-stream"]) {
          const reply = yield* ingest([], { "content-type": type })
          assert.strictEqual(reply.status, 400)
          assert.deepStrictEqual(reply.json, {
            message: "Invalid request data",
            errors: ["Invalid input: expected object, received string"]
          })
        }
        for (const type of ["application/json; charset=utf-8", "application/ld+json"]) {
          assert.strictEqual((yield* ingest([], { "content-type": type })).status, 207)
        }
      })
    )

    test(
      "a body without a batch is refused as a whole",
      Effect.gen(function*() {
        for (const body of [{}, { batch: {} }, [], ""]) {
          const reply = yield* post("/api/public/ingestion", body)
          assert.strictEqual(reply.status, 400)
          const { errors, message } = reply.json as {
            readonly message: string
            readonly errors: ReadonlyArray<unknown>
          }
          assert.strictEqual(message, "Invalid request data")
          assert.isNotEmpty(errors)
          for (const error of errors) assert.isString(error)
        }
      })
    )

    test(
      "an empty batch is fine, with any metadata",
      Effect.gen(function*() {
        for (const body of [{ batch: [] }, { batch: [], metadata: null }, { batch: [], metadata: { a: [1] } }]) {
          const reply = yield* post("/api/public/ingestion", body)
          assert.deepStrictEqual(answerOf(reply), { successes: [], errors: [] })
          assert.isNull(reply.headers.get("x-ratelimit-limit"))
        }
      })
    )

    test(
      "4.5 MiB are the limit, refused before the key is looked at",
      Effect.gen(function*() {
        const server = yield* LangfuseServer
        const padded = (size: number) => {
          const empty = JSON.stringify({ batch: [], metadata: "" })
          return JSON.stringify({ batch: [], metadata: "x".repeat(size - empty.length) })
        }
        assert.strictEqual((yield* post("/api/public/ingestion", padded(4_718_592))).status, 207)
        const over = yield* raw({
          method: "POST",
          body: padded(4_718_593),
          headers: { "content-type": "application/json" }
        })
        assert.strictEqual(over.status, 413)
        assert.strictEqual(over.text, "Body exceeded 4.5mb limit")
        const [, recorded] = yield* server.requests
        assert.strictEqual(recorded?.bytes, 4_718_593)
        assert.isUndefined(recorded?.body)
      })
    )

    testWith(
      { ...v3, maxBodyBytes: 1000 },
      "a body without an announced length is measured as it comes",
      Effect.gen(function*() {
        const stream = (size: number) =>
          new ReadableStream({
            start(controller) {
              const text = JSON.stringify({ batch: [], metadata: "x".repeat(size) })
              for (let at = 0; at < text.length; at += 100) controller.enqueue(Buffer.from(text.slice(at, at + 100)))
              controller.close()
            }
          })
        const chunked = (size: number) =>
          raw({
            method: "POST",
            body: stream(size),
            // @ts-expect-error the types of the DOM do not know it, Node's fetch demands it
            duplex: "half",
            headers: { "content-type": "application/json", authorization: basic("pk-lf-local", "sk-lf-local") }
          })
        assert.strictEqual((yield* chunked(100)).status, 207)
        const over = yield* chunked(2000)
        assert.strictEqual(over.status, 413)
        assert.strictEqual(over.text, "Body exceeded 1000b limit")
      })
    )

    test(
      "a public key alone may send scores and logs, each other event is refused for itself",
      Effect.gen(function*() {
        const server = yield* LangfuseServer
        const reply = yield* ingest([
          event("trace-create", { id: "t" }),
          event("score-create", { id: "s", name: "n", value: 1, traceId: "t" }),
          event("sdk-log", { id: "l", log: "hello" }),
          event("span-create", {})
        ], { authorization: "Bearer pk-lf-local" })
        const answer = answerOf(reply)
        assert.deepStrictEqual(ids(answer.successes), ["score-create/s"])
        assert.deepStrictEqual(answer.errors.map(({ id, status }) => [id, status]), [
          ["span-create/undefined", 400],
          ["trace-create/t", 401]
        ])
        assert.deepStrictEqual(answer.errors[1], {
          id: "trace-create/t",
          status: 401,
          message: "Authentication error",
          error: "Access Scope Denied"
        })
        assert.deepStrictEqual(yield* server.accepted, ["score-create/s", "sdk-log/l"])
      })
    )
  })

  describe("the envelope", () => {
    test(
      "every known type is taken",
      Effect.gen(function*() {
        const server = yield* LangfuseServer
        const types = [
          "event-create",
          "span-create",
          "span-update",
          "generation-create",
          "generation-update",
          "agent-create",
          "tool-create",
          "chain-create",
          "retriever-create",
          "evaluator-create",
          "embedding-create",
          "guardrail-create"
        ]
        const answer = yield* send(...types.map((type) => event(type, { id: type, traceId: "t" })))
        assert.sameMembers(ids(answer.successes), types.map((type) => `${type}/${type}`))
        assert.deepStrictEqual(answer.errors, [])
        assert.sameDeepMembers(
          (yield* server.observations).map(({ id, type }) => [id, type]),
          types.map((type) => [type, type.slice(0, type.indexOf("-")).toUpperCase()])
        )
      })
    )

    test(
      "an unknown type, or none, matches no discriminator",
      Effect.gen(function*() {
        for (const type of ["event-update", "trace-update", "agent-update", "TRACE-CREATE", 1, undefined]) {
          const [issue] = yield* refusal({ id: "e", timestamp: t(0), type, body: { id: "x" } })
          assert.strictEqual(issue?.code, "invalid_union")
          assert.deepStrictEqual(issue?.path, ["type"])
        }
      })
    )

    test(
      "an event whose id is no text is reported as unknown",
      Effect.gen(function*() {
        const answer = yield* send(
          event("trace-create", { id: "a" }, { id: 1 }),
          event("trace-create", { id: "a" }, { id: undefined }),
          event("trace-create", { id: "a" }, { id: "" }),
          event("trace-create", { id: "a" }, { id: "x".repeat(801) }),
          event("trace-create", { id: "a" }, { id: "a\rb" }),
          "no event",
          null
        )
        assert.deepStrictEqual(answer.successes, [])
        assert.deepStrictEqual(ids(answer.errors), [
          "unknown",
          "unknown",
          "",
          "x".repeat(801),
          "a\rb",
          "unknown",
          "unknown"
        ])
        assert.isTrue(
          answer.errors.every(({ message, status }) => status === 400 && message === "Invalid request data")
        )
        assert.deepStrictEqual(paths(issuesOf(answer.errors[0]?.error)), ["id"])
        yield* taken(event("trace-create", { id: "a" }, { id: "x".repeat(800) }))
      })
    )

    test(
      "timestamps need a zone and a real date; seconds and the length of the fraction are free",
      Effect.gen(function*() {
        const accepted = [
          "2024-01-01T00:00:00Z",
          "2024-01-01T00:00Z",
          "2024-01-01T00:00:00.1Z",
          "2024-01-01T00:00:00.123456789Z",
          "2024-01-01T02:00:00+02:00",
          "2024-02-29T23:59:59-23:59",
          "2000-02-29T00:00:00Z"
        ]
        for (const timestamp of accepted) yield* taken(event("trace-create", { id: timestamp }, { timestamp }))
        const refused = [
          "2024-01-01T00:00:00",
          "2024-01-01T00:00:00+0200",
          "2024-01-01T00:00:00+02",
          "2024-01-01t00:00:00Z",
          "2024-01-01T00:00:00z",
          "2024-01-01 00:00:00Z",
          "2024-01-01",
          "2024-01-01T24:00:00Z",
          "2024-01-01T00:00:60Z",
          "2023-02-29T00:00:00Z",
          "1900-02-29T00:00:00Z",
          "2024-04-31T00:00:00Z",
          "2024-13-01T00:00:00Z",
          "2024-00-01T00:00:00Z",
          "2024-01-00T00:00:00Z",
          "+012024-01-01T00:00:00Z",
          1_704_067_200_000,
          null
        ]
        for (const timestamp of refused) {
          assert.deepStrictEqual(paths(yield* refusal(event("trace-create", { id: "x" }, { timestamp }))), [
            "timestamp"
          ])
        }
      })
    )

    test(
      "times are kept in milliseconds and in UTC",
      Effect.gen(function*() {
        yield* taken(event("trace-create", { id: "t", timestamp: "2024-01-01T02:00:00.123999999+02:00" }))
        assert.strictEqual((yield* onlyTrace).timestamp, "2024-01-01T00:00:00.123Z")
      })
    )

    it.prop(
      "every date of JavaScript's own notation is a datetime, and its local variants are not",
      [FastCheck.date({
        noInvalidDate: true,
        min: new Date("0000-01-01T00:00:00Z"),
        max: new Date("9999-12-31T00:00:00Z")
      })],
      ([date]) => {
        assert.isTrue(V.parse(V.datetime, date.toISOString()).ok)
        assert.isFalse(V.parse(V.datetime, date.toISOString().slice(0, -1)).ok)
        assert.isFalse(V.parse(V.datetime, date.getTime()).ok)
      }
    )
  })

  describe("the answer", () => {
    test(
      "one bad event does not take the others with it",
      Effect.gen(function*() {
        const server = yield* LangfuseServer
        const answer = yield* send(
          event("trace-create", { id: "good", name: "x".repeat(1000) }),
          event("trace-create", { id: "bad", name: "x".repeat(1001) })
        )
        assert.deepStrictEqual(answer.successes, [{ id: "trace-create/good", status: 201 }])
        assert.strictEqual(answer.errors.length, 1)
        const error = answer.errors[0]
        assert.strictEqual(error?.id, "trace-create/bad")
        assert.strictEqual(error?.status, 400)
        assert.strictEqual(error?.message, "Invalid request data")
        assert.deepStrictEqual(issuesOf(error?.error), [{
          origin: "string",
          code: "too_big",
          maximum: 1000,
          inclusive: true,
          path: ["body", "name"],
          message: "Too big: expected string to have <=1000 characters"
        }])
        assert.deepStrictEqual(ids(yield* server.traces), ["good"])
      })
    )

    test(
      "successes come in the order of processing, errors in that of the request",
      Effect.gen(function*() {
        const answer = yield* send(
          event("span-update", { id: "a", traceId: "t" }, { timestamp: t(1) }),
          event("span-create", { id: "a", traceId: "t" }, { timestamp: t(2) }),
          event("trace-create", {}, { id: "bad-2", timestamp: "soon" }),
          event("generation-update", { id: "g", traceId: "t" }, { timestamp: t(0) }),
          event("trace-create", { id: "t" }, { timestamp: t(1) }),
          event("trace-create", {}, { id: "bad-1", timestamp: 0 })
        )
        assert.deepStrictEqual(ids(answer.successes), [
          "trace-create/t",
          "span-create/a",
          "generation-update/g",
          "span-update/a"
        ])
        assert.deepStrictEqual(ids(answer.errors), ["bad-2", "bad-1"])
      })
    )

    test(
      "events that share an id are answered one by one",
      Effect.gen(function*() {
        const answer = yield* send(
          event("trace-create", { id: "a" }, { id: "same" }),
          event("trace-create", { id: "b" }, { id: "same" }),
          event("span-create", {}, { id: "same" })
        )
        assert.deepStrictEqual(ids(answer.successes), ["same", "same"])
        assert.deepStrictEqual(ids(answer.errors), ["same"])
      })
    )

    test(
      "a log is taken without being mentioned, a bad one is an error",
      Effect.gen(function*() {
        const server = yield* LangfuseServer
        const answer = yield* send(
          event("sdk-log", { log: { message: "flushed" } }, { id: "l1" }),
          event("sdk-log", { log: "text", id: "own" }, { id: "l2" }),
          event("sdk-log", { log: null }, { id: "l3" }),
          event("sdk-log", {}, { id: "l4" })
        )
        assert.deepStrictEqual(answer.successes, [])
        assert.deepStrictEqual(ids(answer.errors), ["l3", "l4"])
        assert.deepStrictEqual(yield* server.logs, [{ message: "flushed" }, "text"])
        assert.deepStrictEqual(yield* server.accepted, ["l1", "l2"])
      })
    )

    test(
      "what has no id of its own is taken and never stored",
      Effect.gen(function*() {
        const server = yield* LangfuseServer
        const answer = yield* send(
          event("trace-create", { name: "n" }, { id: "a" }),
          event("score-create", { name: "n", value: 1, traceId: "t" }, { id: "b" }),
          event("observation-create", { type: "SPAN" }, { id: "c" }),
          event("span-create", { name: "n" }, { id: "d" })
        )
        assert.deepStrictEqual(ids(answer.successes), ["a", "b", "c"])
        assert.deepStrictEqual(ids(answer.errors), ["d"])
        assert.deepStrictEqual(yield* server.traces, [])
        assert.deepStrictEqual(yield* server.scores, [])
        assert.deepStrictEqual(yield* server.observations, [])
        assert.sameMembers((yield* server.losses).map((loss) => loss.id ?? ""), ["a", "b", "c"])
      })
    )

    test(
      "ids are accepted in the order of arrival, with repetitions",
      Effect.gen(function*() {
        const server = yield* LangfuseServer
        yield* send(
          event("span-update", { id: "a", traceId: "t" }),
          event("trace-create", { id: "t" }),
          event("trace-create", { id: "t" }),
          event("span-create", {})
        )
        assert.deepStrictEqual(yield* server.accepted, ["span-update/a", "trace-create/t", "trace-create/t"])
      })
    )

    test(
      "a dataset run item is known and never taken",
      Effect.gen(function*() {
        const answer = yield* send(event("dataset-run-item-create", { id: "d" }))
        assert.deepStrictEqual(answer.successes, [])
        assert.strictEqual(answer.errors.length, 1)
      })
    )
  })

  describe("old versions", () => {
    testWith(
      { version: "2.95.12" },
      "v2 has neither agents nor environments nor scores without a trace, and says so in the words it had",
      Effect.gen(function*() {
        const server = yield* LangfuseServer
        const reply = yield* post("/api/public/ingestion", {})
        assert.deepStrictEqual([reply.status, reply.json], [400, {
          message: "Invalid request data",
          errors: ["Required"]
        }])
        const codes = (raw: unknown) =>
          Effect.map(refusal(raw), (issues) => issues.map(({ code, path }) => [code, path.join(".")]))
        assert.deepStrictEqual(yield* codes(event("agent-create", { id: "a" })), [
          ["invalid_union_discriminator", "type"]
        ])
        assert.deepStrictEqual(
          yield* codes(event("score-create", { id: "s", name: "n", value: 1, sessionId: "s" })),
          [["invalid_type", "body.traceId"]]
        )
        assert.deepStrictEqual(
          yield* codes(event("span-create", { id: "o", level: "error", startTime: "today", name: [] })),
          [["invalid_type", "body.name"], ["invalid_string", "body.startTime"], ["invalid_enum_value", "body.level"]]
        )
        yield* taken(event("generation-create", {
          id: "g",
          traceId: "t",
          environment: "PROD",
          usageDetails: { input: 1 }
        }))
        assert.deepInclude(yield* onlyObservation, { environment: "default", usageDetails: {} })
        assert.strictEqual((yield* post("/api/public/otel/v1/traces", {})).status, 404)
        yield* server.setVersion("3.150.0")
        assert.deepStrictEqual(yield* codes(event("trace-create", { id: "t", environment: "PROD" })), [
          ["invalid_format", "body.environment"]
        ])
      })
    )
  })

  describe("bodies", () => {
    test(
      "a trace keeps all of its fields",
      Effect.gen(function*() {
        yield* taken(event("trace-create", {
          id: "t",
          timestamp: t(3),
          name: "chat",
          externalId: "unused",
          input: { question: "why" },
          output: "because",
          sessionId: "session",
          userId: "user",
          environment: "PROD",
          metadata: { plan: { name: "pro" }, count: "1" },
          release: "r1",
          version: "v1",
          public: true,
          tags: ["b", "a"],
          unknown: 1
        }))
        assert.deepStrictEqual(yield* onlyTrace, {
          id: "t",
          timestamp: t(3),
          name: "chat",
          input: { question: "why" },
          output: "because",
          sessionId: "session",
          userId: "user",
          environment: "prod",
          metadata: { plan: { name: "pro" }, count: 1 },
          release: "r1",
          version: "v1",
          public: true,
          tags: ["a", "b"],
          totalCost: undefined,
          observations: [],
          scores: []
        })
      })
    )

    test(
      "a trace that says nothing has the time of its event",
      Effect.gen(function*() {
        yield* taken(event("trace-create", { id: "t" }, { timestamp: t(7) }))
        assert.deepStrictEqual(yield* onlyTrace, {
          id: "t",
          timestamp: t(7),
          name: undefined,
          input: undefined,
          output: undefined,
          sessionId: undefined,
          userId: undefined,
          environment: "default",
          metadata: {},
          release: undefined,
          version: undefined,
          public: false,
          tags: [],
          totalCost: undefined,
          observations: [],
          scores: []
        })
      })
    )

    test(
      "a generation keeps all of its fields",
      Effect.gen(function*() {
        yield* taken(event("generation-create", {
          id: "g",
          traceId: "t",
          parentObservationId: "p",
          name: "answer",
          startTime: t(1),
          completionStartTime: t(1, 500),
          endTime: t(2),
          level: "WARNING",
          statusMessage: "slow",
          model: "gpt",
          modelParameters: {
            temperature: 0.5,
            stream: true,
            stop: ["a"],
            format: { type: "json" },
            seed: null,
            top: "k"
          },
          usageDetails: { input: 10, output: 5 },
          costDetails: { input: 0.25, output: 0.5 },
          promptName: "greeting",
          promptVersion: 3,
          input: [{ role: "user", content: "hi" }],
          output: "{\"role\":\"assistant\"}",
          metadata: "note",
          environment: "staging",
          version: "v2"
        }))
        const expected: StoredObservation = {
          table: "observations",
          id: "g",
          traceId: "t",
          parentObservationId: "p",
          type: "GENERATION",
          name: "answer",
          startTime: t(1),
          completionStartTime: t(1, 500),
          endTime: t(2),
          level: "WARNING",
          statusMessage: "slow",
          model: "gpt",
          modelParameters: {
            temperature: 0.5,
            stream: true,
            stop: ["a"],
            format: { type: "json" },
            seed: null,
            top: "k"
          },
          usageDetails: { input: 10, output: 5, total: 15 },
          costDetails: { input: 0.25, output: 0.5, total: 0.75 },
          totalCost: 0.75,
          internalModelId: undefined,
          toolDefinitions: {},
          toolCalls: [],
          promptName: "greeting",
          promptVersion: 3,
          input: [{ role: "user", content: "hi" }],
          output: { role: "assistant" },
          metadata: { metadata: "note" },
          environment: "staging",
          version: "v2",
          release: undefined,
          userId: undefined,
          sessionId: undefined,
          tags: [],
          traceName: undefined,
          public: false,
          isAppRoot: false
        }
        assert.deepStrictEqual(yield* onlyObservation, expected)
      })
    )

    test(
      "an event has neither end nor model, a span has an end but no model",
      Effect.gen(function*() {
        const server = yield* LangfuseServer
        const body = {
          traceId: "t",
          startTime: t(1),
          endTime: t(2),
          model: "gpt",
          usage: { input: 1 },
          promptName: "p"
        }
        yield* taken(event("event-create", { ...body, id: "e" }))
        yield* taken(event("span-create", { ...body, id: "s" }))
        const [first, second] = yield* server.observations
        assert.deepStrictEqual([first?.endTime, first?.model, first?.usageDetails], [undefined, undefined, {}])
        assert.deepStrictEqual([second?.endTime, second?.model, second?.usageDetails], [t(2), undefined, {}])
      })
    )

    test(
      "wrong types are refused with the place and the rule",
      Effect.gen(function*() {
        const base = { id: "x", traceId: "t" }
        const cases: ReadonlyArray<readonly [string, { readonly [key: string]: unknown }, string]> = [
          ["trace-create", { id: "" }, "body.id"],
          ["trace-create", { id: "a\rb" }, "body.id"],
          ["trace-create", { id: "x", public: "true" }, "body.public"],
          ["trace-create", { id: "x", tags: ["a", 1] }, "body.tags.1"],
          ["trace-create", { id: "x", userId: 7 }, "body.userId"],
          ["trace-create", { id: "x", timestamp: "2024-01-01" }, "body.timestamp"],
          ["span-create", { ...base, id: null }, "body.id"],
          ["span-create", { ...base, traceId: "" }, "body.traceId"],
          ["span-create", { ...base, level: "error" }, "body.level"],
          ["span-create", { ...base, startTime: 0 }, "body.startTime"],
          ["span-create", { ...base, endTime: "later" }, "body.endTime"],
          ["span-create", { ...base, statusMessage: {} }, "body.statusMessage"],
          ["generation-create", { ...base, promptName: "p", promptVersion: 1.5 }, "body.promptVersion"],
          ["generation-create", { ...base, model: 4 }, "body.model"],
          ["generation-create", { ...base, usage: { input: 1.5 } }, "body.usage.input"],
          ["generation-create", { ...base, usage: { input: 1, unit: "WORDS" } }, "body.usage.unit"],
          ["generation-create", { ...base, modelParameters: [] }, "body.modelParameters"],
          ["generation-create", { ...base, usageDetails: 5 }, "body.usageDetails"],
          ["generation-create", { ...base, costDetails: "1" }, "body.costDetails"],
          ["observation-create", { ...base, type: "AGENT" }, "body.type"]
        ]
        for (const [type, body, path] of cases) {
          assert.deepStrictEqual(paths(yield* refusal(event(type, body, { id: "e" }))), [path], JSON.stringify(body))
        }
      })
    )

    test(
      "a level of another case is refused in the validator's words",
      Effect.gen(function*() {
        const issues = yield* refusal(event("span-create", { id: "s", traceId: "t", level: "error" }))
        assert.deepStrictEqual(issues, [{
          code: "invalid_value",
          values: ["DEBUG", "DEFAULT", "WARNING", "ERROR"],
          path: ["body", "level"],
          message: "Invalid option: expected one of \"DEBUG\"|\"DEFAULT\"|\"WARNING\"|\"ERROR\""
        } as V.Issue])
      })
    )

    test(
      "model parameters take scalars, lists of texts and flat records; anything deeper refuses the event",
      Effect.gen(function*() {
        const withParameters = (modelParameters: unknown) =>
          event("generation-create", { id: "g", traceId: "t", modelParameters })
        yield* taken(withParameters({ a: 1, b: "x", c: false, d: ["x"], e: { f: "g" }, h: null }))
        for (
          const bad of [{ stop: [1] }, { response_format: { type: "x", json_schema: {} } }, { a: { b: 1 } }, "text"]
        ) {
          assert.isNotEmpty(yield* refusal(withParameters(bad)))
        }
      })
    )

    test(
      "a prompt needs both name and version",
      Effect.gen(function*() {
        const withPrompt = (prompt: object) => event("generation-create", { id: "g", traceId: "t", ...prompt })
        for (
          const bad of [{ promptName: "p" }, { promptVersion: 1 }, { promptName: "p", promptVersion: 0 }, {
            promptName: "",
            promptVersion: 1
          }]
        ) {
          const [issue] = yield* refusal(withPrompt(bad))
          assert.strictEqual(issue?.code, "custom")
        }
        yield* taken(withPrompt({ promptName: "", promptVersion: 0 }))
        yield* taken(withPrompt({ promptName: "p", promptVersion: 1 }))
      })
    )

    test(
      "the oldest observation events still work, without an environment",
      Effect.gen(function*() {
        yield* taken(event("observation-create", {
          id: "o",
          traceId: "t",
          type: "GENERATION",
          environment: "prod",
          model: "m",
          promptName: "alone",
          modelParameters: { a: 1 }
        }))
        const stored = yield* onlyObservation
        assert.strictEqual(stored.type, "GENERATION")
        assert.strictEqual(stored.environment, "default")
        assert.strictEqual(stored.model, "m")
        assert.isUndefined(stored.promptName)
        assert.isNotEmpty(
          yield* refusal(event("observation-update", {
            id: "o",
            type: "SPAN",
            modelParameters: { stop: ["a"] }
          }))
        )
      })
    )

    testWith(
      { writeMode: "legacy" },
      "environments are made to fit and never refused",
      Effect.gen(function*() {
        const server = yield* LangfuseServer
        const cases: ReadonlyArray<readonly [unknown, string]> = [
          ["PROD", "prod"],
          ["langfuse-prod", "prod"],
          ["langfuse_langfuse-x", "x"],
          ["Prod EU", "default"],
          ["prod.eu", "default"],
          ["", "default"],
          ["langfuse", "default"],
          [null, "default"],
          [7, "default"],
          [undefined, "default"],
          ["a".repeat(50), "a".repeat(40)],
          ["a-b_c1", "a-b_c1"]
        ]
        for (const [index, [environment]] of cases.entries()) {
          yield* taken(event("trace-create", { id: `t${index}`, environment }))
        }
        const stored = new Map((yield* server.traces).map((trace) => [trace.id, trace.environment]))
        for (const [index, [, expected]] of cases.entries()) assert.strictEqual(stored.get(`t${index}`), expected)
      })
    )

    it.prop("a stored environment is stable and well-formed", [FastCheck.string()], ([name]) => {
      const stored = Environment.normalize(name)
      assert.match(stored, /^[a-z0-9_-]{1,40}$/)
      assert.strictEqual(Environment.normalize(stored), stored)
    })
  })

  describe("usage and cost", () => {
    const stored = (body: object) =>
      Effect.zipRight(
        taken(event("generation-create", { id: "g", traceId: "t", ...body })),
        Effect.map(onlyObservation, ({ costDetails, totalCost, usageDetails }) => ({
          usageDetails,
          costDetails,
          totalCost
        }))
      )

    const usageCase = (title: string, body: object, expected: object) =>
      test(title, Effect.map(stored(body), (found) => assert.deepInclude(found, expected)))

    usageCase("the oldest shape keeps tokens and costs", {
      usage: { input: 1, output: 2, unit: "TOKENS", inputCost: 0.5, outputCost: 0.25 }
    }, {
      usageDetails: { input: 1, output: 2, total: 3 },
      costDetails: { input: 0.5, output: 0.25, total: 0.75 },
      totalCost: 0.75
    })

    usageCase(
      "names of OpenAI's first API keep tokens and lose costs",
      { usage: { promptTokens: 1, inputCost: 0.1 } },
      {
        usageDetails: { input: 1, total: 1 },
        costDetails: {},
        totalCost: undefined
      }
    )

    usageCase("names with underscores are ignored there", { usage: { prompt_tokens: 1 } }, { usageDetails: {} })

    usageCase("a missing total is the sum of all buckets", { usageDetails: { input: 1, cached: 2, output: 3 } }, {
      usageDetails: { input: 1, cached: 2, output: 3, total: 6 }
    })

    usageCase("usageDetails come before usage", { usage: { input: 9 }, usageDetails: { input: 1 } }, {
      usageDetails: { input: 1, total: 1 }
    })

    usageCase("whatever is no count is dropped silently", {
      usageDetails: { input: 1.5, output: -1, nested: { a: 1 }, text: "7", junk: "x", kept: 2 }
    }, { usageDetails: { text: 7, kept: 2, total: 9 } })

    usageCase("when nothing is left, there is no usage", { usageDetails: { input: 1.5 } }, { usageDetails: {} })

    usageCase("OpenAI's details are taken out of their totals", {
      usageDetails: {
        prompt_tokens: 100,
        completion_tokens: 20,
        total_tokens: 120,
        prompt_tokens_details: { cached_tokens: 40, audio_tokens: null },
        completion_tokens_details: null
      }
    }, { usageDetails: { input: 60, input_cached_tokens: 40, output: 20, total: 120 } })

    usageCase("so are those of its Responses API, never below zero", {
      usageDetails: {
        input_tokens: 10,
        output_tokens: 5,
        total_tokens: 15,
        output_tokens_details: { reasoning_tokens: 8 }
      }
    }, { usageDetails: { input: 10, output: 0, output_reasoning_tokens: 8, total: 15 } })

    usageCase("one key too many and they count twice", {
      usageDetails: { prompt_tokens: 10, completion_tokens: 5, total_tokens: 15, service_tier: "default" }
    }, { usageDetails: { prompt_tokens: 10, completion_tokens: 5, total_tokens: 15, total: 30 } })

    usageCase("a total cost is derived from input and output alone", { costDetails: { input: 1, output: 2 } }, {
      totalCost: 3
    })

    usageCase("with any other bucket there is no total cost", { costDetails: { input: 1, output: 2, cache: 1 } }, {
      costDetails: { input: 1, output: 2, cache: 1 },
      totalCost: undefined
    })

    usageCase("a given total cost counts", { costDetails: { input: 1, cache: 1, total: 9, bad: -1, text: "1" } }, {
      costDetails: { input: 1, cache: 1, total: 9 },
      totalCost: 9
    })
  })

  describe("scores", () => {
    const score = (body: object) => event("score-create", { id: "s", name: "n", traceId: "t", ...body })

    test(
      "a score is kept with the time of its event",
      Effect.gen(function*() {
        yield* taken({
          ...score({ value: 0.5, comment: "fine", metadata: { a: 1 }, observationId: "o" }),
          timestamp: t(4)
        })
        assert.deepStrictEqual(yield* onlyScore, {
          id: "s",
          name: "n",
          dataType: "NUMERIC",
          value: 0.5,
          stringValue: undefined,
          longStringValue: undefined,
          traceId: "t",
          sessionId: undefined,
          datasetRunId: undefined,
          observationId: "o",
          comment: "fine",
          source: "API",
          configId: undefined,
          queueId: undefined,
          executionTraceId: undefined,
          metadata: { a: 1 },
          environment: "default",
          timestamp: t(4)
        })
      })
    )

    test(
      "the data type follows the value unless it is given",
      Effect.gen(function*() {
        const server = yield* LangfuseServer
        yield* send(...[
          { value: 1 },
          { value: "good" },
          { value: 1, dataType: "NUMERIC" },
          { value: 0, dataType: "BOOLEAN" },
          { value: "good", dataType: "CATEGORICAL" },
          { value: "x".repeat(500), dataType: "TEXT" },
          { value: "better", dataType: "CORRECTION" }
        ].map((body, index) => event("score-create", { id: `s${index}`, name: "n", traceId: "t", ...body })))
        assert.deepStrictEqual(
          (yield* server.scores).map(({ dataType, longStringValue, name, stringValue, value }) => [
            name,
            dataType,
            value,
            stringValue ?? longStringValue
          ]),
          [
            ["n", "NUMERIC", 1, undefined],
            ["n", "CATEGORICAL", undefined, "good"],
            ["n", "NUMERIC", 1, undefined],
            ["n", "BOOLEAN", 0, "False"],
            ["n", "CATEGORICAL", undefined, "good"],
            ["n", "TEXT", undefined, "x".repeat(500)],
            ["output", "CORRECTION", undefined, "better"]
          ]
        )
      })
    )

    test(
      "values and targets that do not fit are refused",
      Effect.gen(function*() {
        const refused = [
          { value: 1, dataType: null },
          { value: 1, dataType: "boolean" },
          { value: true },
          { value: true, dataType: "BOOLEAN" },
          { value: 2, dataType: "BOOLEAN" },
          { value: "1", dataType: "NUMERIC" },
          { value: 1, dataType: "CATEGORICAL" },
          { value: "x".repeat(501), dataType: "TEXT" },
          { value: "", dataType: "TEXT" },
          { value: "x", dataType: "CORRECTION", configId: "c" },
          { value: 1, name: "" },
          { value: 1, name: undefined },
          { value: "x", dataType: "CORRECTION", name: undefined },
          { value: undefined },
          { value: 1, source: null },
          { value: 1, source: "HUMAN" },
          { value: 1, traceId: undefined },
          { value: 1, traceId: "" },
          { value: 1, traceId: undefined, observationId: "o" },
          { value: 1, sessionId: "s" },
          { value: 1, datasetRunId: "d" },
          { value: 1, traceId: undefined, sessionId: "s", datasetRunId: "d" },
          { value: 1, traceId: undefined, sessionId: "s", observationId: "o" }
        ]
        for (const body of refused) assert.isNotEmpty(yield* refusal(score(body)), JSON.stringify(body))
        for (
          const body of [
            { value: 1, sessionId: "" },
            { value: 1, traceId: undefined, sessionId: "s" },
            { value: 1, traceId: null, datasetRunId: "d" },
            { value: 1, observationId: "" },
            { value: 1, environment: null }
          ]
        ) {
          yield* taken(score(body))
        }
      })
    )

    testWith(
      {
        ...v3,
        scoreConfigs: [
          { id: "range", name: "quality", dataType: "NUMERIC", minValue: 0, maxValue: 1 },
          { id: "old", name: "old", dataType: "NUMERIC", isArchived: true },
          { id: "kind", name: "kind", dataType: "CATEGORICAL", categories: [{ label: "good", value: 1 }] }
        ]
      },
      "configs are looked at only after the answer",
      Effect.gen(function*() {
        const server = yield* LangfuseServer
        const bodies: ReadonlyArray<object> = [
          { id: "unknown", value: 1, configId: "c" },
          { id: "archived", value: 1, configId: "old" },
          { id: "mismatch", value: "x", configId: "range" },
          { id: "high", value: 2, configId: "range" },
          { id: "low", value: -1, configId: "range" },
          { id: "category", value: "bad", configId: "kind" },
          { id: "annotated", value: 1, source: "ANNOTATION" },
          { id: "session", value: "x", dataType: "CORRECTION", traceId: undefined, sessionId: "s" },
          { id: "in-range", value: 0.5, configId: "range", source: "ANNOTATION" },
          { id: "in-kind", value: "good", configId: "kind" }
        ]
        const answer = yield* send(...bodies.map((body) => score(body)))
        assert.strictEqual(answer.successes.length, bodies.length)
        assert.deepStrictEqual((yield* server.scores).map(({ id, name, value }) => [id, name, value]), [
          ["in-range", "quality", 0.5],
          ["in-kind", "kind", 1]
        ])
        assert.deepStrictEqual((yield* server.losses).map((loss) => loss.id), [
          "unknown",
          "archived",
          "mismatch",
          "high",
          "low",
          "category",
          "annotated",
          "session"
        ])
      })
    )

    test(
      "a score sent again is changed, except for its trace, time and environment",
      Effect.gen(function*() {
        yield* taken({
          ...score({ value: 1, comment: "first", environment: "a" }),
          id: "1",
          timestamp: t(1)
        })
        yield* taken({
          ...score({ value: 2, comment: null, traceId: "other", environment: "b" }),
          id: "2",
          timestamp: t(2)
        })
        const stored = yield* onlyScore
        assert.deepInclude(stored, { value: 2, comment: undefined, traceId: "t", environment: "a", timestamp: t(1) })
      })
    )

    test(
      "scores are read with the trace they name, whether or not it was there first",
      Effect.gen(function*() {
        const server = yield* LangfuseServer
        yield* taken(score({ value: 1 }))
        assert.deepStrictEqual(yield* server.traces, [])
        yield* taken(event("trace-create", { id: "t" }))
        assert.deepStrictEqual((yield* onlyTrace).scores.map(({ id }) => id), ["s"])
      })
    )
  })

  describe("POST /api/public/scores", () => {
    const create = (body: unknown, headers?: { readonly [name: string]: string }) =>
      post("/api/public/scores", body, headers)

    for (const writeMode of ["legacy", "dual", "events_only"] as const) {
      testWith(
        { writeMode },
        `one score is taken in the write mode ${writeMode}`,
        Effect.gen(function*() {
          const reply = yield* create({ id: "s", name: "n", value: 1, traceId: "t" })
          assert.strictEqual(reply.status, 200)
          assert.deepStrictEqual(reply.json, { id: "s" })
          assert.deepInclude(yield* onlyScore, { id: "s", value: 1, source: "API", environment: "default" })
        })
      )
    }

    test(
      "a missing id is made up",
      Effect.gen(function*() {
        for (const id of [undefined, null, ""]) {
          const server = yield* LangfuseServer
          yield* server.reset
          const reply = yield* create({ id, name: "n", value: "v", sessionId: "s" })
          assert.strictEqual(reply.status, 200)
          assert.match((yield* onlyScore).id, /^[0-9a-f-]{36}$/)
        }
      })
    )

    test(
      "it is stricter than the batch endpoint, and answers with the issues themselves",
      Effect.gen(function*() {
        const base = { name: "n", value: 1, traceId: "t" }
        for (const extra of [{ environment: null }, { source: "EVAL" }, { source: "ANNOTATION" }, { sessionId: "s" }]) {
          const reply = yield* create({ ...base, ...extra })
          assert.strictEqual(reply.status, 400, JSON.stringify(extra))
          const { error, message } = reply.json as { readonly message: string; readonly error: unknown }
          assert.strictEqual(message, "Invalid request data")
          assert.isArray(error)
        }
        assert.strictEqual((yield* create({ ...base, environment: "langfuse-prod" })).status, 200)
        assert.strictEqual((yield* onlyScore).environment, "prod")
      })
    )

    test(
      "a public key is enough, no key is not",
      Effect.gen(function*() {
        const body = { name: "n", value: 1, traceId: "t" }
        assert.strictEqual((yield* create(body, { authorization: "Bearer pk-lf-local" })).status, 200)
        const refused = yield* create(body, { authorization: "" })
        assert.strictEqual(refused.status, 401)
        assert.deepStrictEqual(refused.json, { message: "No authorization header" })
      })
    )
  })

  describe("merging", () => {
    const trace = (second: number, body: object) =>
      event("trace-create", { id: "t", ...body }, { id: `trace-${second}`, timestamp: t(second) })

    const span = (type: string, second: number, body: object) =>
      event(type, { id: "o", traceId: "t", ...body }, { id: `${type}-${second}`, timestamp: t(second) })

    test(
      "the order of timestamps counts, not that of arrival",
      Effect.gen(function*() {
        yield* send(trace(2, { name: "later", input: "later" }))
        yield* send(trace(1, { name: "earlier", input: "earlier", output: "only" }))
        assert.deepInclude(yield* onlyTrace, { name: "later", input: "later", output: "only" })
      })
    )

    test(
      "at the same time a create comes before an update",
      Effect.gen(function*() {
        yield* send(span("span-update", 1, { name: "updated" }), span("span-create", 1, { name: "created" }))
        assert.strictEqual((yield* onlyObservation).name, "updated")
      })
    )

    test(
      "what was merged once stays the ground for what comes later",
      Effect.gen(function*() {
        yield* send(trace(2, { environment: "first", timestamp: t(2) }))
        yield* send(trace(1, { environment: "second", timestamp: t(1) }))
        assert.deepInclude(yield* onlyTrace, { environment: "first", timestamp: t(2) })
        // The same event id again takes the place of the event, but not of what came from it.
        yield* send(span("span-create", 1, { name: "a", statusMessage: "kept" }))
        yield* send(span("span-create", 1, { name: "b" }))
        assert.deepInclude(yield* onlyObservation, { name: "b", statusMessage: "kept" })
      })
    )

    test(
      "an absent field is kept, null clears what can be cleared",
      Effect.gen(function*() {
        const fields = { name: "n", userId: "u", sessionId: "s", release: "r", version: "v" }
        yield* send(trace(1, fields), trace(2, {}))
        assert.deepInclude(yield* onlyTrace, fields)
        yield* send(trace(3, { name: null, userId: null, sessionId: null, release: null, version: null }))
        assert.deepInclude(yield* onlyTrace, {
          name: undefined,
          userId: undefined,
          sessionId: undefined,
          release: undefined,
          version: undefined
        })
        const kept = { statusMessage: "m", version: "v", parentObservationId: "p", endTime: t(9) }
        yield* send(span("generation-create", 1, { ...kept, name: "n", level: "ERROR", model: "m" }))
        yield* send(span("generation-update", 2, {
          statusMessage: null,
          version: null,
          parentObservationId: null,
          endTime: null,
          name: null,
          level: null,
          model: null
        }))
        assert.deepInclude(yield* onlyObservation, { ...kept, name: undefined, level: "DEFAULT", model: undefined })
      })
    )

    test(
      "inputs and outputs are replaced by what is truthy only",
      Effect.gen(function*() {
        for (const [index, nothing] of [0, false, "", null, undefined].entries()) {
          yield* send(trace(1, { input: { a: 1 }, output: "out" }))
          yield* send(trace(2 + index, { input: nothing, output: nothing }))
          assert.deepInclude(yield* onlyTrace, { input: { a: 1 }, output: "out" })
        }
        yield* send(trace(10, { input: [], output: "0" }))
        assert.deepInclude(yield* onlyTrace, { input: [], output: 0 })
      })
    )

    test(
      "a trace that is not said to be public again is private",
      Effect.gen(function*() {
        yield* send(trace(1, { public: true }))
        assert.isTrue((yield* onlyTrace).public)
        yield* send(trace(2, { name: "n" }))
        assert.isFalse((yield* onlyTrace).public)
      })
    )

    test(
      "tags are collected and sorted, metadata is merged by key",
      Effect.gen(function*() {
        yield* send(trace(1, { tags: ["b", "a"], metadata: { deep: { a: 1, b: 1 }, list: [1, 2], x: 1 } }))
        yield* send(trace(2, { tags: ["c", "a"], metadata: { deep: { b: 2 }, list: [3] } }))
        yield* send(trace(3, { tags: null, metadata: ["m"] }))
        assert.deepInclude(yield* onlyTrace, {
          tags: ["a", "b", "c"],
          metadata: { deep: { a: 1, b: 2 }, list: [3, 2], x: 1, metadata: ["m"] }
        })
      })
    )

    test(
      "trace, start and environment of an observation never change",
      Effect.gen(function*() {
        yield* send(span("span-create", 1, { startTime: t(1), environment: "prod" }))
        yield* send(span("span-update", 2, { startTime: t(2), traceId: "other", name: "n" }))
        assert.deepInclude(yield* onlyObservation, {
          traceId: "t",
          startTime: t(1),
          environment: "prod",
          name: "n"
        })
      })
    )

    test(
      "an observation without a start has that of its event, without a trace one of its own",
      Effect.gen(function*() {
        yield* taken(event("span-create", { id: "o" }, { timestamp: t(5) }))
        const stored = yield* onlyObservation
        assert.strictEqual(stored.startTime, t(5))
        assert.match(stored.traceId, /^[0-9a-f-]{36}$/)
      })
    )

    test(
      "the last event says what an observation is",
      Effect.gen(function*() {
        yield* send(span("agent-create", 1, { model: "m" }))
        assert.strictEqual((yield* onlyObservation).type, "AGENT")
        yield* send(span("span-update", 2, { endTime: t(3) }))
        assert.deepInclude(yield* onlyObservation, { type: "SPAN", model: "m", endTime: t(3) })
      })
    )

    test(
      "nothing ends before it starts",
      Effect.gen(function*() {
        yield* send(span("span-create", 1, { startTime: t(5), endTime: t(4) }))
        assert.strictEqual((yield* onlyObservation).endTime, t(5))
      })
    )

    test(
      "usage and cost are replaced whole, and only by something",
      Effect.gen(function*() {
        yield* send(span("generation-create", 1, { usageDetails: { input: 1, cached: 1 }, costDetails: { total: 1 } }))
        yield* send(span("generation-update", 2, { usageDetails: { input: 0.5 }, costDetails: {} }))
        assert.deepInclude(yield* onlyObservation, { usageDetails: { input: 1, cached: 1, total: 2 }, totalCost: 1 })
        yield* send(span("generation-update", 3, { usageDetails: { output: 5 } }))
        assert.deepInclude(yield* onlyObservation, { usageDetails: { output: 5, total: 5 }, totalCost: 1 })
      })
    )

    test(
      "a batch sent twice is stored once",
      Effect.gen(function*() {
        const server = yield* LangfuseServer
        const batch = [
          trace(1, { name: "a", metadata: { n: 1 } }),
          span("span-create", 1, { name: "s" }),
          span("span-update", 2, { endTime: t(2) })
        ]
        yield* send(...batch)
        const [traces, observations] = [yield* server.traces, yield* server.observations]
        yield* send(...batch)
        assert.deepStrictEqual(yield* server.traces, traces)
        assert.deepStrictEqual(yield* server.observations, observations)
        assert.strictEqual((yield* server.accepted).length, 6)
      })
    )

    const sentEvents = FastCheck.array(
      FastCheck.record({
        at: FastCheck.integer({ min: 0, max: 5 }),
        update: FastCheck.boolean(),
        body: FastCheck.record({
          name: FastCheck.constantFrom("a", "b", null),
          input: FastCheck.constantFrom("x", "", 0, { k: 1 }),
          metadata: FastCheck.constantFrom({ a: 1 }, { a: { b: 1 } }, { b: [1] }, "m"),
          environment: FastCheck.constantFrom("prod", "dev"),
          endTime: FastCheck.constantFrom(t(0), t(3)),
          level: FastCheck.constantFrom("ERROR", null)
        }, { requiredKeys: [] })
      }),
      { minLength: 1, maxLength: 8 }
    )

    it.prop("storing the same batch again changes nothing", [sentEvents], ([drawn]) => {
      const store = Store.make({
        scoreConfigs: [],
        prices: [],
        maxBytes: Infinity,
        maxTraceBytes: Infinity,
        randomId: () => "random",
        emit: () => undefined
      })
      const batch = drawn.map(({ at, body, update }, index) =>
        V.parse(
          Events.eventParser(dialectOf("4.16.0")),
          event(update ? "span-update" : "span-create", { id: "o", traceId: "t", ...body }, {
            id: `e${index}`,
            timestamp: t(at)
          })
        )
      ).flatMap((parsed) => parsed.ok ? [parsed.value] : [])
      assert.strictEqual(batch.length, drawn.length)
      const ordered = Events.processingOrder(batch)
      store.ingest(ordered, "none", "ingestion")
      const once = store.observations()
      store.ingest(ordered, "none", "ingestion")
      assert.deepStrictEqual(store.observations(), once)
      const stored = only(once)
      assert.isTrue(stored.endTime === undefined || stored.endTime >= stored.startTime)
    })
  })

  describe("reading", () => {
    test(
      "a trace has its observations in the order of their start",
      Effect.gen(function*() {
        const server = yield* LangfuseServer
        yield* send(
          event("span-create", { id: "late", traceId: "t", startTime: t(3) }),
          event("span-create", { id: "early", traceId: "t", startTime: t(1), costDetails: { total: 9 } }),
          event("generation-create", { id: "mid", traceId: "t", startTime: t(2), costDetails: { total: 0.5 } }),
          event("generation-create", { id: "mid-too", traceId: "t", startTime: t(2), costDetails: { total: 1 } }),
          event("span-create", { id: "else", traceId: "u", startTime: t(0) })
        )
        assert.deepStrictEqual(yield* server.traces, [], "there was no trace-create")
        assert.isTrue(Option.isNone(yield* server.trace("t")))
        yield* send(event("trace-create", { id: "t" }))
        const found = Option.getOrThrow(yield* server.trace("t"))
        assert.deepStrictEqual(ids(found.observations), ["early", "mid", "mid-too", "late"])
        assert.strictEqual(found.totalCost, 1.5)
        assert.deepStrictEqual(ids(yield* server.observations), ["else", "early", "mid", "mid-too", "late"])
      })
    )

    test(
      "digits that no number holds are read as text",
      Effect.gen(function*() {
        yield* taken(event("trace-create", {
          id: "t",
          input: "12345678901234567890",
          output: "12",
          metadata: { order: "00042" }
        }))
        assert.deepInclude(yield* onlyTrace, {
          input: "12345678901234567890",
          output: 12,
          metadata: { order: "00042" }
        })
      })
    )

    test(
      "requests are recorded without the key",
      Effect.gen(function*() {
        const server = yield* LangfuseServer
        yield* ingest([event("trace-create", { id: "t" }), { id: 7 }], { "x-langfuse-sdk-name": "by-hand" })
        yield* request(`${server.url}/api/public/health?a=b`)
        const [first, second] = yield* server.requests
        assert.deepInclude(first, {
          method: "POST",
          path: "/api/public/ingestion",
          status: 207,
          ids: ["trace-create/t"],
          fault: undefined
        })
        assert.strictEqual(first?.headers["authorization"], "<redacted>")
        assert.strictEqual(first?.headers["x-langfuse-sdk-name"], "by-hand")
        assert.strictEqual(first?.bytes, Buffer.byteLength(first?.body ?? ""))
        assert.deepInclude(second, { method: "GET", path: "/api/public/health?a=b", status: 200, body: "" })
      })
    )

    testWith(
      { ...v3, writeMode: "dual" },
      "reset forgets everything, changes included",
      Effect.gen(function*() {
        const server = yield* LangfuseServer
        yield* send(event("trace-create", { id: "t" }), event("sdk-log", { log: 1 }))
        yield* server.setVersion("4.0.0")
        yield* server.always(Fault.status(500))
        yield* server.script(Fault.hang())
        yield* server.reset
        for (const read of [server.traces, server.observations, server.logs, server.requests, server.accepted]) {
          assert.deepStrictEqual(yield* read, [])
        }
        const reply = yield* request(`${server.url}/api/public/health`)
        assert.deepStrictEqual(reply.json, { status: "OK", version: "3.225.4" })
        yield* send(event("trace-create", { id: "t" }))
        assert.deepStrictEqual(ids(yield* server.observations), ["t-t"])
      })
    )
  })

  describe("write modes", () => {
    const unwanted = "Event type not accepted"

    testWith(
      {},
      "events_only refuses traces and observations one by one and takes scores and logs",
      Effect.gen(function*() {
        const server = yield* LangfuseServer
        const answer = yield* send(
          event("trace-create", { id: "t" }),
          event("score-create", { id: "s", name: "n", value: 1, traceId: "t" }),
          event("sdk-log", { log: 1 }),
          event("generation-update", { nonsense: true }, { id: "g" }),
          event("score-create", { id: "s", name: "n", value: true }, { id: "bad-score" }),
          { id: "m", timestamp: "never" },
          7
        )
        assert.deepStrictEqual(ids(answer.successes), ["score-create/s"])
        assert.deepStrictEqual(answer.errors.map(({ id, message, status }) => [id, status, message]), [
          ["bad-score", 400, "Invalid request data"],
          ["trace-create/t", 400, unwanted],
          ["g", 400, unwanted],
          ["m", 400, unwanted],
          ["unknown", 400, unwanted]
        ])
        const errors = answer.errors.map((error) => error.error ?? "")
        assert.isTrue(
          errors[1]?.startsWith(
            "Event type \"trace-create\" is not accepted by /api/public/ingestion when " +
              "LANGFUSE_MIGRATION_V4_WRITE_MODE is events_only. This endpoint only accepts score and log events. "
          )
        )
        assert.match(errors[3] ?? "", /^Event type "unknown" is not accepted/)
        assert.deepStrictEqual(ids(yield* server.scores), ["s"])
        assert.deepStrictEqual(yield* server.observations, [])
      })
    )

    testWith(
      {},
      "events_only says so before it looks at the access of a key",
      Effect.gen(function*() {
        const reply = yield* ingest([event("trace-create", { id: "t" })], { authorization: "Bearer pk-lf-local" })
        assert.deepStrictEqual(answerOf(reply).errors.map(({ message, status }) => [status, message]), [[
          400,
          unwanted
        ]])
      })
    )

    it.live.each(
      [
        ["2.95.0", undefined, true],
        ["3.225.4", undefined, true],
        ["4.0.0", undefined, false],
        ["4.16.0", "legacy", true],
        ["4.16.0", "dual", true],
        ["4.16.0", "events_only", false]
      ] as const
    )(
      "version %s with the write mode %s takes traces over the batch endpoint: %s",
      ([version, writeMode, takes]) =>
        Effect.gen(function*() {
          const answer = yield* send(event("trace-create", { id: "t" }))
          assert.strictEqual(answer.successes.length, takes ? 1 : 0)
        }).pipe(Effect.provide(layerServer({ version, writeMode })))
    )

    testWith(
      { writeMode: "dual" },
      "dual shows the trace as a span above its observations, which carry its fields",
      Effect.gen(function*() {
        yield* send(
          event("span-create", { id: "root", traceId: "t", startTime: t(1), metadata: { a: { b: 1 } } }),
          event("span-create", { id: "child", traceId: "t", startTime: t(2), parentObservationId: "root" }),
          event("trace-create", { id: "t", name: "chat", userId: "u", tags: ["x"], input: "q", public: true })
        )
        const server = yield* LangfuseServer
        const stored = yield* onlyTrace
        assert.deepInclude(stored, { name: "chat", userId: "u", tags: ["x"], input: "q", public: true })
        assert.deepStrictEqual(
          stored.observations.map(({ id, table }) => [id, table]),
          [["root", "observations"], ["child", "observations"]]
        )
        const events = (yield* server.observations).filter(({ table }) => table === "events")
        assert.deepStrictEqual(
          events.map((row) => [row.id, row.parentObservationId, row.type, row.traceName, row.userId]),
          [
            ["t-t", undefined, "SPAN", "chat", "u"],
            ["root", "t-t", "SPAN", "chat", "u"],
            ["child", "root", "SPAN", "chat", "u"]
          ]
        )
        assert.deepStrictEqual(events[1]?.metadata, { a: { b: 1 } })
      })
    )

    test(
      "a server upgraded while it runs keeps showing what it had",
      Effect.gen(function*() {
        const server = yield* LangfuseServer
        yield* send(event("trace-create", { id: "t" }), event("span-create", { id: "o", traceId: "t" }))
        yield* server.setVersion("4.16.0")
        const answer = yield* send(event("trace-create", { id: "u" }))
        assert.deepStrictEqual(answer.errors.map((error) => error.message), [unwanted])
        assert.deepStrictEqual((yield* onlyTrace).observations.map(({ id }) => id), ["o"])
        yield* server.setWriteMode("legacy")
        yield* taken(event("trace-create", { id: "u" }))
        assert.deepStrictEqual(ids(yield* server.traces), ["t", "u"])
      })
    )
  })

  describe("faults", () => {
    const one = event("trace-create", { id: "t" })

    const stored = Effect.flatMap(LangfuseServer, (server) => Effect.map(server.traces, ids))

    test(
      "a scripted fault meets one request, then the server is itself again",
      Effect.gen(function*() {
        const server = yield* LangfuseServer
        yield* server.script(Fault.status(503), Fault.status(500))
        assert.strictEqual((yield* ingest([one])).status, 503)
        assert.strictEqual((yield* ingest([one])).status, 500)
        assert.deepStrictEqual(yield* stored, [])
        assert.strictEqual((yield* ingest([one])).status, 207)
        assert.deepStrictEqual(yield* stored, ["t"])
        assert.deepStrictEqual((yield* server.requests).map(({ fault, status }) => [fault, status]), [
          ["Respond", 503],
          ["Respond", 500],
          [undefined, 207]
        ])
      })
    )

    test(
      "a fault for one route lets the others pass",
      Effect.gen(function*() {
        const server = yield* LangfuseServer
        yield* server.script(Fault.status(500, { route: "health" }), Fault.status(502))
        assert.strictEqual((yield* ingest([one])).status, 502)
        assert.strictEqual((yield* ingest([one])).status, 207)
        assert.strictEqual((yield* request(`${server.url}/api/public/health`)).status, 500)
        assert.strictEqual((yield* request(`${server.url}/api/public/health`)).status, 200)
      })
    )

    test(
      "a constant fault stays until it is taken back, scripted ones come first",
      Effect.gen(function*() {
        const server = yield* LangfuseServer
        yield* server.always(Fault.status(500))
        yield* server.script(Fault.status(429))
        const statuses = yield* Effect.replicateEffect(Effect.map(ingest([one]), ({ status }) => status), 3)
        assert.deepStrictEqual([...statuses], [429, 500, 500])
        yield* server.always(undefined)
        assert.strictEqual((yield* ingest([one])).status, 207)
      })
    )

    test(
      "answers can be anything, with or without storing",
      Effect.gen(function*() {
        const server = yield* LangfuseServer
        yield* server.script(
          Fault.html(),
          Fault.empty(),
          Fault.rateLimited(7),
          Fault.rateLimited("Wed, 21 Oct 2026 07:28:00 GMT"),
          Fault.suspended(),
          Fault.respond({ status: 418, headers: { "x-a": "b" }, body: "teapot" })
        )
        const html = yield* ingest([one])
        assert.deepStrictEqual([html.status, html.json], [200, undefined])
        assert.match(html.headers.get("content-type") ?? "", /html/)
        const empty = yield* ingest([one])
        assert.deepStrictEqual([empty.status, empty.text], [200, ""])
        const limited = yield* ingest([one])
        assert.deepStrictEqual([limited.status, limited.headers.get("retry-after")], [429, "7"])
        assert.isNaN(Number(limited.headers.get("x-ratelimit-reset")))
        assert.deepInclude(limited.json, { code: "rate_limited" })
        const dated = yield* ingest([one])
        assert.strictEqual(dated.headers.get("retry-after"), "Wed, 21 Oct 2026 07:28:00 GMT")
        const suspended = yield* ingest([one])
        assert.deepStrictEqual([suspended.status], [403])
        assert.deepInclude(suspended.json, { error: "ForbiddenError" })
        const own = yield* ingest([one])
        assert.deepStrictEqual([own.status, own.headers.get("x-a"), own.text], [418, "b", "teapot"])
        assert.deepStrictEqual(yield* stored, [])
        yield* server.script(Fault.status(504, { stored: true }))
        assert.strictEqual((yield* ingest([one])).status, 504)
        assert.deepStrictEqual(yield* stored, ["t"])
      })
    )

    test(
      "some events can be refused while the others are stored",
      Effect.gen(function*() {
        const server = yield* LangfuseServer
        yield* server.script(
          Fault.reject([1], { status: 503, message: "busy", error: "later" }),
          Fault.reject((raw) => JSON.stringify(raw).includes("\"a\""))
        )
        const batch = ["a", "b", "c"].map((id) => event("trace-create", { id }))
        const first = answerOf(yield* ingest(batch))
        assert.deepStrictEqual(ids(first.successes), ["trace-create/a", "trace-create/c"])
        assert.deepStrictEqual(first.errors, [{ id: "trace-create/b", status: 503, message: "busy", error: "later" }])
        assert.deepStrictEqual(yield* stored, ["a", "c"])
        const second = answerOf(yield* ingest(batch))
        assert.deepStrictEqual(ids(second.errors), ["trace-create/a"])
        assert.deepStrictEqual(yield* server.accepted, [
          "trace-create/a",
          "trace-create/c",
          "trace-create/b",
          "trace-create/c"
        ])
      })
    )

    test(
      "answers can speak of the wrong events although all are stored",
      Effect.gen(function*() {
        const server = yield* LangfuseServer
        yield* server.script(Fault.unknownIds(), Fault.duplicateIds(), Fault.omittedIds(), Fault.truncate())
        assert.deepStrictEqual(ids(answerOf(yield* ingest([one])).successes), ["nobody-0"])
        assert.deepStrictEqual(ids(answerOf(yield* ingest([one])).successes), ["trace-create/t", "trace-create/t"])
        assert.deepStrictEqual(answerOf(yield* ingest([one])), { successes: [], errors: [] })
        const cut = yield* ingest([one])
        assert.deepStrictEqual([cut.status, cut.json], [207, undefined])
        assert.isNotEmpty(cut.text)
        assert.strictEqual((yield* server.accepted).length, 4)
      })
    )

    test(
      "a connection can be cut before and after storing, and in the middle of the answer",
      Effect.gen(function*() {
        const server = yield* LangfuseServer
        for (const when of ["before", "after", "body"] as const) {
          yield* server.reset
          yield* server.script(Fault.reset(when))
          assert.isTrue(Exit.isFailure(yield* Effect.exit(ingest([one]))), when)
          assert.deepStrictEqual(yield* stored, when === "before" ? [] : ["t"], when)
          assert.strictEqual((yield* ingest([one])).status, 207)
        }
      })
    )

    test(
      "a cut in the middle of the body comes after the headers",
      Effect.gen(function*() {
        const server = yield* LangfuseServer
        yield* server.script(Fault.reset("body", { route: "health" }))
        const response = yield* Effect.promise(() => fetch(`${server.url}/api/public/health`))
        assert.strictEqual(response.status, 200)
        assert.isTrue(Exit.isFailure(yield* Effect.exit(Effect.tryPromise(() => response.text()))))
      })
    )

    test(
      "a server that hangs can be left, and has stored only what it was told to store",
      Effect.gen(function*() {
        const server = yield* LangfuseServer
        for (const keep of [false, true]) {
          yield* server.reset
          yield* server.script(Fault.hang({ stored: keep }))
          const sending = yield* Effect.fork(ingest([one]))
          const [recorded] = yield* server.awaitRequests(1)
          assert.deepStrictEqual([recorded?.fault, recorded?.status, recorded?.ids], ["Hang", undefined, [
            "trace-create/t"
          ]])
          yield* Fiber.interrupt(sending)
          assert.deepStrictEqual(yield* stored, keep ? ["t"] : [])
        }
      })
    )

    it.live("closing the server cuts what still hangs", () =>
      Effect.gen(function*() {
        const scope = yield* Scope.make()
        const context = yield* Layer.buildWithScope(layerServer(v3), scope)
        const sending = yield* Effect.gen(function*() {
          const server = yield* LangfuseServer
          yield* server.script(Fault.hang(), Fault.delay("1 hour"), Fault.drip("1 hour"))
          const sending = yield* Effect.fork(Effect.all(
            Effect.replicate(Effect.exit(ingest([one])), 3),
            { concurrency: "unbounded" }
          ))
          yield* server.awaitRequests(3)
          return sending
        }).pipe(Effect.provide(context))
        yield* Scope.close(scope, Exit.void)
        const exits = yield* Fiber.join(sending)
        assert.isTrue(exits.some(Exit.isFailure))
      }))

    test(
      "an answer can be late, on either side of storing",
      Effect.gen(function*() {
        const server = yield* LangfuseServer
        yield* server.script(Fault.delay("40 millis"))
        const late = yield* Effect.fork(ingest([one]))
        yield* server.awaitRequests(1)
        assert.deepStrictEqual(yield* stored, ["t"])
        assert.strictEqual((yield* Fiber.join(late)).status, 207)
        yield* server.reset
        yield* server.script(Fault.delay("40 millis", { when: "before" }))
        const slow = yield* Effect.fork(ingest([one]))
        yield* server.awaitRequests(1)
        assert.deepStrictEqual(yield* stored, [])
        assert.strictEqual((yield* Fiber.join(slow)).status, 207)
        assert.deepStrictEqual(yield* stored, ["t"])
      })
    )

    test(
      "a slow server stores also when nobody waits for it anymore",
      Effect.gen(function*() {
        const server = yield* LangfuseServer
        yield* server.script(Fault.delay("30 millis", { when: "before" }))
        const sending = yield* Effect.fork(ingest([one]))
        yield* server.awaitRequests(1)
        yield* Fiber.interrupt(sending)
        yield* Effect.repeat(Effect.zipRight(Effect.sleep("5 millis"), stored), {
          until: (traces) => traces.length > 0
        }).pipe(Effect.timeout("5 seconds"))
      })
    )

    test(
      "a body can drip",
      Effect.gen(function*() {
        const server = yield* LangfuseServer
        yield* server.script(Fault.drip("1 millis", { bytes: 8 }))
        const response = yield* Effect.promise(() =>
          fetch(`${server.url}/api/public/ingestion`, {
            method: "POST",
            headers: {
              authorization: basic("pk-lf-local", "sk-lf-local"),
              "content-type": "application/json"
            },
            body: JSON.stringify({ batch: [one] })
          })
        )
        assert.strictEqual(response.status, 207)
        const pieces: Array<number> = []
        yield* Effect.promise(async () => {
          const reader = response.body?.getReader()
          for (let read = await reader?.read(); read?.done === false; read = await reader?.read()) {
            pieces.push(read.value.length)
          }
        })
        assert.isAbove(pieces.length, 1)
        assert.strictEqual(pieces.reduce((sum, size) => sum + size, 0), Number(response.headers.get("content-length")))
      })
    )
  })

  it.live("its own requests are no part of the trace around it", () =>
    Effect.gen(function*() {
      const spans: Array<string> = []
      const tracer = Tracer.make({
        span: (name, parent, context, links, startTime, kind) => {
          spans.push(name)
          return {
            _tag: "Span",
            name,
            parent,
            context,
            kind,
            links,
            spanId: "s",
            traceId: "t",
            sampled: true,
            status: { _tag: "Started", startTime },
            attributes: new Map(),
            end: () => {},
            attribute: () => {},
            event: () => {},
            addLinks: () => {}
          }
        },
        context: (run) => run()
      })
      yield* Effect.zipRight(ingest([]), ingest([event("trace-create", { id: "t" })])).pipe(
        Effect.provide(layerServer(v3)),
        Effect.withSpan("the program"),
        Effect.withTracer(tracer)
      )
      assert.deepStrictEqual(spans, ["the program"])
    }))
})
