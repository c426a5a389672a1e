import { Array, Console, Effect } from "effect"
import { IngestionEvent, LangfuseIngest } from "effect-langfuse"

/** What one process of the fleet sends of these traces. */
const sentBy = (traces: ReadonlyArray<string>) =>
  Effect.gen(function*() {
    const ingest = yield* LangfuseIngest.LangfuseIngest
    return yield* Effect.filter(
      traces,
      (id) => Effect.flatMap(IngestionEvent.traceCreate({ id, name: "question" }), ingest.enqueue)
    )
  }).pipe(Effect.provide(LangfuseIngest.layerMemoryWith({ sampleRate: 0.1 })))

const traces = Array.makeBy(1000, (i) => (i + 1).toString(16).padStart(32, "0"))

Effect.all([sentBy(traces), sentBy(traces)]).pipe(
  Effect.flatMap(([front, back]) => {
    const shared = Array.intersection(front, back)
    return Console.log(`front ${front.length} of 1000, back ${back.length}, the same ones ${shared.length}`)
  }),
  Effect.runPromise
)
