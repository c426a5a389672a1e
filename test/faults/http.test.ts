/**
 * What a server answers, over real HTTP and every protocol: each row puts one bad answer between two good ones.
 */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { type LangfuseConfig, LangfuseServer } from "effect-langfuse"
import { afterAll } from "vitest"
import * as Answers from "./support/answers.js"
import { clients, fetchClient } from "./support/clients.js"
import { marker } from "./support/host.js"
import { type Protocol, protocols, rowsFor } from "./support/protocols.js"
import * as Run from "./support/run.js"
import { serve } from "./support/server.js"

const { Fault } = LangfuseServer

/** What becomes of the middle one of three batches of five. */
interface Middle {
  readonly delivered: ReadonlyArray<number>
  readonly rejected?: ReadonlyArray<number> | undefined
  readonly warns?: RegExp | undefined
  /** Requests for it. Default 1. */
  readonly requests?: number | undefined
}

const all = [5, 6, 7, 8, 9]
const lost = (warns: RegExp): Middle => ({ delivered: [], warns })
const arrived: Middle = { delivered: all }

const check = (
  protocol: Protocol,
  client: (typeof clients)[number][1],
  fault: LangfuseServer.Fault,
  middle: Middle,
  options?: Partial<LangfuseConfig.Options>
) =>
  Effect.gen(function*() {
    const server = yield* serve(protocol)
    yield* server.script(Fault.delay(0, { route: protocol.route }), fault)
    const outcome = yield* Run.run({ protocol, client, baseUrl: server.url, options })
    const ids = (indices: ReadonlyArray<number>) => indices.map((index) => outcome.accepted[index] ?? "?")
    const good = outcome.accepted.filter((_, index) => !all.includes(index))

    assert.strictEqual(outcome.accepted.length, 15)
    assert.sameMembers([...outcome.delivered], [...good, ...ids(middle.delivered)])
    assert.sameMembers([...outcome.rejected], ids(middle.rejected ?? []))
    assert.strictEqual(outcome.stats.failed, 15 - outcome.stats.delivered - outcome.stats.rejected)
    assert.strictEqual(outcome.flushed.pending, 0)

    const stored = (yield* server.observations).map(({ id }) => id)
    if (fault.stored === true) assert.includeMembers(stored, [...outcome.delivered])
    else assert.sameMembers(stored, [...outcome.delivered], "the server holds exactly what was delivered")
    assert.strictEqual(new Set(stored).size, stored.length)
    assert.deepStrictEqual(yield* server.losses, [])
    const requests = (yield* server.requests).filter(({ path }) => path === protocol.path)
    const expected = 2 + (middle.requests ?? 1)
    assert.strictEqual(requests.length, expected, "nothing is sent again, and nothing is held back after a fault")

    if (middle.warns === undefined) {
      assert.deepStrictEqual(outcome.warnings, [])
    } else {
      assert.strictEqual(outcome.warnings.length, 1, "one warning")
      assert.match(outcome.warnings[0] ?? "", middle.warns)
      assert.match(outcome.warnings[0] ?? "", /^\d+ Langfuse events (failed|were rejected): .+; .+ \(.+\)$/)
    }
  })

const respond = (protocol: Protocol, answer: Answers.Answer) =>
  Fault.respond({ status: answer.status, headers: answer.headers, body: answer.body, route: protocol.route })

const echo = (protocol: Protocol, status: number, headers: Record<string, string>, body: string) =>
  Fault.respond({ status, headers, body, route: protocol.route })

const token = Run.secrets["the Basic token"] ?? ""
const secret = Run.secrets["the secret key"] ?? ""
const said = `got Authorization: Basic ${token} of ${Run.publicKey} with ${secret}`
// As a server that has parsed the request would show it.
const repeated = `[{"role":"user","content":"${marker} in 5 "}]`

