/** A span that ended, as the tracer hands it over. */

export interface SpanEvent {
  readonly name: string
  /** Milliseconds. */
  readonly time: number
  readonly attributes: Readonly<Record<string, unknown>>
}

export interface SpanLink {
  readonly traceId: string
  readonly spanId: string
  readonly attributes: Readonly<Record<string, unknown>>
}

export interface KnownJson {
  readonly input: string | undefined
  readonly output: string | undefined
  /** Metadata of all kinds, usage, cost and parameters, by the attribute's name; these are final, and not read again. */
  readonly others?: ReadonlyMap<string, string> | undefined
}

export interface EndedSpan {
  readonly traceId: string
  readonly spanId: string
  readonly parentId: string | undefined
  readonly isAppRoot: boolean
  readonly name: string
  readonly kind: string
  /** Milliseconds since 1970, with fractions. */
  readonly start: number
  readonly end: number
  /** What the span's exit says, for observations whose attributes say nothing of level and message. */
  readonly status: { readonly level: string; readonly message: string } | undefined
  readonly attributes: ReadonlyMap<string, unknown>
  /** Texts among the attributes that `Langfuse.*` wrote and so are known to be JSON. */
  readonly json: KnownJson | undefined
  readonly events: ReadonlyArray<SpanEvent>
  readonly links: ReadonlyArray<SpanLink>
  /** Events and links beyond the limits. */
  readonly leftOut: number
}
