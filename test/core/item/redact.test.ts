import { Headers } from "@effect/platform"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Either, Exit, FastCheck, FiberRef, Option, Redacted } from "effect"
import { parse, urlToHttpOptions } from "node:url"
import { jsonOf, metadataOf } from "../../../src/core/item/content.js"
import { cleanAddress, cleanStart, cleanText, redactedAttribute } from "../../../src/core/item/redact.js"
import { redactedNames, redactedNamesWith } from "../../../src/internal/readable.js"
import { policy } from "../../utils/policy.js"
import { runs } from "../../utils/properties.js"

const secret = "s3cr3t-k3y"

const write = (value: unknown, more: ReadonlyArray<string> = []): unknown =>
  JSON.parse(jsonOf(value, policy({ redactedNames: redactedNamesWith(more) })))

describe("redact", () => {
  describe("names", () => {
    const names = ["authorization", "cookie", "set-cookie", "x-api-key", "proxy-authorization"]

    it("a text or a list of texts under one of them is redacted, in any case and at any depth", () => {
      for (const name of [...names, "Authorization", "COOKIE", "X-Api-Key"]) {
        assert.deepStrictEqual(write({ [name]: secret, b: 1 }), { [name]: "<redacted>", b: 1 })
        assert.deepStrictEqual(write({ [name]: [secret, secret] }), { [name]: "<redacted>" })
        assert.deepStrictEqual(write([{ a: { b: [{ [name]: secret }] } }]), [{ a: { b: [{ [name]: "<redacted>" }] } }])
      }
    })

    it("in whatever holds the name", () => {
      const holders: ReadonlyArray<unknown> = [
        new Map([["Authorization", secret]]),
        new Map([["headers", new Map([["Authorization", [secret]]])]]),
        new Map<unknown, unknown>([["authorization", secret], [1, 2]]),
        [["authorization", secret]],
        [["Cookie", [secret]]],
        { headers: [["x-api-key", secret], ["accept", "json"]] },
        { rawHeaders: ["Accept", "json", "Cookie", secret, "X-Api-Key", secret] },
        { headers: [{ name: "Authorization", value: secret }, { key: "cookie", value: secret }] },
        { authorization: new Set([secret]) },
        { authorization: Option.some(secret) },
        { authorization: Object(secret) },
        { authorization: { toJSON: () => secret } },
        { authorization: { toJSON: () => [secret] } },
        { authorization: [[secret]] },
        { authorization: [secret, 1] },
        { authorization: Either.right(secret) },
        { authorization: Exit.succeed([secret]) },
        { cookie: { session: secret } },
        { cookie: { session: { id: Option.some(secret) } } },
        { "set-cookie": new Map([["sid", secret]]) },
        { "set-cookie": new Map<unknown, unknown>([[1, secret]]) },
        { authorization: Object.assign(new Error(secret), { token: secret }) },
        {
          authorization: new (class Token {
            readonly value = secret
          })()
        },
        [["authorization", { scheme: "Bearer", value: secret }]],
        { headers: ["content-type", "json", "authorization", secret] },
        { headers: `GET / HTTP/1.1\r\nAccept: json\r\nAuthorization: Bearer ${secret}\r\n\r\n` },
        { rawTrailers: ["x-api-key", secret] },
        new (class Request {
          readonly authorization = secret
        })(),
        { toJSON: () => ({ authorization: secret }) },
        Object.assign(new Error("failed"), { config: { headers: { Authorization: secret } } }),
        {
          get authorization() {
            return secret
          }
        },
        Object.assign(Object.create(null), { cookie: secret }),
        new globalThis.Headers({ Authorization: secret }),
        Object.assign(new URLSearchParams({ api_key: secret })),
        new Request("https://example.com/?token=" + secret, { headers: { cookie: secret } })
      ]
      for (const holder of [...holders, holders, { holders }, new Map([["holders", holders]])]) {
        const text = jsonOf(holder, policy())
        assert.notInclude(text, secret)
        assert.include(text, "<redacted>")
        for (const [, content] of metadataOf({ holder }, policy()) ?? []) assert.notInclude(content.text, secret)
      }
    })

    it("what is no text stays, and so do other names", () => {
      const value = {
        authorization: 5,
        cookie: { size: 1 },
        "x-api-key": null,
        "set-cookie": true,
        authorized: "yes",
        cookies: "many",
        note: "the authorization is Bearer abc",
        list: ["authorization"],
        value: "v",
        name: "authorization",
        pair: ["a", "b"]
      }
      assert.deepStrictEqual(write({ ...value, name: "n" }), { ...value, name: "n" })
    })

    it("the option adds names", () => {
      const value = { "x-tenant": "a", "X-Tenant": "b", other: "c", authorization: "d" }
      assert.deepStrictEqual(write(value, ["X-Tenant"]), {
        "x-tenant": "<redacted>",
        "X-Tenant": "<redacted>",
        other: "c",
        authorization: "<redacted>"
      })
      assert.strictEqual(write({ ["long".repeat(20)]: "x" }, ["long".repeat(20)]) !== undefined, true)
    })

    it("what belongs to an address beside it: what clients of HTTP keep of a request", () => {
      const address = `https://user:${secret}@host/v1?key=${secret}`
      const holders: ReadonlyArray<unknown> = [
        { baseURL: address, method: "get" },
        { url: "/v1", params: { key: secret, alt: "sse" } },
        { url: "/v1", params: new URLSearchParams({ key: secret }) },
        { url: "/v1", params: { key: [secret] } },
        { url: "/v1", auth: { username: "u", password: secret } },
        { response: { request: { responseURL: address } } },
        { res: { responseUrl: address } },
        urlToHttpOptions(new URL(address)),
        { ...urlToHttpOptions(new URL(address)) },
        parse(address),
        parse(address, true),
        new Map(Object.entries(urlToHttpOptions(new URL(address)))),
        { requestUrl: address },
        { originalUrl: `/v1?token=${secret}` },
        { DATABASE_URL: address, redirect_uri: address },
        { headers: { location: address, Referer: address } },
        { headers: ["location", address] },
        { host: "db", user: "u", password: secret },
        { host: "h", hash: `#access_token=${secret}` },
        { searchParams: { api_key: secret } },
        { queryString: [{ name: "token", value: secret }] },
        { connectionString: `Endpoint=sb://h/;SharedAccessKey=${secret}` },
        { dsn: `host=h user=u password=${secret}` },
        { proxy: `http://user:${secret}@proxy:3128` },
        { search: `?sig=${secret}` },
        { url: { raw: address, query: [{ key: "token", value: "t" }] } },
        { url: Either.right(address) }
      ]
      for (const holder of [...holders, holders, { holders }]) {
        assert.notInclude(jsonOf(holder, policy()), secret)
        for (const [, content] of metadataOf({ holder }, policy()) ?? []) assert.notInclude(content.text, secret)
        for (const [, content] of metadataOf(holder, policy()) ?? []) assert.notInclude(content.text, secret)
      }
      const open = { path: "/a?key=1", auth: "none", password: "p", params: { key: "a" }, query: "a=b", hash: "#key=1" }
      assert.deepStrictEqual(write(open), open)
      const plain = {
        url: "https://h/",
        params: { q: "a" },
        path: "/a",
        headers: ["accept", "json"],
        location: "Berlin"
      }
      assert.deepStrictEqual(write(plain), plain)
    })

    it("of metadata too, whose keys are written one by one", () => {
      const metadata = metadataOf(
        { authorization: secret, Cookie: [secret], url: `https://u:${secret}@h/`, a: "b" },
        policy()
      )
      assert.deepStrictEqual(Array.from(metadata ?? [], ([key, { text }]) => [key, text]), [
        ["authorization", "<redacted>"],
        ["Cookie", "<redacted>"],
        ["url", "https://<redacted>@h/"],
        ["a", "b"]
      ])
    })

    it.effect("the fiber that hands the value over adds its own, patterns too", () =>
      Effect.sync(
        () => [write({ "x-session-token": secret, "x-b": secret, authorization: secret, a: 1 }), redactedNames()]
      ).pipe(
        Effect.locally(Headers.currentRedactedNames, ["X-B", /session/g]),
        Effect.map(([written]) => {
          assert.deepStrictEqual(written, {
            "x-session-token": "<redacted>",
            "x-b": "<redacted>",
            authorization: "<redacted>",
            a: 1
          })
          assert.deepStrictEqual(write({ "x-b": "b" }), { "x-b": "b" })
        })
      ))

    it.effect("names that are asked for by turns stay apart", () =>
      Effect.gen(function*() {
        for (let i = 0; i < 3; i++) {
          assert.deepStrictEqual(write({ "x-a": "a" }), { "x-a": "a" })
          yield* Effect.sync(() => assert.deepStrictEqual(write({ "x-a": "a" }), { "x-a": "<redacted>" })).pipe(
            Effect.locally(Headers.currentRedactedNames, ["x-a"])
          )
        }
        assert.isArray(yield* FiberRef.get(Headers.currentRedactedNames))
      }))

    it.prop(
      "whatever is around them",
      [
        FastCheck.jsonValue(),
        FastCheck.array(FastCheck.oneof(FastCheck.constantFrom("a", "list", "map"), FastCheck.string()), {
          maxLength: 6
        }),
        FastCheck.constantFrom(...names, "Authorization", "X-API-KEY"),
        FastCheck.boolean()
      ],
      ([beside, path, name, isList]) => {
        let value: unknown = { [name]: isList ? [secret] : secret, beside }
        for (const step of path) {
          value = step === "list"
            ? [beside, value]
            : step === "map"
            ? new Map([["m", value]])
            : { [step]: value, beside }
        }
        const text = jsonOf(value, policy())
        assert.notInclude(text, secret)
        assert.include(text, "<redacted>")
        JSON.parse(text)
      },
      runs(300)
    )
  })

  describe("addresses", () => {
    const addresses: ReadonlyArray<readonly [string, string]> = [
      ["https://user:pass@example.com/a?b=c#d", "https://<redacted>@example.com/a?b=c#d"],
      ["https://token@example.com", "https://<redacted>@example.com"],
      ["https://:pass@example.com", "https://<redacted>@example.com"],
      ["https://a:p@ss@example.com/", "https://<redacted>@example.com/"],
      ["postgres://u:p@db:5432/x", "postgres://<redacted>@db:5432/x"],
      ["mongodb+srv://u:p@db/x", "mongodb+srv://<redacted>@db/x"],
      ["//u:p@host/", "//<redacted>@host/"],
      ["https://h/x?key=AIza&alt=sse", "https://h/x?key=<redacted>&alt=sse"],
      ["https://h/x?API_KEY=a&api-key=b&x=1", "https://h/x?API_KEY=<redacted>&api-key=<redacted>&x=1"],
      ["/path?access_token=t#access_token=u", "/path?access_token=<redacted>#access_token=<redacted>"],
      ["https://h/x?X-Amz-Signature=s&X-Amz-Expires=1", "https://h/x?X-Amz-Signature=<redacted>&X-Amz-Expires=1"],
      ["key=abc&b=1", "key=<redacted>&b=1"],
      ["https://example.com/@scope/pkg@1.0.0?q=a@b", "https://example.com/@scope/pkg@1.0.0?q=a@b"],
      ["https://example.com", "https://example.com"],
      ["https://h/?key=", "https://h/?key="],
      ["mailto:a@example.com", "mailto:a@example.com"],
      ["https://user:p'ss@host/x", "https://<redacted>@host/x"],
      ["https://user:p\"s<s>@host/x", "https://<redacted>@host/x"],
      ["postgres://user:p#ss@host:5432/db", "postgres://<redacted>@host:5432/db"],
      ["postgres://user:p#ss@host:99999999/db", "postgres://<redacted>@host:99999999/db"],
      ["postgres://user:p/s?s@host/db", "postgres://<redacted>@host/db"],
      ["postgres://user:123456#x@host/db", "postgres://<redacted>@host/db"],
      ["https://a:p@s#s@host/", "https://<redacted>@host/"],
      ["user:pass@host/x", "<redacted>@host/x"],
      ["user:p/ss@host/x", "<redacted>@host/x"],
      [":pass@host:6379", "<redacted>@host:6379"],
      ["git@github.com:org/repo", "git@github.com:org/repo"],
      ["host:8080/@scope/pkg", "host:8080/@scope/pkg"],
      ["http://localhost:3000/@vite/client", "http://localhost:3000/@vite/client"],
      ["http://[::1]:3000/@vite/client", "http://[::1]:3000/@vite/client"],
      ["https://proxy/?target=https://u:p@host/", "https://proxy/?target=https://<redacted>@host/"],
      ["https://u:p@proxy/https://u:p@host/?key=1", "https://<redacted>@proxy/https://<redacted>@host/?key=<redacted>"],
      [
        `https://proxy/?target=${encodeURIComponent("https://u:p@host/?key=1&a=b")}`,
        `https://proxy/?target=${encodeURIComponent("https://<redacted>@host/?key=<redacted>&a=b")}`
      ],
      ["data:text/plain,a@b?key=1", "data:text/plain,a@b?key=1"],
      ["/x?token[]=a&q=token=b", "/x?token[]=<redacted>&q=token=b"]
    ]

    it("lose user, password and keys, and nothing else", () => {
      for (const [address, clean] of addresses) {
        assert.strictEqual(cleanAddress(address), clean)
        assert.strictEqual(cleanAddress(clean), clean)
      }
    })

    it("in fields of these names, in URL objects and in errors", () => {
      for (const name of ["url", "url.full", "http.url", "uri", "href", "URL"]) {
        assert.deepStrictEqual(write({ [name]: "https://a:b@h/", x: "https://a:b@h/" }), {
          [name]: "https://<redacted>@h/",
          x: "https://a:b@h/"
        })
        assert.deepStrictEqual(write({ [name]: ["https://a:b@h/", 1] }), { [name]: ["https://<redacted>@h/", 1] })
        assert.deepStrictEqual(write({ [name]: new URL("https://a:b@h/") }), { [name]: "https://<redacted>@h/" })
        assert.deepStrictEqual(write({ [name]: { a: 1 }, b: 2 }), { [name]: { a: 1 }, b: 2 })
      }
      assert.deepStrictEqual(write(new URL("https://a:b@h/?token=x")), "https://<redacted>@h/?token=<redacted>")
      assert.deepStrictEqual(write([new Error("GET https://a:b@h/ failed", { cause: "at https://a:b@h/" })]), [{
        name: "Error",
        message: "GET https://<redacted>@h/ failed",
        cause: "at https://<redacted>@h/"
      }])
      assert.notInclude(
        jsonOf(Object.assign(new TypeError("Invalid URL"), { input: "http://a:b3@h:x" }), policy()),
        "b3"
      )
    })

    it("in texts, wherever they stand", () => {
      assert.strictEqual(
        cleanText("connect to redis://:pw@h:1, then \"https://a:b@h/?key=1\" and https://c:d@e."),
        "connect to redis://<redacted>@h:1, then \"https://<redacted>@h/?key=<redacted>\" and https://<redacted>@e."
      )
      assert.strictEqual(cleanText("no :// here@all"), "no :// here@all")
      for (
        const [text, clean] of [
          ["failed https://user:p'ss@host/x", "failed https://<redacted>@host/x"],
          ["GET https://proxy/https://u:p@host/ 502", "GET https://proxy/https://<redacted>@host/ 502"],
          ["GET /v1beta/models?key=abc 400", "GET /v1beta/models?key=<redacted> 400"],
          ["body client_secret=abc&grant_type=x", "body client_secret=<redacted>&grant_type=x"],
          ["in {\"url\":\"https://h:1\",\"mail\":\"a@b\"}", "in {\"url\":\"https://h:1\",\"mail\":\"a@b\"}"],
          ["at http://localhost:3000: a@b", "at http://localhost:3000: a@b"],
          ["expected key=value, a@b", "expected key=value, a@b"]
        ] as const
      ) {
        assert.strictEqual(cleanText(text), clean)
      }
      assert.strictEqual(
        cleanText("Headers.append: \"Bearer sk-live-abc\" is invalid, Basic dXNlcjpwYXNz= too; Bearer token missing"),
        "Headers.append: \"Bearer <redacted>\" is invalid, Basic <redacted> too; Bearer token missing"
      )
    })

    it("cost no more than the text is long", () => {
      const start = performance.now()
      for (
        const unit of [
          "://a:b/",
          "://a:b#@ ",
          "a:",
          "?a=%2F%2F&",
          "://",
          "a@",
          "://a@",
          "?key=",
          "bearer ",
          "basic -",
          "=&",
          "bearer a-"
        ]
      ) {
        cleanText(unit.repeat(50_000))
        cleanAddress(unit.repeat(50_000))
      }
      assert.isBelow(performance.now() - start, 4000)
    })

    it.prop("of any text, what is clean stays as it is", [FastCheck.string({ unit: "binary" })], ([text]) => {
      assert.strictEqual(cleanText(cleanText(text)), cleanText(text))
      assert.strictEqual(cleanAddress(cleanAddress(text)), cleanAddress(text))
    }, runs(300))
  })

  it("a text that is cut is cut between words, so that no half of a key stays", () => {
    const words = "a".repeat(20)
    for (const text of [`${words} https://user:${secret}@host/`, `${words} Bearer ${secret}`, `/x?key=${secret}`]) {
      for (let limit = 0; limit < text.length; limit++) {
        const start = cleanStart(cleanText, text, limit)
        for (let i = 0; i + 4 <= secret.length; i++) assert.notInclude(start, secret.slice(i, i + 4))
      }
    }
    assert.strictEqual(cleanStart(cleanText, "one two", 5), "one t<2 more characters>")
    assert.strictEqual(cleanStart(cleanText, "a".repeat(9), 5), "aaaaa<4 more characters>")
  })

  describe("attributes of other instrumentation", () => {
    const names = redactedNames()

    it("of any kind whose names end in that of a header field or an address", () => {
      for (const name of ["ai.request.headers.authorization", "rpc.request.metadata.cookie", "a.b.x_api_key"]) {
        assert.strictEqual(redactedAttribute(name, secret, names), "<redacted>")
        assert.strictEqual(redactedAttribute(name, { a: secret }, names), "<redacted>")
        assert.strictEqual(redactedAttribute(name, Option.some(secret), names), "<redacted>")
      }
      for (const name of ["server.url", "http.request.header.referer", "http.response.header.location", "a.baseUrl"]) {
        assert.strictEqual(redactedAttribute(name, `https://u:${secret}@h/`, names), "https://<redacted>@h/")
      }
      assert.strictEqual(
        redactedAttribute("effect.cause", `at https://u:${secret}@h/`, names),
        "at https://<redacted>@h/"
      )
    })

    it("header fields follow the list", () => {
      for (const kind of ["request", "response"]) {
        const name = (header: string) => `http.${kind}.header.${header}`
        for (const header of ["authorization", "Cookie", "x-api-key", "x_api_key", "set_cookie"]) {
          assert.strictEqual(redactedAttribute(name(header), secret, names), "<redacted>")
          assert.strictEqual(redactedAttribute(name(header), [secret], names), "<redacted>")
        }
        assert.deepStrictEqual(redactedAttribute(name("accept"), ["json"], names), ["json"])
      }
      assert.strictEqual(redactedAttribute("http.request.header.x-tenant", "a", new Set(["x-tenant"])), "<redacted>")
    })

    it("addresses lose credentials, names are redacted, all else is as it was", () => {
      assert.strictEqual(redactedAttribute("url.full", "https://a:b@h/", names), "https://<redacted>@h/")
      assert.strictEqual(redactedAttribute("url.query", "key=a&b=1", names), "key=<redacted>&b=1")
      assert.strictEqual(redactedAttribute("http.target", "/x?token=a", names), "/x?token=<redacted>")
      assert.deepStrictEqual(redactedAttribute("href", ["https://a:b@h/"], names), ["https://<redacted>@h/"])
      assert.strictEqual(redactedAttribute("authorization", "a", names), "<redacted>")
      assert.strictEqual(redactedAttribute("exception.message", "at https://a:b@h/", names), "at https://<redacted>@h/")
      const object = { a: 1 }
      for (const value of [1, true, undefined, null, object, "https://a:b@h/", ["x"]]) {
        assert.strictEqual(redactedAttribute("note", value, names), value)
      }
      assert.strictEqual(
        redactedAttribute("input.value", "{\"authorization\":\"x\"}", names),
        "{\"authorization\":\"x\"}"
      )
    })
  })

  it("Redacted is hidden under every name", () => {
    assert.deepStrictEqual(write({ a: Redacted.make(secret), url: Redacted.make(secret) }), {
      a: "<redacted>",
      url: "<redacted>"
    })
  })
})
