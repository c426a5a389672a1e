/**
 * What can go wrong on the wire: servers that no HTTP server is, over real sockets and every protocol. None of them takes
 * an event, so all events fail.
 */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import type { Socket } from "node:net"
import { gzipSync } from "node:zlib"
import { clients } from "./support/clients.js"
import { protocols } from "./support/protocols.js"
import * as Raw from "./support/raw.js"
import * as Run from "./support/run.js"

interface Row extends Raw.Behaviour {
  readonly name: string
  readonly warns: RegExp
  /** Characters that each event carries besides. */
  readonly padding?: number
  /** OTLP takes a success of that type for one, whatever its body says. */
  readonly isTakenByOtlp?: boolean
}

const unreachable = /is the server up, and is LANGFUSE_BASE_URL right/
const timeout = /no complete answer within 250ms/
const foreign = /the answer is not Langfuse's.*is LANGFUSE_BASE_URL right/

const json = { "content-type": "application/json" }

/** Answers each request so. */
const says = (text: string) => (socket: Socket) => void socket.write(text, "latin1")

/** Writes for as long as the client reads. */
const forever = (head: string, piece: Buffer) => (socket: Socket) => {
  socket.write(head)
  const more = (): void => {
    while (!socket.destroyed && socket.write(piece));
  }
  socket.on("drain", more)
  more()
}

const chunk = (size: number): Buffer => Buffer.from(`${size.toString(16)}\r\n${"z".repeat(size)}\r\n`)

const bomb = gzipSync(Buffer.alloc(64 * 1024 * 1024, "z"))

const rows: ReadonlyArray<Row> = [
  { name: "resets as soon as it is connected to", connect: (socket) => socket.resetAndDestroy(), warns: unreachable },
  { name: "ends as soon as it is connected to", connect: (socket) => socket.end(), warns: unreachable },
  { name: "resets within the body", body: (socket) => socket.resetAndDestroy(), padding: 400_000, warns: unreachable },
  { name: "ends within the body", body: (socket) => socket.destroy(), padding: 400_000, warns: unreachable },
  { name: "resets after the body", request: (socket) => socket.resetAndDestroy(), warns: unreachable },
  { name: "ends after the body", request: (socket) => socket.end(), warns: unreachable },
  { name: "is silent", connect: () => {}, warns: timeout },
  { name: "never reads", connect: (socket) => socket.pause(), padding: 400_000, warns: timeout },
  { name: "is silent after the body", request: () => {}, warns: timeout },
  { name: "stops in the status line", request: says("HTTP/1.1 207 Mul"), warns: timeout },
  { name: "stops in the headers", request: says("HTTP/1.1 207 Multi-Status\r\ncontent-type: appl"), warns: timeout },
  {
    name: "stops before the body",
    request: says("HTTP/1.1 207 Multi-Status\r\ncontent-length: 100\r\n\r\n"),
    warns: timeout
  },
  {
    name: "drips its headers",
    request: (socket) => {
      const text = "HTTP/1.1 207 Multi-Status\r\nx-slow: 1\r\n".repeat(20)
      let at = 0
      const timer = setInterval(() => socket.write(text[at++] ?? "x"), 10)
      socket.on("close", () => clearInterval(timer))
    },
    warns: timeout
  },
  {
    name: "announces more than it sends",
    request: (socket) => socket.end("HTTP/1.1 207 Multi-Status\r\ncontent-length: 1000\r\n\r\n{\"successes\":[]"),
    warns: unreachable
  },
  {
    name: "sends more than it announces",
    request: says("HTTP/1.1 207 Multi-Status\r\ncontent-length: 5\r\n\r\n{\"successes\":[],\"errors\":[]}"),
    warns: /Langfuse events failed/
  },
  { name: "speaks another protocol", request: says("SSH-2.0-OpenSSH_9.6\r\n"), warns: unreachable },
  {
    name: "speaks TLS",
    connect: (socket) => void socket.write(Buffer.from("15030100020228", "hex")),
    warns: unreachable
  },
  {
    name: "sends headers without end",
    request: forever("HTTP/1.1 207 Multi-Status\r\n", Buffer.from(`x-more: ${"z".repeat(1000)}\r\n`)),
    warns: unreachable
  },
  {
    name: "answers with early hints and nothing else",
    request: says("HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n".repeat(3)),
    warns: timeout
  },
  {
    name: "sends a body without end",
    isTakenByOtlp: true,
    request: forever(
      "HTTP/1.1 207 Multi-Status\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n",
      chunk(65_536)
    ),
    warns: /the answer is not Langfuse's|no complete answer/
  },
  {
    name: "announces a body of a terabyte",
    request: forever("HTTP/1.1 207 Multi-Status\r\ncontent-length: 1099511627776\r\n\r\n", Buffer.alloc(65_536, "z")),
    warns: /the answer is not Langfuse's|no complete answer/
  },
  {
    name: "sends a body that unpacks to 64 MiB",
    request: (socket) => {
      socket.write(`HTTP/1.1 207 Multi-Status\r\ncontent-encoding: gzip\r\ncontent-length: ${bomb.length}\r\n\r\n`)
      socket.write(bomb)
    },
    warns: /the answer is not Langfuse's|no complete answer/
  },
  {
    name: "sends a body that does not unpack",
    isTakenByOtlp: true,
    request: says(Raw.answer("207 Multi-Status", { ...json, "content-encoding": "gzip" }, "not gzip at all")),
    warns: /Langfuse events failed/
  },
  {
    name: "sends bytes that are no text",
    isTakenByOtlp: true,
    request: says(Raw.answer("207 Multi-Status", json, "\xff\xfe\x00\x80")),
    warns: foreign
  },
  {
    name: "redirects to itself without end",
    request: says(Raw.answer("308 Permanent Redirect", { location: "/api/public/ingestion" }, "")),
    warns: /308: redirected, which is not followed; redirects are not followed/
  },
  {
    name: "redirects to nowhere",
    request: says(Raw.answer("302 Found", { location: "http://127.0.0.1:1/" }, "")),
    warns: /302: redirected, which is not followed; redirects are not followed/
  },
  {
    name: "redirects without saying where",
    request: says(Raw.answer("301 Moved Permanently", {}, "")),
    warns: /301: redirected, which is not followed; redirects are not followed/
  },
  { name: "answers 304", request: says("HTTP/1.1 304 Not Modified\r\n\r\n"), warns: /304/ }
]

