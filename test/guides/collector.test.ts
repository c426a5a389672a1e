/**
 * docs/fleets.md has a configuration for the OpenTelemetry Collector. No Collector runs here: a stand-in takes what the
 * configuration says that it takes, and sends it on as the configuration says, so that paths, headers and the program that
 * sends through it fit together.
 */
import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
import * as HttpServer from "@effect/platform/HttpServer"
import * as HttpServerRequest from "@effect/platform/HttpServerRequest"
import * as HttpServerResponse from "@effect/platform/HttpServerResponse"
import { assert, beforeAll, describe, it } from "@effect/vitest"
import { Context, Effect, Layer, Redacted, Schema } from "effect"
import { createServer } from "node:http"
import { parse } from "yaml"
import { compile, compiled } from "../../scripts/lib/compile.js"
import * as Process from "../utils/process.js"
import * as Pages from "./pages.js"
import * as Run from "./run.js"

const folder = "effect-langfuse-collector"
const program = "fleets-collector"

const Batch = Schema.Struct({
  timeout: Schema.Literal("5s"),
  send_batch_size: Schema.Int,
  send_batch_max_size: Schema.Int
})

const Exporter = Schema.Struct({
  endpoint: Schema.String,
  // A header is a text, also where it looks like a number.
  headers: Schema.Record({ key: Schema.String, value: Schema.String })
})

/** What the page uses, and nothing else. */
const Configuration = Schema.Struct({
  receivers: Schema.Struct({
    otlp: Schema.Struct({
      protocols: Schema.Struct({
        http: Schema.Struct({ endpoint: Schema.String, traces_url_path: Schema.String })
      })
    })
  }),
  processors: Schema.Struct({ batch: Batch }),
  exporters: Schema.Struct({ "otlp_http/langfuse": Exporter }),
  service: Schema.Struct({
    pipelines: Schema.Struct({
      traces: Schema.Struct({
        receivers: Schema.Tuple(Schema.Literal("otlp")),
        processors: Schema.Tuple(Schema.Literal("batch")),
        exporters: Schema.Tuple(Schema.Literal("otlp_http/langfuse"))
      })
    })
  })
})

const configuration = Effect.suspend(() => {
  const [block, ...others] = Pages.blocks("docs/fleets.md").filter(({ language }) => language === "yaml")
  assert.deepStrictEqual(others, [])
  return Schema.decodeUnknown(Configuration, { onExcessProperty: "error" })(parse(block?.text ?? ""))
})

/** With what the environment of the Collector would have. */
const inEnvironment = (text: string, variables: { readonly [name: string]: string }): string =>
  text.replace(/\$\{env:([A-Z_]+)\}/g, (_, name: string) => variables[name] ?? assert.fail(`${name} is not set`))

interface Forwarded {
  readonly path: string
  readonly status: number
}

/** Takes exports at the receiver's path and hands them to the exporter's address; returns where it listens. */
const makeCollector = (
  { exporters, receivers }: typeof Configuration.Type,
  langfuse: string,
  variables: { readonly [name: string]: string },
  forwarded: Array<Forwarded>
) =>
  Effect.gen(function*() {
    const exporter = exporters["otlp_http/langfuse"]
    const to = `${exporter.endpoint.replace("https://cloud.langfuse.com", langfuse)}/v1/traces`
    // Built in the scope of the test, so that it serves until that ends.
    const http = yield* Layer.build(
      NodeHttpServer.layerServer(() => createServer(), { port: 0, host: "127.0.0.1" })
    )
    yield* HttpServer.serveEffect(Effect.gen(function*() {
      const request = yield* HttpServerRequest.HttpServerRequest
      const path = new URL(request.url, "http://localhost").pathname
      if (request.method !== "POST" || path !== receivers.otlp.protocols.http.traces_url_path) {
        forwarded.push({ path, status: 404 })
        return HttpServerResponse.empty({ status: 404 })
      }
      const body = yield* request.arrayBuffer
      const answer = yield* Effect.promise(() =>
        fetch(to, {
          method: "POST",
          body,
          headers: {
            "content-type": request.headers["content-type"] ?? "",
            // What was compressed stays so; no other header of the sender goes any further.
            ...(request.headers["content-encoding"] === undefined
              ? undefined
              : { "content-encoding": request.headers["content-encoding"] }),
            ...Object.fromEntries(
              Object.entries(exporter.headers).map(([name, value]) => [name, inEnvironment(value, variables)])
            )
          }
        })
      )
      yield* Effect.promise(() => answer.text())
      forwarded.push({ path, status: answer.status })
      return yield* HttpServerResponse.json({ partialSuccess: {} })
    })).pipe(Effect.provide(http))
    const { address } = Context.get(http, HttpServer.HttpServer)
    return `http://127.0.0.1:${address._tag === "TcpAddress" ? address.port : 0}`
  })

describe("the Collector's configuration of docs/fleets.md", () => {
  beforeAll(
    () => compile({ entries: { [program]: `examples/guides/${program}.ts` }, folder, packages: "bundled" }),
    60_000
  )

  it.scopedLive(
    "fits what is sent through it: traces go by the Collector, scores to Langfuse",
    () =>
      Effect.gen(function*() {
        const server = yield* Run.makeServer()
        const secretKey = Redacted.value(server.secretKey)
        const forwarded: Array<Forwarded> = []
        const url = yield* makeCollector(yield* configuration, server.url, {
          LANGFUSE_AUTH: Buffer.from(`${server.publicKey}:${secretKey}`).toString("base64")
        }, forwarded)

        const { code, stderr, stdout } = yield* Process.node(compiled(folder, program), [], {
          LANGFUSE_PUBLIC_KEY: server.publicKey,
          LANGFUSE_SECRET_KEY: secretKey,
          LANGFUSE_BASE_URL: server.url,
          COLLECTOR_URL: url
        })

        assert.strictEqual(code, 0, stderr)
        assert.strictEqual(stdout, "")
        assert.deepStrictEqual(forwarded, [
          // A Collector is not asked in vain for long: without an answer it counts as a current Langfuse.
          { path: "/api/public/health", status: 404 },
          { path: "/api/public/otel/v1/traces", status: 200 }
        ])
        const requests = (yield* server.requests).map(({ headers, path, status }) => ({
          path,
          status,
          version: headers["x-langfuse-ingestion-version"],
          sdk: headers["x-langfuse-sdk-name"] !== undefined
        }))
        assert.sameDeepMembers(requests, [
          { path: "/api/public/otel/v1/traces", status: 200, version: "4", sdk: false },
          { path: "/api/public/ingestion", status: 207, version: undefined, sdk: true }
        ])
        const [trace] = yield* server.traces
        assert.deepStrictEqual(trace?.observations.map(({ name }) => name).sort(), ["answer", "complete"])
        assert.deepStrictEqual(trace?.scores.map(({ name }) => name), ["helpful"])
        assert.deepStrictEqual(yield* server.losses, [])
      }),
    60_000
  )
})
