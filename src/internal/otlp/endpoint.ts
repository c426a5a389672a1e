/**
 * Langfuse's OpenTelemetry endpoint: one span a part, and one answer for all of them.
 *
 * @see https://langfuse.com/integrations/native/opentelemetry
 */
import * as HttpBody from "@effect/platform/HttpBody"
import * as Effect from "effect/Effect"
import * as DeliveryReport from "../../DeliveryReport.js"
import type * as Sender from "../sender.js"
import { contentType, unexpectedBody } from "../unexpectedBody.js"
import { frame } from "./encode.js"

/**
 * Bytes from which on compressing a body costs less than sending it over the internet. Nearby it never does: where a
 * megabyte takes 10 ms, compressing it would take more of the program's processors than it saves of anything.
 */
const worthCompressing = 8 * 1024

/** What Langfuse says when it is not a span that it cannot read: half of the request would fare no better. */
const isAboutRequest = /ingestion-version|content type|decompress/i

const encode = (body: Uint8Array, isFar: boolean): Effect.Effect<Sender.EncodedBody> => {
  const plain = Effect.sync((): Sender.EncodedBody => ({ body: HttpBody.uint8Array(body, "application/json") }))
  if (!isFar || body.length < worthCompressing || globalThis.CompressionStream === undefined) return plain
  return Effect.tryPromise(() => gzip(body)).pipe(
    Effect.map((bytes): Sender.EncodedBody => ({
      body: HttpBody.uint8Array(bytes, "application/json"),
      headers: { "content-encoding": "gzip" }
    })),
    Effect.catchAllCause(() => plain)
  )
}

const gzip = async (body: Uint8Array): Promise<Uint8Array> => {
  const stream = new CompressionStream("gzip")
  const writer = stream.writable.getWriter()
  const [bytes] = await Promise.all([
    new Response(stream.readable).arrayBuffer(),
    // The copy is what makes the bytes those of an `ArrayBuffer` for sure, whatever memory they came in.
    writer.write(new Uint8Array(body)),
    writer.close()
  ])
  return new Uint8Array(bytes)
}

export const endpoint: Sender.Endpoint = {
  path: "/api/public/otel/v1/traces",
  // Spans are written as they are and can be read at once. A server that does not know the header ignores it.
  headers: { "x-langfuse-ingestion-version": "4" },
  frame,
  encode,
  read: (parts, answer) => {
    const events = parts.flatMap((part) => part.events)
    // The body is no answer to the export but a note of the server's to itself.
    if (!/json|protobuf/i.test(contentType(answer) ?? "")) {
      return DeliveryReport.failed(events, unexpectedBody(answer))
    }
    for (const part of parts) part.isStored = true
    return DeliveryReport.delivered(events)
  },
  divisible: ({ status, text }) => status === 413 || (status === 400 && !isAboutRequest.test(text))
}
