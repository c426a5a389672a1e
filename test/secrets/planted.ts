/**
 * Ways in which a key gets into what a program traces, one program each. `plant` is given a text that must not be found in any
 * request, log line or metric.
 */
import {
  Cookies,
  Headers,
  HttpClient,
  HttpClientError,
  HttpClientRequest,
  HttpClientResponse,
  HttpServerRequest,
  HttpServerResponse
} from "@effect/platform"
import { Cause, Chunk, Config, ConfigProvider, Data, Effect, HashMap, Option, Redacted, Schema } from "effect"
import { IngestionEvent, Langfuse, LangfuseIngest } from "effect-langfuse"

export interface Way {
  readonly name: string
  readonly plant: (secret: string) => Effect.Effect<unknown, unknown, LangfuseIngest.LangfuseIngest>
}

const way = (name: string, plant: Way["plant"]): Way => ({ name, plant })

const tool = (input: unknown) => Langfuse.tool(Effect.void, "tool", { input })

const output = (value: unknown) =>
  Langfuse.generation(Effect.succeed(value), "generation", { model: "m", output: (value) => value })

const fails = (error: unknown) => Langfuse.tool(Effect.fail(error), "tool", { input: "i" })

const dies = (defect: unknown) => Langfuse.agent(Effect.die(defect), "agent", { input: "i" })

const request = (secret: string) =>
  HttpClientRequest.post(`https://user:${secret}@api.example/v1?api_key=${secret}`).pipe(
    HttpClientRequest.bearerToken(secret),
    HttpClientRequest.setHeaders({ cookie: `sid=${secret}`, "x-api-key": secret }),
    HttpClientRequest.setUrlParam("key", secret)
  )

const response = (secret: string) =>
  HttpClientResponse.fromWeb(
    request(secret),
    new Response("no", { status: 401, headers: { "set-cookie": `sid=${secret}` } })
  )

class LoginFailed extends Data.TaggedError("LoginFailed")<{
  readonly password: Redacted.Redacted
  readonly headers: Readonly<Record<string, string>>
}> {}

class Refused extends Schema.TaggedError<Refused>()("Refused", { token: Schema.RedactedFromSelf(Schema.String) }) {}

const at = { id: "trace-1", timestamp: "2026-11-28T12:00:00.000Z" }

/** As a program without types would. */
const enqueue = (event: unknown) =>
  Effect.flatMap(LangfuseIngest.LangfuseIngest, (ingest) => ingest.enqueue(event as IngestionEvent.IngestionEvent))

