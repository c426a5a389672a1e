/**
 * Keys and payloads stay where they belong.
 */
import { FetchHttpClient, HttpClient } from "@effect/platform"
import { assert, describe, it } from "@effect/vitest"
import { Cause, Config, ConfigProvider, Context, Effect, Exit, Layer, Logger, Redacted } from "effect"
import type { LangfuseConfig } from "effect-langfuse"
import { IngestionEvent, LangfuseIngest, LangfuseTransport } from "effect-langfuse"
import { sendsKeysInClear } from "../../src/internal/address.js"
import * as Client from "../utils/client.js"
import { clients, fetchClient } from "./support/clients.js"
import { generation, marker, newRun } from "./support/host.js"
import * as Output from "./support/output.js"
import { protocols, rowsFor } from "./support/protocols.js"
import * as Raw from "./support/raw.js"
import * as Run from "./support/run.js"
import { serve } from "./support/server.js"

const keys = { publicKey: Run.publicKey, secretKey: Run.secretKey }

const ingestFive = (
  protocol: LangfuseConfig.Protocol,
  baseUrl: string,
  options: Partial<LangfuseConfig.Options>
): Effect.Effect<LangfuseIngest.FlushReport, never, HttpClient.HttpClient> =>
  Effect.gen(function*() {
    const ingest = yield* LangfuseIngest.LangfuseIngest
    const run = newRun()
    for (let i = 0; i < 5; i++) yield* ingest.enqueue(generation(run, i, marker))
    return yield* ingest.flush
  }).pipe(
    Effect.provide(
      LangfuseIngest.layer({ ...keys, baseUrl, protocol, ...options }).pipe(
        Layer.provide(Logger.remove(Logger.defaultLogger))
      )
    )
  )

describe("keys that cross a network in clear text", () => {
  const rows: ReadonlyArray<readonly [address: string, isClear: boolean]> = [
    ["https://cloud.langfuse.com", false],
    ["https://langfuse.example", false],
    ["http://langfuse.example", true],
    ["http://langfuse.example:3000/prefix", true],
    ["http://192.168.0.7", true],
    ["http://10.0.0.1:3000", true],
    ["http://[fd00::1]:3000", true],
    ["http://host.docker.internal:3000", true],
    ["http://localhost.example", true],
    ["http://notlocalhost", true],
    ["http://127.0.0.1.example", true],
    ["http://1270.0.0.1.example", true],
    ["http://localhost", false],
    ["http://LOCALHOST:3000", false],
    ["http://langfuse.localhost:3000", false],
    ["http://127.0.0.1:3000", false],
    ["http://127.1.2.3", false],
    ["http://2130706433", false],
    ["http://[::1]:3000", false]
  ]
  for (const [baseUrl, isClear] of rows) {
    it(`${baseUrl} ${isClear ? "is told of" : "is no matter"}`, () => {
      assert.strictEqual(sendsKeysInClear({ baseUrl }), isClear)
    })
  }

  for (const protocol of protocols) {
    it.scopedLive(`are told of once, when the layer for ${protocol.name} is built, without the keys`, () =>
      Effect.gen(function*() {
        const output = yield* Output.capture
        const fake = Client.make()
        const build = (baseUrl: string) =>
          Layer.build(
            LangfuseIngest.layer({ ...keys, baseUrl, protocol: protocol.name }).pipe(
              Layer.provide(fake.layer),
              Layer.provide(output.layer)
            )
          )
        yield* build("http://127.0.0.1:3000")
        yield* build("https://langfuse.example")
        assert.deepStrictEqual(output.warnings(), [])
        yield* build("http://langfuse.example:3000")
        assert.deepStrictEqual(output.warnings(), [
          "the Langfuse keys cross the network unencrypted: http://langfuse.example:3000 is plain http and not this machine"
        ])
        Run.searchFor(output.text())
      }))
  }
})

