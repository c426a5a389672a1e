/**
 * What a program says about itself: which effects are observations, what went into them and came out, whose trace they
 * are in, and how good it all was.
 *
 * The combinators only set Langfuse's documented attributes on ordinary Effect spans. `LangfuseTracer` makes events of
 * those; under another tracer, such as OpenTelemetry's with Langfuse as its destination, they mean the same. Without any
 * tracer they do nothing. They never change what an effect results in, fails with or needs.
 *
 * @example
 * ```ts
 * import { Effect } from "effect"
 * import { Langfuse } from "effect-langfuse"
 *
 * declare const search: (query: string) => Effect.Effect<ReadonlyArray<string>>
 * declare const complete: (prompt: string) => Effect.Effect<{
 *   readonly text: string
 *   readonly tokens: { readonly input: number; readonly output: number }
 * }>
 *
 * const answer = (question: string) =>
 *   Effect.gen(function*() {
 *     const documents = yield* search(question).pipe(
 *       Langfuse.retriever("search", { input: question, output: (documents) => documents })
 *     )
 *     const { text } = yield* complete(`${documents.join("\n")}\n\n${question}`).pipe(
 *       Langfuse.generation("complete", {
 *         model: "gpt-4.1",
 *         input: question,
 *         output: ({ text }) => text,
 *         usage: ({ tokens }) => tokens
 *       })
 *     )
 *     return text
 *   }).pipe(
 *     Langfuse.agent("answer", { input: question, output: (text) => text }),
 *     Langfuse.withTrace({ name: "question", userId: "ada", sessionId: "s-1", tags: ["demo"] })
 *   )
 * ```
 *
 * @see https://langfuse.com/docs/observability/features/observation-types
 * @since 0.1.0
 */
import * as HttpClient from "@effect/platform/HttpClient"
import * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import * as HttpServerRequest from "@effect/platform/HttpServerRequest"
import * as Config from "effect/Config"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import { dual } from "effect/Function"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import * as Tracer from "effect/Tracer"
import * as Intake from "./internal/intake.js"
import * as Annotate from "./internal/tracer/annotate.js"
import * as Baggage from "./internal/tracer/baggage.js"
import { callSite } from "./internal/tracer/callSite.js"
import * as Current from "./internal/tracer/current.js"
import type {
  CurrentTarget,
  Flushed,
  ObservationType,
  Observe,
  ObserveOptions,
  ObserveTyped,
  OutputOf,
  PlainObserveOptions,
  Score,
  ScoreContent,
  SpanOptions,
  StreamOptions,
  Trace,
  Traceable,
  Traced,
  TraceOptions,
  Update,
  ValueOf
} from "./internal/tracer/model.js"
import { exporterOf } from "./internal/tracer/native.js"
import * as Observing from "./internal/tracer/observe.js"
import * as Scores from "./internal/tracer/score.js"
import { ownIdOf, recordOf } from "./internal/tracer/span.js"
import * as WithTrace from "./internal/tracer/withTrace.js"
import * as LangfuseConfig from "./LangfuseConfig.js"
import { LangfuseIngest, type Service } from "./LangfuseIngest.js"

/**
 * What can be said of observations, traces and scores.
 *
 * @since 0.1.0
 */
export type * from "./internal/tracer/model.js"

// ---------------------------------------------------------------------------------------------------------------------
// observe
// ---------------------------------------------------------------------------------------------------------------------

type AnyOptions = Observing.Options

const observeAs = (type: ObservationType | undefined): Observe => {
  const observe = (...args: ReadonlyArray<unknown>) => {
    const site = callSite()
    // What the overloads of `Observe` let through.
    const [name, options] = (Effect.isEffect(args[0]) ? args.slice(1) : args) as [string, AnyOptions | undefined]
    const apply = Observing.effect(name, type, options, site)
    return Effect.isEffect(args[0]) ? apply(args[0]) : apply
  }
  // One function for three ways of calling it.
  return observe as Observe
}

/**
 * Makes an effect an observation: a span that begins and ends with it, below the one it runs in.
 *
 * A failure or defect gives it the level `ERROR` and the errors' messages, an interruption `WARNING`. `output` and the
 * other functions of the result run only when there is one.
 *
 * @example
 * ```ts
 * import { Effect } from "effect"
 * import { Langfuse } from "effect-langfuse"
 *
 * declare const load: (id: string) => Effect.Effect<{ readonly title: string }>
 *
 * export const loadTraced = (id: string) =>
 *   load(id).pipe(
 *     Langfuse.observe("load", { type: "tool", input: { id }, output: (document) => document.title })
 *   )
 * ```
 *
 * @since 0.1.0
 * @category combinators
 */
