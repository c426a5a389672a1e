/**
 * A proxy in front of a server, which turns some requests away.
 */
import { Effect, type Scope } from "effect"
import { Buffer } from "node:buffer"
import { createServer, type IncomingMessage, request as forward } from "node:http"
import { gunzipSync } from "node:zlib"

export interface Proxy {
  readonly url: string
  /** Requests so far, health checks aside. */
  readonly requests: () => number
}

export interface Seen {
  /** Of the body as it was sent. */
  readonly bytes: number
  readonly text: string
}

export interface Refusal {
  readonly status: number
  readonly body: string
}

const read = (message: IncomingMessage): Promise<Buffer> =>
  new Promise((resolve, reject) => {
    const pieces: Array<Buffer> = []
    message.on("data", (piece: Buffer) => pieces.push(piece))
    message.on("end", () => resolve(Buffer.concat(pieces)))
    message.on("error", reject)
  })

export const serve = (
  target: string,
  refuse: (seen: Seen) => Refusal | undefined
): Effect.Effect<Proxy, never, Scope.Scope> =>
  Effect.acquireRelease(
    Effect.async<Proxy & { readonly close: () => void }>((resume) => {
      let requests = 0
      const server = createServer((incoming, outgoing) => {
        void read(incoming).then((body) => {
          const text = incoming.headers["content-encoding"] === "gzip" ? gunzipSync(body).toString() : body.toString()
          if (incoming.method === "POST") requests++
          const refusal = incoming.method === "POST" ? refuse({ bytes: body.length, text }) : undefined
          if (refusal !== undefined) {
            outgoing.writeHead(refusal.status, { "content-type": "text/html" }).end(refusal.body)
            return
          }
          const onward = forward(
            `${target}${incoming.url ?? ""}`,
            { method: incoming.method, headers: { ...incoming.headers, connection: "close" } },
            (answer) => {
              outgoing.writeHead(answer.statusCode ?? 502, answer.headers)
              answer.pipe(outgoing)
            }
          )
          onward.on("error", () => outgoing.destroy())
          onward.end(body)
        }, () => outgoing.destroy())
      })
      server.listen(0, "127.0.0.1", () => {
        const address = server.address()
        const port = typeof address === "object" && address !== null ? address.port : 0
        resume(Effect.succeed({
          url: `http://127.0.0.1:${port}`,
          requests: () => requests,
          close: () => {
            server.close()
            server.closeAllConnections()
          }
        }))
      })
    }),
    ({ close }) => Effect.sync(close)
  )