describe("keys", () => {
  const shows = (value: unknown): void => {
    Run.searchFor(Output.everything(value))
    Run.searchFor(String(value))
    Run.searchFor(JSON.stringify(value) ?? "")
  }

  for (const protocol of protocols) {
    it.scopedLive(`are nowhere on the services for ${protocol.name}, nor on their layers`, () =>
      Effect.gen(function*() {
        const options = { ...keys, baseUrl: "https://langfuse.example", protocol: protocol.name }
        const fake = Client.make()
        const ingest = LangfuseIngest.layer(options).pipe(Layer.provide(fake.layer))
        const transport = protocol.transport(options).pipe(Layer.provide(fake.layer))
        const context = yield* Layer.build(Layer.merge(ingest, transport))
        const services = [
          Context.get(context, LangfuseIngest.LangfuseIngest),
          Context.get(context, LangfuseTransport.LangfuseTransport)
        ]
        for (const service of services) {
          shows(service)
          for (const key of Reflect.ownKeys(service)) shows(Reflect.get(service, key))
        }
      }))
  }

  it.scopedLive("are in no error about options, whatever is wrong with them", () =>
    Effect.gen(function*() {
      const secret = Redacted.value(Run.secretKey)
      const wrong: ReadonlyArray<Partial<Record<keyof LangfuseConfig.Options, unknown>>> = [
        { publicKey: `${Run.publicKey} ` },
        { publicKey: `${Run.publicKey}:${secret}` },
        { publicKey: "" },
        { secretKey: Redacted.make(`${secret}\n`) },
        { secretKey: secret },
        { secretKey: undefined },
        { baseUrl: `https://${Run.publicKey}:${secret}@langfuse.example` },
        { baseUrl: secret },
        { protocol: secret },
        { content: secret },
        { interval: secret },
        { capacity: secret },
        { sampleRate: secret }
      ]
      for (const each of wrong) {
        const options = { ...keys, baseUrl: "https://langfuse.example", ...each }
        // Options from code without types.
        const exit = yield* Effect.exit(
          Layer.build(Layer.provide(LangfuseIngest.layer(options as LangfuseConfig.Options), fetchClient))
        )
        assert.isTrue(Exit.isFailure(exit), JSON.stringify(Object.keys(each)))
        if (Exit.isFailure(exit)) {
          Run.searchFor(Cause.pretty(exit.cause))
          shows(exit.cause)
        }
      }
    }))

  it.scopedLive("are in no error about the environment, even when they stand in the wrong variable", () =>
    Effect.gen(function*() {
      const secret = Redacted.value(Run.secretKey)
      const names = [
        "LANGFUSE_BASE_URL",
        "LANGFUSE_FLUSH_AT",
        "LANGFUSE_FLUSH_INTERVAL",
        "LANGFUSE_TIMEOUT",
        "LANGFUSE_SAMPLE_RATE",
        "LANGFUSE_TRACING_ENABLED"
      ]
      for (const name of names) {
        const provider = ConfigProvider.fromMap(
          new Map([
            ["LANGFUSE_PUBLIC_KEY", Run.publicKey],
            ["LANGFUSE_SECRET_KEY", secret],
            [name, secret]
          ])
        )
        const exit = yield* LangfuseIngest.layerFromEnv.pipe(
          Layer.provide(fetchClient),
          Layer.provide(Layer.setConfigProvider(provider)),
          Layer.build,
          Effect.exit
        )
        assert.isTrue(Exit.isFailure(exit), name)
        if (Exit.isFailure(exit)) {
          assert.include(Cause.pretty(exit.cause), name)
          shows(exit.cause)
        }
      }
    }))

  it("a secret that is no Redacted is refused by layerConfig as by the types", () => {
    // A `Config.string` does not type-check here; this is what code without types would do.
    const secretKey = Config.string("SECRET") as unknown as Config.Config<Redacted.Redacted>
    return Effect.gen(function*() {
      const exit = yield* LangfuseIngest.layerConfig({ publicKey: Config.string("PUBLIC"), secretKey }).pipe(
        Layer.provide(fetchClient),
        Layer.provide(
          Layer.setConfigProvider(ConfigProvider.fromMap(
            new Map([["PUBLIC", Run.publicKey], ["SECRET", Redacted.value(Run.secretKey)]])
          ))
        ),
        Layer.build,
        Effect.scoped,
        Effect.exit
      )
      assert.isTrue(Exit.isFailure(exit))
      shows(exit)
    }).pipe(Effect.runPromise)
  })

  for (const [name, client] of clients) {
    for (const protocol of protocols) {
      it.scopedLive(`stay hidden from a program that logs its ${name} client's requests and errors for ${protocol.name}`, () =>
        Effect.gen(function*() {
          const server = yield* serve(protocol)
          const port = yield* Raw.closedPort
          for (const baseUrl of [server.url, `http://127.0.0.1:${port}`]) {
            const outcome = yield* Run.run({
              protocol,
              client,
              baseUrl,
              events: 5,
              options: {
                transformClient: (client) =>
                  client.pipe(
                    HttpClient.tapRequest((request) => Effect.logInfo("request", request)),
                    HttpClient.tap((response) => Effect.logInfo("response", response, response.request)),
                    HttpClient.tapError((error) => Effect.logInfo("error", error))
                  )
              }
            })
            assert.isTrue(outcome.output.text().includes("/api/public/"), "the requests were logged")
          }
        }))
    }
  }
})

