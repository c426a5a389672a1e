import * as Effect from "effect/Effect"
import * as Tracer from "effect/Tracer"
import { attributesOf } from "./subject.js"
import type { Work } from "./workload.js"

/** The work as spans of Effect, for whatever tracer there is. */
export const recordSpans = (works: ReadonlyArray<Work>): Effect.Effect<void> =>
  Effect.forEach(works, (work) =>
    Effect.withSpan(Effect.void, work.name, {
      attributes: attributesOf(work),
      parent: Tracer.externalSpan({ traceId: work.traceId, spanId: work.parentId })
    }), { discard: true })
