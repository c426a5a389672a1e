/**
 * How much each trace takes, so that the oldest can be forgotten when there is too much.
 */

/** Something of a trace. `forget` takes it out of its table. */
export interface Item {
  readonly traceId: string
  readonly key: string
  /** Id of the observation, where it is one. */
  readonly observation?: string
  readonly content: unknown
  readonly forget: () => void
}

export interface Shelf {
  /** Takes the place of what had the same key. */
  readonly put: (item: Item) => void
  /** Forgets the oldest observations of traces that are too large; says which. */
  readonly trim: (
    traceIds: ReadonlyArray<string>
  ) => ReadonlyArray<readonly [traceId: string, ids: ReadonlyArray<string>]>
  /** Forgets whole traces, those that nothing was written to for longest first; says which. */
  readonly evict: () => ReadonlyArray<string>
  readonly clear: () => void
}

interface Kept extends Omit<Item, "content"> {
  readonly bytes: number
}

/** What a row costs besides its content. */
const overhead = 500

const sizeOf = (content: unknown): number => overhead + 2 * (JSON.stringify(content)?.length ?? 0)

export const makeShelf = (limits: { readonly maxBytes: number; readonly maxTraceBytes: number }): Shelf => {
  const isBounded = Number.isFinite(limits.maxBytes) || Number.isFinite(limits.maxTraceBytes)
  const traces = new Map<string, { readonly items: Map<string, Kept>; bytes: number }>()
  let total = 0

  const drop = (traceId: string, key: string): void => {
    const trace = traces.get(traceId)
    const item = trace?.items.get(key)
    if (trace === undefined || item === undefined) return
    trace.items.delete(key)
    trace.bytes -= item.bytes
    total -= item.bytes
  }

  return {
    put: ({ content, ...item }) => {
      const { key, traceId } = item
      if (!isBounded) return
      drop(traceId, key)
      const trace = traces.get(traceId) ?? { items: new Map<string, Kept>(), bytes: 0 }
      const bytes = sizeOf(content)
      trace.items.set(key, { ...item, bytes })
      trace.bytes += bytes
      total += bytes
      // The trace written to last is the last to go.
      traces.delete(traceId)
      traces.set(traceId, trace)
    },
    trim: (traceIds) =>
      traceIds.flatMap((traceId) => {
        const trace = traces.get(traceId)
        const trimmed: Array<string> = []
        for (const [key, item] of trace?.items ?? []) {
          // The newest stays, however large it is.
          if (trace === undefined || trace.bytes <= limits.maxTraceBytes || trace.items.size === 1) break
          if (item.observation === undefined) continue
          drop(traceId, key)
          item.forget()
          trimmed.push(item.observation)
        }
        return trimmed.length === 0 ? [] : [[traceId, trimmed] as const]
      }),
    evict: () => {
      const evicted: Array<string> = []
      for (const [traceId, trace] of traces) {
        if (total <= limits.maxBytes || traces.size === 1) break
        for (const { forget } of trace.items.values()) forget()
        total -= trace.bytes
        traces.delete(traceId)
        evicted.push(traceId)
      }
      return evicted
    },
    clear: () => {
      traces.clear()
      total = 0
    }
  }
}
