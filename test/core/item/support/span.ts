/** A span that ended, as plain as can be. */
import type { EndedSpan } from "../../../../src/core/item/span.js"

export interface Given extends Partial<Omit<EndedSpan, "attributes" | "events">> {
  readonly events?: ReadonlyArray<{ readonly name: string; readonly attributes: Record<string, unknown> }>
}

export const spanOf = (attributes: Record<string, unknown>, given: Given = {}): EndedSpan => ({
  traceId: "0af7651916cd43dd8448eb211c80319c",
  spanId: "b7ad6b7169203331",
  parentId: undefined,
  isAppRoot: false,
  name: "span",
  kind: "internal",
  start: 1000,
  end: 2000,
  status: undefined,
  json: undefined,
  links: [],
  leftOut: 0,
  ...given,
  attributes: new Map(Object.entries(attributes)),
  events: (given.events ?? []).map((event) => ({ ...event, time: 1500 }))
})
