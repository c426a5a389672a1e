import { Prompt } from "@effect/ai"
import {
  Cookies,
  Headers,
  HttpClientError,
  HttpClientRequest,
  HttpClientResponse,
  HttpServerRequest,
  HttpServerResponse
} from "@effect/platform"
import { assert, describe, it } from "@effect/vitest"
import * as Modules from "effect"
import {
  Cause,
  Config,
  ConfigError,
  ConfigProvider,
  Cron,
  Data,
  Deferred,
  Effect,
  Either,
  Exit,
  Inspectable,
  MutableRef,
  Option,
  PubSub,
  Queue,
  Redacted,
  Schema,
  Stream,
  SubscriptionRef
} from "effect"
import { readFileSync } from "node:fs"
import { ClientRequest, IncomingMessage } from "node:http"
import { Socket } from "node:net"
import { jsonOf } from "../../src/core/item/content.js"
import { policy } from "../utils/policy.js"

const secret = "s3cr3t-k3y"

const json = (value: unknown): unknown => JSON.parse(jsonOf(value, policy()))

const Pretty = Schema.parseJson(Schema.Struct({ pretty: Schema.String }))

const causeText = (cause: Cause.Cause<unknown>): string =>
  Schema.decodeUnknownSync(Pretty)(jsonOf(cause, policy())).pretty

class NotFound extends Data.TaggedError("NotFound")<{ readonly path: string }> {}

class Invalid extends Schema.TaggedError<Invalid>()("Invalid", { field: Schema.String }) {}

