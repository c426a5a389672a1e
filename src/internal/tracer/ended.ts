/** A span that is over, as what `fromSpan` reads. */
import type * as Exit from "effect/Exit"
import type * as Tracer from "effect/Tracer"
import { textOf } from "../../core/item/attributes.js"
import type { Policy } from "../../core/item/policy.js"
import type { EndedSpan, SpanLink } from "../../core/item/span.js"
import { type LangfuseSpan, recordOf } from "./span.js"
import * as Status from "./status.js"
import { toMillis } from "./time.js"
import { entriesOf, snapshotOf, snapshotsOf } from "./values.js"

export interface End {
  /** The nearest ancestor that is exported too. */
  readonly above: LangfuseSpan | undefined
  readonly isAppRoot: boolean
  readonly endTime: bigint
  readonly exit: Exit.Exit<unknown, unknown> | undefined
  /** Why there is no exit. */
  readonly neverEnded: string | undefined
  readonly policy: Policy
}

const lateMessage = "ended after it had been reported as one that never ended"

export const endedSpan = (span: LangfuseSpan, end: End): EndedSpan => ({
  traceId: span.trace.traceId,
  spanId: span.ownId,
  parentId: end.above?.ownId ?? span.trace.remoteParentId,
  isAppRoot: end.isAppRoot,
  name: span.name,
  kind: span.kind,
  start: toMillis(span.status.startTime),
  end: toMillis(end.endTime > span.status.startTime ? end.endTime : span.status.startTime),
  status: statusOf(span, end),
  attributes: span.attributes,
  json: span.json,
  events: span.newestEvents,
  links: span.writtenLinks ?? linksOf(span, end.policy),
  leftOut: span.leftOut
})

const noLinks: ReadonlyArray<SpanLink> = []

export const linksOf = ({ links }: LangfuseSpan, policy: Policy): ReadonlyArray<SpanLink> =>
  links.length === 0 ? noLinks : links.map((link) => linkOf(link, policy))

const statusOf = (span: LangfuseSpan, { exit, neverEnded, policy }: End): EndedSpan["status"] =>
  neverEnded !== undefined
    ? { level: "WARNING", message: neverEnded }
    : span.writtenStatus ?? Status.of(exit, policy) ??
      (span.isGivenUp ? { level: "DEFAULT", message: lateMessage } : undefined)

/** Untyped code may have handed in anything. */
const linkOf = (link: unknown, policy: Policy): SpanLink => {
  const fields = new Map(entriesOf(link))
  const [traceId, spanId] = idsOf(fields.get("span"))
  return {
    traceId,
    spanId,
    attributes: snapshotsOf(fields.get("attributes"), (value, key) => snapshotOf(value, key, policy))
  }
}

const idsOf = (span: unknown): readonly [traceId: string, spanId: string] => {
  try {
    if (typeof span !== "object" || span === null) return ["", ""]
    const target = span as Tracer.AnySpan // by its place in a link
    const record = recordOf(target)
    if (record !== undefined) return [record.trace.traceId, target.spanId]
    return [textOf(target.traceId) ?? "", textOf(target.spanId) ?? ""]
  } catch {
    return ["", ""]
  }
}