export const ways: ReadonlyArray<Way> = [
  way(
    "headers of a plain object, in an input",
    (secret) => tool({ headers: { Authorization: `Bearer ${secret}`, cookie: secret } })
  ),
  way(
    "a list of header fields",
    (secret) => tool([["authorization", secret], ["accept", "json"], ["set-cookie", [secret]]])
  ),
  way(
    "header fields by turns, as Node has them",
    (secret) => tool({ rawHeaders: ["Cookie", secret, "X-Api-Key", secret] })
  ),
  way("header fields as a HAR has them", (secret) => tool({ headers: [{ name: "Authorization", value: secret }] })),
  way(
    "Headers of the platform, in metadata",
    (secret) =>
      Langfuse.tool(Effect.void, "tool", { metadata: { headers: Headers.fromInput({ authorization: secret }) } })
  ),
  way(
    "Headers of the web, in an output",
    (secret) => output(new globalThis.Headers({ cookie: secret, "x-api-key": secret }))
  ),
  way("a request of the platform", (secret) => tool(request(secret))),
  way(
    "a request of the platform, deep inside of Effect's data",
    (secret) => tool(HashMap.make(["calls", Chunk.of(Option.some({ request: request(secret) }))]))
  ),
  way(
    "a request of the web",
    (secret) => tool(new Request(`https://h/?token=${secret}`, { headers: { authorization: secret } }))
  ),
  way(
    "a request that a server got",
    (secret) =>
      tool(
        HttpServerRequest.fromWeb(
          new Request("https://h/", { headers: { cookie: secret, "proxy-authorization": secret } })
        )
      )
  ),
  way(
    "a response of a server, with a cookie",
    (secret) => output(HttpServerResponse.unsafeSetCookie(HttpServerResponse.empty(), "sid", secret))
  ),
  way("a failure that is a text", (secret) => output(Cause.fail(`connect to https://user:${secret}@host/x`))),
  way("providers that all failed", (secret) => fails(new AggregateError([`a https://user:${secret}@host`]))),
  way(
    "what a client of HTTP keeps of its request",
    (secret) =>
      fails(Object.assign(new Error("401"), {
        config: { baseURL: `https://u:${secret}@h`, url: "/v1", params: { key: secret }, auth: { password: secret } },
        request: { _options: { hostname: "h", auth: `u:${secret}`, path: `/v1?key=${secret}` } }
      }))
  ),
  way("a cookie that is an object", (secret) => tool({ cookie: { session: Option.some(secret) } })),
  way(
    "a setting that is none",
    (secret) =>
      Langfuse.tool(
        Config.port("PORT").pipe(Effect.withConfigProvider(ConfigProvider.fromMap(new Map([["PORT", secret]])))),
        "tool",
        { input: "i" }
      )
  ),
  way("cookies", (secret) => output(Cookies.fromSetCookie([`sid=${secret}`]))),
  way(
    "a failed request",
    (secret) =>
      fails(
        new HttpClientError.RequestError({
          request: request(secret),
          reason: "Transport",
          cause: new Error(`connect https://a:${secret}@h`)
        })
      )
  ),
  way(
    "a refused request",
    (secret) =>
      fails(
        new HttpClientError.ResponseError({
          request: request(secret),
          response: response(secret),
          reason: "StatusCode"
        })
      )
  ),
  way(
    "a failed request, as a value",
    (secret) =>
      output(
        new HttpClientError.ResponseError({ request: request(secret), response: response(secret), reason: "Decode" })
      )
  ),
  way(
    "a failed request, in a cause",
    (secret) =>
      output(
        Cause.parallel(
          Cause.fail(new HttpClientError.RequestError({ request: request(secret), reason: "Encode" })),
          Cause.die(request(secret))
        )
      )
  ),
  way(
    "fields of a failure",
    (secret) => fails(new LoginFailed({ password: Redacted.make(secret), headers: { authorization: secret } }))
  ),
  way("fields of a failure with a schema", (secret) => fails(new Refused({ token: Redacted.make(secret) }))),
  way(
    "an address in an error's message",
    (secret) => dies(new Error(`cannot connect to postgres://app:${secret}@db/app`))
  ),
  way(
    "an address in the message of a cause",
    (secret) => dies(new Error("failed", { cause: new Error(`GET https://u:${secret}@h/`) }))
  ),
  way(
    "an address in a cause that is a text",
    (secret) => fails(new Error("failed", { cause: `GET https://u:${secret}@h/?key=${secret}` }))
  ),
  way(
    "an address in one of many errors",
    (secret) => fails(new AggregateError([new Error(`redis://:${secret}@h`), "b"]))
  ),
  way(
    "a header that is not valid, in an error's message",
    (secret) => dies(new TypeError(`Headers.append: "Bearer ${secret}" is an invalid header value.`))
  ),
  way("an error of another client", (secret) =>
    fails(Object.assign(new Error("Request failed with status code 401"), {
      config: { url: `https://h/?token=${secret}`, headers: { Authorization: `Bearer ${secret}` } },
      input: `http://a:${secret}@h`
    }))),
  way("Redacted, in an input", (secret) => tool({ deep: [new Map([["key", Redacted.make(secret)]])] })),
  way("Redacted, as a failure", (secret) => fails(Redacted.make(secret))),
  way("a setting", (secret) =>
    Effect.flatMap(Config.all({ key: Config.redacted("KEY") }), output).pipe(
      Effect.withConfigProvider(ConfigProvider.fromMap(new Map([["KEY", secret]])))
    )),
  way("a URL object", (secret) => tool(new URL(`https://user:${secret}@h/?access_token=${secret}`))),
  way(
    "a field named url",
    (secret) => tool({ url: `https://user:${secret}@h/`, href: [`https://h/?signature=${secret}`] })
  ),
  way(
    "metadata of a trace",
    (secret) => tool("x").pipe(Langfuse.withTrace({ metadata: { cookie: secret, url: `https://u:${secret}@h` } }))
  ),
  way(
    "metadata under a name of its own",
    (secret) => Langfuse.tool(Effect.void, "tool", { metadata: { "x-api-key": secret } })
  ),
  way(
    "a class that writes itself",
    (secret) => tool({ toJSON: () => ({ authorization: secret, request: request(secret).toJSON() }) })
  ),
  way(
    "a log line",
    (secret) => Langfuse.tool(Effect.log(Redacted.make(secret), Headers.fromInput({ authorization: secret })), "tool")
  ),
  way(
    "an annotation of a log line",
    (secret) =>
      Langfuse.tool(
        Effect.log("x").pipe(Effect.annotateLogs({ authorization: secret, key: Redacted.make(secret) })),
        "tool"
      )
  ),
  way("attributes of other instrumentation", (secret) =>
    Effect.annotateCurrentSpan({
      "http.request.header.authorization": secret,
      "http.response.header.set-cookie": secret,
      "url.full": `https://u:${secret}@h/?token=${secret}`,
      "http.url": `https://u:${secret}@h/`
    }).pipe(Effect.withSpan("GET"), Langfuse.observe("outer"))),
  way(
    "attributes that are objects",
    (secret) =>
      Effect.annotateCurrentSpan({
        request: { headers: { authorization: secret } },
        headers: Headers.fromInput({ cookie: secret })
      }).pipe(
        Effect.withSpan("call"),
        Langfuse.observe("outer")
      )
  ),
  way(
    "a call by the platform's client",
    (secret) =>
      HttpClient.make((request) =>
        Effect.succeed(HttpClientResponse.fromWeb(request, new Response("", { headers: { "set-cookie": secret } })))
      )
        .execute(request(secret)).pipe(Langfuse.observe("outer"))
  ),
  way(
    "names of the fiber",
    (secret) =>
      tool({ "x-tenant-key": secret, "X-Session": secret }).pipe(
        Effect.locally(Headers.currentRedactedNames, ["x-session", /tenant/])
      )
  ),
  way("names of the option", (secret) => tool({ "x-planted": secret, deep: [{ "X-PLANTED": [secret] }] })),
  way(
    "an event",
    (secret) =>
      Effect.flatMap(
        IngestionEvent.spanCreate({
          id: "s1",
          traceId: "t1",
          input: { authorization: secret },
          metadata: { cookie: secret }
        }),
        enqueue
      )
  ),
  way(
    "an event by a program without types",
    (secret) =>
      enqueue({
        ...at,
        type: "span-create",
        body: { id: "s2", output: request(secret), metadata: request(secret).headers, other: { cookie: secret } }
      })
  ),
  way(
    "a log event",
    (secret) => enqueue({ ...at, type: "sdk-log", body: { log: { headers: { authorization: secret } } } })
  ),
  way(
    "an event of a type that is new",
    (secret) => enqueue({ ...at, type: "new-create", body: { id: "n", a: { "x-api-key": secret } } })
  ),
  way(
    "an event that is refused",
    (secret) =>
      enqueue({ ...at, type: "span-create", body: { id: 5, name: { authorization: secret }, startTime: secret } })
  ),
  way(
    "metadata of a score",
    (secret) => Langfuse.tool(Langfuse.scoreTrace({ name: "s", value: 1, metadata: { authorization: secret } }), "tool")
  )
]
