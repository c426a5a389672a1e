/**
 * Buffers of requests are used again. A client may go on writing from one after the server has answered, and whatever is in
 * it by then goes on the wire: no event may end up in the request of others.
 */
import { assert, describe, it } from "@effect/vitest"
import { Context, Effect, Layer, Redacted } from "effect"
import * as LangfuseIngest from "effect-langfuse/LangfuseIngest"
import { createServer, type Socket } from "node:net"
import { event, time } from "../utils/otlp.js"
import { clients } from "./support/clients.js"
import * as Output from "./support/output.js"

const letters = ["a", "b", "c", "d"] as const

const answer = (status: string, type: string, body: string): string =>
  `HTTP/1.1 ${status}\r\ncontent-type: ${type}\r\ncontent-length: ${body.length}\r\n\r\n${body}`

/** Answers the first export with 413 as soon as it has its headers, and reads its body half a second later. */
const serveEarly = Effect.acquireRelease(
  Effect.async<{ readonly url: string; readonly bodies: ReadonlyArray<Buffer>; readonly close: () => void }>(
    (resume) => {
      const bodies: Array<Buffer> = []
      const sockets = new Set<Socket>()
      let isFirst = true
      const server = createServer((socket) => {
        sockets.add(socket)
        socket.on("error", () => {})
        let pieces: Array<Buffer> = []
        let length = 0
        /** Of the request under way, its headers included. */
        let expected: number | undefined
        let isAnswered = false
        const readHeaders = (): void => {
          const data = Buffer.concat(pieces)
          const end = data.indexOf("\r\n\r\n")
          if (end < 0) return
          expected = end + 4 + Number(/content-length: (\d+)/i.exec(data.toString("latin1", 0, end))?.[1] ?? 0)
          // The question for the version does not count.
          const isEarly = isFirst && data.subarray(0, 4).toString() === "POST"
          isAnswered = isEarly
          if (!isEarly) return
          isFirst = false
          socket.write(answer("413 Payload Too Large", "text/plain", "Body exceeded 4.5mb limit"))
          socket.pause()
          setTimeout(() => socket.resume(), 500)
        }
        socket.on("data", (piece) => {
          pieces.push(piece)
          length += piece.length
          if (expected === undefined) readHeaders()
          if (expected === undefined || length < expected) return
          const data = Buffer.concat(pieces)
          bodies.push(data.subarray(0, expected))
          pieces = [data.subarray(expected)]
          length -= expected
          expected = undefined
          if (!isAnswered) socket.write(answer("200 OK", "application/json", "{}"))
        })
        socket.on("close", () => {
          if (length > 0) bodies.push(Buffer.concat(pieces))
        })
      })
      server.listen(0, "127.0.0.1", () => {
        const address = server.address()
        const port = typeof address === "object" && address !== null ? address.port : 0
        resume(Effect.succeed({
          url: `http://127.0.0.1:${port}`,
          bodies,
          close: () => {
            server.close()
            for (const socket of sockets) socket.destroy()
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
          maxEventBytes: 9_000_000,
          interval: "1 hour"
        }).pipe(Layer.provide(client), Layer.provide(output.layer))
      )
      const ingest = Context.get(context, LangfuseIngest.LangfuseIngest)
      for (const letter of letters) {
        yield* ingest.enqueue(
          event("span-create", { id: letter, traceId: "t", endTime: time(1), input: letter.repeat(8_000_000) })
        )
        yield* ingest.flush
      }
      yield* Effect.sleep("700 millis")
      assert.deepInclude(yield* ingest.stats, { delivered: 3, failed: 1, pending: 0 })
      // What the first client still sent, if anything, and the other three.
      assert.isAtLeast(server.bodies.length, 3)
      for (const body of server.bodies) {
        const found = letters.filter((letter) => body.includes(letter.repeat(10_000)))
        assert.isAtMost(found.length, 1)
      }
    }))
})