const echoes = (protocol: Protocol): ReadonlyArray<readonly [string, LangfuseServer.Fault, RegExp]> => [
  [
    "keys in a message",
    echo(protocol, 401, { "content-type": "application/json" }, JSON.stringify({ message: said })),
    /got Authorization: Basic <redacted> of <redacted> with <redacted>/
  ],
  ["keys in a page", echo(protocol, 500, { "content-type": "text/html" }, `<pre>${said}</pre>`), /500: refused/],
  [
    "keys in a header",
    echo(protocol, 418, { "content-type": token, "x-said": secret, "www-authenticate": said }, ""),
    /418: refused/
  ],
  [
    "the payload in a message",
    echo(
      protocol,
      422,
      { "content-type": "application/json" },
      JSON.stringify({ message: `cannot read ${repeated}` })
    ),
    /repeat what was sent/
  ],
  ["the payload in a page", echo(protocol, 422, { "content-type": "text/html" }, repeated), /422: refused/],
  [
    "a message of many lines",
    echo(
      protocol,
      500,
      { "content-type": "application/json" },
      JSON.stringify({ message: "one\r\n2026-11-23 ERROR forged\u001b[31m\u2028two" })
    ),
    /500: one 2026-11-23 ERROR forged \[31m two;/
  ],
  [
    "a message without end",
    echo(protocol, 500, { "content-type": "application/json" }, JSON.stringify({ error: "y".repeat(99_000) })),
    // The reason has at most 300 characters, and what to do follows.
    /^.{300,520}$/
  ],
  [
    "a message that is no text",
    echo(
      protocol,
      500,
      { "content-type": "application/json" },
      JSON.stringify({ message: { toString: "?" }, error: 7 })
    ),
    /500: refused without a reason/
  ]
]

const odd207: ReadonlyArray<readonly [string, LangfuseServer.Fault, Middle]> = [
  ["some ids refused", Fault.reject([1, 3]), {
    delivered: [5, 7, 9],
    rejected: [6, 8],
    warns: /^2 Langfuse events were rejected: 400: Invalid request data/
  }],
  ["all ids refused", Fault.reject([0, 1, 2, 3, 4]), {
    delivered: [],
    rejected: all,
    warns: /^5 Langfuse events were rejected/
  }],
  [
    "a scope refused",
    Fault.rewrite((body) => {
      const answer: { successes: Array<{ id: string }> } = JSON.parse(body)
      const errors = answer.successes.map(({ id }) => ({
        id,
        status: 401,
        message: "Authentication error",
        error: "Access Scope Denied"
      }))
      return JSON.stringify({ successes: [], errors })
    }, { route: "ingestion" }),
    {
      delivered: [],
      rejected: all,
      warns: /^5 Langfuse events were rejected: 401: Authentication error: with a public key/
    }
  ],
  [
    "one rule broken, as Langfuse tells it, and an event that it could not name",
    Fault.rewrite((body) => {
      const answer: { successes: Array<{ id: string }> } = JSON.parse(body)
      const [first, ...successes] = answer.successes
      const error = JSON.stringify([{
        origin: "string",
        code: "too_big",
        maximum: 1000,
        path: ["body", "name"],
        message: "Too big: expected string to have <=1000 characters"
      }])
      const refused = { status: 400, message: "Invalid request data", error }
      return JSON.stringify({ successes, errors: [{ ...refused, id: first?.id }, { ...refused, id: "unknown" }] })
    }, { route: "ingestion" }),
    {
      delivered: [6, 7, 8, 9],
      rejected: [5],
      warns: /^1 Langfuse events were rejected: 400: Invalid request data: body\.name \(too_big\)/
    }
  ],
  ["a refusal worth another try, without retry", Fault.reject([0], { status: 503, message: "busy" }), {
    delivered: [6, 7, 8, 9],
    rejected: [5],
    warns: /503: busy/
  }],
  ["unknown ids", Fault.unknownIds(), lost(/without a word about this event/)],
  ["every id twice", Fault.duplicateIds(), arrived],
  ["no ids", Fault.omittedIds(), lost(/without a word about this event/)],
  [
    "some ids omitted",
    Fault.rewrite((body) => {
      const answer: { successes: Array<unknown> } = JSON.parse(body)
      return JSON.stringify({ ...answer, successes: answer.successes.slice(0, 2) })
    }, { route: "ingestion" }),
    { delivered: [5, 6], warns: /^3 Langfuse events failed: Langfuse answered without a word/ }
  ],
  [
    "ids both accepted and refused",
    Fault.rewrite((body) => {
      const answer: { successes: Array<{ id: string }> } = JSON.parse(body)
      const errors = answer.successes.slice(0, 1).map(({ id }) => ({ id, status: 400, message: "no" }))
      return JSON.stringify({ ...answer, errors })
    }, { route: "ingestion" }),
    { delivered: [6, 7, 8, 9], rejected: [5], warns: /^1 Langfuse events were rejected: 400: no/ }
  ],
  [
    "another order, and fields of a later version",
    Fault.rewrite((body) => {
      const answer: { successes: Array<object> } = JSON.parse(body)
      const successes = answer.successes.map((entry) => ({ ...entry, queue: "q", at: 1 })).reverse()
      return JSON.stringify({ errors: [], meta: { took: 3 }, successes })
    }, { route: "ingestion" }),
    arrived
  ],
  ["a byte order mark in front", Fault.rewrite((body) => `\ufeff${body}`, { route: "ingestion" }), arrived],
  [
    "the prototype as a key",
    Fault.rewrite((body) => body.replace("{", "{\"__proto__\":{\"polluted\":true},\"constructor\":{},"), {
      route: "ingestion"
    }),
    arrived
  ],
  [
    "the payload in a verdict",
    Fault.rewrite((body) => {
      const answer: { successes: Array<{ id: string }> } = JSON.parse(body)
      const errors = answer.successes.map(({ id }) => ({
        id,
        status: 400,
        message: `bad input ${repeated}`,
        error: JSON.stringify([{ code: "invalid_type", path: ["body", "input"], message: marker }])
      }))
      return JSON.stringify({ successes: [], errors })
    }, { route: "ingestion" }),
    { delivered: [], rejected: all, warns: /repeat what was sent/ }
  ],
  ["a truncated body", Fault.truncate({ route: "ingestion" }), lost(/is LANGFUSE_BASE_URL right/)]
]

/** Where what happens is a matter of time, and so is the test. */
const late = (protocol: Protocol): ReadonlyArray<readonly [string, LangfuseServer.Fault, Middle]> => {
  const { route } = protocol
  return [
    ["hangs when it has stored", Fault.hang({ route, stored: true }), lost(/no complete answer within 700ms/)],
    ["is late, but not too late", Fault.delay(60, { route }), arrived],
    ["is too late", Fault.delay(1200, { route }), lost(/no complete answer within 700ms/)]
  ]
}

const slow = (protocol: Protocol): ReadonlyArray<readonly [string, LangfuseServer.Fault, Middle]> => {
  const { route } = protocol
  return [
    ["hangs before the headers", Fault.hang({ route }), lost(/no complete answer within 700ms.*requestTimeout/)],
    ["drips its answer in time", Fault.drip(1, { route, bytes: 50 }), arrived],
    ["drips its answer without end", Fault.drip(80, { route, bytes: 1 }), lost(/no complete answer within 700ms/)],
    ["cuts the connection before storing", Fault.reset("before", { route }), lost(/is the server up/)],
    ["cuts the connection after storing", Fault.reset("after", { route }), lost(/is the server up/)],
    ["cuts its answer in the middle", Fault.reset("body", { route }), lost(/is the server up/)]
  ]
}

describe.concurrent.each(protocols.map((protocol) => [protocol.name, protocol] as const))("over %s", (_, protocol) => {
  const answers = [...(protocol.name === "ingestion" ? Answers.ingestion : Answers.otlp), ...Answers.gateway]

  describe("a refusal of a whole request fails its events and no others, with one warning that says what to do", () => {
    for (const answer of rowsFor(protocol, answers, 8)) {
      it.scopedLive(answer.name, () =>
        check(
          protocol,
          fetchClient,
          respond(protocol, answer),
          answer.isDivided === true ? { delivered: all, requests: 3 } : lost(answer.says)
        ))
    }
  })

  describe("a success that is not Langfuse's is a failure", () => {
    for (const answer of [...Answers.page2xx, ...(protocol.name === "ingestion" ? Answers.foreign : [])]) {
      it.scopedLive(answer.name, () => check(protocol, fetchClient, respond(protocol, answer), lost(answer.says)))
    }
  })

  if (protocol.name === "ingestion") {
    describe("a verdict on each event is taken by its id", () => {
      for (const [name, fault, middle] of odd207) {
        it.scopedLive(name, () => check(protocol, fetchClient, fault, middle))
      }
    })
  }

  describe("what a server says back is not said again", () => {
    for (const [name, fault, warns] of rowsFor(protocol, echoes(protocol))) {
      it.scopedLive(name, () => check(protocol, fetchClient, fault, lost(warns)))
    }
  })

  describe.each(clients)("with %s, a server that", (_, client) => {
    const rows = client === fetchClient ? [...slow(protocol), ...late(protocol)] : slow(protocol)
    for (const [name, fault, middle] of rows) {
      it.scopedLive(name, () => check(protocol, client, fault, middle, { requestTimeout: "700 millis" }))
    }
  })
})

describe.sequential("after all of that", () => {
  it("nothing that any of these runs put out holds a key or a payload", () => {
    Run.searchWholeOutput()
  })
})

afterAll(() => {
  assert.isUndefined(Reflect.get({}, "polluted"))
})