export const observe: Observe = observeAs(undefined)

/**
 * `observe` for one call of a model.
 *
 * @since 0.1.0
 * @category combinators
 */
export const generation: ObserveTyped = observeAs("generation")

/**
 * `observe` for something that decides what is done next.
 *
 * @since 0.1.0
 * @category combinators
 */
export const agent: ObserveTyped = observeAs("agent")

/**
 * `observe` for the call of a tool.
 *
 * @since 0.1.0
 * @category combinators
 */
export const tool: ObserveTyped = observeAs("tool")

/**
 * `observe` for a link between steps, such as one that hands documents to a model.
 *
 * @since 0.1.0
 * @category combinators
 */
export const chain: ObserveTyped = observeAs("chain")

/**
 * `observe` for a retrieval of data.
 *
 * @since 0.1.0
 * @category combinators
 */
export const retriever: ObserveTyped = observeAs("retriever")

/**
 * `observe` for a call of an embedding model.
 *
 * @since 0.1.0
 * @category combinators
 */
export const embedding: ObserveTyped = observeAs("embedding")

/**
 * `observe` for an evaluation of an answer.
 *
 * @since 0.1.0
 * @category combinators
 */
export const evaluator: ObserveTyped = observeAs("evaluator")

/**
 * `observe` for a check against harmful content.
 *
 * @since 0.1.0
 * @category combinators
 */
export const guardrail: ObserveTyped = observeAs("guardrail")

/**
 * Records a point in time.
 *
 * @example
 * ```ts
 * import { Langfuse } from "effect-langfuse"
 *
 * export const missed = Langfuse.event("cache miss", { level: "WARNING", metadata: { key: "answer/42" } })
 * ```
 *
 * @since 0.1.0
 * @category combinators
 */
export const event = <Input, Output>(
  name: string,
  options?:
    & Pick<Update, "input" | "level" | "metadata" | "output" | "statusMessage" | "version">
    & SpanOptions
    & ValueOf<Input>
    & OutputOf<Output>
): Effect.Effect<void> => Observing.event(name, options, callSite())

// ---------------------------------------------------------------------------------------------------------------------
// streams
// ---------------------------------------------------------------------------------------------------------------------

/**
 * Makes a stream an observation, from the moment it is run until it ends, fails, or is no longer wanted. The first
 * element is when the completion starts. `output`, `usage` and the other functions are given the elements that arrived,
 * however the stream ended.
 *
 * @example
 * ```ts
 * import { Stream } from "effect"
 * import { Langfuse } from "effect-langfuse"
 *
 * interface Delta {
 *   readonly text: string
 *   readonly outputTokens?: number
 * }
 *
 * const deltas: Stream.Stream<Delta> = Stream.make({ text: "Rayleigh " }, { text: "scattering.", outputTokens: 4 })
 *
 * export const traced = deltas.pipe(
 *   Langfuse.observeStream("complete", {
 *     type: "generation",
 *     model: "gpt-4.1",
 *     input: "Why is the sky blue?",
 *     output: (deltas) => deltas.map((delta) => delta.text).join(""),
 *     usage: (deltas) => ({ output: deltas.at(-1)?.outputTokens })
 *   })
 * )
 * ```
 *
 * @since 0.1.0
 * @category combinators
 */
export const observeStream: {
  <Input>(
    name: string,
    options?: PlainObserveOptions & StreamOptions & ValueOf<Input>
  ): <A, E, R>(self: Stream.Stream<A, E, R>) => Stream.Stream<A, E, Exclude<R, Tracer.ParentSpan>>
  <A, Input>(
    name: string,
    options: ObserveOptions<ReadonlyArray<A>> & StreamOptions & ValueOf<Input>
  ): <E, R>(self: Stream.Stream<A, E, R>) => Stream.Stream<A, E, Exclude<R, Tracer.ParentSpan>>
  <A, E, R, Input>(
    self: Stream.Stream<A, E, R>,
    name: string,
    options?: ObserveOptions<ReadonlyArray<NoInfer<A>>> & StreamOptions & ValueOf<Input>
  ): Stream.Stream<A, E, Exclude<R, Tracer.ParentSpan>>
} = (...args: ReadonlyArray<unknown>) => {
  const site = callSite()
  const isDataFirst = typeof args[0] !== "string"
  // What the overloads let through.
  const [name, options] = (isDataFirst ? args.slice(1) : args) as [string, AnyOptions | undefined]
  const apply = Observing.stream(name, options, site)
  // As above; and one function for three ways of calling it.
  return (isDataFirst ? apply(args[0] as Stream.Stream<unknown>) : apply) as never
}