describe("a redirect", () => {
  const redirecting = (status: string) =>
    Effect.gen(function*() {
      const elsewhere = yield* Raw.serve({
        request: (socket) => void socket.write(Raw.answer("200 OK", { "content-type": "application/json" }, "{}"))
      })
      // One that is followed within the same address would show up as a second request.
      const server = yield* Raw.serve({
        request: (socket, text) => {
          const [, path = ""] = text.split(" ", 2)
          const location = status.startsWith("301") ? `${path}/` : `${elsewhere.url}${path}`
          socket.write(Raw.answer(status, { location }, ""))
        }
      })
      return { elsewhere, server }
    })

  const statuses = [
    "301 Moved Permanently",
    "302 Found",
    "303 See Other",
    "307 Temporary Redirect",
    "308 Permanent Redirect"
  ]
  for (const [name, client] of clients) {
    for (const protocol of protocols) {
      for (const status of rowsFor(protocol, statuses)) {
        it.scopedLive(`takes nothing along: ${status}, with ${name} over ${protocol.name}`, () =>
          Effect.gen(function*() {
            const { elsewhere, server } = yield* redirecting(status)
            const outcome = yield* Run.run({ protocol, client, baseUrl: server.url, events: 5 })
            assert.deepInclude(outcome.stats, { delivered: 0, failed: 5 })
            assert.strictEqual(elsewhere.connections(), 0)
            assert.strictEqual(server.requests(), 1)
            assert.strictEqual(outcome.warnings.length, 1)
            assert.include(
              outcome.warnings[0],
              `5 Langfuse events failed: ${status.slice(0, 3)}: redirected, which is not followed; ` +
                "redirects are not followed; is LANGFUSE_BASE_URL right?"
            )
          }))
      }
    }
  }

  /** What the program itself says about requests, where programs say it. */
  const withInit = (init: RequestInit) =>
    FetchHttpClient.layer.pipe(Layer.provide(Layer.succeed(FetchHttpClient.RequestInit, init)))

  for (const protocol of protocols) {
    it.scopedLive(`leaves what a program says about its requests as it is, over ${protocol.name}`, () =>
      Effect.gen(function*() {
        const inner = withInit({ headers: { "x-of-the-program": "inner" } })
        const outer = Layer.merge(
          FetchHttpClient.layer,
          Layer.succeed(FetchHttpClient.RequestInit, { headers: { "x-of-the-program": "outer" } })
        )
        // Whatever it does to the client besides.
        const transforms: ReadonlyArray<(client: HttpClient.HttpClient) => HttpClient.HttpClient> = [
          (client) => client,
          HttpClient.transform((effect) => effect),
          HttpClient.tapRequest(() => Effect.void)
        ]
        for (const [said, client] of [["inner", inner], ["outer", outer]] as const) {
          for (const transformClient of transforms) {
            const server = yield* serve(protocol)
            yield* ingestFive(protocol.name, server.url, { transformClient }).pipe(Effect.provide(client))
            const posts = (yield* server.requests).filter(({ method }) => method === "POST")
            assert.deepStrictEqual(posts.map(({ headers }) => headers["x-of-the-program"]), [said])

            const { elsewhere, server: leading } = yield* redirecting("307 Temporary Redirect")
            const report = yield* ingestFive(protocol.name, leading.url, { transformClient }).pipe(
              Effect.provide(client)
            )
            assert.deepInclude(report, { delivered: 0, failed: 5 })
            assert.strictEqual(elsewhere.connections(), 0)
          }
        }
      }))
  }

  it.scopedLive("is a matter of the program's own where it says what to do with one", () =>
    Effect.gen(function*() {
      const seen: Array<RequestInit | undefined> = []
      // Whether Node's own follows with a body depends on its version.
      const fetch = Layer.succeed(FetchHttpClient.Fetch, (_, init) => {
        if (init?.method === "POST") seen.push(init)
        return Promise.resolve(new Response("{}", { headers: { "content-type": "application/json" } }))
      })
      for (const redirect of ["follow", "error"] as const) {
        const client = Layer.provide(withInit({ redirect }), fetch)
        const report = yield* ingestFive("otlp", "https://langfuse.example", {}).pipe(Effect.provide(client))
        assert.deepInclude(report, { delivered: 5, failed: 0 })
      }
      assert.deepStrictEqual(seen.map((init) => init?.redirect), ["follow", "error"])
    }))

  for (const protocol of protocols) {
    it.scopedLive(`is the same failure in a browser, which shows neither status nor address, over ${protocol.name}`, () =>
      Effect.gen(function*() {
        const init: Array<RequestInit | undefined> = []
        const opaque = Layer.succeed(FetchHttpClient.Fetch, (_, options) => {
          init.push(options)
          return Promise.resolve(Response.error())
        })
        const outcome = yield* Run.run({
          protocol,
          client: Layer.provide(FetchHttpClient.layer, opaque),
          baseUrl: "https://langfuse.example",
          events: 5
        })
        assert.deepInclude(outcome.stats, { delivered: 0, failed: 5 })
        assert.isTrue(init.length > 0 && init.every((each) => each?.redirect === "manual"))
        assert.strictEqual(outcome.warnings.length, 1)
        assert.include(
          outcome.warnings[0],
          "5 Langfuse events failed: redirected, which is not followed; redirects are not followed; " +
            "is LANGFUSE_BASE_URL right?"
        )
      }))
  }
})

