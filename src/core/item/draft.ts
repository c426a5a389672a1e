/** An observation in the making, from what stands on a span. */
import { parsed } from "./attributes.js"
import { contentOf } from "./content.js"
import type { Foreign } from "./foreign.js"
import { Content, Observation, TraceFields } from "./item.js"
import { langfusePrefix, observation as o } from "./names.js"
import type { MutableFields } from "./object.js"
import type { Policy } from "./policy.js"
import { redactedAttribute } from "./redact.js"
import type { EndedSpan } from "./span.js"
import { isWellFormed } from "./text.js"
import type { Buckets } from "./usage.js"

const halfCharacter = /\\ud/i

/** The observation, and what is known of it on the way. */
export class Draft {
  readonly item: Observation
  readonly span: EndedSpan
  readonly policy: Policy
  /** The program said what it is. */
  hasType = false
  /** Said under another name, which counts only where the first says nothing. */
  session: string | undefined = undefined
  user: string | undefined = undefined
  deployment: string | undefined = undefined
  tags: ReadonlyArray<string> | undefined = undefined
  isPublic: boolean | undefined = undefined
  promptName: unknown = undefined
  promptVersion: unknown = undefined
  foreign: Foreign | undefined = undefined
  others: MutableFields | undefined = undefined
  private metadata: Map<string, Content> | undefined = undefined
  private traceMetadata: Map<string, Content> | undefined = undefined
  private names: ReadonlySet<string> | undefined = undefined

  constructor(span: EndedSpan, eventId: string, policy: Policy) {
    const end = span.end > span.start ? span.end : span.start
    const item = new Observation(eventId, end, span.spanId, "create", "span", true)
    item.traceId = span.traceId
    item.parentId = span.parentId
    item.name = span.name
    item.start = span.start
    item.end = end
    if (span.isAppRoot) (item.context = new TraceFields()).isAppRoot = true
    this.item = item
    this.span = span
    this.policy = policy
  }

  get context(): TraceFields {
    return this.item.context ??= new TraceFields()
  }

  get isFull(): boolean {
    return this.policy.content === "full"
  }

  redacted(name: string, value: unknown): unknown {
    return redactedAttribute(name, value, this.names ??= this.policy.redactedNames(), 10 * this.policy.maxEventBytes)
  }

  /** The text of an attribute that is known to be JSON as it is, any other value as a value. */
  contentOf(name: string, value: unknown): Content | undefined {
    if (typeof value !== "string") return contentOf(value, this.policy)
    const { json } = this.span
    const isJson = json !== undefined &&
      (name === o.input
        ? json.input === value
        : name === o.output
        ? json.output === value
        : json.others?.get(name) === value)
    return isJson ? new Content(value, true) : contentOf(value, this.policy)
  }

  /** The same for a value of which it is no longer known under which name it stood. */
  contentOfAny(value: unknown): Content | undefined {
    const others = this.span.json?.others
    if (typeof value === "string" && others !== undefined) {
      for (const text of others.values()) if (text === value) return new Content(value, true)
    }
    return contentOf(value, this.policy)
  }

  isFinal(name: string, value: unknown): value is string {
    return typeof value === "string" && this.span.json?.others?.get(name) === value
  }

  /** The same for metadata, where objects of a tracer that did not say so are found out; their texts stay as they are. */
  private fieldOf(name: string, value: unknown): Content | undefined {
    if (typeof value !== "string" || this.span.json?.others !== undefined || !name.startsWith(langfusePrefix)) {
      return this.contentOf(name, value)
    }
    const given = parsed(value)
    // JSON that decodes to half a character may not survive the servers' databases.
    return given === value || halfCharacter.test(value) || !isWellFormed(value)
      ? contentOf(given, this.policy)
      : new Content(value, true)
  }

  /** Metadata of the observation; `name` is the attribute's. A key of its own says it more exactly than a whole object. */
  say(key: string, value: unknown, name = key): void {
    const content = this.fieldOf(name, this.redacted(key, value))
    if (content !== undefined) (this.metadata ??= new Map()).set(key, content)
  }

  sayOfTrace(key: string, value: unknown, name = key): void {
    const content = this.fieldOf(name, this.redacted(key, value))
    if (content !== undefined) (this.traceMetadata ??= new Map()).set(key, content)
  }

  /** Nothing that says nothing makes a context. */
  setOfTrace<K extends keyof TraceFields>(key: K, value: TraceFields[K] | undefined): void {
    if (value !== undefined) this.context[key] = value
  }

  has(key: string): boolean {
    return this.metadata?.has(key) === true
  }

  hasOfTrace(key: string): boolean {
    return this.traceMetadata?.has(key) === true
  }

  noted(key: string, { note, text }: Buckets): string | undefined {
    if (note !== undefined) this.say(key, note)
    return text
  }

  /** What was said twice, and defaults. */
  finish(): Observation {
    const { item, policy, span } = this
    if (this.session !== undefined) this.context.sessionId ??= this.session
    if (this.user !== undefined) this.context.userId ??= this.user
    if (this.tags !== undefined) this.context.tags ??= this.tags
    if (this.isPublic !== undefined) this.context.isPublic ??= this.isPublic
    if (this.deployment !== undefined) {
      item.environment ??= this.deployment
      this.context.environment ??= this.deployment
    }
    const context = item.context
    if (context !== undefined) {
      context.metadata = this.traceMetadata
    } else if (this.traceMetadata !== undefined) this.context.metadata = this.traceMetadata
    if (policy.release !== undefined) this.context.release ??= policy.release
    item.environment ??= policy.environment
    item.metadata = this.metadata
    if (item.type === "event") item.end = undefined
    if (span.status !== undefined) {
      item.level ??= span.status.level
      item.statusMessage ??= span.status.message
    }
    return item
  }
}
