/**
 * Buffers of requests are used again. A client may go on writing from one after the server has answered, and whatever is in
 * it by then goes on the wire: no event may end up in the request of others.
 */
import { assert, describe, it } from "@effect/vitest"
import { Context, Effect, Layer, Redacted } from "effect"
import * as LangfuseIngest from "effect-langfuse/LangfuseIngest"
import { createServer } from "node:http"
import type { AddressInfo } from "node:net"
import { event } from "../utils/ingest.js"
import { clients } from "./support/clients.js"
import * as Output from "./support/output.js"

const letters = ["a", "b", "c", "d"] as const

/** Answers the first request with 413 before it has read it, and reads on half a second later. */
const serveEarly = Effect.acquireRelease(
  Effect.async<{ readonly url: string; readonly bodies: ReadonlyArray<Buffer>; readonly close: () => void }>(
    (resume) => {
      const bodies: Array<Buffer> = []
      let isFirst = true
      const server = createServer((request, response) => {
        const pieces: Array<Buffer> = []
        const keep = () => {
          bodies.push(Buffer.concat(pieces))
          pieces.length = 0
        }
        request.on("error", keep)
        request.on("close", keep)
        if (request.method === "GET") {
          response.writeHead(200, { "content-type": "application/json" }).end(
            "{\"status\":\"OK\",\"version\":\"4.0.0\"}"
          )
          return
        }
        if (isFirst) {
          isFirst = false
          response.writeHead(413, { "content-type": "text/plain" }).end("Body exceeded 4.5mb limit")
          setTimeout(() => request.on("data", (piece: Buffer) => pieces.push(piece)), 500)
          return
        }
        request.on("data", (piece: Buffer) => pieces.push(piece))
        request.on("end", () => response.writeHead(200, { "content-type": "application/json" }).end("{}"))
      })
      server.listen(0, "127.0.0.1", () => {
        const { port } = server.address() as AddressInfo // it listens
        resume(Effect.succeed({
          url: `http://127.0.0.1:${port}`,
          bodies,
          close: () => {
            server.close()
            server.closeAllConnections()
          }
        }))
      })
    }
  ),
  ({ close }) => Effect.sync(close)
)

describe.each(clients)("with %s", (_, client) => {
  it.scopedLive("a server that refuses a request early is never sent what belongs to another", () =>
    Effect.gen(function*() {
      const server = yield* serveEarly
      const output = yield* Output.capture
      const context = yield* Layer.build(
        LangfuseIngest.layer({
          publicKey: "pk-lf-test",
          secretKey: Redacted.make("sk-lf-test"),
          baseUrl: server.url,
          protocol: "otlp",
          maxBatchBytes: 9_000_000,
          interval: "1 hour"
        }).pipe(Layer.provide(client), Layer.provide(output.layer))
      )
      const ingest = Context.get(context, LangfuseIngest.LangfuseIngest)
      for (const letter of letters) {
        for (let n = 0; n < 8; n++) {
          yield* ingest.enqueue(event(`${letter}${n}`, { input: letter.repeat(900_000) }))
        }
        yield* ingest.flush
      }
      yield* Effect.sleep("700 millis")
      assert.deepInclude(yield* ingest.stats, { delivered: 32, failed: 0, pending: 0 })
      assert.isAtLeast(server.bodies.length, 5)
      for (const body of server.bodies) {
        const found = letters.filter((letter) => body.includes(letter.repeat(10_000)))
        assert.isAtMost(found.length, 1)
      }
    }))
})
