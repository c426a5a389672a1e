/**
 * A server on a bare socket, for what no HTTP server does.
 */
import { Effect } from "effect"
import { createServer, type Socket } from "node:net"

export interface Behaviour {
  /** As soon as a client is there. */
  readonly connect?: ((socket: Socket) => void) | undefined
  /** When the first byte of a body has arrived. A health check is answered by itself. */
  readonly body?: ((socket: Socket) => void) | undefined
  /** When a request is complete. */
  readonly request?: ((socket: Socket, text: string) => void) | undefined
}

export interface Raw {
  readonly url: string
  readonly port: number
  /** Connections so far. */
  readonly connections: () => number
  /** Complete requests so far. */
  readonly requests: () => number
  /** Connections open now, and the most there were at one time. */
  readonly open: () => { readonly now: number; readonly most: number }
}

/** What a server of v4 says to whoever asks for its health. */
const healthy = "{\"status\":\"OK\",\"version\":\"4.16.0\"}"

const listen = (socket: Socket, behaviour: Behaviour, onRequest: () => void) => {
  let text = ""
  let seesBody = false
  socket.on("data", (data) => {
    text += data.toString("latin1")
    const head = text.indexOf("\r\n\r\n")
    if (head < 0) return
    if (text.startsWith("GET /api/public/health ")) {
      text = text.slice(head + 4)
      socket.write(answer("200 OK", { "content-type": "application/json" }, healthy))
      return
    }
    const start = head + 4
    if (!seesBody && text.length > start) {
      seesBody = true
      behaviour.body?.(socket)
    }
    const length = Number(/^content-length: *(\d+)/im.exec(text)?.[1] ?? 0)
    if (text.length < start + length) return
    const whole = text.slice(0, start + length)
    text = text.slice(start + length)
    seesBody = false
    onRequest()
    behaviour.request?.(socket, whole)
  })
}

export const serve = (behaviour: Behaviour) =>
  Effect.acquireRelease(
    Effect.async<Raw & { readonly close: () => void }>((resume) => {
      const sockets = new Set<Socket>()
      let connections = 0
      let requests = 0
      let most = 0
      const server = createServer((socket) => {
        connections++
        sockets.add(socket)
        most = Math.max(most, sockets.size)
        socket.on("close", () => sockets.delete(socket))
        // A client that goes away is what many of these tests are about.
        socket.on("error", () => {})
        behaviour.connect?.(socket)
        if (behaviour.body !== undefined || behaviour.request !== undefined) listen(socket, behaviour, () => requests++)
      })
      server.listen(0, "127.0.0.1", () => {
        const address = server.address()
        const port = typeof address === "object" && address !== null ? address.port : 0
        resume(Effect.succeed({
          url: `http://127.0.0.1:${port}`,
          port,
          connections: () => connections,
          requests: () => requests,
          open: () => ({ now: sockets.size, most }),
          close: () => {
            server.close()
            for (const socket of sockets) socket.destroy()
          }
        }))
      })
    }),
    ({ close }) => Effect.sync(close)
  )

/** An answer as it stands on the wire, one byte a character. */
export const answer = (status: string, headers: Readonly<Record<string, string>>, body: string): string =>
  `HTTP/1.1 ${status}\r\n${
    Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`).join("")
  }content-length: ${body.length}\r\n\r\n${body}`

/** A port on which nobody listens. */
export const closedPort: Effect.Effect<number> = Effect.scoped(Effect.map(serve({}), ({ port }) => port))
