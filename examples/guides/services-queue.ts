import { FetchHttpClient, Headers, HttpTraceContext } from "@effect/platform"
import { NodeRuntime } from "@effect/platform-node"
import { Effect, Layer, Option } from "effect"
import { Langfuse, LangfuseIngest, LangfuseTracer } from "effect-langfuse"

interface Message {
  readonly document: string
  readonly headers: Headers.Input
}

// #region send
/** What goes along with a message: the trace, and whose it is. */
const send = (document: string) =>
  Effect.gen(function*() {
    const span = yield* Effect.currentSpan
    const message: Message = {
      document,
      headers: { ...HttpTraceContext.toHeaders(span), baggage: yield* Langfuse.currentBaggage }
    }
    return message
  })
// #endregion send

// #region receive
const receive = ({ document, headers }: Message) => {
  const given = Headers.fromInput(headers)
  const work = Effect.succeed("indexed").pipe(
    Langfuse.tool("index", { input: document, output: (outcome) => outcome }),
    Langfuse.withTrace(Langfuse.traceFromBaggage(given["baggage"] ?? ""))
  )
  return Option.match(HttpTraceContext.fromHeaders(given), {
    onNone: () => work,
    onSome: (sender) => Effect.withParentSpan(work, sender)
  })
}
// #endregion receive

const sent = send("document 17").pipe(
  Langfuse.agent("librarian"),
  Langfuse.withTrace({ name: "upload", userId: "ada", sessionId: "s-1" })
)

const LangfuseLive = LangfuseTracer.layer().pipe(
  Layer.provide(LangfuseIngest.layerFromEnv),
  Layer.provide(FetchHttpClient.layer)
)

Effect.flatMap(sent, receive).pipe(Effect.provide(LangfuseLive), NodeRuntime.runMain)
