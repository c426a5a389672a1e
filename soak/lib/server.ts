/**
 * The server of a soak, in a process of its own, so that what it holds and does is not charged to the exporter.
 *
 * It takes what a Langfuse takes, remembers the numbers of the events, and misbehaves at random: the same way again for the
 * same seed and the same requests.
 */
import { createServer, type IncomingMessage, type ServerResponse } from "node:http"
import { readExport } from "../../test/core/wire/support/otlp.js"
import { Bits } from "./bits.js"
import * as Random from "./random.js"
import { type Fault, faults, type FromServer, numberOf, type Order, type ToServer } from "./wire.js"

const say = (message: FromServer, then = () => {}): void => void process.send?.(message, then)

interface Sent {
  readonly id: string
  readonly number: number | undefined
}

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null

const list = (value: unknown): ReadonlyArray<Readonly<Record<string, unknown>>> =>
  Array.isArray(value) ? value.filter(isRecord) : []

const ofBatch = (body: unknown): ReadonlyArray<Sent> =>
  list(isRecord(body) ? body["batch"] : undefined).map((event) => ({
    id: String(event["id"]),
    number: numberOf(isRecord(event["body"]) ? event["body"]["id"] : undefined)
  }))

const ofExport = (body: Uint8Array): ReadonlyArray<Sent> =>
  readExport(body).spans.map(({ spanId }) => ({ id: spanId, number: numberOf(spanId) }))

const start = ({ delay, seed, version }: Order): void => {
  const random = Random.make(seed)
  const stored = new Bits()
  const counts: Record<string, number> = {}
  let requests = 0
  let fault: Fault = "well"

  const count = (met: Fault): void => {
    counts[met] = (counts[met] ?? 0) + 1
  }

  const store = (sent: ReadonlyArray<Sent>): void => {
    for (const { number } of sent) if (number !== undefined) stored.add(number)
  }

  const respond = (response: ServerResponse, status: number, body: string, type = "application/json"): void => {
    response.writeHead(status, { "content-type": type }).end(body)
  }

  const accept = (sent: ReadonlyArray<Sent>, isExport: boolean): string => {
    store(sent)
    return isExport ? "{}" : JSON.stringify({ successes: sent.map(({ id }) => ({ id, status: 201 })), errors: [] })
  }

  const serve = (request: IncomingMessage, response: ServerResponse, body: Buffer): void => {
    if (request.url === "/api/public/health") {
      respond(response, 200, JSON.stringify({ status: "OK", version }))
      return
    }
    const isExport = request.url === "/api/public/otel/v1/traces"
    const sent = isExport ? ofExport(body) : ofBatch(JSON.parse(body.toString()))
    const well = isExport ? 200 : 207
    const now = fault
    requests++
    if (now !== "closed") count(now)
    switch (now) {
      case "well":
      case "closed": // It was on its way then.
        return respond(response, well, accept(sent, isExport))
      case "late":
        setTimeout(() => respond(response, well, accept(sent, isExport)), random.below(400))
        return
      case "hangs":
        if (random.chance(0.5)) store(sent)
        return
      case "500":
        return respond(response, 500, "{\"error\":\"Internal Server Error\"}")
      case "502 page":
        return respond(response, 502, "<html><body>502 Bad Gateway</body></html>", "text/html")
      case "401":
        return respond(response, 401, "{\"error\":\"UnauthorizedError\",\"message\":\"Invalid credentials.\"}")
      case "429":
        response.setHeader("retry-after", "1")
        return respond(response, 429, "{\"message\":\"Rate limit exceeded\"}")
      case "413 for many":
        if (sent.length > 3) return respond(response, 413, "Body exceeded 4.5mb limit", "text/plain")
        return respond(response, well, accept(sent, isExport))
      case "refuses some":
      case "omits some": {
        if (isExport) return respond(response, 400, "{\"error\":\"Invalid OTLP trace export\"}")
        const good = sent.filter(() => random.chance(0.5))
        store(good)
        const bad = now === "omits some" ? [] : sent.filter((each) => !good.includes(each))
        return respond(
          response,
          207,
          JSON.stringify({
            successes: good.map(({ id }) => ({ id, status: 201 })),
            errors: bad.map(({ id }) => ({ id, status: 400, message: "Invalid request data" }))
          })
        )
      }
      case "resets before":
        request.socket.resetAndDestroy()
        return
      case "resets after":
        store(sent)
        request.socket.resetAndDestroy()
        return
      case "breaks off":
        store(sent)
        response.writeHead(well, { "content-type": "application/json", "content-length": "1000" })
        response.write("{\"successes\":[")
        setTimeout(() => request.socket.destroy(), 5)
        return
      case "page":
        return respond(response, 200, "<!DOCTYPE html><html></html>", "text/html")
      case "empty":
        response.writeHead(200).end()
        return
      case "truncated": {
        const whole = accept(sent, isExport)
        // An export is taken by its status: its body says nothing.
        return respond(response, well, isExport ? whole : whole.slice(0, whole.length / 2))
      }
    }
  }

  const server = createServer((request, response) => {
    const pieces: Array<Buffer> = []
    request.on("error", () => {})
    response.on("error", () => {})
    request.on("data", (piece: Buffer) => pieces.push(piece))
    request.on("end", () => setTimeout(() => serve(request, response, Buffer.concat(pieces)), delay))
  })

  const listen = (port: number, then: (port: number) => void): void => {
    server.listen(port, "127.0.0.1", () => {
      const address = server.address()
      then(typeof address === "object" && address !== null ? address.port : 0)
    })
  }

  listen(0, (port) => {
    say({ _tag: "listening", url: `http://127.0.0.1:${port}` })
    const change = (): void => {
      if (fault === "closed") listen(port, () => {})
      // Every other time it behaves, so that there is something to lose.
      fault = fault === "well" ? random.pick(faults) : "well"
      if (fault === "closed") {
        // No request meets this one.
        count(fault)
        server.close()
        server.closeAllConnections()
      }
      setTimeout(change, 100 + random.below(400)).unref()
    }
    setTimeout(change, 200).unref()
  })

  process.on("message", (message: ToServer) => {
    if (message._tag !== "stop") return
    // The account of a long run is larger than a pipe, and what is not written when the channel closes is gone.
    say({ _tag: "account", account: { stored: stored.toText(), requests, faults: counts } }, () => process.disconnect())
    server.close()
    server.closeAllConnections()
  })
}

process.once("message", (message: ToServer) => {
  if (message._tag === "start") start(message.order)
})

// Whoever started it may have gone without a word.
process.on("disconnect", () => process.exit(0))
