/**
 * What is known of one call of a language model, and how it is written on the call's span.
 */
import type * as Response from "@effect/ai/Response"
import type * as Tool from "@effect/ai/Tool"
import * as Cause from "effect/Cause"
import type * as Chunk from "effect/Chunk"
import type * as Clock from "effect/Clock"
import * as Exit from "effect/Exit"
import * as Option from "effect/Option"
import * as ParseResult from "effect/ParseResult"
import * as Predicate from "effect/Predicate"
import type * as Tracer from "effect/Tracer"
import { parsed } from "../../core/item/attributes.js"
import { Answer, isToken } from "./answer.js"
import * as Attributes from "./attributes.js"
import * as Messages from "./messages.js"
import * as Outcome from "./outcome.js"
import type * as Span from "./span.js"

export interface Request {
  readonly keepContent: boolean
  /** Whether the model is asked for an object in place of text. */
  readonly isObject: boolean
  readonly toolChoice: unknown
}

export class Call {
  prompt: Messages.Repeatable = []
  private tools: ReadonlyArray<Tool.Any> = []
  /** The tools come from an effect that `@effect/ai` runs within the call. */
  private isAwaitingTools = false
  private span: Tracer.Span | undefined = undefined
  private isInputWritten = false
  private hasToken = false
  private readonly request: Request
  private readonly answer: Answer

  constructor(request: Request) {
    this.request = request
    this.answer = new Answer(request.keepContent)
  }

  /** The call of a method that answers all at once. */
  get whole(): Span.Recorder<{ readonly content: ReadonlyArray<Response.AnyPart> }, unknown> {
    return {
      start: (span) => this.start(span),
      end: (span, exit) => {
        if (Exit.isSuccess(exit)) { for (const part of exit.value.content) this.answer.add(part) }
        this.end(span, exit)
      }
    }
  }

  get streamed(): Span.StreamRecorder<Response.AnyPart, unknown> {
    return {
      start: (span) => this.start(span),
      chunk: (span, chunk, clock) => this.addAll(span, chunk, clock),
      end: (span, exit) => this.end(span, exit),
      left: (span, exit) => this.leave(span, exit)
    }
  }

  awaitTools(): void {
    this.isAwaitingTools = true
  }

  offer(tools: ReadonlyArray<Tool.Any>): void {
    this.tools = tools
    this.isAwaitingTools = false
    if (this.span !== undefined) this.writeInput(this.span)
  }

  private start(span: Tracer.Span): void {
    this.span = span
    Attributes.annotate(span, { type: "generation" })
    if (!this.isAwaitingTools) this.writeInput(span)
  }

  /** At the start: so that it shows what the model was asked, whatever becomes of the messages and of the call. */
  private writeInput(span: Tracer.Span): void {
    if (!this.request.keepContent || this.isInputWritten) return
    this.isInputWritten = true
    Attributes.safely(() => {
      if (!Attributes.keepsContent(span)) return
      const messages = Messages.ofPrompt(this.prompt)
      const tools = this.offeredTools().map(Messages.toolDefinition)
      Attributes.annotate(span, { input: tools.length === 0 ? messages : { messages, tools } })
    })
  }

  private offeredTools(): ReadonlyArray<Tool.Any> {
    const choice = this.request.toolChoice
    const chosen = Predicate.hasProperty(choice, "oneOf") && Array.isArray(choice.oneOf) ? choice.oneOf : undefined
    return chosen === undefined ? this.tools : this.tools.filter((tool) => chosen.includes(tool.name))
  }

  private addAll(span: Tracer.Span, chunk: Chunk.Chunk<Response.AnyPart>, clock: Clock.Clock): void {
    for (const part of chunk) {
      if (!this.hasToken && isToken(part)) {
        this.hasToken = true
        Attributes.completionStarted(span, clock)
      }
      this.answer.add(part)
    }
  }

  private end(span: Tracer.Span, exit: Exit.Exit<unknown, unknown>): void {
    this.writeAnswer(span, exit)
    if (Exit.isFailure(exit)) Outcome.ofExit(span, exit, this.request.keepContent)
    else if (this.answer.error !== undefined) Outcome.ofError(span, this.answer.error.value, this.request.keepContent)
  }

  /** What read the stream may stop once it has all: only what came before that is a partial answer. */
  private leave(span: Tracer.Span, exit: Exit.Exit<unknown, unknown>): void {
    this.writeAnswer(span, exit)
    if (this.answer.error !== undefined) {
      return Outcome.ofError(span, this.answer.error.value, this.request.keepContent)
    }
    const isInterrupted = Exit.isFailure(exit) && Cause.isInterruptedOnly(exit.cause)
    const reader = Exit.isSuccess(exit) ? "" : isInterrupted ? ": its reader was interrupted" : ": its reader failed"
    if (this.answer.finish !== undefined) {
      // The model has done its part: without a level here the reader's failure would be taken for the model's.
      if (Exit.isFailure(exit)) Outcome.write(span, "DEFAULT", `the answer is complete${reader}`)
    } else {
      Outcome.write(
        span,
        Exit.isSuccess(exit) ? "DEFAULT" : "WARNING",
        isInterrupted ? "interrupted" : `the stream was not read to its end${reader}`
      )
    }
  }

  private writeAnswer(span: Tracer.Span, exit: Exit.Exit<unknown, unknown>): void {
    const { answer, request } = this
    this.writeInput(span)
    Attributes.fill(span, {
      model: () =>
        answer.model ?? Attributes.read(span, "gen_ai.response.model") ?? Attributes.read(span, "gen_ai.request.model"),
      modelParameters: () => this.parameters(span),
      usage: () => answer.usage,
      cost: () => answer.cost,
      output: () =>
        request.keepContent && Attributes.keepsContent(span)
          ? (request.isObject ? answer.json : undefined) ?? answer.message ?? refused(exit)
          : undefined
    })
    if (answer.finish !== undefined) Attributes.note(span, "finish_reason", answer.finish.reason)
  }

  /** What the provider was asked with, as far as it tells, and what the program asked of `@effect/ai`. */
  private parameters(span: Tracer.Span): { readonly [parameter: string]: unknown } | undefined {
    const parameters: Record<string, unknown> = {}
    for (const [name, value] of span.attributes) {
      if (!name.startsWith(requestPrefix) || name === "gen_ai.request.model") continue
      // Google's client writes the sequences at which to stop also where none were given.
      const isNothing = value === undefined || value === null || value === "[]" ||
        Array.isArray(value) && value.length === 0
      if (!isNothing) parameters[name.slice(requestPrefix.length)] = parsed(value)
    }
    const { isObject, toolChoice } = this.request
    if (toolChoice !== undefined) parameters["tool_choice"] = toolChoice
    if (isObject) parameters["response_format"] = "json"
    return Object.keys(parameters).length === 0 ? undefined : parameters
  }
}

const requestPrefix = "gen_ai.request."

/**
 * The answer that failed a call because it was not what the program asked for: the error holds its text, and whoever has
 * to find out why wants to see it.
 */
const refused = (exit: Exit.Exit<unknown, unknown>): unknown => {
  const error = Exit.isFailure(exit) ? Option.getOrUndefined(Cause.failureOption(exit.cause)) : undefined
  const cause = Predicate.isTagged(error, "MalformedOutput") && Predicate.hasProperty(error, "cause")
    ? error.cause
    : undefined
  return ParseResult.isParseError(cause) && "actual" in cause.issue && typeof cause.issue.actual === "string"
    ? cause.issue.actual
    : undefined
}
