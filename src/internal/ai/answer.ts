/**
 * What a model answered, folded from the parts of its response one at a time, whole parts and streamed deltas alike.
 *
 * A part costs the same however many came before it, and text is joined once, at the end.
 */
import type * as Response from "@effect/ai/Response"
import * as Option from "effect/Option"
import * as Files from "./files.js"
import * as Messages from "./messages.js"
import * as Usage from "./usage.js"

/** A text in the making. */
interface Text {
  readonly type: "text" | "reasoning"
  readonly pieces: Array<string>
}

/** A call of a tool in the making. */
interface Call {
  readonly type: "call"
  readonly id: string
  readonly name: string
  /** The arguments as far as they were streamed: all there is of a call when the stream breaks off. */
  readonly pieces: Array<string>
  complete: { readonly params: unknown } | undefined
}

type Begun = Text | Call | { readonly type: "step"; readonly step: Messages.Step }

/** Characters kept of a stream: far more than a model answers in one go, and an end to what a faulty one costs. */
const maxLength = 8_000_000

/** The parts by which a model shows that it has begun to answer. */
export const isToken = (part: Response.AnyPart): boolean =>
  part.type === "text-delta" || part.type === "reasoning-delta" || part.type === "tool-params-delta"

export class Answer {
  finish: Response.FinishPart | undefined = undefined
  /** The first error that the provider put in its stream. */
  error: { readonly value: unknown } | undefined = undefined

  private readonly keepContent: boolean
  private readonly steps: Array<Begun> = []
  private readonly streamed = new Map<string, Text>()
  private readonly calls = new Map<string, Call>()
  private readonly sources: Array<unknown> = []
  private response: Response.ResponseMetadataPart | undefined = undefined
  private length = 0
  private omitted = 0

  /** Without content nothing of what the model said is held, not even for a moment. */
  constructor(keepContent: boolean) {
    this.keepContent = keepContent
  }

  add(part: Response.AnyPart): void {
    switch (part.type) {
      case "response-metadata":
        this.response = part
        return
      case "finish":
        this.finish = part
        return
      case "error":
        this.error ??= { value: part.error }
        return
    }
    if (this.keepContent) this.addContent(part)
  }

  private addContent(part: Response.AnyPart): void {
    switch (part.type) {
      case "text":
      case "reasoning":
        this.push(this.begin(part.type, undefined).pieces, part.text)
        return
      case "text-start":
        this.begin("text", part.id)
        return
      case "reasoning-start":
        this.begin("reasoning", part.id)
        return
      case "text-delta":
        this.push((this.streamed.get(`text ${part.id}`) ?? this.begin("text", part.id)).pieces, part.delta)
        return
      case "reasoning-delta":
        this.push((this.streamed.get(`reasoning ${part.id}`) ?? this.begin("reasoning", part.id)).pieces, part.delta)
        return
      case "text-end":
        this.streamed.delete(`text ${part.id}`)
        return
      case "reasoning-end":
        this.streamed.delete(`reasoning ${part.id}`)
        return
      case "tool-params-start":
        this.call(part.id, part.providerName ?? part.name)
        return
      case "tool-params-delta": {
        const call = this.calls.get(part.id)
        if (call !== undefined) this.push(call.pieces, part.delta)
        return
      }
      case "tool-call":
        this.call(part.id, part.providerName ?? part.name).complete = { params: part.params }
        return
      case "tool-result":
        // What the program's own tools gave is an observation of its own, and part of the next prompt.
        if (part.providerExecuted) {
          const { encodedResult, id, name, providerName } = part
          this.step({ type: "tool-result", id, name: providerName ?? name, result: encodedResult })
        }
        return
      case "file":
        this.step({ type: "file", part: Files.reference(part.mediaType, undefined, part.data) })
        return
      case "source":
        this.sources.push(
          part.sourceType === "url"
            ? { url: String(part.url), title: part.title }
            : { title: part.title, media_type: part.mediaType, file_name: part.fileName }
        )
        return
    }
  }

  private begin(type: Text["type"], id: string | undefined): Text {
    const text: Text = { type, pieces: [] }
    this.steps.push(text)
    if (id !== undefined) this.streamed.set(`${type} ${id}`, text)
    return text
  }

  /** The call of this id, which may have begun with its arguments. */
  private call(id: string, name: string): Call {
    const known = this.calls.get(id)
    if (known !== undefined) return known
    const call: Call = { type: "call", id, name, pieces: [], complete: undefined }
    this.calls.set(id, call)
    this.steps.push(call)
    return call
  }

  private step(step: Messages.Step): void {
    this.steps.push({ type: "step", step })
  }

  private push(pieces: Array<string>, text: string): void {
    if (this.length + text.length > maxLength) {
      this.omitted += text.length
      return
    }
    this.length += text.length
    pieces.push(text)
  }

  get model(): string | undefined {
    return this.response === undefined ? undefined : Option.getOrUndefined(this.response.modelId)
  }

  get responseId(): string | undefined {
    return this.response === undefined ? undefined : Option.getOrUndefined(this.response.id)
  }

  get usage(): object | undefined {
    return this.finish === undefined ? undefined : Usage.usage(this.finish.usage, this.finish.metadata)
  }

  get cost(): { readonly total: number } | undefined {
    return this.finish === undefined ? undefined : Usage.cost(this.finish.metadata)
  }

  /** The answer when it is the JSON of an object and nothing else. */
  get json(): string | undefined {
    if (this.omitted > 0) return undefined
    let text = ""
    for (const step of this.steps) {
      if (step.type !== "text") return undefined
      text += step.pieces.join("")
    }
    try {
      return typeof JSON.parse(text) === "object" ? text : undefined
    } catch {
      return undefined
    }
  }

  /** The answer as a chat message, or as several; nothing when the model has not said anything. */
  get message(): unknown {
    const steps = this.steps.flatMap(stepOf)
    if (this.omitted > 0) steps.push({ type: "text", text: `<${this.omitted} more characters>` })
    if (steps.length + this.sources.length === 0 && this.finish === undefined) return undefined
    const messages = Messages.ofSteps(steps)
    const last = messages.at(-1)
    const whole = this.sources.length > 0 ? [...messages.slice(0, -1), { ...last, sources: this.sources }] : messages
    return whole.length === 1 ? whole[0] : whole
  }
}

const stepOf = (step: Begun): ReadonlyArray<Messages.Step> => {
  switch (step.type) {
    case "step":
      return [step.step]
    case "call": {
      const { complete, id, name, pieces } = step
      return [{ type: "tool-call", id, name, params: complete === undefined ? pieces.join("") : complete.params }]
    }
    default: {
      const text = step.pieces.join("")
      return text === "" ? [] : [{ type: step.type, text }]
    }
  }
}
