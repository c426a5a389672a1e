import { useState } from "preact/hooks"
import { Copy } from "../observation/Copy.js"

const variables = (url: string) =>
  `LANGFUSE_BASE_URL=${url}\nLANGFUSE_PUBLIC_KEY=pk-lf-local\nLANGFUSE_SECRET_KEY=sk-lf-local\n`

const effect = `import { FetchHttpClient } from "@effect/platform"
import { Effect, Layer } from "effect"
import { Langfuse, LangfuseIngest, LangfuseTracer } from "effect-langfuse"

const complete = (question: string) =>
  Effect.succeed("Rayleigh scattering.").pipe(
    Langfuse.generation("complete", {
      model: "gpt-4.1",
      input: [{ role: "user", content: question }],
      output: (answer) => answer
    })
  )

const LangfuseLive = LangfuseTracer.layer().pipe(
  Layer.provideMerge(LangfuseIngest.layerFromEnv),
  Layer.provide(FetchHttpClient.layer)
)

complete("Why is the sky blue?").pipe(
  Langfuse.withTrace({ name: "question" }),
  Effect.provide(LangfuseLive),
  Effect.runPromise
)
`

const javascript = `import { LangfuseSpanProcessor } from "@langfuse/otel"
import { startActiveObservation } from "@langfuse/tracing"
import { NodeSDK } from "@opentelemetry/sdk-node"

const sdk = new NodeSDK({ spanProcessors: [new LangfuseSpanProcessor()] })
sdk.start()

await startActiveObservation("complete", async (generation) => {
  generation.update({
    model: "gpt-4.1",
    input: [{ role: "user", content: "Why is the sky blue?" }],
    output: "Rayleigh scattering."
  })
}, { asType: "generation" })

await sdk.shutdown()
`

const python = `from langfuse import get_client

langfuse = get_client()
with langfuse.start_as_current_observation(
    as_type="generation", name="complete", model="gpt-4.1",
    input=[{"role": "user", "content": "Why is the sky blue?"}],
) as generation:
    generation.update(output="Rayleigh scattering.")
langfuse.flush()
`

const curl = (url: string) => {
  const span = {
    traceId: "0af7651916cd43dd8448eb211c80319c",
    spanId: "b7ad6b7169203331",
    name: "complete",
    startTimeUnixNano: "1767225600000000000",
    endTimeUnixNano: "1767225601000000000",
    attributes: [
      { key: "gen_ai.request.model", value: { stringValue: "gpt-4.1" } },
      { key: "langfuse.observation.input", value: { stringValue: "Why is the sky blue?" } },
      { key: "langfuse.observation.output", value: { stringValue: "Rayleigh scattering." } }
    ]
  }
  const body = JSON.stringify({ resourceSpans: [{ scopeSpans: [{ spans: [span] }] }] }, undefined, 2)
  return `curl ${url}/v1/traces -H 'content-type: application/json' -d '${body}'\n`
}

const Code = ({ text }: { readonly text: string }) => (
  <div class="code">
    <Copy label="Copy" text={text} />
    <pre tabIndex={0}>{text}</pre>
  </div>
)

/** What to do while there is nothing to see. */
export const EmptyPage = () => {
  const url = location.origin
  const programs: ReadonlyArray<readonly [string, string]> = [
    ["Effect", effect],
    ["JavaScript", javascript],
    ["Python", python],
    ["curl", curl(url)]
  ]
  const [chosen, choose] = useState("Effect")
  return (
    <div class="empty">
      <h1>Waiting for a first trace</h1>
      <p>
        Set these for your program, in its <code>.env</code> file or before its command. Any keys do.
      </p>
      <Code text={variables(url)} />
      <p>
        Then run it, or one of these. Plain OpenTelemetry goes to <code>{url}/v1/traces</code>.
      </p>
      <div class="views always" role="group" aria-label="Language">
        {programs.map(([name]) => (
          <button
            key={name}
            type="button"
            aria-pressed={name === chosen}
            onClick={() => choose(name)}
          >
            {name}
          </button>
        ))}
      </div>
      <Code text={programs.find(([name]) => name === chosen)?.[1] ?? ""} />
      <p class="quiet">Traces appear here by themselves.</p>
    </div>
  )
}
