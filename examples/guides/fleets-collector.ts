import { FetchHttpClient, HttpClient, HttpClientRequest } from "@effect/platform"
import { Config, Effect, Layer } from "effect"
import { Langfuse, LangfuseIngest, LangfuseTracer } from "effect-langfuse"

// #region layer
/** Traces go to the Collector, where there is one; scores go to Langfuse. */
const ThroughCollector = Layer.unwrapEffect(
  Effect.gen(function*() {
    const langfuse = yield* Config.string("LANGFUSE_BASE_URL")
    const collector = yield* Config.withDefault(Config.string("COLLECTOR_URL"), langfuse)
    const scores = "/api/public/ingestion"
    return LangfuseIngest.layerFromEnvWith({
      protocol: "otlp",
      baseUrl: collector,
      transformClient: HttpClient.mapRequest((request) =>
        request.url.endsWith(scores) ? HttpClientRequest.setUrl(request, `${langfuse}${scores}`) : request
      )
    })
  })
)
// #endregion layer

const answer = Effect.succeed("Rayleigh scattering.").pipe(
  Langfuse.generation("complete", { model: "gpt-4.1", input: "Why is the sky blue?", output: (text) => text }),
  Effect.tap(Langfuse.scoreTrace({ name: "helpful", value: true })),
  Langfuse.agent("answer"),
  Langfuse.withTrace({ name: "question" })
)

const LangfuseLive = LangfuseTracer.layer().pipe(
  Layer.provideMerge(ThroughCollector),
  Layer.provide(FetchHttpClient.layer)
)

answer.pipe(Effect.provide(LangfuseLive), Effect.runPromise)