// ---------------------------------------------------------------------------------------------------------------------
// the current observation and trace
// ---------------------------------------------------------------------------------------------------------------------

/**
 * Adds to the observation this runs in: the innermost one, past spans that are none. Where there is no observation, the
 * innermost span becomes one; without any span nothing happens. What was said before is replaced, metadata key by key.
 *
 * @example
 * ```ts
 * import { Effect } from "effect"
 * import { Langfuse } from "effect-langfuse"
 *
 * export const guarded = Effect.gen(function*() {
 *   yield* Langfuse.update({ level: "WARNING", statusMessage: "took the fallback", metadata: { attempts: 3 } })
 * }).pipe(Langfuse.chain("with fallback"))
 * ```
 *
 * @since 0.1.0
 * @category combinators
 */
export const update = <Input, Output>(update: Update & ValueOf<Input> & OutputOf<Output>): Effect.Effect<void> =>
  Effect.withFiberRuntime((fiber) => {
    const span = Current.target(fiber)
    if (span !== undefined) Annotate.update(span, update)
    return Effect.void
  })

/**
 * Says whose and what the trace is, on every span that starts in the effect or the stream: in fibers forked there, in streams
 * run and layers built there, and under any tracer. Within another `withTrace` it adds to that: the inner values win,
 * metadata key by key, and tags come together.
 *
 * Langfuse reads these things from every observation, so it is best around the whole trace. Spans that are open already
 * are not changed; `updateTrace` is for those. With `newTrace: true` what is inside is a trace of its own.
 *
 * @example
 * ```ts
 * import { Effect } from "effect"
 * import { Langfuse } from "effect-langfuse"
 *
 * declare const answer: (question: string) => Effect.Effect<string>
 *
 * // A worker whose jobs are traces of their own, wherever it was started.
 * export const job = (userId: string, question: string) =>
 *   answer(question).pipe(
 *     Langfuse.agent("answer", { input: question, output: (text) => text }),
 *     Langfuse.withTrace({ newTrace: true, userId })
 *   )
 * ```
 *
 * @see https://langfuse.com/docs/observability/features/users
 * @since 0.1.0
 * @category combinators
 */
export const withTrace: {
  (trace: TraceOptions): <Self extends Traceable>(self: Self) => Traced<Self>
  <Self extends Traceable>(self: Self, trace: TraceOptions): Traced<Self>
} = dual(
  2,
  (self: Effect.Effect<unknown> | Stream.Stream<unknown>, trace: TraceOptions) =>
    Effect.isEffect(self) ? WithTrace.effect(self, trace) : WithTrace.stream(self, trace)
)

/**
 * Says it of the trace this runs in when only now it is known, wherever in the trace that is: it holds for the whole trace,
 * the observations that are open and those that start later. Tags are added to those it has.
 *
 * @since 0.1.0
 * @category combinators
 */
export const updateTrace = (trace: Trace): Effect.Effect<void> => WithTrace.update(trace)

/**
 * The id of the trace this runs in.
 *
 * @since 0.1.0
 * @category combinators
 */
export const currentTraceId: Effect.Effect<Option.Option<string>> = Effect.withFiberRuntime((fiber) =>
  Effect.succeed(Option.map(Option.fromNullable(Current.parent(fiber)), Current.traceIdOf))
)

/**
 * The id of the observation this runs in: of the innermost span that is one.
 *
 * @since 0.1.0
 * @category combinators
 */
export const currentObservationId: Effect.Effect<Option.Option<string>> = Effect.withFiberRuntime((fiber) =>
  Effect.succeed(Option.map(Option.fromNullable(Current.observation(fiber)), ownIdOf))
)

/**
 * Where people look at Langfuse.
 *
 * @since 0.1.0
 * @category models
 */
export interface WebAddress {
  /** Default: where the layer sends to, else `LANGFUSE_BASE_URL`, else Langfuse Cloud. */
  readonly baseUrl?: string | undefined
  /** With it the link leads straight to the trace; without, Langfuse finds the project, and asks to log in first. */
  readonly projectId?: string | undefined
}

/**
 * What `traceUrl` makes links from.
 *
 * @since 0.1.0
 * @category tags
 */
export class LangfuseWeb extends Context.Reference<LangfuseWeb>()("effect-langfuse/LangfuseWeb", {
  defaultValue: (): WebAddress => ({})
}) {}

