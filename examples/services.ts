/**
 * One trace for each request over five services: a gateway that calls two agents, hands work to a queue, and passes on an
 * answer that streams. Each has a tracer of its own. `traceparent` carries the trace, `baggage` carries whose it is.
 *
 *   npm run example:services
 */
import {
  FetchHttpClient,
  Headers,
  type HttpApp,
  HttpClient,
  HttpClientRequest,
  HttpRouter,
  HttpServer,
  HttpServerRequest,
  HttpServerResponse,
  HttpTraceContext
} from "@effect/platform"
import { NodeHttpServer } from "@effect/platform-node"
import { Context, Deferred, Effect, Layer, Option, Queue, Schema, Stream } from "effect"
import { Langfuse, LangfuseIngest, LangfuseTracer } from "effect-langfuse"
import { createServer } from "node:http"
import * as Endpoint from "./lib/endpoint.js"
import { printTraces, readArguments, runMain, settle } from "./lib/main.js"

// ---------------------------------------------------------------------------------------------------------------------
// a service
// ---------------------------------------------------------------------------------------------------------------------

/** An HTTP server with a tracer of its own. Returns where it is. */
const serve = <E, R>(app: HttpApp.Default<E, R>, options: LangfuseTracer.Options = {}) =>
  Effect.gen(function*() {
    const context = yield* Layer.build(
      HttpServer.serve(app).pipe(
        Layer.provide(LangfuseTracer.layer(options)),
        Layer.provideMerge(NodeHttpServer.layer(() => createServer(), { port: 0, host: "127.0.0.1" }))
      )
    )
    const { address } = Context.get(context, HttpServer.HttpServer)
    return address._tag === "TcpAddress" ? `http://127.0.0.1:${address.port}` : ""
  })

/** A service that believes its callers about whose trace it is. */
const serveInternal = <E, R>(app: HttpApp.Default<E, R>) => serve(Langfuse.acceptBaggage(app))

/** The client for services of our own: it says whose trace it is. */
const internalClient = Effect.map(HttpClient.HttpClient, Langfuse.withBaggage)

const ask = (url: string, question: string) =>
  Effect.flatMap(
    internalClient,
    (client) => client.execute(HttpClientRequest.get(url).pipe(HttpClientRequest.setUrlParam("q", question)))
  )

const question = Effect.map(
  HttpServerRequest.schemaSearchParams(Schema.Struct({ q: Schema.String })),
  ({ q }) => q
)

// ---------------------------------------------------------------------------------------------------------------------
// two agents
// ---------------------------------------------------------------------------------------------------------------------

const researcher = HttpRouter.empty.pipe(HttpRouter.get(
  "/",
  Effect.gen(function*() {
    const q = yield* question
    const pages = yield* Effect.succeed([`${q}: page 1`, `${q}: page 2`]).pipe(
      Langfuse.retriever("search", { input: q, output: (pages) => pages }),
      Langfuse.agent("researcher", { input: q, output: (pages) => pages.length })
    )
    return HttpServerResponse.text(pages.join("\n"))
  })
))

const writer = HttpRouter.empty.pipe(HttpRouter.get(
  "/",
  Effect.gen(function*() {
    const q = yield* question
    const text = yield* Effect.succeed("Yes, from 9 to 17.").pipe(
      Langfuse.generation("write", { model: "writer-1", input: q, output: (text) => text }),
      Langfuse.agent("writer", { input: q, output: (text) => text })
    )
    return HttpServerResponse.text(text)
  })
))

// ---------------------------------------------------------------------------------------------------------------------
// a service whose answer streams
// ---------------------------------------------------------------------------------------------------------------------

/** The server runs the stream when the handler has returned: the stream itself is the observation. */
const speaker = HttpRouter.empty.pipe(HttpRouter.get(
  "/",
  Effect.map(question, (q) =>
    HttpServerResponse.stream(
      Stream.fromIterable(q.split(/(?<= )/)).pipe(
        Stream.rechunk(1),
        Langfuse.observeStream("speak", {
          type: "generation",
          model: "voice-1",
          input: q,
          output: (words) => words.join("")
        }),
        Stream.encodeText
      )
    ))
))

