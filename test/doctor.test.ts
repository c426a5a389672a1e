import * as NodeContext from "@effect/platform-node/NodeContext"
import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
import * as Command from "@effect/platform/Command"
import * as FetchHttpClient from "@effect/platform/FetchHttpClient"
import * as FileSystem from "@effect/platform/FileSystem"
import * as HttpClient from "@effect/platform/HttpClient"
import * as HttpClientError from "@effect/platform/HttpClientError"
import * as HttpClientResponse from "@effect/platform/HttpClientResponse"
import { assert, describe, it } from "@effect/vitest"
import {
  ConfigProvider,
  Duration,
  Effect,
  Encoding,
  FastCheck,
  Fiber,
  Layer,
  Redacted,
  Stream,
  TestClock
} from "effect"
import { LangfuseError, Reason } from "effect-langfuse/LangfuseError"
import { Fault, LangfuseServer, layer as layerServer, type Options } from "effect-langfuse/LangfuseServer"
import { readdirSync, readFileSync } from "node:fs"
import * as Http from "node:http"
import * as Cli from "../cli/cli.js"
import { bundle, fileName } from "../scripts/bundle-cli.js"
import { adviceOn } from "../src/internal/advice.js"
import * as Checks from "../src/internal/doctor/checks.js"
import type { Answer } from "../src/internal/doctor/exchange.js"
import * as Redact from "../src/internal/doctor/redact.js"
import * as Render from "../src/internal/doctor/render.js"
import type { Check, Outcome, Verdict } from "../src/internal/doctor/verdict.js"
import { version } from "../src/internal/version.js"

const publicKey = "pk-lf-0d7c51fe"
const secretKey = "sk-lf-b02e94a6"
const keys = { LANGFUSE_PUBLIC_KEY: publicKey, LANGFUSE_SECRET_KEY: secretKey }
const wrongSecret = "sk-lf-77777777"

type Env = { readonly [name: string]: string }

interface Printed {
  readonly code: Cli.ExitCode
  readonly out: string
  readonly err: string
}

/** Runs the command line; whatever it prints is searched for keys. */
const run = (
  args: ReadonlyArray<string>,
  env: Env,
  columns?: number
): Effect.Effect<Printed, never, HttpClient.HttpClient> =>
  Effect.consoleWith((console) => {
    const out: Array<string> = []
    const err: Array<string> = []
    const into = (lines: Array<string>) => (...args: ReadonlyArray<unknown>) =>
      Effect.sync(() => lines.push(...args.map(String)))
    return Cli.run(args, { columns }).pipe(
      Effect.withConsole({ ...console, log: into(out), error: into(err) }),
      Effect.withConfigProvider(ConfigProvider.fromMap(new Map(Object.entries(env)))),
      Effect.provide(NodeContext.layer),
      Effect.map((code) => ({ code, out: out.join("\n"), err: err.join("\n") })),
      Effect.tap((printed) => Effect.sync(() => assertSecretsKept(printed)))
    )
  })

const assertSecretsKept = ({ err, out }: Printed) => {
  for (const text of [out, err]) {
    for (const secret of [publicKey, secretKey, wrongSecret]) {
      assert.notInclude(text, secret)
      assert.notInclude(text, Encoding.encodeBase64(`${publicKey}:${secret}`))
    }
  }
}

interface Json {
  readonly healthy: boolean
  readonly version: string
  readonly baseUrl?: string
  readonly serverVersion?: string
  readonly protocol?: string
  readonly traceUrl?: string
  readonly checks: ReadonlyArray<Verdict>
  readonly notChecked: ReadonlyArray<Check>
}

interface Diagnosis extends Omit<Json, "checks"> {
  readonly code: Cli.ExitCode
  /** The verdicts on it, each as `outcome message → cure`. */
  readonly on: (check: Check) => ReadonlyArray<string>
  readonly outcomes: { readonly [K in Check]?: Outcome }
}

const read = ({ code, err, out }: Printed): Diagnosis => {
  assert.strictEqual(err, "")
  assert.strictEqual(out.split("\n").length, 1)
  const { checks, ...json }: Json = JSON.parse(out)
  assert.strictEqual(json.healthy, code === 0)
  for (const { cure, outcome } of checks) {
    assert.strictEqual(cure !== undefined, outcome === "problem" || outcome === "warning")
  }
  return {
    ...json,
    code,
    on: (check) =>
      checks.filter((verdict) => verdict.check === check).map(({ cure, message, outcome }) =>
        `${outcome} ${message}${cure === undefined ? "" : ` → ${cure}`}`
      ),
    outcomes: Object.fromEntries(checks.map(({ check, outcome }) => [check, outcome]))
  }
}

const diagnose = (env: Env, ...args: ReadonlyArray<string>) => Effect.map(run(["doctor", "--json", ...args], env), read)

/** Turned to the present, since servers tell their time. It stands still, so nothing times out unless a test says so. */
const setClock = Effect.suspend(() => TestClock.setTime(Date.now()))

/** The environment of a program that is set up for the server at hand. */
const configured = Effect.map(LangfuseServer, ({ url }): Env => ({ ...keys, LANGFUSE_BASE_URL: url }))

/**
 * After a request that was given up `fetch` may open another connection at once, on which nothing is ever asked. Node
 * waits for those when it closes.
 */
const createServer = () => {
  const server = Http.createServer()
  const close = server.close.bind(server)
  server.close = (done) => {
    close(done)
    server.closeAllConnections()
    return server
  }
  return server
}

const layer = (options: Options = {}) => Layer.provideMerge(layerAtAnyTime(options), Layer.effectDiscard(setClock))

/** The same by the real clock. */
const layerAtAnyTime = (options: Options = {}) =>
  layerServer({ publicKey, secretKey: Redacted.make(secretKey), ...options }).pipe(
    Layer.provide(Layer.orDie(NodeHttpServer.layer(createServer, { port: 0, host: "127.0.0.1" }))),
    Layer.merge(FetchHttpClient.layer)
  )

const diagnoseWith = (fault: Fault, ...args: ReadonlyArray<string>) =>
  Effect.gen(function*() {
    yield* (yield* LangfuseServer).always(fault)
    return yield* diagnose(yield* configured, ...args)
  })

const stored = Effect.gen(function*() {
  const server = yield* LangfuseServer
  return {
    traces: (yield* server.traces).map(({ id, name }) => ({ id, name })),
    scores: (yield* server.scores).map(({ name, traceId }) => ({ name, traceId })),
    losses: yield* server.losses
  }
})

/** A server that has its own word for requests to one path. */
const answering = (path: string, status: number, body: unknown) =>
  Effect.updateService(
    HttpClient.HttpClient,
    (client) =>
      HttpClient.transform(client, (answer, request) =>
        new URL(request.url).pathname === path
          ? Effect.succeed(HttpClientResponse.fromWeb(request, Response.json(body, { status })))
          : answer)
  )