/** An empty variable is as good as none. */
const fromEnv = (name: string): Effect.Effect<string | undefined> =>
  Effect.map(Effect.option(Config.string(name)), (value) => nonEmpty(Option.getOrUndefined(value)))

const nonEmpty = (text: string | undefined): string | undefined => text?.trim() === "" ? undefined : text

/** Where the layers here send to. */
const layerBaseUrl: Effect.Effect<string | undefined> = Effect.withFiberRuntime((fiber) => {
  const span = Current.parent(fiber)
  const ingest = Context.getOption(fiber.currentContext, LangfuseIngest)
  return Effect.succeed(
    (span === undefined ? undefined : recordOf(span)?.exporter.settings.intake.baseUrl) ??
      exporterOf(Context.get(fiber.currentDefaultServices, Tracer.Tracer))?.intake.baseUrl ??
      (ingest._tag === "Some" ? Intake.of(ingest.value).baseUrl : undefined)
  )
})

/**
 * A link to the trace this runs in, or to the one given. `None` where there is no trace, and for one that is left out.
 *
 * @since 0.1.0
 * @category combinators
 */
export const traceUrl = (
  options: WebAddress & { readonly traceId?: string | undefined } = {}
): Effect.Effect<Option.Option<string>> =>
  Effect.gen(function*() {
    const web = yield* LangfuseWeb
    const place = yield* Effect.withFiberRuntime<Current.Place>((fiber) => Effect.succeed(Current.place(fiber)))
    // Nothing of this trace is sent.
    if (options.traceId === undefined && place._tag === "LeftOut") return Option.none()
    const traceId = options.traceId ?? Option.getOrUndefined(yield* currentTraceId)
    if (traceId === undefined) return Option.none()
    const baseUrl = nonEmpty(options.baseUrl) ?? nonEmpty(web.baseUrl) ?? (yield* layerBaseUrl) ??
      (yield* fromEnv("LANGFUSE_BASE_URL")) ?? (yield* fromEnv("LANGFUSE_BASEURL")) ??
      (yield* fromEnv("LANGFUSE_HOST")) ??
      LangfuseConfig.defaults.baseUrl
    const projectId = options.projectId ?? web.projectId
    const id = encodeURIComponent(traceId)
    return Option.some(
      baseUrl.replace(/\/+$/, "") +
        (projectId === undefined ? `/trace/${id}` : `/project/${encodeURIComponent(projectId)}/traces/${id}`)
    )
  })

// ---------------------------------------------------------------------------------------------------------------------
// serverless
// ---------------------------------------------------------------------------------------------------------------------

/**
 * Sends what there is after the effect or the stream, however it ends, for handlers whose process may be frozen as soon as they have
 * answered. It takes at most the `flushTimeout` of `LangfuseIngest`, and changes nothing of the result.
 *
 * @example
 * ```ts
 * import { Effect } from "effect"
 * import { Langfuse } from "effect-langfuse"
 *
 * declare const handle: (request: Request) => Effect.Effect<Response>
 *
 * // The span is inside, so that it has ended when all is sent.
 * export const handler = (request: Request) => Langfuse.flushAfter(handle(request).pipe(Langfuse.observe("request")))
 * ```
 *
 * @since 0.1.0
 * @category combinators
 */
export const flushAfter: <Self extends Traceable>(self: Self) => Flushed<Self> = ((
  self: Effect.Effect<unknown> | Stream.Stream<unknown>
) =>
  Effect.isEffect(self)
    ? Effect.flatMap(LangfuseIngest, (ingest) => Effect.onExit(self, () => flushed(ingest)))
    : Stream.unwrap(Effect.map(LangfuseIngest, (ingest) => Stream.ensuring(self, flushed(ingest))))) as never // by the type

/** In a fiber of its own: here nothing can be interrupted, and the flush of a service of the program's own may not be bounded. */
const flushed = (ingest: Service): Effect.Effect<unknown> =>
  Effect.flatMap(Effect.forkDaemon(Effect.interruptible(ingest.flush)), Fiber.await)

// ---------------------------------------------------------------------------------------------------------------------
// scores
// ---------------------------------------------------------------------------------------------------------------------

/**
 * Scores the observation this runs in, or what the ids say. `false` when the score is not sent: there is no trace, it
 * breaks one of Langfuse's rules (one warning says which), the trace is left out by sampling, or there is no room.
 *
 * @example
 * ```ts
 * import { Effect } from "effect"
 * import { Langfuse } from "effect-langfuse"
 *
 * export const scored = Effect.gen(function*() {
 *   yield* Langfuse.score({ name: "helpful", value: true, comment: "thumbs up" })
 *   yield* Langfuse.score({ name: "tone", dataType: "CATEGORICAL", value: "friendly" })
 *   yield* Langfuse.score({ name: "csat", value: 4, sessionId: "session-1" })
 * })
 * ```
 *
 * @see https://langfuse.com/docs/evaluation/evaluation-methods/custom-scores
 * @since 0.1.0
 * @category combinators
 */
