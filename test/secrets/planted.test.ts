/**
 * No key leaves: every way of `planted.ts` is run over both protocols, and every request, log line and metric is searched.
 */
import type { HttpClientRequest } from "@effect/platform"
import { HttpClient } from "@effect/platform"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Inspectable, Layer, Logger, Metric, Redacted } from "effect"
import type { LangfuseConfig } from "effect-langfuse"
import { LangfuseIngest, LangfuseTracer } from "effect-langfuse"
import * as Memory from "../utils/memory.js"
import { type Way, ways } from "./planted.js"

const secret = "pl4nted-s3cret-value"
const langfuseKey = "sk-lf-pl4nted-key"

const textOf = (request: HttpClientRequest.HttpClientRequest): string =>
  `${request.url} ${request.body._tag === "Uint8Array" ? new TextDecoder().decode(request.body.body) : ""}`

/** Runs the program and returns all that left the process, beside the keys in the header of requests. */
const run = (
  program: Effect.Effect<unknown, unknown, LangfuseIngest.LangfuseIngest>,
  options: Partial<LangfuseConfig.Options>
) =>
  Effect.gen(function*() {
    const memory = yield* Memory.make({ publicKey: "pk-lf-planted", secretKey: Redacted.make(langfuseKey) })
    const sent: Array<string> = []
    const logs: Array<string> = []
    const recording = HttpClient.mapRequest(memory.client, (request) => {
      sent.push(textOf(request))
      return request
    })
    const logger = Logger.make((line) => {
      logs.push(
        Inspectable.toStringUnknown(line.message),
        Inspectable.toStringUnknown(line.annotations),
        String(line.cause)
      )
    })
    const live = LangfuseTracer.layer({ filter: "all" }).pipe(
      Layer.provideMerge(LangfuseIngest.layer({
        publicKey: "pk-lf-planted",
        secretKey: Redacted.make(langfuseKey),
        baseUrl: "http://127.0.0.1:3000",
        redactedNames: ["X-Planted"],
        ...options
      })),
      Layer.provide(Layer.succeed(HttpClient.HttpClient, recording)),
      Layer.provideMerge(Logger.replace(Logger.defaultLogger, logger))
    )
    // What the program logs itself is its own.
    const quiet = Effect.exit(program).pipe(Effect.provide(Logger.remove(logger)))
    yield* quiet.pipe(
      Effect.zipRight(Effect.flatMap(LangfuseIngest.LangfuseIngest, (ingest) => ingest.flush)),
      Effect.provide(live)
    )
    const metrics = (yield* Metric.snapshot).map(({ metricKey, metricState }) =>
      Inspectable.toStringUnknown([metricKey, metricState])
    )
    return { sent, logs, metrics }
  }).pipe(Effect.scoped)

const check = (way: Way, options: Partial<LangfuseConfig.Options>) =>
  Effect.gen(function*() {
    const { logs, metrics, sent } = yield* run(way.plant(secret), options)
    for (const [where, texts] of Object.entries({ sent, logs, metrics })) {
      for (const text of texts) {
        const found = text.indexOf(secret)
        assert.isTrue(found < 0, `${where}: ...${text.slice(Math.max(0, found - 200), found + 60)}`)
        assert.notInclude(text, langfuseKey)
      }
    }
    return sent
  })

describe("planted secrets", () => {
  it("are at least 18 ways", () => {
    assert.isAtLeast(new Set(ways.map(({ name }) => name)).size, 18)
  })

  for (const protocol of ["ingestion", "otlp"] as const) {
    describe(`over ${protocol}`, () => {
      for (const way of ways) {
        it.live(way.name, () =>
          Effect.gen(function*() {
            const sent = yield* check(way, { protocol })
            if (way.name !== "an event that is refused") assert.isAbove(sent.length, 0)
          }))
      }

      it.live("what is not secret is found, so that the search is one", () =>
        Effect.gen(function*() {
          const { sent } = yield* run(ways[0]?.plant(secret) ?? Effect.void, { protocol })
          assert.include(sent.join("\n"), "<redacted>")
          assert.include(sent.join("\n"), "headers")
        }))

      it.live("reasons of failures are there, without it", () =>
        Effect.gen(function*() {
          const texts = yield* Effect.forEach(ways, (way) => run(way.plant(secret), { protocol }))
          const all = texts.flatMap(({ sent }) => sent).join("\n")
          for (
            const reason of [
              "cannot connect to postgres://<redacted>@db/app",
              "GET https://<redacted>@h/",
              "redis://<redacted>@h",
              "401 POST https://<redacted>@api.example/v1?api_key=<redacted>",
              "invalid header value",
              "LoginFailed"
            ]
          ) assert.include(all, reason)
        }))

      it.live("a mask that fails, an event that is cut, a server that refuses the keys", () =>
        Effect.gen(function*() {
          const mask = (value: unknown) => {
            throw new Error(`cannot mask ${JSON.stringify(value)} ${secret}`)
          }
          for (const way of ways) {
            yield* check(way, { protocol, mask })
            yield* check(way, { protocol, maxEventBytes: 2000 })
          }
          yield* check(ways[0] as Way, { protocol, secretKey: Redacted.make(`${langfuseKey}-wrong`) })
        }), 60_000)
    })
  }
})
