import type { HttpClient } from "@effect/platform"
import { Config, type ConfigError, type Effect, type Layer, Redacted, type Scope } from "effect"
import { type IngestionEvent, LangfuseIngest, LangfuseTransport } from "effect-langfuse"
import { describe, expect, it } from "tstyche"

const keys = { publicKey: "pk", secretKey: Redacted.make("sk") }

describe("LangfuseIngest", () => {
  it("layers need an HttpClient at most, and fail with a ConfigError at most", () => {
    expect(LangfuseIngest.layer(keys)).type.toBe<
      Layer.Layer<LangfuseIngest.LangfuseIngest, never, HttpClient.HttpClient>
    >()
    expect(LangfuseIngest.layerConfig({ publicKey: Config.string("A"), secretKey: Config.redacted("B") })).type.toBe<
      Layer.Layer<LangfuseIngest.LangfuseIngest, ConfigError.ConfigError, HttpClient.HttpClient>
    >()
    expect(LangfuseIngest.layerFromEnv).type.toBe<
      Layer.Layer<LangfuseIngest.LangfuseIngest, ConfigError.ConfigError, HttpClient.HttpClient>
    >()
    expect(LangfuseIngest.layerNoop).type.toBe<Layer.Layer<LangfuseIngest.LangfuseIngest>>()
    expect(LangfuseIngest.layerMemory).type.toBe<
      Layer.Layer<LangfuseIngest.LangfuseIngest | LangfuseIngest.CapturedEvents>
    >()
  })

  it("make needs a transport and a scope", () => {
    expect(LangfuseIngest.make()).type.toBe<
      Effect.Effect<LangfuseIngest.Service, never, LangfuseTransport.LangfuseTransport | Scope.Scope>
    >()
  })

  it("no method can fail or needs anything", () => {
    expect<LangfuseIngest.Service["enqueue"]>().type.toBe<
      (event: IngestionEvent.IngestionEvent) => Effect.Effect<boolean>
    >()
    expect<LangfuseIngest.Service["unsafeEnqueue"]>().type.toBe<(event: IngestionEvent.IngestionEvent) => boolean>()
    expect<LangfuseIngest.Service["flush"]>().type.toBe<Effect.Effect<LangfuseIngest.FlushReport>>()
    expect<LangfuseIngest.Service["stats"]>().type.toBe<Effect.Effect<LangfuseIngest.IngestStats>>()
  })

  it("a secret key is Redacted, and functions are not configuration", () => {
    expect(LangfuseIngest.layer).type.not.toBeCallableWith({ publicKey: "pk", secretKey: "sk" })
    expect(LangfuseIngest.layerConfig).type.not.toBeCallableWith({
      publicKey: Config.string("A"),
      secretKey: Config.redacted("B"),
      mask: (value: unknown) => value
    })
  })

  it("transports need an HttpClient and never fail", () => {
    expect(LangfuseTransport.layerIngestion(keys)).type.toBe<
      Layer.Layer<LangfuseTransport.LangfuseTransport, never, HttpClient.HttpClient>
    >()
  })
})
