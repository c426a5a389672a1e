/**
 * The inner door of an ingest service: items instead of events, for the tracer.
 *
 * A service that a program made itself has only the outer one; `of` puts an adapter before it.
 */
import * as Effect from "effect/Effect"
import type { Entry, Ledger } from "../core/flow/ledger.js"
import { Sampling } from "../core/flow/sampling.js"
import { fromEvent } from "../core/item/fromEvent.js"
import type { Item } from "../core/item/item.js"
import type { Policy } from "../core/item/policy.js"
import { toEvent } from "../core/item/toEvent.js"
import type { IngestionEvent } from "../IngestionEvent.js"
import { defaults } from "../LangfuseConfig.js"
import * as Metrics from "./metrics.js"
import { readable, redactedNames, redactedNamesWith } from "./readable.js"
import type { IngestSettings } from "./settings.js"
import { turnOfEventLoop } from "./turn.js"

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
  /** Which project it sends to, the same for two services with one address and public key. */
  readonly project?: string | undefined
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

/** Hands over the first part of what sources hold at once, nearly always all of it, and then a part in each turn. */
export const pushSources = (sources: ReadonlySet<Source>): Effect.Effect<void> => {
  const pending = Array.from(sources, (source) => source.parts())
  const pushPart = (): boolean => {
    while (pending[0] !== undefined) {
      if (pending[0]()) return true
      pending.shift()
    }
    return false
  }
  return pushPart()
    ? Effect.asVoid(Effect.repeat(Effect.map(turnOfEventLoop, pushPart), { while: (isMore) => isMore }))
    : Effect.void
}

/** What takes the entries. */
export interface Outlet {
  readonly ledger: Ledger
  /** Whether there is room for one more, and for so many bytes. */
  readonly hasRoom: (isRoot: boolean, bytes: number) => boolean
  /** `false` when there was no room after all. */
  readonly offer: (entry: Entry) => boolean
  /** Warns, at most once in ten seconds for each kind. */
  readonly warn: (kind: string, message: string) => void
  readonly isClosed: () => boolean
  readonly baseUrl: string | undefined
}

export interface OpenIntake extends Intake {
  readonly unsafeEnqueue: (event: unknown) => boolean
}

const isRootItem = (item: Item): boolean =>
  item.kind === "trace" ||
  (item.kind === "observation" && item.op === "create" &&
    (item.parentId === undefined || item.context?.isAppRoot === true))

interface Peeked {
  readonly type?: unknown
  readonly body?: { readonly parentObservationId?: unknown } | null
}

/** Before the event is read: whether it may use the reserve. Throws what reading it throws. */
const isRootEvent = ({ body, type }: Peeked): boolean =>
  typeof type === "string" && type.endsWith("-create") && type !== "score-create" && body != null &&
  (body.parentObservationId === undefined || body.parentObservationId === null)

const policyOf = (settings: IngestSettings, warn: Outlet["warn"]): Policy => ({
  content: settings.content,
  maxEventBytes: settings.maxEventBytes,
  mask: settings.mask,
  onMaskFailure: () => {
    Metrics.maskFailures.count(1)
    warn("mask", "the Langfuse mask threw: a note is sent in place of the value")
  },
  environment: settings.environment,
  release: settings.release,
  redactedNames: redactedNamesWith(settings.redactedNames),
  readable
})

/** The intake of a service that is open: sampled, checked for room, read, counted. None of it throws. */
export const make = (settings: IngestSettings, outlet: Outlet): OpenIntake => {
  const { hasRoom, ledger, offer, warn } = outlet
  const sampling = new Sampling(settings.sampleRate)
  const policy = policyOf(settings, warn)

  const drop = (): void => {
    const dropped = ledger.drop()
    Metrics.dropped.count(1)
    if (outlet.isClosed()) return
    warn(
      "dropped",
      `no room for more Langfuse events: ${dropped} dropped so far (the program is not affected; ` +
        "capacity and maxQueueBytes set how many are held)"
    )
  }

  const sampleOut = (count: number): void => {
    ledger.sampleOut(count)
    Metrics.sampledOut.count(count)
  }

  const refuse = (description: string): void => {
    ledger.refuse()
    Metrics.settled.rejected.count(1)
    warn(`refused ${description}`, `a Langfuse event was rejected: ${description}`)
  }

  const take = (item: Item): boolean => {
    if (!hasRoom(isRootItem(item), item.bytes)) {
      drop()
      return false
    }
    // There is room, so it is taken.
    return offer(ledger.hold(item))
  }

  return {
    isOff: false,
    policy,
    baseUrl: outlet.baseUrl,
    isSampled: (traceId) => sampling.isTraceSampled(traceId),
    sampleOut,
    hasRoom: (isRoot) => hasRoom(isRoot, 0),
    drop,
    take,
    refuse,
    sources: new Set(),
    unsafeEnqueue: (event) => {
      try {
        if (outlet.isClosed()) drop()
        else if (!sampling.isSampled(event)) sampleOut(1)
        // Asked before the work of serialising: a drop must cost nothing. Whatever it is, reading members is all that is done.
        else if (!hasRoom(isRootEvent(event as Peeked), 0)) drop()
        else {
          const item = fromEvent(event, policy)
          if (!("issues" in item)) return take(item)
          refuse(item.issues.slice(0, 3).join("; "))
        }
      } catch {
        refuse("the event cannot be read")
      }
      return false
    }
  }
}

/** Takes nothing: tracing is off. */
export const off = (): Intake => ({
  ...adapter({ unsafeEnqueue: () => false }),
  isOff: true,
  hasRoom: () => false,
  take: () => false
})

interface ServiceLike {
  readonly unsafeEnqueue: (event: IngestionEvent) => boolean
}

const intakes = new WeakMap<object, Intake>()

export const register = <A extends object>(service: A, intake: Intake): A => {
  intakes.set(service, intake)
  return service
}

/** Two services with one address and one key send to one project. */
export const inProject = (publicKey: string) => <A extends ServiceLike>(service: A): A => {
  const intake = of(service)
  return register(service, { ...intake, project: `${intake.baseUrl} ${publicKey}` })
}

/** Of a service of the program's own: what it is given are plain events. */
const adapter = (service: ServiceLike): Intake => ({
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

export const of = (service: ServiceLike): Intake => {
  const known = intakes.get(service)
  if (known !== undefined) return known
  const made = adapter(service)
  intakes.set(service, made)
  return made
}
