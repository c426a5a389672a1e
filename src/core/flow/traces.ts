/**
 * Traces at the batch endpoint, where an observation alone makes none: a `trace-create` derived from what observations say
 * of their trace.
 */
import type { Item, Observation, TraceFields } from "../item/item.js"
import { Trace } from "../item/item.js"
import { hash, otherSeed, Recent } from "./recent.js"

const remembered = 10_000

const metadataText = (fields: TraceFields): string => {
  let text = ""
  for (const [key, content] of fields.metadata ?? []) text += `\n${key}\n${content.text}`
  return text
}

const keyOf = (traceId: string, fields: TraceFields | undefined): number =>
  fields === undefined ? hash(traceId) : hash(
    `${traceId}\n${fields.name}\n${fields.userId}\n${fields.sessionId}\n${fields.release}\n${fields.version}\n` +
      `${fields.environment}\n${fields.isPublic}\n${fields.tags?.join("\n") ?? ""}${metadataText(fields)}\n` +
      `${fields.input?.text ?? ""}\n${fields.output?.text ?? ""}`
  )

export class Traces {
  /** Contexts that the server has, each with its trace. */
  private readonly stored = new Recent(remembered)
  /** Traces that are public: a `trace-create` that does not say so would make them private. */
  private readonly shared = new Recent(remembered)

  /**
   * What goes before the items of one batch. What is on its way in another batch may not arrive, so only what is in this one
   * or stored is not said again.
   */
  batch(): (item: Item) => DerivedTrace | undefined {
    const said = new Set<number>()
    return (item) => {
      if (item.kind === "trace") this.note(item.id, item.fields.isPublic)
      if (item.kind !== "observation" || item.traceId === undefined) return undefined
      // Whoever writes events by hand writes the trace's as well.
      if (!item.isWhole && item.context === undefined) return undefined
      const key = keyOf(item.traceId, item.context)
      const isRoot = item.parentId === undefined
      if (!isRoot && (said.has(key) || this.stored.has(key))) return undefined
      said.add(key)
      return this.derive(item, item.traceId, key)
    }
  }

  /** Called for each derived trace that the server took. */
  delivered({ key }: DerivedTrace): void {
    this.stored.set(key)
  }

  private note(traceId: string, isPublic: boolean | undefined): boolean {
    const key = hash(traceId, otherSeed)
    const now = isPublic ?? this.shared.get(key) === 1
    if (now || this.shared.has(key)) this.shared.set(key, now ? 1 : 0)
    return now
  }

  private derive(item: Observation, traceId: string, key: number): DerivedTrace {
    // An id made from the observation's, so that sending the observation again repeats it too.
    const trace = new DerivedTrace(`${item.eventId}-trace`, item.at, traceId, key)
    const { fields } = trace
    if (item.context !== undefined) Object.assign(fields, item.context)
    fields.start ??= item.start
    fields.environment ??= item.environment
    if (this.note(traceId, fields.isPublic)) fields.isPublic = true
    if (item.parentId === undefined) {
      if (fields.name === undefined || fields.name === "") fields.name = item.name
      fields.input ??= item.input
      fields.output ??= item.output
    }
    trace.bytes = item.parentId === undefined ? item.bytes : Math.min(item.bytes, 4096)
    return trace
  }
}

export class DerivedTrace extends Trace {
  readonly key: number

  constructor(eventId: string, at: number, id: string, key: number) {
    super(eventId, at, id)
    this.key = key
  }
}
