/**
 * Everything a program can be heard or seen to say: log lines of all levels with their annotations and causes, the
 * console, the standard streams, metrics, spans, and errors that nobody caught.
 */
import { Effect, Layer, Logger, LogLevel, Metric, Tracer } from "effect"
import { inspect } from "node:util"

export interface Output {
  readonly warnings: () => ReadonlyArray<string>
  /** Names of the spans that were begun. */
  readonly spans: () => ReadonlyArray<string>
  /** Rejections and exceptions that reached the process. */
  readonly uncaught: () => ReadonlyArray<string>
  /** All of it as one text, the metrics of the process included. */
  readonly text: () => string
  /** Adds something to the text: the errors of a report, an exit. */
  readonly add: (value: unknown) => void
  /** Sends logs and spans here. */
  readonly layer: Layer.Layer<never>
}

/** Whatever can be reached from a value, the hidden properties too. */
export const everything = (value: unknown): string =>
  inspect(value, { depth: 12, showHidden: true, maxArrayLength: 1000, maxStringLength: 100_000, breakLength: 200 })

const consoleMethods = ["log", "info", "warn", "error", "debug", "trace"] as const

interface Listener {
  readonly said: (text: string) => void
  readonly uncaught: (text: string) => void
}

/** Runs may overlap: what reaches the process is then held against each of them. */
const listeners = new Set<Listener>()

let restore: (() => void) | undefined

const tell = (text: string): void => {
  for (const { said } of listeners) said(text)
}

const install = (): () => void => {
  const note = (kind: string) => (error: unknown) => {
    for (const { uncaught } of listeners) uncaught(`${kind}: ${everything(error)}`)
  }
  const rejection = note("unhandledRejection")
  const exception = note("uncaughtException")
  process.on("unhandledRejection", rejection)
  process.on("uncaughtException", exception)
  const streams = [process.stdout, process.stderr].map((stream) => {
    const write = stream.write
    stream.write = (chunk: string | Uint8Array, ...rest: Array<unknown>) => {
      tell(typeof chunk === "string" ? chunk : Buffer.from(chunk).toString())
      return Boolean(Reflect.apply(write, stream, [chunk, ...rest]))
    }
    return () => {
      stream.write = write
    }
  })
  const methods = consoleMethods.map((name) => {
    const method = console[name]
    console[name] = (...args: ReadonlyArray<unknown>) => {
      tell(args.map(everything).join(" "))
      method.apply(console, [...args])
    }
    return () => {
      console[name] = method
    }
  })
  return () => {
    process.off("unhandledRejection", rejection)
    process.off("uncaughtException", exception)
    for (const restore of [...streams, ...methods]) restore()
  }
}

const listen = (listener: Listener) =>
  Effect.acquireRelease(
    Effect.sync(() => {
      listeners.add(listener)
      restore ??= install()
    }),
    () =>
      Effect.sync(() => {
        listeners.delete(listener)
        if (listeners.size > 0) return
        restore?.()
        restore = undefined
      })
  )

export const capture = Effect.gen(function*() {
  const warnings: Array<string> = []
  const spans: Array<string> = []
  const uncaught: Array<string> = []
  const all: Array<string> = []

  const logger = Logger.make((options) => {
    all.push(Logger.jsonLogger.log(options), everything(Logger.structuredLogger.log(options)))
    if (LogLevel.greaterThanEqual(options.logLevel, LogLevel.Warning)) {
      warnings.push(Array.isArray(options.message) ? options.message.map(String).join(" ") : String(options.message))
    }
  })

  const native = yield* Effect.tracer
  const tracer = Tracer.make({
    span: (name, ...rest) => {
      spans.push(name)
      const span = native.span(name, ...rest)
      all.push(name)
      const attribute = span.attribute.bind(span)
      span.attribute = (key, value) => {
        all.push(key, everything(value))
        attribute(key, value)
      }
      // A log line inside of a span is one of its events.
      const event = span.event.bind(span)
      span.event = (name, startTime, attributes) => {
        all.push(name, everything(attributes))
        event(name, startTime, attributes)
      }
      return span
    },
    context: (f, fiber) => native.context(f, fiber)
  })

  yield* listen({
    said: (text) => void all.push(text),
    uncaught: (text) => {
      uncaught.push(text)
      all.push(text)
    }
  })

  const output: Output = {
    warnings: () => warnings,
    spans: () => spans,
    uncaught: () => uncaught,
    text: () => `${all.join("\n")}\n${everything(Metric.unsafeSnapshot().map(({ metricKey }) => metricKey))}`,
    add: (value) => void all.push(everything(value)),
    layer: Layer.mergeAll(
      Logger.replace(Logger.defaultLogger, logger),
      Logger.minimumLogLevel(LogLevel.All),
      Layer.setTracer(tracer)
    )
  }
  return output
})
