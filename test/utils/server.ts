/**
 * The embedded Langfuse endpoint on a real socket, and plain requests to it that know nothing of our own client.
 */
import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
import * as FetchHttpClient from "@effect/platform/FetchHttpClient"
import type * as HttpClient from "@effect/platform/HttpClient"
import { LangfuseServer, layer, type Options } from "effect-langfuse/LangfuseServer"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import { createServer } from "node:http"

/** A server of its own for whoever builds the layer, with an `HttpClient` that can reach it. */
export const layerServer = (options?: Options): Layer.Layer<LangfuseServer | HttpClient.HttpClient> =>
  layer(options).pipe(
    // A test that cannot open a local port cannot say anything else either.
    Layer.provide(Layer.orDie(NodeHttpServer.layer(createServer, { port: 0, host: "127.0.0.1" }))),
    Layer.merge(FetchHttpClient.layer)
  )

export interface Reply {
  readonly status: number
  readonly headers: Headers
  readonly text: string
  /** The body as JSON, `undefined` when it is none. */
  readonly json: unknown
}

const parse = (text: string): unknown => {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** A raw request with `fetch`. It rejects as `fetch` does when there is no complete answer. */
export const request = (url: string, init?: RequestInit): Effect.Effect<Reply, unknown> =>
  Effect.tryPromise({
    try: async (signal): Promise<Reply> => {
      const response = await fetch(url, { signal, ...init })
      const text = await response.text()
      return { status: response.status, headers: response.headers, text, json: parse(text) }
    },
    catch: (cause) => cause
  })

export const basic = (publicKey: string, secretKey: string): string =>
  `Basic ${Buffer.from(`${publicKey}:${secretKey}`).toString("base64")}`

/** The headers of a well-behaved client. */
export const authorized = Effect.map(LangfuseServer, (server) => ({
  authorization: basic(server.publicKey, Redacted.value(server.secretKey)),
  "content-type": "application/json"
}))

/** POSTs to a path of the server with its keys; a body that is no text is sent as JSON. */
export const post = (
  path: string,
  body: unknown,
  headers: { readonly [name: string]: string } = {}
): Effect.Effect<Reply, unknown, LangfuseServer> =>
  Effect.gen(function*() {
    const server = yield* LangfuseServer
    const base = yield* authorized
    return yield* request(`${server.url}${path}`, {
      method: "POST",
      headers: { ...base, ...headers },
      body: typeof body === "string" ? body : body instanceof Uint8Array ? Buffer.from(body) : JSON.stringify(body)
    })
  })

export const ingest = (
  batch: ReadonlyArray<unknown>,
  headers?: { readonly [name: string]: string }
): Effect.Effect<Reply, unknown, LangfuseServer> => post("/api/public/ingestion", { batch }, headers)

export const exportSpans = (
  body: unknown,
  headers?: { readonly [name: string]: string }
): Effect.Effect<Reply, unknown, LangfuseServer> =>
  post("/api/public/otel/v1/traces", body, { "x-langfuse-ingestion-version": "4", ...headers })
