import { FetchHttpClient } from "@effect/platform"
import { NodeRuntime } from "@effect/platform-node"
import { Deferred, Effect, Layer, Queue } from "effect"
import { Langfuse, LangfuseIngest, LangfuseTracer } from "effect-langfuse"

interface Job {
  readonly user: string
  readonly question: string
  readonly done: Deferred.Deferred<string>
}

const answer = (question: string) =>
  Effect.succeed("Yes, from 9 to 17.").pipe(
    Langfuse.generation("answer", { model: "gpt-4.1", input: question, output: (text) => text })
  )

// #region job
/** A trace of its own for each job, whatever the worker was started in. */
const work = ({ done, question, user }: Job) =>
  answer(question).pipe(
    Langfuse.agent("job", { input: question, output: (text) => text }),
    Langfuse.withTrace({ newTrace: true, name: "job", userId: user }),
    Effect.flatMap((text) => Deferred.succeed(done, text))
  )
// #endregion job

const ask = (jobs: Queue.Enqueue<Job>, user: string) =>
  Effect.gen(function*() {
    const done = yield* Deferred.make<string>()
    yield* Queue.offer(jobs, { user, question: "Are you open on Friday?", done })
    return yield* Deferred.await(done)
  })

// #region request
/** The first request starts the worker, which outlives it. */
const request = Effect.gen(function*() {
  const jobs = yield* Queue.unbounded<Job>()
  yield* Queue.take(jobs).pipe(Effect.flatMap(work), Effect.forever, Effect.forkDaemon)
  return jobs
}).pipe(Langfuse.tool("start the worker"), Langfuse.withTrace({ name: "request", userId: "ada" }))
// #endregion request

const LangfuseLive = LangfuseTracer.layer().pipe(
  Layer.provide(LangfuseIngest.layerFromEnv),
  Layer.provide(FetchHttpClient.layer)
)

Effect.flatMap(request, (jobs) => Effect.all([ask(jobs, "grace"), ask(jobs, "linus")])).pipe(
  Effect.provide(LangfuseLive),
  NodeRuntime.runMain
)
