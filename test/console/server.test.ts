import { FileSystem } from "@effect/platform"
import * as NodeContext from "@effect/platform-node/NodeContext"
import { assert, describe, it } from "@effect/vitest"
import { LangfuseAPIClient } from "@langfuse/core"
import { Effect } from "effect"
import { request as httpRequest } from "node:http"
import type * as Dev from "../../cli/dev/dev.js"
import * as Guard from "../../cli/dev/guard.js"
import { act, body, hex, indexed, post, send, span, startDev } from "./utils.js"

interface Answer {
  readonly status: number
  readonly headers: { readonly [name: string]: unknown }
  readonly text: string
}

/** `fetch` forbids the headers that an attacker's browser would send. */
const ask = (
  running: Dev.Running,
  path: string,
  headers: { readonly [name: string]: string } = {},
  method = "GET",
  content = ""
) =>
  act(() =>
    new Promise<Answer>((resolve, reject) => {
      const asking = httpRequest(new URL(path, running.url), { method, headers }, (response) => {
        let text = ""
        response.on("data", (chunk) => void (text += chunk))
        response.on("end", () => resolve({ status: response.statusCode ?? 0, headers: response.headers, text }))
      })
      asking.on("error", reject)
      asking.end(content)
    })
  )

const json = (running: Dev.Running, path: string) =>
  Effect.map(ask(running, path), ({ text }): unknown => JSON.parse(text))

const chat = (trace: string, id = "one") => ({
  trace,
  id,
  type: "generation",
  input: [{ role: "user", content: "hi" }],
  output: "yo",
  attributes: { "session.id": "s", "user.id": "u", "langfuse.trace.name": trace }
})

const aTraceIn = Effect.gen(function*() {
  const running = yield* startDev()
  yield* send(running, chat("alpha"), { ...chat("alpha", "two"), parent: "one", type: "tool" })
  yield* indexed(running, 2)
  return running
})