export const score = (score: Score): Effect.Effect<boolean, never, LangfuseIngest> => Scores.observation(score)

/**
 * Scores the whole trace this runs in.
 *
 * @since 0.1.0
 * @category combinators
 */
export const scoreTrace = (score: ScoreContent & CurrentTarget): Effect.Effect<boolean, never, LangfuseIngest> =>
  Scores.trace(score)

// ---------------------------------------------------------------------------------------------------------------------
// other processes
// ---------------------------------------------------------------------------------------------------------------------

/**
 * Sends along with each request of the client whose trace it is: user, session, tags, trace name, version, environment and
 * metadata that is text, as W3C `baggage`, under the keys of Langfuse's own SDKs. `traceparent` is sent by every client.
 *
 * Whoever is called can read it. So give it to clients for services of your own, and not to one for the whole world. Values of
 * more than 200 characters stay behind.
 *
 * @example
 * ```ts
 * import { HttpClient } from "@effect/platform"
 * import { Effect } from "effect"
 * import { Langfuse } from "effect-langfuse"
 *
 * export const search = (query: string) =>
 *   Effect.gen(function*() {
 *     const client = Langfuse.withBaggage(yield* HttpClient.HttpClient)
 *     return yield* client.get("http://search.internal/", { urlParams: { q: query } })
 *   })
 * ```
 *
 * @see https://www.w3.org/TR/baggage/
 * @since 0.1.0
 * @category combinators
 */
export const withBaggage = <E, R>(client: HttpClient.HttpClient.With<E, R>): HttpClient.HttpClient.With<E, R> =>
  HttpClient.mapRequestEffect(client, (request) =>
    Effect.map(currentBaggage, (ours) =>
      ours === ""
        ? request
        : HttpClientRequest.setHeader(
          request,
          Baggage.header,
          Baggage.merge(request.headers[Baggage.header], ours)
        )))

/**
 * The counterpart of `withBaggage` for a server: what the caller says of the trace holds for all that a request is answered
 * with. It is a middleware of `HttpServer.serve` and `HttpApp`.
 *
 * A caller can say anything. So use it where callers are services of your own.
 *
 * @example
 * ```ts
 * import { HttpRouter, HttpServer, HttpServerResponse } from "@effect/platform"
 * import { Effect } from "effect"
 * import { Langfuse } from "effect-langfuse"
 *
 * const router = HttpRouter.empty.pipe(
 *   HttpRouter.get("/", Effect.succeed(HttpServerResponse.text("found")).pipe(Langfuse.retriever("search")))
 * )
 *
 * export const server = HttpServer.serve(router, Langfuse.acceptBaggage)
 * ```
 *
 * @since 0.1.0
 * @category combinators
 */
export const acceptBaggage = <A, E, R>(
  app: Effect.Effect<A, E, R>
): Effect.Effect<A, E, R | HttpServerRequest.HttpServerRequest> =>
  Effect.flatMap(HttpServerRequest.HttpServerRequest, (request) => {
    const given = request.headers[Baggage.header]
    return given === undefined
      ? app
      : Effect.zipRight(Baggage.accept(given), WithTrace.effect(app, Baggage.parse(given)))
  })

/**
 * What `withBaggage` sends, for other ways than HTTP: the members of a `baggage` header, or an empty text.
 *
 * @since 0.1.0
 * @category combinators
 */
export const currentBaggage: Effect.Effect<string> = Baggage.current

/**
 * What a `baggage` header says of the trace, for `withTrace`. Anything else in it is passed over.
 *
 * @example
 * ```ts
 * import { Effect } from "effect"
 * import { Langfuse } from "effect-langfuse"
 *
 * interface Message {
 *   readonly body: string
 *   readonly baggage: string
 * }
 *
 * declare const handle: (body: string) => Effect.Effect<void>
 *
 * export const consume = (message: Message) =>
 *   handle(message.body).pipe(
 *     Langfuse.agent("consume"),
 *     Langfuse.withTrace(Langfuse.traceFromBaggage(message.baggage))
 *   )
 * ```
 *
 * @since 0.1.0
 * @category combinators
 */
export const traceFromBaggage = (baggage: string): Trace => Baggage.parse(baggage)
