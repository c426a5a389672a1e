/**
 * Where the ids of traces, observations, scores and events come from: from the web's own source of randomness, which
 * every runtime has, unless a program provides another.
 *
 * @since 0.1.0
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as RandomIds from "./ids.js"

/**
 * Where new ids come from.
 *
 * @since 0.1.0
 * @category models
 */
export interface Ids {
  /** 32 lowercase hex digits, not all zero: a trace id of OpenTelemetry. */
  readonly unsafeTraceId: () => string
  /** 16 lowercase hex digits, not all zero: a span id of OpenTelemetry. */
  readonly unsafeObservationId: () => string
  /** A UUID, version 4: for events and scores. */
  readonly unsafeEventId: () => string
}

const random = RandomIds.make((bytes) => crypto.getRandomValues(bytes))

/** A trace id written with dashes is told from a UUID of the program's own by this: none of ours is one of version 1, 4 or 7. */
const notUuid = (id: string): string =>
  "147".includes(id.charAt(12)) && "89ab".includes(id.charAt(16)) ? `${id.slice(0, 12)}0${id.slice(13)}` : id

const randomIds: Ids = {
  unsafeTraceId: () => notUuid(random.traceId()),
  unsafeObservationId: random.spanId,
  unsafeEventId: random.uuid
}

/**
 * The source of ids, random unless another one is provided:
 *
 * @example
 * ```ts
 * import * as Effect from "effect/Effect"
 * import * as IngestionEvent from "effect-langfuse/IngestionEvent"
 *
 * let last = 0
 * const next = (length: number) => String(++last).padStart(length, "0")
 *
 * const reproducible = IngestionEvent.traceCreate({ name: "a trace" }).pipe(
 *   Effect.provideService(IngestionEvent.IdGenerator, {
 *     unsafeTraceId: () => next(32),
 *     unsafeObservationId: () => next(16),
 *     unsafeEventId: () => next(16)
 *   })
 * )
 * ```
 *
 * @see https://www.w3.org/TR/trace-context/#trace-id
 * @since 0.1.0
 * @category tags
 */
export class IdGenerator extends Context.Reference<IdGenerator>()("effect-langfuse/IdGenerator", {
  defaultValue: (): Ids => randomIds
}) {}

/**
 * A new trace id: 32 lowercase hex digits.
 *
 * @since 0.1.0
 * @category constructors
 */
export const makeTraceId: Effect.Effect<string> = Effect.map(IdGenerator, (ids) => ids.unsafeTraceId())

/**
 * A new observation id: 16 lowercase hex digits.
 *
 * @since 0.1.0
 * @category constructors
 */
export const makeObservationId: Effect.Effect<string> = Effect.map(IdGenerator, (ids) => ids.unsafeObservationId())

/**
 * A new id for an event or a score: a UUID.
 *
 * @since 0.1.0
 * @category constructors
 */
export const makeEventId: Effect.Effect<string> = Effect.map(IdGenerator, (ids) => ids.unsafeEventId())