// ---------------------------------------------------------------------------------------------------------------------
// a queue and its worker
// ---------------------------------------------------------------------------------------------------------------------

interface Message {
  readonly headers: Headers.Input
  readonly document: string
  /** Told when the work is done. */
  readonly done: Deferred.Deferred<string>
}

/** What the sender says of itself goes along with the message. */
const send = (queue: Queue.Enqueue<Message>, document: string) =>
  Effect.gen(function*() {
    const span = yield* Effect.currentSpan
    const baggage = yield* Langfuse.currentBaggage
    const done = yield* Deferred.make<string>()
    yield* Queue.offer(queue, { headers: { ...HttpTraceContext.toHeaders(span), baggage }, document, done })
    return done
  })

const handle = ({ document, headers }: Message) => {
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

const worker = (queue: Queue.Dequeue<Message>) =>
  Layer.scopedDiscard(
    Queue.take(queue).pipe(
      Effect.flatMap((message) =>
        Effect.flatMap(handle(message), (outcome) => Deferred.succeed(message.done, outcome))
      ),
      Effect.forever,
      Effect.forkScoped
    )
  ).pipe(Layer.provide(LangfuseTracer.layer()))

// ---------------------------------------------------------------------------------------------------------------------
// the gateway
// ---------------------------------------------------------------------------------------------------------------------

interface Services {
  readonly researcher: string
  readonly writer: string
  readonly speaker: string
  readonly queue: Queue.Enqueue<Message>
}

const answer = (services: Services, q: string) =>
  Effect.gen(function*() {
    const pages = yield* Effect.flatMap(ask(services.researcher, q), (response) => response.text)
    yield* Effect.flatMap(send(services.queue, pages), Deferred.await)
    const text = yield* Effect.flatMap(ask(services.writer, q), (response) => response.text)
    const spoken = yield* ask(services.speaker, text)
    return yield* Stream.mkString(Stream.decodeText(spoken.stream))
  }).pipe(Effect.scoped)

const gateway = (services: Services) =>
  HttpRouter.empty.pipe(HttpRouter.get(
    "/",
    Effect.gen(function*() {
      const { q, user } = yield* HttpServerRequest.schemaSearchParams(
        Schema.Struct({ q: Schema.String, user: Schema.String })
      )
      const text = yield* answer(services, q).pipe(
        Langfuse.agent("gateway", { input: q, output: (text) => text }),
        Langfuse.withTrace({ name: "question", userId: user, sessionId: `chat of ${user}` })
      )
      return HttpServerResponse.text(text)
    })
  ))

const program = Effect.gen(function*() {
  const queue = yield* Queue.unbounded<Message>()
  yield* Layer.build(worker(queue))
  const services = {
    researcher: yield* serveInternal(researcher),
    writer: yield* serveInternal(writer),
    speaker: yield* serveInternal(speaker),
    queue
  }
  // Traces begin here, whatever a caller from outside says of its own.
  const url = yield* serve(gateway(services), { remoteParent: "ignore" })
  const client = yield* HttpClient.HttpClient
  yield* Effect.forEach(
    ["ada", "grace"],
    (user) =>
      Effect.flatMap(
        client.get(url, { urlParams: { q: "Are you open on Friday?", user } }),
        (response) => response.text
      )
  )
})

runMain(Effect.gen(function*() {
  const { server } = yield* readArguments
  return yield* Effect.gen(function*() {
    yield* Effect.scoped(program)
    const ingest = yield* LangfuseIngest.LangfuseIngest
    yield* ingest.flush
    yield* printTraces
    return yield* settle
  }).pipe(Effect.provide(Layer.provideMerge(Endpoint.layerIngest(server), FetchHttpClient.layer)))
}))