const check = (outcome: Run.Outcome, warns: RegExp) => {
  assert.deepInclude(outcome.stats, { offered: 5, delivered: 0, rejected: 0, failed: 5 })
  assert.strictEqual(outcome.flushed.pending, 0)
  assert.strictEqual(outcome.warnings.length, 1, outcome.warnings.join("\n"))
  assert.match(outcome.warnings[0] ?? "", warns)
}

describe.concurrent.each(protocols.map((protocol) => [protocol.name, protocol] as const))("over %s", (_, protocol) => {
  // What auto sends goes through OTLP, so one client will do.
  describe.each(protocol.name === "auto" ? clients.slice(0, 1) : clients)("with %s, a server that", (_, client) => {
    it.scopedLive("is not there", () =>
      Effect.gen(function*() {
        const port = yield* Raw.closedPort
        const outcome = yield* Run.run({ protocol, client, baseUrl: `http://127.0.0.1:${port}`, events: 5 })
        check(outcome, /no answer \(ECONNREFUSED\); is the server up, and is LANGFUSE_BASE_URL right/)
      }))

    it.scopedLive("has no address", () =>
      Effect.gen(function*() {
        const outcome = yield* Run.run({
          protocol,
          client,
          // Reserved for this: https://www.rfc-editor.org/rfc/rfc6761#section-6.4
          baseUrl: "http://langfuse.invalid",
          events: 5,
          options: { requestTimeout: "2 seconds" }
        })
        assert.deepInclude(outcome.stats, { failed: 5, delivered: 0 })
        const warning = outcome.warnings.find((line) => line.includes("Langfuse events failed"))
        assert.match(warning ?? "", /no answer \((ENOTFOUND|EAI_AGAIN)\)|no complete answer/)
      }))

    it.scopedLive("does not speak TLS where https is asked for", () =>
      Effect.gen(function*() {
        const raw = yield* Raw.serve({ connect: says("HTTP/1.1 400 Bad Request\r\n\r\n") })
        const outcome = yield* Run.run({ protocol, client, baseUrl: `https://127.0.0.1:${raw.port}`, events: 5 })
        check(outcome, unreachable)
      }))

    for (const { isTakenByOtlp = false, name, padding = 0, warns, ...behaviour } of rows) {
      if (isTakenByOtlp && protocol.name !== "ingestion") continue
      it.scopedLive(name, () =>
        Effect.gen(function*() {
          const raw = yield* Raw.serve(behaviour)
          const options = { requestTimeout: warns === timeout ? "250 millis" : "5 seconds" } as const
          const outcome = yield* Run.run({ protocol, client, baseUrl: raw.url, events: 5, padding, options })
          check(outcome, warns)
          assert.isAtMost(raw.requests(), 25, "no storm of requests")
        }))
    }
  })
})

describe.sequential("after all of that", () => {
  it("nothing that any of these runs put out holds a key or a payload", () => {
    Run.searchWholeOutput()
  })
})
