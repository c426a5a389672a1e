/**
 * Ways in which the embedded server misbehaves when asked to.
 *
 * @since 0.1.0
 */
import type * as Duration from "effect/Duration"
import { isRecord } from "./json.js"
import type { Route } from "./model.js"

/**
 * A way to misbehave, for one request. `stored` says whether what the request carries is stored all the same: `true`
 * with an answer that does not say so is the case "accepted, but the answer was lost".
 *
 * Durations are measured with the `Clock` of the place where the layer is built.
 *
 * @since 0.1.0
 * @category models
 */
export type Fault =
  | Fault.Respond
  | Fault.Delay
  | Fault.Hang
  | Fault.Drip
  | Fault.Reset
  | Fault.Truncate
  | Fault.Rewrite
  | Fault.Reject

/**
 * The faults by their kind.
 *
 * @since 0.1.0
 * @category models
 */
export declare namespace Fault {
  /**
   * Which requests a fault is for.
   *
   * @since 0.1.0
   * @category models
   */
  export interface Target {
    /** Only requests to this route meet the fault. Default: any request, the health check included. */
    readonly route?: Route | undefined
  }

  /**
   * An answer instead of the server's own.
   *
   * @since 0.1.0
   * @category models
   */
  export interface Respond extends Target {
    readonly _tag: "Respond"
    readonly status: number
    readonly headers: { readonly [name: string]: string }
    readonly body: string
    readonly stored: boolean
  }

  /**
   * The server's own answer, late.
   *
   * @since 0.1.0
   * @category models
   */
  export interface Delay extends Target {
    readonly _tag: "Delay"
    readonly duration: Duration.DurationInput
    /** `"before"` waits and then stores, even when the client has gone meanwhile; `"after"` stores and then waits. */
    readonly when: "before" | "after"
    readonly stored: true
  }

  /**
   * No answer, not even headers, until the client gives up or the server closes.
   *
   * @since 0.1.0
   * @category models
   */
  export interface Hang extends Target {
    readonly _tag: "Hang"
    readonly stored: boolean
  }

  /**
   * The server's own answer: its headers at once, its body in small pieces.
   *
   * @since 0.1.0
   * @category models
   */
  export interface Drip extends Target {
    readonly _tag: "Drip"
    readonly bytes: number
    readonly interval: Duration.DurationInput
    readonly stored: true
  }

  /**
   * The connection is cut: `"before"` anything is stored, `"after"` everything is, or in the middle of the answer's
   * `"body"`, when everything is as well.
   *
   * @since 0.1.0
   * @category models
   */
  export interface Reset extends Target {
    readonly _tag: "Reset"
    readonly when: "before" | "after" | "body"
    readonly stored: boolean
  }

  /**
   * A complete answer with half of the server's own body.
   *
   * @since 0.1.0
   * @category models
   */
  export interface Truncate extends Target {
    readonly _tag: "Truncate"
    readonly stored: true
  }

  /**
   * The server's own answer with another body.
   *
   * @since 0.1.0
   * @category models
   */
  export interface Rewrite extends Target {
    readonly _tag: "Rewrite"
    readonly rewrite: (body: string) => string
    readonly stored: true
  }

  /**
   * Some events of a batch are refused one by one. They are not stored, the others are processed as ever.
   *
   * @since 0.1.0
   * @category models
   */
  export interface Reject extends Target {
    readonly _tag: "Reject"
    readonly route: "ingestion"
    readonly which: ReadonlyArray<number> | ((event: unknown, index: number) => boolean)
    readonly status: number
    readonly message: string
    readonly error: string | undefined
    readonly stored: "others"
  }
}

type Entries = ReadonlyArray<{ readonly [key: string]: unknown }>

const rewriteLists = (change: (list: Entries) => Entries) => (body: string): string => {
  const answer: unknown = JSON.parse(body)
  if (!isRecord(answer)) return body
  const lists = Object.entries(answer).map(([key, list]) => [key, Array.isArray(list) ? change(list) : list])
  return JSON.stringify(Object.fromEntries(lists))
}

const withUnknownIds: (body: string) => string = rewriteLists((list) =>
  list.map((entry, index) => ({ ...entry, id: `nobody-${index}` }))
)

const withDuplicateIds: (body: string) => string = rewriteLists((list) => list.flatMap((entry) => [entry, entry]))

const withoutIds: (body: string) => string = rewriteLists(() => [])

const jsonHeaders = { "content-type": "application/json; charset=utf-8" }

/**
 * Constructors of faults.
 *
 * @since 0.1.0
 * @category constructors
 */