describe("a short key", () => {
  it.scopedLive("does not spoil the verdicts of a server whose answers happen to contain it", () =>
    Effect.gen(function*() {
      const [protocol] = protocols
      if (protocol === undefined) return assert.fail("there is no protocol")
      const publicKey = "s"
      const secretKey = Redacted.make("1")
      const server = yield* serve(protocol, { publicKey, secretKey })
      const outcome = yield* Effect.gen(function*() {
        const ingest = yield* LangfuseIngest.LangfuseIngest
        for (let i = 0; i < 5; i++) yield* ingest.enqueue(generation(newRun(), i, marker))
        return yield* ingest.flush
      }).pipe(
        Effect.provide(
          LangfuseIngest.layer({ publicKey, secretKey, baseUrl: server.url, protocol: protocol.name }).pipe(
            Layer.provide(fetchClient)
          )
        )
      )
      assert.deepStrictEqual(outcome, { delivered: 5, rejected: 0, failed: 0, pending: 0 })
    }))
})

describe("the prototype of objects", () => {
  const wires = protocols.filter(({ name }) => name !== "auto")
  for (const protocol of wires) {
    it.scopedLive(`is not changed by what is traced, over ${protocol.name}`, () =>
      Effect.gen(function*() {
        const server = yield* serve(protocol)
        const evil: unknown = JSON.parse(
          "{\"__proto__\":{\"polluted\":1},\"constructor\":{\"prototype\":{\"polluted\":2}},\"a\":{\"__proto__\":{\"polluted\":3}}}"
        )
        yield* Effect.gen(function*() {
          const ingest = yield* LangfuseIngest.LangfuseIngest
          const run = newRun()
          for (let i = 0; i < 3; i++) {
            const each = generation(run, i, evil)
            const body = JSON.parse(`{"__proto__":{"polluted":4},${JSON.stringify(each.body).slice(1)}`)
            // As `JSON.parse` makes it, with the prototype's name as a key of its own.
            yield* ingest.enqueue({ ...each, body: Object.assign(body, { metadata: evil, output: evil }) })
            const update = {
              ...each,
              type: "generation-update",
              id: `${each.id}-u`,
              body: { ...each.body, metadata: evil }
            }
            yield* ingest.enqueue(update as typeof each)
            yield* ingest.enqueue(yield* IngestionEvent.traceCreate({ id: String(each.body.traceId), metadata: evil }))
          }
          yield* ingest.flush
        }).pipe(
          Effect.provide(
            LangfuseIngest.layer({ ...keys, baseUrl: server.url, protocol: protocol.name }).pipe(
              Layer.provide(fetchClient)
            )
          )
        )
        // Over OpenTelemetry their trace is one as well.
        assert.strictEqual((yield* server.observations).length, protocol.name === "ingestion" ? 3 : 4)
        assert.isUndefined(Reflect.get({}, "polluted"))
        assert.isUndefined(Reflect.get(Object, "polluted"))
        assert.deepStrictEqual(Object.keys(Object.prototype), [])
      }))
  }
})
