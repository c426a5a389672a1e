/**
 * Makes the pictures of the pages that the docs show, in `docs/console`. Needs a Chromium.
 *
 *   npm run screenshots
 */
import { FetchHttpClient, HttpServer } from "@effect/platform"
import { NodeContext, NodeHttpServer, NodeRuntime } from "@effect/platform-node"
import { Console, Effect, Layer, Redacted } from "effect"
import { LangfuseIngest, LangfuseTracer } from "effect-langfuse"
import { mkdir } from "node:fs/promises"
import { createServer } from "node:http"
import { chromium } from "playwright-core"
import * as Dev from "../cli/dev/dev.js"
import * as ReplayClock from "../examples/lib/clock.js"
import { bundle } from "./bundle-console.js"
import { demo } from "./lib/demo.js"
import { root } from "./lib/modules.js"

const folder = `${root}docs/console`

interface Picture {
  readonly name: string
  /** The first trace of the demo is the oldest. */
  readonly path: (traces: ReadonlyArray<string>) => string
  readonly scheme?: "dark" | "light"
  readonly size?: { readonly width: number; readonly height: number }
  /** Clicked before the picture is taken. */
  readonly click?: string
}

const wide = { width: 1280, height: 720 }
const narrow = { width: 360, height: 740 }

const pictures: ReadonlyArray<Picture> = [
  { name: "trace", path: ([first]) => `/traces/${first}` },
  { name: "traces", path: () => "/", scheme: "dark", size: { width: 1280, height: 420 } },
  { name: "observation", path: ([first]) => `/traces/${first}`, scheme: "dark", click: ".tree-line:nth-child(7)" },
  { name: "session", path: () => `/sessions/${encodeURIComponent("journey to Zürich")}` },
  { name: "delivery", path: () => "/delivery", size: { width: 1280, height: 420 } },
  { name: "narrow", path: ([first]) => `/traces/${first}`, scheme: "dark", size: narrow }
]

const take = (url: string, traces: ReadonlyArray<string>) =>
  Effect.acquireUseRelease(
    Effect.promise(() =>
      chromium.launch({ executablePath: process.env["CHROMIUM_PATH"] ?? "/usr/bin/chromium", args: ["--no-sandbox"] })
    ),
    (browser) =>
      Effect.forEach(pictures, ({ click, name, path, scheme = "light", size = wide }) =>
        Effect.promise(async () => {
          const page = await browser.newPage({ viewport: size, colorScheme: scheme })
          await page.goto(`${url}${path(traces)}`)
          await page.waitForTimeout(1000)
          if (click !== undefined) {
            await page.click(click)
            await page.waitForTimeout(500)
          }
          await page.screenshot({ path: `${folder}/${name}.png` })
          await page.close()
        }).pipe(Effect.zipRight(Console.log(`docs/console/${name}.png`)))),
    (browser) => Effect.promise(() => browser.close())
  )

const main = Effect.gen(function*() {
  yield* Effect.promise(() => mkdir(folder, { recursive: true }))
  const node = createServer()
  const server = yield* NodeHttpServer.make(() => node, { port: 0, host: "127.0.0.1" })
  yield* Effect.addFinalizer(() => Effect.sync(() => node.closeAllConnections()))
  const { assets } = yield* Effect.promise(bundle)
  const dev = yield* Dev.make({ assets, file: undefined, maxBytes: 2 ** 28, say: Console.error }).pipe(
    Effect.provideService(HttpServer.HttpServer, server)
  )
  const Langfuse = LangfuseTracer.layer().pipe(
    Layer.provideMerge(LangfuseIngest.layer({
      baseUrl: dev.url,
      publicKey: dev.publicKey,
      secretKey: Redacted.make(dev.secretKey)
    })),
    Layer.provide(FetchHttpClient.layer)
  )
  yield* Effect.withClock(demo, yield* ReplayClock.make).pipe(Effect.provide(Langfuse))
  // One that a Langfuse refuses, for the delivery page.
  yield* Effect.promise(() =>
    fetch(`${dev.url}/api/public/ingestion`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ batch: [{ id: "event-1", type: "span-create", timestamp: "yesterday", body: {} }] })
    })
  )
  yield* Effect.sleep("2 seconds")
  const traces = [...dev.store.catalog.since(0).traces].sort((a, b) => a.timestamp < b.timestamp ? -1 : 1)
  yield* take(dev.url, traces.map(({ id }) => id))
})

main.pipe(Effect.scoped, Effect.provide(NodeContext.layer), NodeRuntime.runMain)
