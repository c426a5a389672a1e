/**
 * Calls of an embedding model as `embedding` observations. Vectors are counted, never written.
 */
import type * as EmbeddingModel from "@effect/ai/EmbeddingModel"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Attributes from "./attributes.js"
import * as Content from "./content.js"
import * as Outcome from "./outcome.js"
import * as Span from "./span.js"

const observed = new WeakSet<EmbeddingModel.Service>()

export const observe = (
  model: EmbeddingModel.Service,
  setting: Content.Content,
  modelName: string | undefined
): EmbeddingModel.Service => {
  if (observed.has(model)) return model
  const call = <A, E>(
    effect: Effect.Effect<A, E>,
    name: string,
    input: unknown,
    vectorsOf: (result: A) => ReadonlyArray<ReadonlyArray<number>>
  ): Effect.Effect<A, E> =>
    Effect.flatMap(Content.keeps(setting), (keepContent) =>
      Span.observe(effect, { name, inner: name }, {
        start: (span) => {
          Attributes.annotate(span, { type: "embedding", model: modelName, input: keepContent ? input : undefined })
          span.attribute("gen_ai.operation.name", "embeddings")
        },
        end: (span, exit) => {
          Outcome.ofExit(span, exit, keepContent)
          if (Exit.isFailure(exit)) return
          const vectors = vectorsOf(exit.value)
          const size = { vectors: vectors.length, dimensions: vectors[0]?.length ?? 0 }
          Attributes.annotate(span, { metadata: size })
          if (keepContent) Attributes.fill(span, { output: () => size })
        }
      }))
  const decorated: EmbeddingModel.Service = {
    ...model,
    embed: (input) => call(model.embed(input), "EmbeddingModel.embed", input, (vector) => [vector]),
    embedMany: (input, options) =>
      call(model.embedMany(input, options), "EmbeddingModel.embedMany", input, (vectors) => vectors)
  }
  observed.add(decorated)
  return decorated
}