/** Langfuse Cloud, as far as the doctor asks it: every region takes the same keys, or none. */
const cloud = (takesKeys: boolean) =>
  Layer.succeed(
    HttpClient.HttpClient,
    HttpClient.make((request, url) => {
      const [status, body] = url.pathname === "/api/public/health"
        ? [200, { status: "OK", version: "4.20.0" }]
        : !takesKeys
        ? [401, { message: "Invalid credentials. Confirm that you've configured the correct host." }]
        : url.pathname === "/api/public/ingestion"
        ? [207, { successes: [], errors: [{ id: "x", status: 400, message: "Event type not accepted" }] }]
        : [200, {}]
      return Effect.succeed(HttpClientResponse.fromWeb(request, Response.json(body, { status })))
    })
  )

const json = { "content-type": "application/json; charset=utf-8" }

describe("doctor", () => {
  describe("finds a server healthy", () => {
    const servers: ReadonlyArray<{
      readonly title: string
      readonly options: Options
      readonly protocol: "otlp" | "ingestion"
      readonly why: string
      readonly otlp: string
      readonly batch: string
    }> = [
      {
        title: "v4",
        options: { version: "4.16.0" },
        protocol: "otlp",
        why: "\"auto\" sends traces over OpenTelemetry: Langfuse 4.16.0 is version 4 or later",
        otlp: "takes traces",
        batch: "takes scores; of traces it takes none"
      },
      {
        title: "v4 in write mode dual",
        options: { version: "4.16.0", writeMode: "dual" },
        protocol: "otlp",
        why: "\"auto\" sends traces over OpenTelemetry: Langfuse 4.16.0 is version 4 or later",
        otlp: "takes traces",
        batch: "takes traces and scores"
      },
      {
        title: "v4 in write mode legacy",
        options: { version: "4.16.0", writeMode: "legacy" },
        protocol: "otlp",
        why: "\"auto\" sends traces over OpenTelemetry: Langfuse 4.16.0 is version 4 or later",
        otlp: "takes traces",
        batch: "takes traces and scores"
      },
      {
        title: "v4 without its OpenTelemetry endpoint, in write mode legacy",
        options: { version: "4.16.0", writeMode: "legacy", otlp: false },
        protocol: "ingestion",
        why: "\"auto\" sends traces through the batch endpoint: it finds no OpenTelemetry endpoint (404)",
        otlp: "not there (404), and not needed",
        batch: "takes traces and scores"
      },
      {
        title: "v3",
        options: { version: "3.120.0" },
        protocol: "ingestion",
        why: "\"auto\" sends traces through the batch endpoint: Langfuse 3.120.0 is older than version 4",
        otlp: "takes traces",
        batch: "takes traces and scores"
      },
      {
        title: "v3 that behaves like v4",
        options: { version: "3.190.0", writeMode: "events_only" },
        protocol: "otlp",
        why: "\"auto\" sends traces over OpenTelemetry: the batch endpoint takes none",
        otlp: "takes traces",
        batch: "takes scores; of traces it takes none"
      },
      {
        title: "v3 before OpenTelemetry",
        options: { version: "3.10.0", otlp: false },
        protocol: "ingestion",
        why: "\"auto\" sends traces through the batch endpoint: Langfuse 3.10.0 is older than version 4",
        otlp: "not there (404), and not needed",
        batch: "takes traces and scores"
      }
    ]

    for (const { batch, options, otlp, protocol, title, why } of servers) {
      it.scoped(`${title}: the canary arrives over the protocol that was foretold`, () =>
        Effect.gen(function*() {
          const server = yield* LangfuseServer
          const env = yield* configured

          const foretold = yield* diagnose(env, "--no-canary")
          assert.strictEqual(foretold.code, 0)
          assert.strictEqual(foretold.protocol, protocol)
          assert.deepStrictEqual(foretold.on("protocol"), [`ok ${why}`])
          assert.deepStrictEqual(foretold.on("otlp-endpoint"), [`ok ${otlp}`])
          assert.deepStrictEqual(foretold.on("batch-endpoint"), [`ok ${batch}`])
          assert.deepStrictEqual(foretold.notChecked, [])
          assert.deepStrictEqual(yield* stored, { traces: [], scores: [], losses: [] })

          const seen = yield* diagnose(env)
          assert.strictEqual(seen.code, 0)
          assert.strictEqual(seen.protocol, protocol)
          assert.strictEqual(seen.serverVersion, options.version)
          assert.strictEqual(seen.baseUrl, server.url)
          assert.deepStrictEqual(seen.on("keys"), ["ok accepted"])
          assert.deepStrictEqual(seen.on("address"), [`ok ${server.url} (LANGFUSE_BASE_URL)`])
          const { losses, scores, traces } = yield* stored
          const [trace] = traces
          assert.strictEqual(trace?.name, "effect-langfuse doctor")
          assert.strictEqual(seen.traceUrl, `${server.url}/trace/${trace?.id}`)
          assert.deepStrictEqual(traces.length, 1)
          assert.deepStrictEqual(scores, [{ name: "effect-langfuse doctor", traceId: trace?.id }])
          assert.deepStrictEqual(losses, [])
        }).pipe(Effect.provide(layer(options))))
    }

    it.scoped("names the project of the keys, and links to the trace in it", () =>
      Effect.gen(function*() {
        const { url } = yield* LangfuseServer
        const { on, traceUrl } = yield* diagnose(yield* configured).pipe(
          answering("/api/public/projects", 200, { data: [{ id: "p1", name: "My\u001b[31m project", metadata: {} }] })
        )
        assert.deepStrictEqual(on("keys"), ["ok accepted, for the project \"My [31m project\""])
        const [trace] = yield* (yield* LangfuseServer).traces
        assert.strictEqual(traceUrl, `${url}/project/p1/traces/${trace?.id}`)
      }).pipe(Effect.provide(layer())))

    it.scoped("sends the canary with the environment that the program has", () =>
      Effect.gen(function*() {
        const { code, on } = yield* diagnose({
          ...yield* configured,
          LANGFUSE_TRACING_ENVIRONMENT: "staging",
          LANGFUSE_SAMPLE_RATE: "0"
        })
        assert.strictEqual(code, 0)
        assert.deepStrictEqual(on("configuration"), [
          "ok both keys are set, traces belong to the environment \"staging\"",
          "warning LANGFUSE_SAMPLE_RATE is 0: programs send no trace at all → Unset it to send all of them. The doctor's " +
          "own trace is always sent."
        ])
        const [trace] = yield* (yield* LangfuseServer).traces
        assert.strictEqual(trace?.environment, "staging")
      }).pipe(Effect.provide(layer())))
  })

  describe("reads the configuration as a program does", () => {
    it.scoped("without keys it still looks at the server", () =>
      Effect.gen(function*() {
        const { url } = yield* LangfuseServer
        const { code, notChecked, on, outcomes } = yield* diagnose({
          LANGFUSE_HOST: url,
          LANGFUSE_PUBLIC_KEY: publicKey
        })
        assert.strictEqual(code, 1)
        assert.deepStrictEqual(on("configuration"), [
          "problem LANGFUSE_SECRET_KEY not set: tracing is off → Langfuse shows both keys under Project Settings → API " +
          "Keys. A .env file is read only with --dotenv .env."
        ])
        assert.deepStrictEqual(on("address"), [`ok ${url} (LANGFUSE_HOST)`])
        assert.strictEqual(outcomes.server, "ok")
        assert.strictEqual(outcomes.clock, "ok")
        assert.deepStrictEqual(notChecked, [
          "keys",
          "otlp-endpoint",
          "batch-endpoint",
          "protocol",
          "canary-trace",
          "canary-score"
        ])
      }).pipe(Effect.provide(layer())))

    const malformed: Env = {
      LANGFUSE_BASE_URL: "ftp://example.com",
      LANGFUSE_HOST: "example.com",
      LANGFUSE_TIMEOUT: "soon",
      LANGFUSE_FLUSH_AT: "-1",
      LANGFUSE_FLUSH_INTERVAL: "two",
      LANGFUSE_SAMPLE_RATE: "2",
      LANGFUSE_TRACING_ENVIRONMENT: "langfuse-x",
      LANGFUSE_TRACING_ENABLED: "perhaps",
      LANGFUSE_PUBLIC_KEY: "pk lf",
      LANGFUSE_SECRET_KEY: "sk:lf"
    }
    for (const [name, value] of Object.entries(malformed)) {
      it.scoped(`a malformed ${name} is the verdict, since a program would not start`, () =>
        Effect.gen(function*() {
          const server = yield* LangfuseServer
          const { code, notChecked, on } = yield* diagnose({ ...yield* configured, [name]: value })
          assert.strictEqual(code, 1)
          const [verdict, ...more] = on("configuration")
          assert.deepStrictEqual(more, [])
          assert.match(verdict ?? "", new RegExp(`^problem ${name} takes .* → Correct or unset this variable`))
          assert.strictEqual(notChecked.length, 9)
          assert.deepStrictEqual(yield* server.requests, [])
        }).pipe(Effect.provide(layer())))
    }

    it.scoped("a key that was pasted into another variable is not shown", () =>
      Effect.gen(function*() {
        for (const name of ["LANGFUSE_BASE_URL", "LANGFUSE_SAMPLE_RATE", "LANGFUSE_TRACING_ENVIRONMENT"]) {
          const { code } = yield* diagnose({ ...keys, [name]: `${secretKey} ` })
          assert.strictEqual(code, 1)
        }
      }).pipe(Effect.provide(layer())))

    const odd: ReadonlyArray<readonly [env: Env, warning: RegExp]> = [
      [{ LANGFUSE_TRACING_ENABLED: "false" }, /^LANGFUSE_TRACING_ENABLED turns tracing off/],
      [{ LANGFUSE_SAMPLE_RATE: "0.005" }, /^LANGFUSE_SAMPLE_RATE is 0.005: of 100 traces about 0.5 are sent/],
      [
        { LANGFUSE_TIMEOUT: "5000" },
        /^LANGFUSE_TIMEOUT gives each request 1h 23m 20s → It is in seconds, not in milli/
      ],
      [{ LANGFUSE_TIMEOUT: "0.1" }, /^LANGFUSE_TIMEOUT gives each request 100 ms → It is in seconds/],
      [{ LANGFUSE_FLUSH_INTERVAL: "2000" }, /^LANGFUSE_FLUSH_INTERVAL lets events wait for up to 33m 20s/],
      [
        { LANGFUSE_HOST: "https://us.cloud.langfuse.com" },
        /^LANGFUSE_HOST names another address, and LANGFUSE_BASE_URL counts → Unset LANGFUSE_HOST/
      ]
    ]
    for (const [env, warning] of odd) {
      it.scoped(`warns of ${Object.entries(env).join().replace(",", "=")}, and goes on`, () =>
        Effect.gen(function*() {
          const { code, on, outcomes } = yield* diagnose({ ...yield* configured, ...env })
          assert.strictEqual(code, 0)
          assert.match(on("configuration")[1] ?? "", new RegExp(warning.source.replace("^", "^warning ")))
          assert.strictEqual(outcomes["canary-trace"], "ok")
        }).pipe(Effect.provide(layer())))
    }

    it.scoped("--base-url wins over the environment", () =>
      Effect.gen(function*() {
        const { url } = yield* LangfuseServer
        const { code, on } = yield* diagnose(
          { ...keys, LANGFUSE_BASE_URL: "http://127.0.0.1:1" },
          "--base-url",
          `${url}/`
        )
        assert.strictEqual(code, 0)
        assert.deepStrictEqual(on("address"), [`ok ${url} (--base-url)`])
        assert.strictEqual(on("configuration").length, 1)
      }).pipe(Effect.provide(layer())))

    it.scoped("--dotenv fills in what the environment does not say", () =>
      Effect.gen(function*() {
        const { url } = yield* LangfuseServer
        const fs = yield* FileSystem.FileSystem
        const path = yield* fs.makeTempFileScoped()
        yield* fs.writeFileString(
          path,
          `export LANGFUSE_PUBLIC_KEY="${publicKey}"\nLANGFUSE_SECRET_KEY='${secretKey}' # local\nLANGFUSE_BASE_URL=http://x\n`
        )
        const { code, on } = yield* diagnose({ LANGFUSE_BASE_URL: url }, "--dotenv", path)
        assert.strictEqual(code, 0)
        assert.deepStrictEqual(on("address"), [`ok ${url} (LANGFUSE_BASE_URL)`])
      }).pipe(Effect.provide([layer(), NodeContext.layer])))
  })

  describe("tells what is wrong with the address", () => {
    for (const path of ["/api/public", "/api/public/otel", "/project/clx1/traces", "/auth/sign-in"]) {
      it.scoped(`${path} is more than the address of the server`, () =>
        Effect.gen(function*() {
          const { url } = yield* LangfuseServer
          const { code, on } = yield* diagnose({ ...keys, LANGFUSE_BASE_URL: `${url}${path}` })
          assert.strictEqual(code, 1)
          assert.deepStrictEqual(on("server"), [
            "problem this is not a Langfuse: GET /api/public/health answers 404 (text/html) → Set LANGFUSE_BASE_URL to " +
            `${url}: the rest is added to it.`
          ])
        }).pipe(Effect.provide(layer())))
    }

    it("plain http to another machine is worth a warning, to this one it is not", () => {
      const of = (baseUrl: string) =>
        Checks.address({
          baseUrl,
          keys: undefined,
          source: "--base-url",
          timeout: Duration.seconds(5),
          environment: undefined,
          release: undefined,
          hasProxy: false,
          cureOfKeys: undefined
        })
      for (const url of ["http://localhost:3000", "http://127.0.0.1", "http://[::1]:3000", "https://example.com/x"]) {
        assert.deepStrictEqual(of(url), { check: "address", outcome: "ok", message: `${url} (--base-url)` })
      }
      assert.strictEqual(of("http://langfuse-web:3000").outcome, "warning")
      assert.match(of("http://10.0.0.7").message, /plain http: the keys cross the network unencrypted$/)
    })

    it.scoped.each(
      [
        ["3.95.0", "agents, tools and other types as spans (embeddings as generations)"],
        ["3.22.0", "agents, tools and other types as spans (embeddings as generations), no environments"],
        [
          "2.95.12",
          "agents, tools and other types as spans (embeddings as generations), no environments, of tokens and costs only " +
          "input, output and total"
        ]
      ] as const
    )("%s is old, and what that means", ([version, shown]) =>
      Effect.gen(function*() {
        const { code, on } = yield* diagnose(yield* configured, "--no-canary")
        assert.strictEqual(code, 0)
        assert.deepStrictEqual(on("server"), [
          `warning Langfuse ${version} is old: it shows ${shown}; the rest is in the metadata → Update Langfuse to 3.98.2 or later.`
        ])
      }).pipe(Effect.provide(layer({ version }))))

    it.scoped("nothing listens there", () =>
      Effect.gen(function*() {
        const url = yield* LangfuseServer.pipe(Effect.map(({ url }) => url), Effect.provide(Layer.fresh(layer())))
        const { code, notChecked, on } = yield* diagnose({ ...keys, LANGFUSE_BASE_URL: url })
        assert.strictEqual(code, 1)
        assert.deepStrictEqual(on("server"), [
          `problem nothing listens at ${url.replace("http://", "")} (ECONNREFUSED) → Start Langfuse, or correct ` +
          "LANGFUSE_BASE_URL. In a container, 127.0.0.1 is the container itself: name Langfuse's service."
        ])
        assert.strictEqual(notChecked.length, 7)
      }).pipe(Effect.provide(layer())))

    it.scoped("https is asked of a port that speaks http", () =>
      Effect.gen(function*() {
        const { url } = yield* LangfuseServer
        const { code, on } = yield* diagnose({ ...keys, LANGFUSE_BASE_URL: url.replace("http:", "https:") })
        assert.strictEqual(code, 1)
        assert.match(
          on("server")[0] ?? "",
          /^problem .* does not speak https \(\w+\) → Use http:\/\/ in LANGFUSE_BASE_URL/
        )
      }).pipe(Effect.provide(layer())))

    it.scoped("a proxy in the environment is mentioned when there is no connection", () =>
      Effect.gen(function*() {
        const url = yield* LangfuseServer.pipe(Effect.map(({ url }) => url), Effect.provide(Layer.fresh(layer())))
        const { on } = yield* diagnose({ ...keys, LANGFUSE_BASE_URL: url, http_proxy: "http://user:pass@proxy:3128" })
        assert.match(on("server")[0] ?? "", /NODE_USE_ENV_PROXY=1, from Node 24 on\.$/)
        assert.notInclude(on("server")[0] ?? "", "pass")
      }).pipe(Effect.provide(layer())))

    const silences: ReadonlyArray<readonly [code: string, message: RegExp]> = [
      ["ENOTFOUND", /^the name langfuse.example is not known here \(ENOTFOUND\)$/],
      ["EAI_AGAIN", /^the name langfuse.example is not known here/],
      ["ENETUNREACH", /^no way to langfuse.example:8443/],
      ["DEPTH_ZERO_SELF_SIGNED_CERT", /comes from an authority that is not known here/],
      ["CERT_HAS_EXPIRED", /has expired/],
      ["ERR_TLS_CERT_ALTNAME_INVALID", /is for another name/],
      ["ECONNRESET", /^langfuse.example:8443 hung up/],
      ["UND_ERR_SOMETHING_NEW", /^no answer from langfuse.example:8443 \(UND_ERR_SOMETHING_NEW\)$/]
    ]
    for (const [platformCode, message] of silences) {
      it.effect(`${platformCode} has words of its own`, () =>
        Effect.gen(function*() {
          yield* setClock
          const { checks, code } = yield* run(["doctor", "--json"], {
            ...keys,
            LANGFUSE_BASE_URL: "https://langfuse.example:8443"
          }).pipe(
            Effect.map(({ code, out }): Json & { readonly code: number } => ({ ...JSON.parse(out), code })),
            Effect.provideService(
              HttpClient.HttpClient,
              HttpClient.make((request) =>
                Effect.fail(
                  new HttpClientError.RequestError({
                    request,
                    reason: "Transport",
                    cause: new TypeError("fetch failed", {
                      cause: Object.assign(new Error(secretKey), { code: platformCode })
                    })
                  })
                )
              )
            )
          )
          assert.strictEqual(code, 1)
          assert.match(checks.find(({ check }) => check === "server")?.message ?? "", message)
        }))
    }
  })

  describe("tells what answers instead of Langfuse", () => {
    it.scoped("a page", () =>
      Effect.gen(function*() {
        const { code, notChecked, on } = yield* diagnoseWith(Fault.html())
        assert.strictEqual(code, 1)
        assert.deepStrictEqual(on("server"), [
          "problem this is not a Langfuse: GET /api/public/health answers 200 (text/html) → Set LANGFUSE_BASE_URL to the " +
          "address at which Langfuse opens in a browser, without the path of a page."
        ])
        assert.strictEqual(notChecked.length, 7)
      }).pipe(Effect.provide(layer())))

    it.scoped("another server's 404", () =>
      Effect.gen(function*() {
        const { url } = yield* LangfuseServer
        const { code, on } = yield* diagnose({ ...keys, LANGFUSE_BASE_URL: `${url}/langfuse` })
        assert.strictEqual(code, 1)
        assert.match(on("server")[0] ?? "", /^problem this is not a Langfuse: GET \/api\/public\/health answers 404/)
      }).pipe(Effect.provide(layer())))

    it.scoped("a proxy without Langfuse", () =>
      Effect.gen(function*() {
        const { code, on, outcomes } = yield* diagnoseWith(Fault.status(502))
        assert.strictEqual(code, 1)
        assert.match(
          on("server")[0] ?? "",
          /^problem GET \/api\/public\/health answers 502 .* no working Langfuse behind it/
        )
        assert.isUndefined(outcomes.keys)
      }).pipe(Effect.provide(layer())))

    it.scoped("a redirection, which is not followed", () =>
      Effect.gen(function*() {
        const location = "https://langfuse.example/api/public/health"
        const { code, on } = yield* diagnoseWith(Fault.respond({ status: 308, headers: { location } }))
        assert.strictEqual(code, 1)
        assert.deepStrictEqual(on("server"), [
          "problem redirected to https://langfuse.example (308): the keys and the events do not survive that → Set " +
          "LANGFUSE_BASE_URL to https://langfuse.example."
        ])
        assert.strictEqual((yield* (yield* LangfuseServer).requests).length, 1)
      }).pipe(Effect.provide(layer())))

    it.scoped("a redirection to a login", () =>
      Effect.gen(function*() {
        const { code, on } = yield* diagnoseWith(
          Fault.respond({ status: 302, headers: { location: `/auth/sign-in?next=${secretKey}` } })
        )
        assert.strictEqual(code, 1)
        assert.match(
          on("server")[0] ?? "",
          /^problem redirected to a page \(302\): something in front of Langfuse wants a login/
        )
      }).pipe(Effect.provide(layer())))

    it.scoped("a connection that is cut", () =>
      Effect.gen(function*() {
        const { code, on } = yield* diagnoseWith(Fault.reset("before"))
        assert.strictEqual(code, 1)
        assert.match(on("server")[0] ?? "", /^problem 127\.0\.0\.1:\d+ hung up \(\w+\)/)
      }).pipe(Effect.provide(layer())))

    it.scoped("a Langfuse that is not well", () =>
      Effect.gen(function*() {
        const { code, on, outcomes } = yield* diagnoseWith(Fault.respond({
          status: 503,
          headers: json,
          body: JSON.stringify({ status: `Database not available ${secretKey}\u001b[2J`, version: "4.16.0" }),
          route: "health"
        }))
        assert.strictEqual(code, 1)
        assert.deepStrictEqual(on("server"), [
          "problem Langfuse 4.16.0 says that it is not well: Database not available <redacted> [2J (503) → Look into the " +
          "logs of the Langfuse server."
        ])
        assert.strictEqual(outcomes["canary-trace"], "ok")
      }).pipe(Effect.provide(layer())))

    it.scoped("a Langfuse whose health check is hidden: the version is not told, and the rest works", () =>
      Effect.gen(function*() {
        const { code, on, protocol } = yield* diagnoseWith(Fault.html({ route: "health" }))
        assert.strictEqual(code, 0)
        assert.match(
          on("server")[0] ?? "",
          /^warning GET \/api\/public\/health answers 200 \(text\/html\) and so does not tell/
        )
        assert.deepStrictEqual(on("protocol"), [
          "ok \"auto\" sends traces over OpenTelemetry: the version is not known, so it tries that first"
        ])
        assert.strictEqual(protocol, "otlp")
      }).pipe(Effect.provide(layer())))
  })

  describe("takes no longer than it is given", () => {
    /** Turns the clock as soon as that many requests have arrived. */
    const waitFor = (requests: number, seconds: number) =>
      Effect.gen(function*() {
        yield* (yield* LangfuseServer).awaitRequests(requests)
        yield* TestClock.adjust(Duration.seconds(seconds))
      })

    it.scoped("a server that hangs", () =>
      Effect.gen(function*() {
        const fiber = yield* Effect.fork(diagnoseWith(Fault.hang()))
        yield* waitFor(1, 5)
        yield* waitFor(4, 5)
        const { code, notChecked, on } = yield* Fiber.join(fiber)
        assert.strictEqual(code, 1)
        assert.match(
          on("server")[0] ?? "",
          /^problem GET \/api\/public\/health: no complete answer within 5s → The server hangs or is slow, or a firewall/
        )
        assert.match(on("server")[0] ?? "", / --timeout 30 tells which\.$/)
        assert.strictEqual(notChecked.length, 7)
      }).pipe(Effect.provide(layer())))

    it.scoped("--timeout bounds each request, and is not advised when it is long already", () =>
      Effect.gen(function*() {
        const fiber = yield* Effect.fork(diagnoseWith(Fault.hang(), "--timeout", "30"))
        yield* waitFor(1, 30)
        yield* waitFor(4, 30)
        const { on } = yield* Fiber.join(fiber)
        assert.match(on("server")[0] ?? "", /no complete answer within 30s/)
        assert.notInclude(on("server")[0] ?? "", "--timeout")
      }).pipe(Effect.provide(layer())))

    it.scoped("a health check that hangs while the rest answers: auto goes on without the version", () =>
      Effect.gen(function*() {
        const fiber = yield* Effect.fork(diagnoseWith(Fault.hang({ route: "health" })))
        yield* waitFor(1, 5)
        // Its own four, and the health check of the canary, which waits for it for a second.
        yield* waitFor(5, 1)
        const { code, on, outcomes, protocol } = yield* Fiber.join(fiber)
        assert.strictEqual(code, 1)
        assert.match(
          on("server")[0] ?? "",
          /Everything else there answers: does a proxy keep this path from Langfuse\?$/
        )
        assert.deepStrictEqual(on("protocol"), [
          "ok \"auto\" sends traces over OpenTelemetry: the version is not known, so it tries that first"
        ])
        assert.strictEqual(outcomes.keys, "ok")
        assert.strictEqual(outcomes["canary-trace"], "ok")
        assert.strictEqual(outcomes["canary-score"], "ok")
        assert.strictEqual(protocol, "otlp")
      }).pipe(Effect.provide(layer())))

    it.scoped("an endpoint that hangs", () =>
      Effect.gen(function*() {
        const fiber = yield* Effect.fork(diagnoseWith(Fault.hang({ route: "otlp" })))
        yield* waitFor(4, 5)
        const { code, on, outcomes } = yield* Fiber.join(fiber)
        assert.strictEqual(code, 1)
        assert.deepStrictEqual(on("otlp-endpoint"), [
          "problem no complete answer within 5s → The server hangs or is slow. --timeout 30 tells which."
        ])
        assert.deepStrictEqual(on("protocol"), [
          "skipped \"auto\" would send traces over OpenTelemetry: Langfuse 4.16.0 is version 4 or later"
        ])
        assert.strictEqual(outcomes["batch-endpoint"], "ok")
        assert.isUndefined(outcomes["canary-trace"])
      }).pipe(Effect.provide(layer())))

    it.scoped("a canary that is not answered", () =>
      Effect.gen(function*() {
        const server = yield* LangfuseServer
        yield* server.script(Fault.delay(0, { route: "otlp" }), Fault.hang({ route: "otlp" }))
        const fiber = yield* Effect.fork(Effect.flatMap(configured, (env) => diagnose(env)))
        // Its own four, and of the canary the health check, the spans and the score.
        yield* waitFor(7, 5)
        const { code, on, traceUrl } = yield* Fiber.join(fiber)
        assert.strictEqual(code, 1)
        assert.deepStrictEqual(on("canary-trace"), [
          "problem not accepted: no complete answer within 5s → The server hangs or is slow. --timeout 30 tells which."
        ])
        assert.deepStrictEqual(on("canary-score"), ["ok accepted through the batch endpoint"])
        assert.isUndefined(traceUrl)
      }).pipe(Effect.provide(layer())))

    it.scoped("a server that is slow", () =>
      Effect.gen(function*() {
        const server = yield* LangfuseServer
        yield* server.script(Fault.delay("4 seconds", { route: "health" }))
        const fiber = yield* Effect.fork(Effect.flatMap(configured, (env) => diagnose(env)))
        yield* waitFor(1, 4)
        const { code, on } = yield* Fiber.join(fiber)
        assert.strictEqual(code, 0)
        assert.match(
          on("server")[0] ?? "",
          /^warning Langfuse 4.16.0 took 4s to answer, and requests are given up after 5s/
        )
      }).pipe(Effect.provide(layer())))
  })

  describe("tells what is wrong with the keys", () => {
    it.scoped("a wrong secret", () =>
      Effect.gen(function*() {
        const { code, notChecked, on } = yield* diagnose({ ...yield* configured, LANGFUSE_SECRET_KEY: wrongSecret })
        assert.strictEqual(code, 1)
        assert.deepStrictEqual(on("keys"), [
          "problem refused: Invalid credentials. Confirm that you've configured the correct host. (401) → They are not " +
          "those of a project on this server: they belong to another one, are mistyped or were deleted. Langfuse shows a " +
          "project's keys under Project Settings → API Keys."
        ])
        assert.deepStrictEqual(notChecked, [
          "otlp-endpoint",
          "batch-endpoint",
          "protocol",
          "canary-trace",
          "canary-score"
        ])
      }).pipe(Effect.provide(layer())))

    it.scoped("swapped ones", () =>
      Effect.gen(function*() {
        const { code, on } = yield* diagnose({
          ...yield* configured,
          LANGFUSE_PUBLIC_KEY: secretKey,
          LANGFUSE_SECRET_KEY: publicKey
        })
        assert.strictEqual(code, 1)
        assert.match(on("configuration")[0] ?? "", /^warning the keys look swapped/)
        assert.match(on("keys")[0] ?? "", /→ Put the one that begins with pk- into LANGFUSE_PUBLIC_KEY and the other/)
      }).pipe(Effect.provide(layer())))

    it.scoped("ones in quotation marks", () =>
      Effect.gen(function*() {
        const { code, on } = yield* diagnose({ ...yield* configured, LANGFUSE_SECRET_KEY: `"${secretKey}"` })
        assert.strictEqual(code, 1)
        assert.match(on("configuration")[0] ?? "", /^warning LANGFUSE_SECRET_KEY is in quotation marks/)
        assert.match(on("keys")[0] ?? "", /→ Remove them: docker run --env-file/)
      }).pipe(Effect.provide(layer())))

    it.scoped("ones that look wrong and are not", () =>
      Effect.gen(function*() {
        const { code, on } = yield* diagnose({ ...yield* configured, LANGFUSE_SECRET_KEY: "pk-odd" })
        assert.strictEqual(code, 0)
        assert.match(on("configuration")[0] ?? "", /^warning the keys look swapped/)
      }).pipe(Effect.provide(layer({ secretKey: Redacted.make("pk-odd") }))))

    it.scoped("ones that do not get there", () =>
      Effect.gen(function*() {
        const server = yield* LangfuseServer
        const body = JSON.stringify({ error: "UnauthorizedError", message: "No authorization header" })
        yield* server.script(
          Fault.respond({ status: 401, headers: json, body, route: "otlp" }),
          Fault.respond({ status: 401, headers: json, body, route: "ingestion" })
        )
        const { code, on } = yield* diagnose(yield* configured)
        assert.strictEqual(code, 1)
        assert.match(on("keys")[0] ?? "", /something in front of Langfuse removes the Authorization header/)
      }).pipe(Effect.provide(layer())))

    it.scoped("what a server says back of them is not repeated", () =>
      Effect.gen(function*() {
        const server = yield* LangfuseServer
        const message = `${Encoding.encodeBase64(`${publicKey}:${secretKey}`)} is ${publicKey} and ${secretKey}`
        for (const route of ["otlp", "ingestion"] as const) {
          yield* server.script(Fault.respond({ status: 401, headers: json, body: JSON.stringify({ message }), route }))
        }
        const { on } = yield* diagnose(yield* configured)
        assert.match(on("keys")[0] ?? "", /^problem refused: <redacted> is <redacted> and <redacted> \(401\)/)
      }).pipe(Effect.provide(layer())))

    it.effect("in Langfuse Cloud they may belong to another region", () =>
      Effect.gen(function*() {
        yield* setClock
        const { code, on } = yield* diagnose({ ...keys, LANGFUSE_HOST: "https://us.cloud.langfuse.com" })
        assert.strictEqual(code, 1)
        assert.match(
          on("keys")[0] ?? "",
          /→ Regions share no keys: try npx effect-langfuse doctor --base-url with https:\/\/cloud\.langfuse\.com, https:\/\/jp/
        )
        const unset = yield* diagnose(keys)
        assert.deepStrictEqual(unset.on("address"), [
          "ok https://cloud.langfuse.com, the default, since LANGFUSE_BASE_URL is not set"
        ])
        assert.match(
          unset.on("keys")[0] ?? "",
          /→ LANGFUSE_BASE_URL is not set, so they are taken for keys of the EU region/
        )
      }).pipe(Effect.provide(cloud(false))))

    it.effect("Langfuse Cloud takes OpenTelemetry, whatever its health check says", () =>
      Effect.gen(function*() {
        yield* setClock
        const { code, on } = yield* diagnose(keys, "--no-canary")
        assert.strictEqual(code, 0)
        assert.deepStrictEqual(on("protocol"), [
          "ok \"auto\" sends traces over OpenTelemetry: Langfuse Cloud takes them no other way"
        ])
      }).pipe(Effect.provide(cloud(true))))
  })

  describe("tells what is wrong with the endpoints", () => {
    const both = (fault: (options: Fault.Target) => Fault) =>
      Effect.gen(function*() {
        const server = yield* LangfuseServer
        yield* server.script(fault({ route: "otlp" }), fault({ route: "ingestion" }))
        return yield* diagnose(yield* configured)
      })

    it.scoped("a project that is suspended, though its keys are right", () =>
      Effect.gen(function*() {
        const { code, on, outcomes } = yield* both(Fault.suspended)
        assert.strictEqual(code, 1)
        assert.deepStrictEqual(on("keys"), ["ok accepted"])
        const suspended =
          "problem 403: Ingestion suspended: Usage threshold exceeded. Please upgrade your plan. → The usage " +
          "limit of the organization is reached: raise it, or the plan, in Langfuse."
        assert.deepStrictEqual(on("otlp-endpoint"), [suspended])
        assert.deepStrictEqual(on("batch-endpoint"), [suspended])
        assert.isUndefined(outcomes["canary-trace"])
      }).pipe(Effect.provide(layer())))

    it.scoped("a rate limit, without adding to it", () =>
      Effect.gen(function*() {
        const { code, on, outcomes } = yield* both((target) => Fault.rateLimited(30, target))
        assert.strictEqual(code, 1)
        assert.deepStrictEqual(on("keys"), ["ok accepted"])
        assert.match(on("otlp-endpoint")[0] ?? "", /^problem 429: Rate limit exceeded → Wait a minute and try again\./)
        assert.isUndefined(outcomes["canary-trace"])
      }).pipe(Effect.provide(layer())))

    it.scoped("a server in trouble: of the keys nothing is known", () =>
      Effect.gen(function*() {
        const { code, on, outcomes } = yield* both((target) => Fault.status(500, target))
        assert.strictEqual(code, 1)
        assert.isUndefined(outcomes.keys)
        assert.deepStrictEqual(on("batch-endpoint"), [
          "problem 500: Status 500 → The server is in trouble; retry sends failed events again."
        ])
      }).pipe(Effect.provide(layer())))

    it.scoped("a proxy that lets scores through and traces not", () =>
      Effect.gen(function*() {
        const { code, on } = yield* diagnose(yield* configured)
        assert.strictEqual(code, 1)
        assert.match(
          on("otlp-endpoint")[0] ?? "",
          /^problem 404: .* → Does a proxy let POST \/api\/public\/otel\/v1\/traces/
        )
      }).pipe(Effect.provide(layer({ version: "4.16.0", otlp: false }))))

    it.scoped("a proxy that lets traces through and scores not", () =>
      Effect.gen(function*() {
        const { code, on, outcomes } = yield* diagnoseWith(Fault.status(404, { route: "ingestion" }))
        assert.strictEqual(code, 1)
        assert.match(
          on("batch-endpoint")[0] ?? "",
          /→ Does a proxy let POST \/api\/public\/ingestion through to Langfuse\?$/
        )
        assert.strictEqual(outcomes["canary-trace"], "ok")
        assert.match(on("canary-score")[0] ?? "", /^problem not accepted: 404/)
      }).pipe(Effect.provide(layer())))

    it.scoped("a page instead of an endpoint", () =>
      Effect.gen(function*() {
        const { code, on } = yield* diagnoseWith(Fault.html({ route: "otlp" }))
        assert.strictEqual(code, 1)
        assert.match(on("otlp-endpoint")[0] ?? "", /^problem 200: the answer is not Langfuse's \(text\/html/)
      }).pipe(Effect.provide(layer())))

    it.scoped("a canary that is refused although all looked well", () =>
      Effect.gen(function*() {
        const server = yield* LangfuseServer
        yield* server.script(Fault.delay(0, { route: "otlp" }), Fault.status(500, { route: "otlp" }))
        const { code, on, outcomes, traceUrl } = yield* diagnose(yield* configured)
        assert.strictEqual(code, 1)
        assert.strictEqual(outcomes["otlp-endpoint"], "ok")
        assert.match(on("canary-trace")[0] ?? "", /^problem not accepted: 500: Status 500 → The server is in trouble/)
        assert.strictEqual(outcomes["canary-score"], "ok")
        assert.isUndefined(traceUrl)
      }).pipe(Effect.provide(layer())))
  })

  describe("compares the clocks", () => {
    const skewed = (hours: number) =>
      Fault.respond({
        status: 200,
        headers: { ...json, date: new Date(Date.now() - hours * 3_600_000).toUTCString() },
        body: "{\"status\":\"OK\",\"version\":\"4.16.0\"}",
        route: "health"
      })

    for (const [hours, words] of [[2, "ahead of"], [-3, "behind"]] as const) {
      it.scoped(`${Math.abs(hours)} hours ${words} the server is a warning`, () =>
        Effect.gen(function*() {
          const { code, on } = yield* diagnoseWith(skewed(hours))
          assert.strictEqual(code, 0)
          const hour = hours > 0 ? "(2h|1h 59m \\d+s|2h \\d+s)" : "(3h|2h 59m \\d+s|3h \\d+s)"
          assert.match(
            on("clock")[0] ?? "",
            new RegExp(`^warning this machine's clock is ${hour} ${words} the server's → Set the clock \\(NTP\\)`)
          )
        }).pipe(Effect.provide(layer())))
    }

    const answer = (date: string | undefined, sent: number, received: number): Answer => ({
      status: 200,
      headers: date === undefined ? {} : { date },
      text: "",
      sent,
      received
    })

    it("a server that does not tell its time is not held against it", () => {
      for (const date of [undefined, "", "yesterday"]) {
        assert.strictEqual(Checks.clock(answer(date, 0, 0)).outcome, "skipped")
      }
    })

    it.prop(
      "warns exactly when no moment of the exchange is within a minute of the server's second",
      [
        FastCheck.integer({ min: 1e12, max: 2e12 }),
        FastCheck.integer({ min: 0, max: 90_000 }),
        FastCheck.integer({
          min: -200_000,
          max: 200_000
        })
      ],
      ([sent, took, offset]) => {
        const second = Math.floor((sent + offset) / 1000) * 1000
        const apart = sent > second + 999 ? sent - second - 999 : sent + took < second ? second - sent - took : 0
        const { outcome } = Checks.clock(answer(new Date(second).toUTCString(), sent, sent + took))
        assert.strictEqual(outcome, apart > 60_000 ? "warning" : "ok")
      }
    )
  })

  describe("prints", () => {
    it.scoped("a line for each verdict as it comes, plain where there is no terminal", () =>
      Effect.gen(function*() {
        const { url } = yield* LangfuseServer
        const { code, err, out } = yield* run(["doctor", "--no-canary"], yield* configured)
        assert.strictEqual(code, 0)
        assert.strictEqual(err, "")
        assert.deepStrictEqual(out.replace(/in \d+ ms/, "in 0 ms").split("\n"), [
          `effect-langfuse doctor ${version}`,
          "",
          "✓ configuration   both keys are set",
          `✓ address         ${url} (LANGFUSE_BASE_URL)`,
          "✓ server          Langfuse 4.16.0, answered in 0 ms",
          "✓ clock           as the server's",
          "✓ keys            accepted",
          "✓ OpenTelemetry   takes traces",
          "✓ batch endpoint  takes scores; of traces it takes none",
          "✓ protocol        \"auto\" sends traces over OpenTelemetry: Langfuse 4.16.0 is version 4 or later",
          "",
          "Healthy, as far as can be told without sending anything."
        ])
      }).pipe(Effect.provide(layer())))

    it.scoped("colours and lines that fit in a terminal, and no colours for who wants none", () =>
      Effect.gen(function*() {
        const env = { ...yield* configured, LANGFUSE_SECRET_KEY: wrongSecret }
        const { code, out } = yield* run(["doctor"], env, 80)
        assert.strictEqual(code, 1)
        assert.include(out, "\u001b[32m✓\u001b[0m address")
        assert.include(out, "\u001b[31m✗\u001b[0m keys")
        assert.include(out, "\u001b[31m1 problem found.\u001b[0m")
        const plain = (yield* run(["doctor"], { ...env, NO_COLOR: "1" }, 80)).out
        assert.notInclude(plain, "\u001b")
        assert.isTrue(plain.split("\n").every((line) => line.length <= 80))
      }).pipe(Effect.provide(layer())))

    it("a cure only once", () => {
      const text = Render.text({ colors: false })
      const verdict: Verdict = { check: "keys", outcome: "problem", message: "no", cure: "Do something." }
      assert.strictEqual(text.verdict(verdict), `✗ keys            no\n${" ".repeat(18)}→ Do something.`)
      assert.strictEqual(text.verdict(verdict), "✗ keys            no")
    })

    it("no more than a line of what a server says, and no half of a key where that is cut", () => {
      const redact = Redact.make(publicKey, secretKey)
      for (let before = 1000 - secretKey.length; before <= 1000; before++) {
        const shown = redact(`${"x".repeat(before)}${secretKey}${"y".repeat(10_000)}`)
        assert.isAtMost(shown.length, 1000)
        assert.notInclude(shown, secretKey.slice(0, 4))
      }
    })

    it.prop(
      "nothing of the keys and nothing that steers a terminal, whatever a server says",
      [FastCheck.string({ unit: "binary" }), FastCheck.string(), FastCheck.string()],
      ([noise, before, after]) => {
        const said = `${before}${secretKey}${noise}${publicKey}${
          Encoding.encodeBase64(`${publicKey}:${secretKey}`)
        }${after}`
        const shown = Redact.make(publicKey, secretKey)(said)
        assertSecretsKept({ code: 0, out: shown, err: "" })
        assert.notMatch(shown, /[\p{Cc}\p{Cf}]/u)
      }
    )
  })

  describe("called wrongly", () => {
    const wrong: ReadonlyArray<readonly [args: ReadonlyArray<string>, said: string]> = [
      [["docter"], "Invalid subcommand for effect-langfuse - use one of 'dev', 'traces', 'doctor'"],
      [["doctor", "--tmieout", "3"], "Received unknown argument: '--tmieout'"],
      [["doctor", "now"], "Received unknown argument: 'now'"],
      [["doctor", "--timeout", "soon"], "'soon' is not a float"],
      [["doctor", "--timeout", "0"], "--timeout takes a number of seconds, more than 0 and at most 60"],
      [["doctor", "--timeout", "3600"], "--timeout takes a number of seconds, more than 0 and at most 60"],
      [["doctor", "--base-url", "cloud.langfuse.com"], "--base-url takes an http or https address"],
      [["doctor", "--base-url", `https://${publicKey}:${secretKey}@cloud.langfuse.com`], "--base-url takes an http or"],
      [["doctor", "--dotenv", "/nowhere/.env"], "/nowhere/.env"]
    ]
    for (const [args, said] of wrong) {
      it.effect(`${args.slice(0, 2).join(" ")}${args.length > 2 ? " …" : ""}: it says so, and exits with 2`, () =>
        Effect.gen(function*() {
          const { code, err, out } = yield* run(args, keys)
          assert.strictEqual(code, 2)
          assert.strictEqual(out, "")
          assert.include(err, said)
          assert.include(err, "effect-langfuse doctor --help")
          assert.notInclude(err, "\u001b")
        }).pipe(Effect.provide(cloud(true))))
    }

    it.effect("without a command it shows what there is, and in a script that is no clean bill of health", () =>
      Effect.gen(function*() {
        const { code, out } = yield* run([], keys)
        assert.strictEqual(code, 2)
        assert.include(out, "effect-langfuse doctor")
      }).pipe(Effect.provide(cloud(true))))

    it.effect("to be asked for help or the version is fine", () =>
      Effect.gen(function*() {
        const help = yield* run(["doctor", "--help"], keys)
        assert.strictEqual(help.code, 0)
        for (const option of ["--base-url url", "--timeout seconds", "--dotenv path", "--no-canary", "--json"]) {
          assert.include(help.out, option)
        }
        const shown = yield* run(["--version"], keys)
        assert.deepStrictEqual(shown, { code: 0, out: `${version}\n`, err: "" })
      }).pipe(Effect.provide(cloud(true))))
  })

  describe("as users get it", () => {
    it.scopedLive("one file runs by itself, outside of any project, and ends by itself", () =>
      Effect.gen(function*() {
        const fs = yield* FileSystem.FileSystem
        const directory = yield* fs.makeTempDirectoryScoped()
        yield* Effect.promise(() => bundle(directory))
        const env = { ...keys, LANGFUSE_BASE_URL: (yield* LangfuseServer).url, NO_COLOR: "1" }
        const start = (args: ReadonlyArray<string>, more: Env = {}) =>
          Command.make(process.execPath, `${directory}/${fileName}`, ...args).pipe(
            Command.env({ ...env, ...more }),
            Command.workingDirectory(directory),
            Command.start,
            Effect.flatMap((child) =>
              Effect.all({
                code: child.exitCode,
                out: Stream.mkString(Stream.decodeText(child.stdout)),
                err: Stream.mkString(Stream.decodeText(child.stderr))
              }, { concurrency: "unbounded" })
            )
          )
        const [healthy, sick, wrong, shown] = yield* Effect.all([
          start(["doctor"]),
          start(["doctor", "--json"], { LANGFUSE_SECRET_KEY: wrongSecret }),
          start(["doctor", "--nothing"]),
          start(["--version"])
        ], { concurrency: 2 })
        assert.strictEqual(healthy.err, "")
        assert.match(healthy.out, /\nHealthy\.\n$/)
        assert.strictEqual(healthy.code, 0)
        assert.strictEqual(sick.code, 1)
        assert.strictEqual(JSON.parse(sick.out).healthy, false)
        assert.strictEqual(wrong.code, 2)
        assert.strictEqual(shown.out.trim(), version)
        for (const { err, out } of [healthy, sick, wrong]) assertSecretsKept({ code: 0, out, err })
        assert.match(yield* fs.readFileString(`${directory}/THIRD-PARTY-LICENSES.txt`), /^@effect\/cli \S+ \(MIT\)$/m)
        assert.strictEqual((yield* stored).traces.length, 1)
      }).pipe(Effect.provide([layerAtAnyTime(), NodeContext.layer])))
  })

  describe("docs/troubleshooting.md", () => {
    const docs = readFileSync(new URL("../docs/troubleshooting.md", import.meta.url), "utf8")

    const examples: { readonly [name: string]: Env } = {
      "healthy": {},
      "wrong secret": { LANGFUSE_SECRET_KEY: wrongSecret }
    }

    it("shows examples that are looked at here", () => {
      const shown = [...docs.matchAll(/^<!-- doctor: (.*) -->$/gm)].map(([, name]) => name)
      assert.deepStrictEqual(shown, Object.keys(examples))
    })

    for (const [name, env] of Object.entries(examples)) {
      it.scoped(`prints what it says of the example "${name}"`, () =>
        Effect.gen(function*() {
          const { url } = yield* LangfuseServer
          const [, example] = new RegExp(`<!-- doctor: ${name} -->\n\`\`\`text\n([^]*?)\n\`\`\``).exec(docs) ?? []
          const { out } = yield* run(["doctor"], { ...yield* configured, ...env })
          const alike = (text: string) =>
            text
              .replaceAll(url, "http://localhost:3000")
              .replace(/in \d+ ms/, "in 12 ms")
              .replace(/[0-9a-f]{32}/, "0af7651916cd43dd8448eb211c80319c")
          assert.strictEqual(alike(out), example)
        }).pipe(Effect.provide(layer())))
    }

    it("has what can be done about every error", () => {
      const statuses = [302, 401, 403, 404, 405, 407, 408, 418, 500, 503]
      for (const reason of Reason.literals) {
        for (const status of reason === "Status" ? statuses : [undefined]) {
          assert.include(docs, `\`${adviceOn(new LangfuseError({ reason, status, description: "" }))}\``)
        }
      }
    })

    /** With texts that are written in several lines made one, and those that are put together spelled out. */
    const written = readdirSync(new URL("../src", import.meta.url), { recursive: true, encoding: "utf8" })
      .filter((path) => path.endsWith(".ts"))
      .map((path) => readFileSync(new URL(`../src/${path}`, import.meta.url), "utf8").replace(/["`] \+\s+["`]/g, ""))
      .join("\n")
    const sources = [
      written.replaceAll("${verb}", "were rejected").replaceAll("${names[to]}", "batch endpoint"),
      written.replaceAll("${names[to]}", "OpenTelemetry endpoint")
    ].join("\n")

    const quoted = [...docs.slice(docs.indexOf("## Every warning")).matchAll(/^(?:\||-) `([^`]{12,})`/gm)].map((
      [, text]
    ) => text ?? "")

    it("quotes no text that is not written anywhere", () => {
      assert.isAbove(quoted.length, 30)
      for (const text of quoted) {
        // Advice that is put together is looked at above.
        if (docs.includes(`| \`${text}\` | 3xx`) || text.startsWith("is the server up")) continue
        for (const part of text.split(/…|: /).filter((part) => part.trim().length > 2)) {
          assert.include(sources, part.trim(), `in ${text}`)
        }
      }
    })
  })
})
