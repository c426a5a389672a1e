import { FetchHttpClient } from "@effect/platform"
import { ConfigProvider, Effect, Layer, ManagedRuntime } from "effect"
import { Langfuse, LangfuseIngest, LangfuseTracer } from "effect-langfuse"

// #region worker
const LangfuseLive = LangfuseTracer.layer().pipe(
  Layer.provide(LangfuseIngest.layerFromEnv),
  Layer.provide(FetchHttpClient.layer)
)

const answer = (question: string) =>
  Effect.succeed("Rayleigh scattering.").pipe(
    Langfuse.generation("answer", { model: "gpt-4.1", input: question, output: (text) => text }),
    Langfuse.withTrace({ name: "question" })
  )

interface Context {
  readonly waitUntil: (promise: Promise<unknown>) => void
}

const worker = {
  async fetch(request: Request, env: Record<string, string>, context: Context): Promise<Response> {
    const variables = Layer.setConfigProvider(ConfigProvider.fromMap(new Map(Object.entries(env))))
    const runtime = ManagedRuntime.make(Layer.provide(LangfuseLive, variables))
    try {
      return new Response(await runtime.runPromise(answer(await request.text())))
    } finally {
      // The answer does not wait for this. Closing the layer sends what there is.
      context.waitUntil(runtime.dispose())
    }
  }
}

export default worker
// #endregion worker

// What the platform does: one request, and then it waits for what it was told to wait for.
const waiting: Array<Promise<unknown>> = []
const variables = Object.entries(process.env).flatMap(([name, value]) => value === undefined ? [] : [[name, value]])
const request = new Request("http://localhost/", { method: "POST", body: "Why is the sky blue?" })
const response = await worker.fetch(request, Object.fromEntries(variables), {
  waitUntil: (promise) => void waiting.push(promise)
})
console.log(await response.text())
await Promise.all(waiting)