export const Fault = {
  /** Any answer. Nothing is stored unless `stored` is `true`. */
  respond: (options: {
    readonly status: number
    readonly headers?: { readonly [name: string]: string } | undefined
    readonly body?: string | undefined
    readonly stored?: boolean | undefined
    readonly route?: Route | undefined
  }): Fault.Respond => ({
    _tag: "Respond",
    status: options.status,
    headers: options.headers ?? {},
    body: options.body ?? "",
    stored: options.stored ?? false,
    route: options.route
  }),

  /** A status with a small JSON body. Nothing is stored unless `stored` is `true`. */
  status: (
    status: number,
    options: Fault.Target & { readonly stored?: boolean | undefined } = {}
  ): Fault.Respond =>
    Fault.respond({ ...options, status, headers: jsonHeaders, body: JSON.stringify({ message: `Status ${status}` }) }),

  /**
   * Langfuse Cloud's 429. `retryAfter` is in whole seconds, or any text for the header. Nothing is stored.
   */
  rateLimited: (retryAfter: number | string, options: Fault.Target = {}): Fault.Respond =>
    Fault.respond({
      ...options,
      status: 429,
      headers: {
        ...jsonHeaders,
        "retry-after": String(retryAfter),
        "x-ratelimit-limit": "1000",
        "x-ratelimit-remaining": "0",
        "x-ratelimit-reset": "Thu Jan 01 2026 00:00:00 GMT+0000 (Coordinated Universal Time)"
      },
      body: JSON.stringify({
        message: "Rate limit exceeded",
        code: "rate_limited",
        details: {
          retryAfterSeconds: typeof retryAfter === "number" ? retryAfter : 1,
          limit: 1000,
          remaining: 0,
          resetAt: "2026-01-01T00:00:00.000Z"
        }
      })
    }),

  /** Langfuse Cloud's 403 for a project over its usage limit. Nothing is stored. */
  suspended: (options: Fault.Target = {}): Fault.Respond =>
    Fault.respond({
      ...options,
      status: 403,
      headers: jsonHeaders,
      body: JSON.stringify({
        error: "ForbiddenError",
        message: "Ingestion suspended: Usage threshold exceeded. Please upgrade your plan."
      })
    }),

  /** 200 with an HTML page, as of a wrong host. Nothing is stored. */
  html: (options: Fault.Target = {}): Fault.Respond =>
    Fault.respond({
      ...options,
      status: 200,
      headers: { "content-type": "text/html; charset=utf-8" },
      body: "<!DOCTYPE html><html><head><title>Welcome</title></head><body>It works!</body></html>"
    }),

  /** 200 without a body. Nothing is stored unless `stored` is `true`. */
  empty: (options: Fault.Target & { readonly stored?: boolean | undefined } = {}): Fault.Respond =>
    Fault.respond({ ...options, status: 200 }),

  /** A late answer; everything is stored. By default the wait comes after storing. */
  delay: (
    duration: Duration.DurationInput,
    options: Fault.Target & { readonly when?: "before" | "after" | undefined } = {}
  ): Fault.Delay => ({ _tag: "Delay", duration, when: options.when ?? "after", stored: true, route: options.route }),

  /** No answer at all. Nothing is stored unless `stored` is `true`. */
  hang: (options: Fault.Target & { readonly stored?: boolean | undefined } = {}): Fault.Hang => ({
    _tag: "Hang",
    stored: options.stored ?? false,
    route: options.route
  }),

  /** A body in pieces of `bytes` (default 1), one each `interval`. Everything is stored. */
  drip: (
    interval: Duration.DurationInput,
    options: Fault.Target & { readonly bytes?: number | undefined } = {}
  ): Fault.Drip => ({ _tag: "Drip", interval, bytes: options.bytes ?? 1, stored: true, route: options.route }),

  /** A cut connection. Nothing is stored when it is cut `"before"`, everything otherwise. */
  reset: (when: "before" | "after" | "body", options: Fault.Target = {}): Fault.Reset => ({
    _tag: "Reset",
    when,
    stored: when !== "before",
    route: options.route
  }),

  /** A JSON body that ends in the middle. Everything is stored. */
  truncate: (options: Fault.Target = {}): Fault.Truncate => ({
    _tag: "Truncate",
    stored: true,
    route: options.route
  }),

  /** The server's own answer with another body. Everything is stored. */
  rewrite: (rewrite: (body: string) => string, options: Fault.Target = {}): Fault.Rewrite => ({
    _tag: "Rewrite",
    rewrite,
    stored: true,
    route: options.route
  }),

  /** A 207 that speaks of ids nobody sent. Everything is stored. */
  unknownIds: (): Fault.Rewrite => Fault.rewrite(withUnknownIds, { route: "ingestion" }),

  /** A 207 that names every event twice. Everything is stored. */
  duplicateIds: (): Fault.Rewrite => Fault.rewrite(withDuplicateIds, { route: "ingestion" }),

  /** A 207 that names no event. Everything is stored. */
  omittedIds: (): Fault.Rewrite => Fault.rewrite(withoutIds, { route: "ingestion" }),

  /** Some events of a batch, by index or by predicate, are refused; the others are stored. */
  reject: (
    which: ReadonlyArray<number> | ((event: unknown, index: number) => boolean),
    options: {
      readonly status?: number | undefined
      readonly message?: string | undefined
      readonly error?: string | undefined
    } = {}
  ): Fault.Reject => ({
    _tag: "Reject",
    which,
    status: options.status ?? 400,
    message: options.message ?? "Invalid request data",
    error: options.error,
    stored: "others",
    route: "ingestion"
  })
}
