import { Headers } from "@effect/platform"
import { assert, describe, it } from "@effect/vitest"
import { Effect, FastCheck, FiberRef, Option, Redacted } from "effect"
import { jsonOf, metadataOf } from "../../../src/core/item/content.js"
import { cleanAddress, cleanText, redactedAttribute } from "../../../src/core/item/redact.js"
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
        cookie: { name: "session" },
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
      ["mailto:a@example.com", "mailto:a@example.com"]
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
      assert.strictEqual(
        cleanText("Headers.append: \"Bearer sk-live-abc\" is invalid, Basic dXNlcjpwYXNz= too; Bearer token missing"),
        "Headers.append: \"Bearer <redacted>\" is invalid, Basic <redacted> too; Bearer token missing"
      )
    })

    it("cost no more than the text is long", () => {
      const start = performance.now()
      for (const unit of ["://", "a@", "://a@", "?key=", "bearer ", "basic -", "=&", "bearer a-"]) {
        cleanText(unit.repeat(200_000))
      }
      assert.isBelow(performance.now() - start, 2000)
    })

    it.prop("of any text, what is clean stays as it is", [FastCheck.string({ unit: "binary" })], ([text]) => {
      assert.strictEqual(cleanText(cleanText(text)), cleanText(text))
      assert.strictEqual(cleanAddress(cleanAddress(text)), cleanAddress(text))
    }, runs(300))
  })

  describe("attributes of other instrumentation", () => {
    const names = redactedNames()

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