describe("dev", () => {
  it.scopedLive("answers to no other host than this machine's", () =>
    Effect.gen(function*() {
      const running = yield* startDev()
      const port = new URL(running.url).port
      for (
        const host of [
          "evil.example",
          `evil.example:${port}`,
          "127.0.0.1",
          "127.0.0.1:1",
          `127.0.0.1.evil.example:${port}`,
          `localhost.evil:${port}`
        ]
      ) {
        for (
          const path of ["/", "/console/api/status", "/api/public/traces", "/console/console.js", "/api/public/health"]
        ) {
          assert.strictEqual((yield* ask(running, path, { host })).status, 403, `${host} ${path}`)
        }
        assert.strictEqual((yield* ask(running, "/v1/traces", { host }, "POST", "{}")).status, 403)
      }
      for (const host of [`127.0.0.1:${port}`, `localhost:${port}`, `LOCALHOST:${port}`, `[::1]:${port}`]) {
        assert.strictEqual((yield* ask(running, "/console/api/status", { host })).status, 200, host)
      }
    }))

  it.scopedLive("lets no other page read or switch", () =>
    Effect.gen(function*() {
      const running = yield* aTraceIn
      const reads = [
        "/console/api/status",
        "/console/api/events",
        "/console/api/requests",
        "/console/api/search?q=a",
        `/console/api/traces/${hex("alpha", 32)}`,
        "/api/public/traces",
        "/api/public/v2/observations",
        "/api/public/v3/scores"
      ]
      const foreign: ReadonlyArray<{ readonly [name: string]: string }> = [
        { origin: "https://evil.example" },
        { origin: "null" },
        { "sec-fetch-site": "cross-site" },
        { "sec-fetch-site": "same-site" },
        { origin: "http://localhost:1" }
      ]
      for (const headers of foreign) {
        for (const path of reads) assert.strictEqual((yield* ask(running, path, headers)).status, 403, path)
        for (const path of ["/console/api/fault", "/console/api/clear"]) {
          const { status } = yield* ask(
            running,
            path,
            { ...headers, "content-type": "application/json" },
            "POST",
            "{\"fault\":\"hang\"}"
          )
          assert.strictEqual(status, 403)
        }
      }
      const form = yield* ask(
        running,
        "/console/api/fault",
        { "content-type": "text/plain" },
        "POST",
        "{\"fault\":\"hang\"}"
      )
      assert.strictEqual(form.status, 415)
      assert.strictEqual((yield* running.store.status).fault, "none")
    }))

  it.scopedLive("serves pages that run no script but their own", () =>
    Effect.gen(function*() {
      const running = yield* startDev()
      for (const path of ["/", "/delivery", "/traces/x", "/sessions/x%2Fy"]) {
        const { headers, status, text } = yield* ask(running, path)
        assert.strictEqual(status, 200)
        assert.strictEqual(headers["content-security-policy"], Guard.pageHeaders["content-security-policy"])
        assert.include(String(headers["content-security-policy"]), "default-src 'none'; script-src 'self'")
        assert.strictEqual(headers["cross-origin-resource-policy"], "same-origin")
        assert.notMatch(text, /<script(?![^>]*\bsrc=)/)
        assert.notMatch(text, /https?:\/\//)
      }
    }))

  it.scopedLive("answers what it cannot use with one sentence, and goes on", () =>
    Effect.gen(function*() {
      const running = yield* startDev()
      for (
        const [path, method, content, status] of [
          ["/nowhere", "GET", "", 404],
          ["/console/api/nothing", "GET", "", 404],
          ["/console/api/traces/unknown", "GET", "", 404],
          ["/console/api/traces/unknown/export.html", "GET", "", 404],
          ["/console/other.js", "GET", "", 404],
          ["/%E0%A4%A", "GET", "", 400],
          ["/console/api/search", "GET", "", 400],
          ["/api/public/v2/observations?limit=0", "GET", "", 400],
          ["/api/public/v2/observations?cursor=!!!", "GET", "", 400],
          ["/api/public/v2/observations?filter=x", "GET", "", 400],
          ["/api/public/v2/observations?fromStartTime=noon", "GET", "", 400],
          ["/api/public/v3/scores?fields=all", "GET", "", 400],
          ["/console/api/fault", "POST", "no json", 400],
          ["/console/api/fault", "POST", "{\"fault\":\"explode\"}", 400],
          ["/", "DELETE", "", 404]
        ] as const
      ) {
        const answer = yield* ask(running, path, { "content-type": "application/json" }, method, content)
        assert.strictEqual(answer.status, status, path)
        const { error }: { readonly error?: unknown } = JSON.parse(answer.text)
        assert.isTrue(typeof error === "string" && error.length > 5 && error.length < 200, path)
      }
      for (const path of ["/v1/traces", "/api/public/otel/v1/traces", "/api/public/ingestion"]) {
        assert.strictEqual(
          (yield* ask(running, path, { "content-type": "application/json" }, "POST", "no json")).status,
          400
        )
      }
      assert.strictEqual((yield* ask(running, "/console/api/status")).status, 200)
    }))

  it.scopedLive("takes any keys and none, and says what a real one would have done", () =>
    Effect.gen(function*() {
      const running = yield* startDev()
      const path = "/api/public/otel/v1/traces"
      const authorized = { authorization: `Basic ${btoa("pk-any:sk-any")}` }
      assert.strictEqual((yield* post(`${running.url}${path}`, body([span(chat("a"))]), authorized)).status, 200)
      assert.strictEqual((yield* post(`${running.url}/v1/traces`, body([span(chat("b"))]))).status, 200)
      yield* indexed(running, 2)
      const [first, second] = running.store.deliveries.list()
      assert.deepStrictEqual(first?.notes, [])
      assert.match(second?.notes.join(" ") ?? "", /401.*api\/public\/otel/)
      assert.notInclude(JSON.stringify(running.store.deliveries.list()), "sk-any")
    }))

  it.scopedLive("tells a page what changed, and a returning one only that", () =>
    Effect.gen(function*() {
      const running = yield* aTraceIn
      const read = (headers: { readonly [name: string]: string }) =>
        act(async () => {
          const response = await fetch(`${running.url}/console/api/events`, { headers })
          const reader = response.body?.getReader()
          const { value } = await reader?.read() ?? {}
          await reader?.cancel()
          const text = new TextDecoder().decode(value)
          return { id: /^id: (.*)$/m.exec(text)?.[1] ?? "", update: JSON.parse(/^data: (.*)$/m.exec(text)?.[1] ?? "") }
        })
      const first = yield* read({})
      assert.strictEqual(first.update.traces.length, 1)
      yield* send(running, chat("beta"))
      yield* indexed(running, 3)
      const second = yield* read({ "last-event-id": first.id })
      assert.deepStrictEqual(second.update.traces.map(({ name }: { readonly name: string }) => name), ["beta"])
      const other = yield* read({ "last-event-id": "anotherrun.5" })
      assert.strictEqual(other.update.traces.length, 2)
    }))
})

describe("limits", () => {
  it.scopedLive("the oldest traces go first, and the page is told", () =>
    Effect.gen(function*() {
      const running = yield* startDev({ maxBytes: 200_000 })
      for (let index = 0; index < 40; index++) {
        yield* send(running, { ...chat(`trace ${index}`, `id ${index}`), output: "x".repeat(10_000) })
      }
      yield* Effect.sleep("600 millis")
      const { evicted, traces } = yield* running.store.status
      assert.isAbove(evicted, 20)
      assert.strictEqual(traces + evicted, 40)
      assert.isTrue(running.store.catalog.has(hex("trace 39", 32)))
      assert.isFalse(running.store.catalog.has(hex("trace 0", 32)))
    }))
})

describe("the public API", () => {
  it.scopedLive("can be read by the official client", () =>
    Effect.gen(function*() {
      const running = yield* aTraceIn
      yield* post(
        `${running.url}/api/public/scores`,
        JSON.stringify({
          id: "score",
          traceId: hex("alpha", 32),
          name: "helpful",
          value: 1,
          dataType: "BOOLEAN",
          comment: "yes"
        })
      )
      const client = new LangfuseAPIClient({ baseUrl: running.url, username: "pk", password: "sk", environment: "" })
      const { data } = yield* act(() =>
        client.observations.getMany({ traceId: hex("alpha", 32), fields: "core,basic,io,usage", limit: 1 })
      )
      assert.deepStrictEqual(data.map(({ id, input, type }) => [id, type, input]), [
        [hex("one", 16), "GENERATION", "[{\"role\":\"user\",\"content\":\"hi\"}]"]
      ])
      const { data: scores } = yield* act(() =>
        client.scoresV3.getManyV3({ traceId: hex("alpha", 32), fields: "details,subject" })
      )
      assert.deepStrictEqual(scores.map(({ comment, name, subject, value }) => [name, value, comment, subject]), [
        ["helpful", true, "yes", { kind: "trace", id: hex("alpha", 32) }]
      ])
      const traces = yield* act(() => client.trace.list({}))
      assert.deepStrictEqual(traces.data.map(({ name, userId }) => [name, userId]), [["alpha", "u"]])
    }))

  it.scopedLive("pages through observations by cursor, each once", () =>
    Effect.gen(function*() {
      const running = yield* startDev()
      yield* send(
        running,
        ...Array.from({ length: 25 }, (_, index) => ({ ...chat("many", `id ${index}`), start: index }))
      )
      yield* indexed(running, 25)
      const ids: Array<string> = []
      let cursor: string | undefined = ""
      for (let page = 0; page < 10 && cursor !== undefined; page++) {
        const answer: { data: ReadonlyArray<{ id: string }>; meta: { cursor?: string } } = JSON.parse(
          (yield* ask(running, `/api/public/v2/observations?limit=10&cursor=${cursor}`)).text
        )
        ids.push(...answer.data.map(({ id }) => id))
        cursor = answer.meta.cursor
      }
      assert.strictEqual(new Set(ids).size, 25)
      assert.strictEqual(ids.length, 25)
    }))

  it.scopedLive("a trace exports as JSON with everything it holds", () =>
    Effect.gen(function*() {
      const running = yield* aTraceIn
      const exported = yield* json(running, `/console/api/traces/${hex("alpha", 32)}/export.json`)
      const asked = yield* json(running, `/api/public/traces/${hex("alpha", 32)}`)
      assert.deepStrictEqual(exported, asked)
      assert.include(JSON.stringify(exported), "\"output\":\"yo\"")
    }))
})

describe("--store", () => {
  const inFolder = <A, E, R>(use: (path: string) => Effect.Effect<A, E, R>) =>
    Effect.gen(function*() {
      const fs = yield* FileSystem.FileSystem
      return yield* use(`${yield* fs.makeTempDirectoryScoped()}/store.ndjson`)
    }).pipe(Effect.provide(NodeContext.layer))

  const run = (path: string, use: (running: Dev.Running) => Effect.Effect<void>, said: Array<string> = []) =>
    Effect.scoped(Effect.flatMap(startDev({ file: path, said }), use))

  const eventually = (test: () => boolean) =>
    Effect.gen(function*() {
      for (let wait = 0; wait < 100 && !test(); wait++) yield* Effect.sleep("50 millis")
      assert.isTrue(test())
    })

  it.scopedLive("shows at the next start what arrived before, of all protocols", () =>
    inFolder((path) =>
      Effect.gen(function*() {
        yield* run(path, (running) =>
          Effect.gen(function*() {
            yield* send(running, chat("alpha"))
            yield* post(
              `${running.url}/api/public/ingestion`,
              JSON.stringify({
                batch: [{
                  id: "e",
                  type: "span-create",
                  timestamp: "2026-01-01T00:00:00.000Z",
                  body: { id: "s", traceId: "old", name: "n" }
                }]
              })
            )
            yield* post(
              `${running.url}/api/public/scores`,
              JSON.stringify({ id: "sc", traceId: hex("alpha", 32), name: "good", value: 1 })
            )
            yield* indexed(running, 2)
            yield* Effect.sleep("300 millis")
          }))
        yield* run(path, (running) =>
          Effect.gen(function*() {
            assert.strictEqual(running.restored, 3)
            yield* indexed(running, 2)
            yield* eventually(() => running.store.catalog.summary(hex("alpha", 32))?.scores === 1)
            assert.strictEqual((yield* running.store.status).requests, 0)
          }))
      })
    ))

  it.scopedLive("skips a torn last line with a word, and loses nothing after it", () =>
    inFolder((path) =>
      Effect.gen(function*() {
        const fs = yield* FileSystem.FileSystem
        yield* run(path, (running) =>
          Effect.zipRight(
            send(running, chat("alpha")),
            Effect.zipRight(indexed(running, 1), Effect.sleep("300 millis"))
          ))
        yield* fs.writeFileString(path, "{\"at\":\"2026-01-01T00:00:00.000Z\",\"path\":\"/api", { flag: "a" })
        const said: Array<string> = []
        yield* run(path, (running) =>
          Effect.zipRight(
            send(running, chat("beta")),
            Effect.zipRight(indexed(running, 2), Effect.sleep("300 millis"))
          ), said)
        assert.strictEqual(said.length, 1)
        assert.match(said[0] ?? "", /cannot be read was skipped/)
        yield* run(path, (running) => indexed(running, 2))
      })
    ))

  it.scopedLive("stays below its bound, and keeps the newest", () =>
    inFolder((path) =>
      Effect.gen(function*() {
        const fs = yield* FileSystem.FileSystem
        yield* Effect.scoped(Effect.gen(function*() {
          const running = yield* startDev({ file: path, maxBytes: 300_000 })
          for (let index = 0; index < 60; index++) {
            yield* send(running, { ...chat(`trace ${index}`, `id ${index}`), output: "x".repeat(10_000) })
          }
          yield* Effect.sleep("500 millis")
        }))
        assert.isBelow(Number((yield* fs.stat(path)).size), 320_000)
        const text = yield* fs.readFileString(path)
        assert.include(text, hex("trace 59", 32))
        assert.notInclude(text, hex("trace 0", 32))
        yield* run(path, (running) => Effect.map(Effect.void, () => assert.isAbove(running.restored ?? 0, 5)))
      })
    ))

  it.scopedLive("refuses a file that is not its own, and one that cannot be written", () =>
    inFolder((path) =>
      Effect.gen(function*() {
        const fs = yield* FileSystem.FileSystem
        yield* fs.writeFileString(path, "{\"name\":\"something else\"}\n")
        const other = yield* Effect.flip(Effect.scoped(startDev({ file: path })))
        assert.include(String(other.line), "is no file of effect-langfuse dev")
        assert.strictEqual(yield* fs.readFileString(path), "{\"name\":\"something else\"}\n")
        const missing = yield* Effect.flip(Effect.scoped(startDev({ file: `${path}/there/is/none` })))
        assert.include(String(missing.line), "cannot be")
      })
    ))
})
