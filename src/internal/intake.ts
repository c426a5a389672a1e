/**
 * The inner door of an ingest service: items instead of events, for the tracer.
 *
 * A service that a program made itself has only the outer one; `of` puts an adapter before it.
 */
import type { Item } from "../core/item/item.js"
import type { Policy } from "../core/item/policy.js"
import { toEvent } from "../core/item/toEvent.js"
import type { IngestionEvent } from "../IngestionEvent.js"
import { defaults } from "../LangfuseConfig.js"
import { readable, redactedNames } from "./readable.js"

/** Holds items back that it did not hand over yet, such as a tracer's spans that have just ended. */
export interface Source {
  /** Hands over all of it. */
  readonly push: () => void
  /** What hands over what waits now, as much at each call as one turn of the event loop should do; whether there is more. */
  readonly parts: () => () => boolean
}

export interface Intake {
  /** Nothing is ever sent: `layerNoop`, `enabled: false`. */
  readonly isOff: boolean
  readonly policy: Policy
  /** Where the service sends to, for `Langfuse.traceUrl`. */
  readonly baseUrl: string | undefined
  /** By the trace's id, the same in every process. */
  readonly isSampled: (traceId: string) => boolean
  /** Counts items that `isSampled` left out. */
  readonly sampleOut: (count: number) => void
  /** Asked before anything is serialised. Items without a local parent have a reserve of room. */
  readonly hasRoom: (isRoot: boolean) => boolean
  /** Counts an item for which there was no room. */
  readonly drop: () => void
  /** Takes an item that is sampled; `false` when it was dropped, which is counted. Never throws. */
  readonly take: (item: Item) => boolean
  /** Counts and warns about something that was said too late to be sent. */
  readonly refuse: (description: string) => void
  /** Pushed by `flush`, and when the service closes. */
  readonly sources: Set<Source>
}

const intakes = new WeakMap<object, Intake>()

export const register = (service: object, intake: Intake): void => void intakes.set(service, intake)

/** Of a service of the program's own: what it is given are plain events. */
const adapter = (service: { readonly unsafeEnqueue: (event: IngestionEvent) => boolean }): Intake => ({
  isOff: false,
  policy: {
    content: "full",
    maxEventBytes: defaults.maxEventBytes,
    mask: undefined,
    onMaskFailure: () => {},
    environment: undefined,
    release: undefined,
    redactedNames,
    readable
  },
  baseUrl: undefined,
  isSampled: () => true,
  sampleOut: () => {},
  hasRoom: () => true,
  drop: () => {},
  take: (item) => {
    try {
      return service.unsafeEnqueue(toEvent(item))
    } catch {
      return false
    }
  },
  refuse: () => {},
  sources: new Set()
})

export const of = (service: { readonly unsafeEnqueue: (event: IngestionEvent) => boolean }): Intake => {
  const known = intakes.get(service)
  if (known !== undefined) return known
  const made = adapter(service)
  intakes.set(service, made)
  return made
}
