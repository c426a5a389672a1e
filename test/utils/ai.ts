import { EmbeddingModel, LanguageModel } from "@effect/ai"
import type { AiError, Response } from "@effect/ai"
import type { Exit } from "effect"
import { Effect, Layer, Option, Stream, Tracer } from "effect"

export interface RecordedSpan {
  readonly name: string
  readonly spanId: string
  readonly parentId: string | undefined
  readonly attributes: Map<string, unknown>
  /** Names of attributes that came after the end, which other tracers lose. */
  readonly late: Array<string>
  readonly exits: Array<Exit.Exit<unknown, unknown>>
  readonly endTimes: Array<bigint>
  readonly events: Array<string>
  readonly links: ReadonlyArray<Tracer.SpanLink>
}

class Span implements Tracer.Span, RecordedSpan {
  readonly _tag = "Span"
  readonly sampled = true
  readonly attributes = new Map<string, unknown>()
  readonly late: Array<string> = []
  readonly exits: Array<Exit.Exit<unknown, unknown>> = []
  readonly endTimes: Array<bigint> = []
  readonly events: Array<string> = []
  readonly links: Array<Tracer.SpanLink>
  readonly traceId = "trace"
  readonly spanId: string
  readonly name: string
  readonly parent: Option.Option<Tracer.AnySpan>
  readonly context: Tracer.Span["context"]
  readonly kind: Tracer.SpanKind
  status: Tracer.SpanStatus
  // Fails, as any class with private fields does, when a method is called on something that only looks like the span.
  #ended = false

  constructor(
    id: number,
    name: string,
    parent: Option.Option<Tracer.AnySpan>,
    context: Tracer.Span["context"],
    links: ReadonlyArray<Tracer.SpanLink>,
    startTime: bigint,
    kind: Tracer.SpanKind
  ) {
    this.spanId = `span-${id}`
    this.name = name
    this.parent = parent
    this.context = context
    this.links = [...links]
    this.kind = kind
    this.status = { _tag: "Started", startTime }
  }

  get parentId(): string | undefined {
    return Option.getOrUndefined(this.parent)?.spanId
  }

  end(endTime: bigint, exit: Exit.Exit<unknown, unknown>): void {
    this.#ended = true
    this.exits.push(exit)
    this.endTimes.push(endTime)
    this.status = { _tag: "Ended", startTime: this.status.startTime, endTime, exit }
  }

  attribute(key: string, value: unknown): void {
    if (this.#ended) this.late.push(key)
    this.attributes.set(key, value)
  }

  event(name: string): void {
    if (this.#ended) this.late.push(name)
    this.events.push(name)
  }

  addLinks(links: ReadonlyArray<Tracer.SpanLink>): void {
    this.links.push(...links)
  }
}

/** A tracer of somebody else's: it knows nothing of Langfuse. */
export const recorder = () => {
  const spans: Array<RecordedSpan> = []
  const tracer = Tracer.make({
    span: (name, parent, context, links, startTime, kind) => {
      const span = new Span(spans.length, name, parent, context, links, startTime, kind)
      spans.push(span)
      return span
    },
    context: (f) => f()
  })
  const named = (name: string): ReadonlyArray<RecordedSpan> => spans.filter((span) => span.name === name)
  return {
    tracer,
    spans,
    layer: Layer.setTracer(tracer),
    named,
    one: (name: string): RecordedSpan => {
      const [span, ...more] = named(name)
      if (span === undefined || more.length > 0) {
        throw new Error(`expected one span ${name} among ${spans.map((span) => span.name).join(", ")}`)
      }
      return span
    },
    /** The observations that Langfuse would make of the spans. */
    observations: () => spans.filter((span) => isObservation(span)).map((span) => ({ ...shown(span), span }))
  }
}

const isObservation = (span: RecordedSpan): boolean =>
  [...span.attributes.keys()].some((name) => name.startsWith("langfuse.") || name.startsWith("gen_ai."))

const parsed = (value: unknown): unknown =>
  typeof value === "string" && /^[[{]/.test(value) ? JSON.parse(value) as unknown : value

/** The Langfuse attributes of a span under their short names, JSON read. */
export const shown = (span: RecordedSpan) => {
  const at = (name: string) => span.attributes.get(`langfuse.observation.${name}`)
  const metadata = Object.fromEntries(
    [...span.attributes].flatMap(([name, value]) =>
      name.startsWith("langfuse.observation.metadata.")
        ? [[name.slice("langfuse.observation.metadata.".length), value]]
        : []
    )
  )
  return {
    name: span.name,
    type: at("type"),
    input: parsed(at("input")),
    output: parsed(at("output")),
    model: at("model.name"),
    modelParameters: parsed(at("model.parameters")),
    usage: parsed(at("usage_details")),
    cost: parsed(at("cost_details")),
    completionStartTime: at("completion_start_time"),
    level: at("level"),
    statusMessage: at("status_message"),
    metadata
  }
}

export const finish = (usage: Partial<Response.FinishPartEncoded["usage"]> = {}): Response.FinishPartEncoded => ({
  type: "finish",
  reason: "stop",
  usage: { inputTokens: 10, outputTokens: 5, totalTokens: 15, ...usage }
})

export const text = (text: string): Response.PartEncoded => ({ type: "text", text })

export const toolCall = (id: string, name: string, params: unknown): Response.ToolCallPartEncoded => ({
  type: "tool-call",
  id,
  name,
  params
})

type Answer<A> = A | ((options: LanguageModel.ProviderOptions) => A)

/** A language model of `@effect/ai`'s own making that answers what it is told to, one answer a call. */
export const scripted = (script: {
  readonly generateText?: Answer<Effect.Effect<Array<Response.PartEncoded>, AiError.AiError>>
  readonly streamText?: Answer<Stream.Stream<Response.StreamPartEncoded, AiError.AiError>>
}): Layer.Layer<LanguageModel.LanguageModel> =>
  Layer.effect(
    LanguageModel.LanguageModel,
    LanguageModel.make({
      generateText: (options) =>
        typeof script.generateText === "function"
          ? script.generateText(options)
          : script.generateText ?? Effect.die("not in the script"),
      streamText: (options) =>
        typeof script.streamText === "function"
          ? script.streamText(options)
          : script.streamText ?? Stream.die("not in the script")
    })
  )

export const embeddings = (dimensions: number, onRequest: (input: ReadonlyArray<string>) => void = () => {}) =>
  Layer.effect(
    EmbeddingModel.EmbeddingModel,
    EmbeddingModel.make({
      embedMany: (input) =>
        Effect.sync(() => {
          onRequest(input)
          return input.map((_, index) => ({ index, embeddings: Array.from({ length: dimensions }, () => 0.125) }))
        })
    })
  )
