/**
 * A running `dev` and a browser to look at it with.
 */
import { HttpServer } from "@effect/platform"
import * as NodeContext from "@effect/platform-node/NodeContext"
import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
import { assert } from "@effect/vitest"
import { Context, Effect, Layer } from "effect"
import { existsSync } from "node:fs"
import { createServer } from "node:http"
import type { Browser as Chromium, BrowserContextOptions, Page } from "playwright-core"
import { chromium } from "playwright-core"
import * as Dev from "../../cli/dev/dev.js"
import { bundle } from "../../scripts/bundle-console.js"

/** The console's files, bundled once for all tests of a file. */
const assets = bundle().then(({ assets }) => assets)

const candidates = [
  process.env["CHROMIUM_PATH"],
  "/usr/bin/chromium",
  "/usr/bin/chromium-browser",
  "/usr/bin/google-chrome",
  "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome"
]

/** Where a Chromium is, if there is one. */
export const executablePath = candidates.find((path) => path !== undefined && existsSync(path))

if (executablePath === undefined) {
  console.warn("No Chromium was found, so the tests of dev's pages are left out. Install one, or set CHROMIUM_PATH.")
}

export interface DevOptions {
  readonly file?: string
  readonly maxBytes?: number
  readonly said?: Array<string>
}

/** A `dev` on any free port, until the scope closes. */
export const startDev = Effect.fnUntraced(function*(options: DevOptions = {}) {
  const node = createServer()
  const server = yield* NodeHttpServer.make(() => node, { port: 0, host: "127.0.0.1" }).pipe(Effect.orDie)
  yield* Effect.addFinalizer(() => Effect.sync(() => node.closeAllConnections()))
  return yield* Dev.make({
    assets: yield* Effect.promise(() => assets),
    file: options.file,
    maxBytes: options.maxBytes ?? 512 * 1024 * 1024,
    say: (line) => Effect.sync(() => void options.said?.push(line))
  }).pipe(Effect.provideService(HttpServer.HttpServer, server), Effect.provide(NodeContext.layer))
})

export class Browser extends Context.Tag("test/console/Browser")<Browser, Chromium>() {}

export const layerBrowser = Layer.scoped(
  Browser,
  Effect.acquireRelease(
    Effect.promise(() => chromium.launch({ executablePath: executablePath ?? "", args: ["--no-sandbox"] })),
    (browser) => Effect.promise(() => browser.close())
  )
)

/**
 * A page of its own. When the scope closes, nothing may have gone wrong in it: no script failed, the policy was broken
 * by nothing, no dialog opened, and nothing was asked for from another place.
 */
export const openPage = Effect.fnUntraced(
  function*(running: Dev.Running, path: string, options: BrowserContextOptions = {}) {
    const browser = yield* Browser
    const problems: Array<string> = []
    const context = yield* Effect.acquireRelease(
      Effect.promise(() => browser.newContext({ viewport: { width: 1400, height: 900 }, ...options })),
      (context) => Effect.promise(() => context.close())
    )
    yield* Effect.addFinalizer(() => Effect.sync(() => assert.deepStrictEqual(problems, [])))
    const page = yield* Effect.promise(() => context.newPage())
    page.setDefaultTimeout(10_000)
    page.on("pageerror", (error) => void problems.push(`error: ${error.message}`))
    page.on("dialog", (dialog) => {
      problems.push(`dialog: ${dialog.message()}`)
      void dialog.dismiss()
    })
    page.on("console", (message) => {
      if (message.type() === "error") problems.push(`console: ${message.text()}`)
    })
    page.on("request", (request) => {
      const url = request.url()
      if (!url.startsWith(running.url) && !/^(data|blob|file|about):/.test(url)) problems.push(`request: ${url}`)
    })
    yield* Effect.promise(() => page.goto(`${running.url}${path}`))
    return page
  }
)

/** Does something with a page. */
export const act = <A>(doing: () => Promise<A>): Effect.Effect<A> => Effect.promise(doing)

export const seeText = (page: Page, text: string | RegExp, timeout = 5000): Effect.Effect<void> =>
  act(() => page.getByText(text).first().waitFor({ timeout }))

// ---------------------------------------------------------------------------------------------------------------------
// what is sent
// ---------------------------------------------------------------------------------------------------------------------

export interface SpanOptions {
  readonly trace: string
  readonly id: string
  readonly parent?: string
  readonly name?: string
  readonly type?: string
  /** Milliseconds after the beginning of 2026, and how long. */
  readonly start?: number
  readonly took?: number
  readonly input?: unknown
  readonly output?: unknown
  readonly attributes?: { readonly [name: string]: string }
  readonly error?: string
}

export const hex = (text: string, length: number): string =>
  Buffer.from(text, "utf8").toString("hex").padStart(length, "0").slice(-length)

const beginning = 1_767_225_600_000n

const nanos = (millis: number): string => String((beginning + BigInt(Math.round(millis))) * 1_000_000n)

const text = (value: unknown): string => typeof value === "string" ? value : JSON.stringify(value)

/** A span in OTLP/JSON. */
export const span = (options: SpanOptions) => {
  const { attributes = {}, error, id, input, name = id, output, parent, start = 0, took = 100, trace, type } = options
  const all = {
    ...(type === undefined ? {} : { "langfuse.observation.type": type }),
    ...(input === undefined ? {} : { "langfuse.observation.input": text(input) }),
    ...(output === undefined ? {} : { "langfuse.observation.output": text(output) }),
    ...attributes
  }
  return {
    traceId: hex(trace, 32),
    spanId: hex(id, 16),
    ...(parent === undefined ? {} : { parentSpanId: hex(parent, 16) }),
    name,
    kind: 1,
    startTimeUnixNano: nanos(start),
    endTimeUnixNano: nanos(start + took),
    attributes: Object.entries(all).map(([key, stringValue]) => ({ key, value: { stringValue } })),
    ...(error === undefined ? {} : { status: { code: 2, message: error } })
  }
}

export const body = (spans: ReadonlyArray<unknown>, scope = "langfuse-sdk"): string =>
  JSON.stringify({ resourceSpans: [{ scopeSpans: [{ scope: { name: scope }, spans }] }] })

export const post = (url: string, content: string, headers: { readonly [name: string]: string } = {}) =>
  act(() => fetch(url, { method: "POST", headers: { "content-type": "application/json", ...headers }, body: content }))

/** Sends spans as a client of Langfuse 4 does. */
export const send = (running: Dev.Running, ...spans: ReadonlyArray<SpanOptions>): Effect.Effect<void> =>
  post(`${running.url}/api/public/otel/v1/traces`, body(spans.map(span)), { "x-langfuse-ingestion-version": "4" }).pipe(
    Effect.map(({ status }) => assert.strictEqual(status, 200))
  )

/** Waits until the index has that many observations. */
export const indexed = (running: Dev.Running, observations: number): Effect.Effect<void> =>
  Effect.gen(function*() {
    for (let wait = 0; wait < 600; wait++) {
      if (running.store.catalog.observations >= observations) return
      yield* Effect.sleep("50 millis")
    }
    assert.fail(`${running.store.catalog.observations} observations are known, not ${observations}`)
  })