describe("readable", () => {
  describe("the table in docs/values.md", () => {
    const modules = Object.entries(Modules).filter(([name]) => !(name in globalThis))
    const scope: Record<string, unknown> = { ...Object.fromEntries(modules), HttpClientRequest, Prompt, NotFound }
    const page = readFileSync(new URL("../../docs/values.md", import.meta.url), "utf8")
    const rows = Array.from(page.matchAll(/^\| `(.+?)`(?:,[^|`]*`[^`]*`)? \| `(.+)` \|$/gm))

    it("is read here", () => {
      assert.isAbove(rows.length, 40)
      assert.strictEqual(rows.length, page.split("\n").filter((line) => line.startsWith("| `")).length)
    })

    for (const [, expression, expected] of rows) {
      it(`${expression}`, () => {
        const value: unknown = new Function(...Object.keys(scope), `return (${expression})`)(...Object.values(scope))
        assert.strictEqual(jsonOf(value, policy()), expected)
      })
    }
  })

  it("is found inside other values, and in itself", () => {
    assert.deepStrictEqual(json({ a: [Option.some({ b: Option.some(new Map([["c", Option.none()]])) })] }), {
      a: [{ b: { c: null } }]
    })
    const ref: { self?: unknown } = {}
    ref.self = Option.some(ref)
    assert.deepStrictEqual(json({ ref }), { ref: { self: "<circular: $.ref>" } })
  })

  it.effect("of running things only the kind is written", () =>
    Effect.gen(function*() {
      const things = [
        yield* Deferred.make(),
        yield* Queue.unbounded(),
        yield* PubSub.unbounded(),
        yield* SubscriptionRef.make(secret),
        MutableRef.make(secret),
        Stream.make(secret),
        Effect.sync(() => secret)
      ]
      assert.deepStrictEqual(json(things), [
        "<Deferred>",
        "<Queue>",
        "<Queue>",
        "<SubscriptionRef>",
        "<MutableRef>",
        "<Stream>",
        "<Effect>"
      ])
    }))

  it("no wrappers with an _id, in what Effect's own values say of themselves either", () => {
    assert.notProperty(json(Cron.unsafeParse("0 0 * * *")) as object, "_id")
    assert.notInclude(
      jsonOf([Option.some(Option.some(1)), Cause.empty, Schema.decodeUnknownEither(Schema.Number)("a")], policy()),
      "_id"
    )
    // A document of a database may have one.
    assert.deepStrictEqual(json({ _id: "a", b: 1 }), { _id: "a", b: 1 })
  })

  describe("what failed", () => {
    const address = `https://user:${secret}@host/x`
    const clean = "https://<redacted>@host/x"

    it("has no credentials, wherever it says the address", () => {
      const text = `connect to ${address}`
      class Failed extends Data.TaggedError("Failed")<{ readonly details: unknown }> {}
      const values: ReadonlyArray<unknown> = [
        Cause.fail(text),
        Cause.die(text),
        Cause.parallel(Cause.fail({ at: [text] }), Cause.die({ text })),
        Exit.fail(text),
        Exit.fail([text]),
        Exit.die(text),
        Exit.failCause(Cause.parallel(Cause.fail(text), Cause.fail(text))),
        Either.left(text),
        Either.left({ message: text }),
        Option.some(Either.left(new Map([["a", text]]))),
        new AggregateError([text]),
        new AggregateError([{ reason: text }]),
        new Error("x", { cause: { message: text } }),
        new Error("x", { cause: [new Set([text])] }),
        Object.assign(new Error("x"), { details: [`GET ${address}`] }),
        Object.assign(new Error("x"), {
          response: {
            body: {
              a: {
                b: new (class Body {
                  readonly text = text
                })()
              }
            }
          }
        }),
        Object.assign(new Error("x"), { toJSON: () => text }),
        Object.assign(new Error("x"), { toJSON: () => ({ a: [text] }) }),
        new Failed({ details: { text } }),
        new Failed({ details: Option.some(text) }),
        Modules.Runtime.makeFiberFailure(Cause.fail(text))
      ]
      for (const value of [...values, values, { values }]) {
        assert.notInclude(jsonOf(value, policy()), secret)
        assert.include(jsonOf(value, policy()), clean)
      }
      for (const value of values) assert.notInclude(causeText(Cause.fail(value)), secret)
      // What went well is the program's words.
      assert.deepStrictEqual(json([Either.right(address), Exit.succeed(address)]), [
        { _tag: "Right", value: address },
        { _tag: "Success", value: address }
      ])
    })

    it.effect("of a setting is said without its value", () =>
      Effect.gen(function*() {
        const config = (setting: Config.Config<unknown>, value = secret) =>
          Effect.flip(setting.pipe(Effect.withConfigProvider(ConfigProvider.fromMap(new Map([["DB", value]])))))
        const errors = [
          yield* config(Config.url("DB")),
          yield* config(Config.port("DB"), address),
          yield* config(Config.port("DB")),
          yield* config(Config.literal("a", "b")("DB")),
          yield* config(Schema.Config("DB", Schema.Literal("a", "b"))),
          yield* config(Config.all([Config.port("DB"), Config.port("DB")])),
          yield* config(Config.orElse(Config.port("DB"), () => Config.integer("DB"))),
          ConfigError.InvalidData(["DB"], `Expected URL but received ${address}`),
          ConfigError.SourceUnavailable(["DB"], `no ${address}`, Cause.fail(address))
        ]
        for (const error of errors) {
          for (
            const text of [jsonOf(error, policy()), jsonOf([Cause.fail(error)], policy()), causeText(Cause.fail(error))]
          ) {
            assert.notInclude(text, secret)
            assert.include(text, "DB")
          }
        }
        assert.deepStrictEqual(json(ConfigError.InvalidData(["a", "DB"], "Expected a port but received x")), {
          _tag: "ConfigError",
          _op: "InvalidData",
          message: "a.DB: Expected a port but received <redacted>"
        })
        assert.strictEqual(
          causeText(Cause.fail(ConfigError.MissingData(["DB"], "Expected DB to exist"))),
          "ConfigError: DB: Expected DB to exist"
        )
      }))

    it("a cause of very many failures costs what is shown of it", () => {
      let cause: Cause.Cause<string> = Cause.empty
      for (let i = 0; i < 100_000; i++) cause = Cause.parallel(cause, Cause.fail(`f${i}`))
      const start = performance.now()
      const { failures, left } = json(cause) as { failures: ReadonlyArray<string>; left: string }
      assert.isBelow(performance.now() - start, 500)
      assert.deepStrictEqual(failures.slice(0, 2), ["f0", "f1"])
      assert.strictEqual(left, "<99000 more failures or defects>")
      assert.match(causeText(cause), /^f0\n[^]*\nand 99990 more$/)
    })
  })

  describe("errors", () => {
    it("have the fields of their class", () => {
      assert.deepStrictEqual(json(new Invalid({ field: "f" })), {
        name: "Invalid",
        message: `{ "field": "f" }`,
        field: "f",
        _tag: "Invalid"
      })
    })

    it("of a program that says what to show are written as it says, without stack and credentials", () => {
      class Own extends Error {
        readonly secret = secret
        toJSON() {
          return { message: "at https://a:b@h/", code: 7, stack: this.stack }
        }
      }
      assert.deepStrictEqual(json(new Own("x")), { name: "Error", message: "at https://<redacted>@h/", code: 7 })
    })

    it("a refused connection says both addresses, in a value and in a cause's text", () => {
      const refused = new AggregateError([
        new Error("connect ECONNREFUSED ::1:9"),
        new Error("connect ECONNREFUSED 127.0.0.1:9")
      ])
      const text = causeText(Cause.fail(new TypeError("fetch failed", { cause: refused })))
      for (const shown of [text, jsonOf(refused, policy()), jsonOf(Cause.fail(refused), policy())]) {
        assert.include(shown, "ECONNREFUSED ::1:9")
        assert.include(shown, "ECONNREFUSED 127.0.0.1:9")
        assert.notInclude(shown, "readable.test")
      }
      assert.strictEqual(
        text,
        "TypeError: fetch failed\n  caused by AggregateError\n    - Error: connect ECONNREFUSED ::1:9\n    - Error: connect ECONNREFUSED 127.0.0.1:9"
      )
    })

    it("a cause's text has fields, texts as causes, all failures and defects", () => {
      const cause = Cause.parallel(
        Cause.fail(new NotFound({ path: "/a" })),
        Cause.sequential(Cause.die(new Error("bug", { cause: "because" })), Cause.fail({ code: 7 }))
      )
      assert.strictEqual(causeText(cause), "NotFound: {\"path\":\"/a\"}\n{\"code\":7}\nError: bug\n  caused by because")
      assert.strictEqual(causeText(Cause.interrupt(Modules.FiberId.none)), "interrupted")
    })

    it("a cause's text is bounded and always there", () => {
      const circular = new Error("a")
      circular.cause = circular
      const hostile = new Proxy({}, {
        get: () => {
          throw new Error(secret)
        }
      })
      const many = (depth: number): ReadonlyArray<Error> =>
        Array.from(
          { length: 10 },
          () => depth === 0 ? new Error("x".repeat(10_000)) : new AggregateError(many(depth - 1))
        )
      const errors = many(3)
      for (const error of [circular, hostile, new AggregateError(errors), Symbol(), null, undefined, () => 1]) {
        const text = causeText(Cause.fail(error))
        assert.isAtMost(text.length, 8000)
        assert.notInclude(text, secret)
      }
    })
  })

  describe("of the platform", () => {
    const request = HttpClientRequest.post(`https://user:${secret}@example.com/v1?token=${secret}`).pipe(
      HttpClientRequest.bearerToken(secret),
      HttpClientRequest.setHeader("cookie", secret),
      HttpClientRequest.setUrlParam("key", secret),
      HttpClientRequest.bodyUnsafeJson({ client_secret: secret })
    )
    const web = new Request(`https://h/x?api_key=${secret}`, { headers: { cookie: secret, authorization: secret } })

    const values = (): ReadonlyArray<unknown> => [
      request,
      request.headers,
      new HttpClientError.RequestError({ request, reason: "Transport", description: `at https://a:${secret}@h` }),
      new HttpClientError.ResponseError({
        request,
        response: HttpClientResponse.fromWeb(request, new Response("", { headers: { "set-cookie": secret } })),
        reason: "StatusCode"
      }),
      HttpServerRequest.fromWeb(web),
      HttpServerResponse.empty().pipe(
        HttpServerResponse.setHeader("set-cookie", secret),
        HttpServerResponse.unsafeSetCookie("sid", secret)
      ),
      Cookies.fromSetCookie([`sid=${secret}`]),
      web,
      web.headers
    ]

    it("requests, responses, headers, cookies and their errors show no key", () => {
      for (
        const value of [
          ...values(),
          values(),
          new Map([["v", values()]]),
          Option.some(values()),
          new Error("x", { cause: values() })
        ]
      ) {
        const text = jsonOf(value, policy())
        assert.notInclude(text, secret)
        assert.include(text, "<redacted>")
      }
    })

    it("nor do classes of a program that write them themselves", () => {
      class Call extends Inspectable.Class {
        toJSON() {
          return { _id: "Call", headers: Inspectable.redact(request.headers), request: request.toJSON() }
        }
      }
      class Other {
        toJSON() {
          return { request: request.toJSON(), headers: request.headers }
        }
      }
      assert.notProperty(json(new Call()) as object, "_id")
      // A body is a text of the program's: it is not opened.
      for (const value of [new Call(), new Other()]) {
        assert.notInclude(
          jsonOf(value, policy()).replace(/"body":\{[^}]*\{[^}]*\}[^}]*\}|\{\\"client_secret.*?\}/g, ""),
          secret
        )
      }
    })

    it("a Redactable says itself what may be seen, with the names of the fiber", () => {
      const own = { [Inspectable.symbolRedactable]: () => ({ shown: 1 }), secret }
      assert.deepStrictEqual(json([own, { own }]), [{ shown: 1 }, { own: { shown: 1 } }])
    })

    it.effect("Headers follow the fiber's names", () =>
      Effect.sync(() => {
        assert.deepStrictEqual(json(Headers.fromInput({ "x-a": secret, authorization: "b" })), {
          "x-a": "<redacted>",
          authorization: "<redacted>"
        })
      }).pipe(Effect.locally(Headers.currentRedactedNames, [/^x-/])))

    it("Node's requests do not show the text they sent", () => {
      const client = new ClientRequest({
        host: "h",
        path: `/x?key=${secret}`,
        headers: { authorization: secret },
        createConnection: () => new Socket()
      })
      client.on("error", () => {}).end()
      const incoming = new IncomingMessage(new Socket())
      incoming.headers = { cookie: secret }
      incoming.rawHeaders = ["Cookie", secret]
      for (const value of [client, incoming, Object.assign(new Error("x"), { request: client, response: incoming })]) {
        assert.notInclude(jsonOf(value, policy()), secret)
      }
      client.destroy()
    })
  })

  it("Redacted inside of them is never shown", () => {
    const key = Redacted.make(secret)
    for (
      const value of [
        Option.some(key),
        Cause.fail({ key }),
        Cause.die(key),
        new NotFound({ path: "/", ...{ key } }),
        Prompt.empty,
        { key }
      ]
    ) {
      assert.notInclude(jsonOf(value, policy()), secret)
    }
    assert.notInclude(causeText(Cause.fail(key)) + causeText(Cause.fail({ key })), secret)
  })
})
