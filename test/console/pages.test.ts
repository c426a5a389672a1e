import { assert, describe, layer } from "@effect/vitest"
import axe from "axe-core"
import { Effect } from "effect"
import { mkdtemp, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import type { Page } from "playwright-core"
import {
  act,
  body,
  executablePath,
  hex,
  indexed,
  layerBrowser,
  openPage,
  post,
  seeText,
  send,
  span,
  type SpanOptions,
  startDev
} from "./utils.js"

interface Violation {
  readonly id: string
  readonly nodes: ReadonlyArray<{ readonly html: string; readonly failureSummary?: string }>
}

/** What axe finds wrong with a page as it stands. */
const accessible = (page: Page) =>
  act(async () => {
    // The policy of the page lets no other script in, so it comes by the debugger.
    await page.evaluate(axe.source)
    return page.evaluate<ReadonlyArray<Violation>>("axe.run().then(({ violations }) => violations)")
  }).pipe(Effect.map((violations) =>
    assert.deepStrictEqual(
      violations.map(({ id, nodes }) => [
        id,
        ...nodes.slice(0, 3).map(({ failureSummary, html }) => `${html} ${failureSummary}`)
      ]),
      []
    )
  ))

/** An agent with two turns and a tool, the shape of most traces. */
const agent = (trace: string, more: Partial<SpanOptions> = {}): ReadonlyArray<SpanOptions> => {
  const system = { role: "system", content: "Be brief." }
  const user = { role: "user", content: `Weather in ${trace}?` }
  const call = {
    role: "assistant",
    content: null,
    tool_calls: [{ id: "c1", type: "function", function: { name: "weather", arguments: "{\"city\":\"Lisbon\"}" } }]
  }
  const result = { role: "tool", tool_call_id: "c1", content: "{\"degrees\":21}" }
  const model = {
    "langfuse.observation.model.name": "large-1",
    "langfuse.observation.usage_details": "{\"input\":10,\"output\":5}",
    "langfuse.observation.cost_details": "{\"input\":0.001,\"output\":0.002}"
  }
  const fields = {
    "langfuse.trace.name": `trace of ${trace}`,
    "session.id": `session ${trace}`,
    "user.id": `user ${trace}`,
    "langfuse.environment": trace === "alpha" ? "staging" : "production"
  }
  const base = { trace, attributes: fields }
  const generation = { ...base, type: "generation", attributes: { ...fields, ...model } }
  return [
    {
      ...base,
      id: `${trace}-1`,
      name: "agent",
      type: "agent",
      took: 900,
      input: [user],
      output: "**21** degrees",
      ...more
    },
    {
      ...generation,
      id: `${trace}-2`,
      parent: `${trace}-1`,
      name: "turn 1",
      start: 10,
      took: 300,
      input: [system, user],
      output: call
    },
    {
      ...base,
      id: `${trace}-3`,
      parent: `${trace}-1`,
      name: "weather",
      type: "tool",
      start: 320,
      took: 100,
      input: { city: "Lisbon" },
      output: { degrees: 21 }
    },
    {
      ...generation,
      id: `${trace}-4`,
      parent: `${trace}-1`,
      name: "turn 2",
      start: 430,
      took: 400,
      input: [system, user, call, result],
      output: { role: "assistant", content: "It has **21** degrees." }
    }
  ]
}

const start = Effect.gen(function*() {
  const running = yield* startDev()
  yield* send(running, ...agent("alpha"))
  yield* send(running, ...agent("beta", { error: "the sky fell down" }))
  yield* indexed(running, 8)
  return running
})

const tracePage = (trace: string) => `/traces/${hex(trace, 32)}`

const overflow = (page: Page) =>
  act(() => page.evaluate<number>("document.documentElement.scrollWidth - document.documentElement.clientWidth"))

describe.skipIf(executablePath === undefined)("pages", () => {
  layer(layerBrowser, { excludeTestServices: true })("in a browser", (it) => {
    it.scoped("an empty list says what to do, and the first trace takes its place within two seconds", () =>
      Effect.gen(function*() {
        const running = yield* startDev()
        const page = yield* openPage(running, "/")
        yield* seeText(page, "Waiting for a first trace")
        yield* seeText(page, `LANGFUSE_BASE_URL=${running.url}`)
        yield* accessible(page)
        yield* send(running, ...agent("alpha"))
        yield* seeText(page, "trace of alpha", 2000)
      }))

    it.scoped("the list shows what a trace is at a glance", () =>
      Effect.gen(function*() {
        const page = yield* openPage(yield* start, "/")
        const line = page.locator(".trace-line", { hasText: "trace of beta" })
        yield* act(() => line.waitFor())
        const text = yield* act(() => line.innerText())
        for (
          const part of [
            "trace of beta",
            "1 error",
            "Weather in beta?",
            "user beta",
            "session beta",
            "900 ms",
            "30",
            "$0.00600"
          ]
        ) {
          assert.include(text, part)
        }
        yield* accessible(page)
      }))

    it.scoped("a search finds names and contents, and the address remembers it", () =>
      Effect.gen(function*() {
        const page = yield* openPage(yield* start, "/")
        const lines = page.locator("a.trace-line")
        // The page listens to keys from when it shows something.
        yield* act(() => lines.first().waitFor())
        yield* act(() => page.keyboard.press("/"))
        yield* act(() => page.keyboard.type("Weather in alpha"))
        yield* act(() => page.getByText("1 of 2 traces").waitFor())
        assert.strictEqual(yield* act(() => lines.count()), 1)
        yield* act(() => page.reload())
        yield* act(() => page.getByText("1 of 2 traces").waitFor())
        yield* act(() => page.getByLabel("Search names").fill("degrees nowhere said"))
        yield* seeText(page, "Nothing matches.")
      }))

    it.scoped("filters choose by environment, level, session and user", () =>
      Effect.gen(function*() {
        const page = yield* openPage(yield* start, "/")
        const shown = page.locator("a.trace-line")
        for (
          const [name, value, expected] of [
            ["Environment", "staging", "trace of alpha"],
            ["Level", "errors", "trace of beta"],
            ["Session", "session alpha", "trace of alpha"],
            ["User", "user beta", "trace of beta"]
          ] as const
        ) {
          yield* act(() => page.getByLabel(name, { exact: true }).selectOption(value))
          yield* seeText(page, "1 of 2 traces")
          assert.include(yield* act(() => shown.first().innerText()), expected)
          yield* act(() => page.getByRole("button", { name: "Show all" }).click())
          yield* seeText(page, "2 traces")
        }
      }))

    it.scoped("a trace opens as its conversation, with calls joined to their results", () =>
      Effect.gen(function*() {
        const page = yield* openPage(yield* start, tracePage("alpha"))
        yield* seeText(page, "It has 21 degrees.")
        assert.strictEqual(yield* act(() => page.locator(".markdown strong", { hasText: "21" }).count()), 1)
        const call = page.locator(".tool-call")
        assert.strictEqual(yield* act(() => call.count()), 1)
        assert.match(yield* act(() => call.innerText()), /weather[\s\S]*Lisbon[\s\S]*degrees 21/)
        assert.strictEqual(yield* act(() => page.locator(".role-system .body").count()), 0)
        yield* accessible(page)
      }))

    it.scoped("a trace is told in tree and waterfall, and by keyboard alone", () =>
      Effect.gen(function*() {
        const page = yield* openPage(yield* start, "/")
        yield* act(() => page.getByLabel("Search names").focus())
        yield* act(() => page.keyboard.press("ArrowDown"))
        yield* act(() => page.keyboard.press("ArrowDown"))
        yield* act(() => page.keyboard.press("ArrowUp"))
        yield* act(() => page.keyboard.press("Enter"))
        const tree = page.getByRole("tree")
        yield* act(() => tree.focus())
        yield* act(() => page.keyboard.press("Home"))
        yield* act(() => page.locator("h2", { hasText: "agent" }).waitFor())
        for (
          const [key, name] of [["ArrowDown", "turn 1"], ["ArrowDown", "weather"], ["ArrowUp", "turn 1"], [
            "End",
            "turn 2"
          ]] as const
        ) {
          yield* act(() => page.keyboard.press(key))
          yield* act(() => page.locator("h2", { hasText: name }).waitFor())
        }
        assert.strictEqual(yield* act(() => page.getByRole("treeitem").count()), 4)
        yield* act(() => page.keyboard.press("Home"))
        yield* act(() => page.keyboard.press("ArrowLeft"))
        yield* act(() => page.waitForFunction("document.querySelectorAll('[role=treeitem]').length === 1"))
        yield* act(() => page.keyboard.press("ArrowRight"))
        yield* act(() => page.waitForFunction("document.querySelectorAll('[role=treeitem]').length === 4"))
        yield* act(() => page.keyboard.press("Escape"))
        yield* act(() => page.locator(".overview").waitFor())
      }))

    it.scoped("a generation shows model, usage, cost, and what is new since the one before", () =>
      Effect.gen(function*() {
        const page = yield* openPage(yield* start, `${tracePage("alpha")}?observation=${hex("alpha-4", 16)}`)
        yield* seeText(page, "Show the 2 messages that the generation before had too")
        const text = yield* act(() => page.locator(".observation").innerText())
        for (
          const part of [
            "turn 2",
            "400 ms",
            "large-1",
            "15 tokens",
            "$0.00300",
            "input",
            "output",
            "It has 21 degrees."
          ]
        ) {
          assert.include(text, part)
        }
        assert.notInclude(text, "Weather in alpha?")
        yield* act(() => page.getByText("Show the 2 messages").click())
        yield* seeText(page, "Weather in alpha?")
        yield* accessible(page)
      }))

    it.scoped("errors stand out with their message", () =>
      Effect.gen(function*() {
        const page = yield* openPage(yield* start, `${tracePage("beta")}?observation=${hex("beta-1", 16)}`)
        yield* seeText(page, "the sky fell down")
        assert.strictEqual(yield* act(() => page.locator(".tree-line.level-ERROR").count()), 1)
        yield* accessible(page)
      }))

    it.scoped("spans that are no observations can be hidden, and their children stay", () =>
      Effect.gen(function*() {
        const running = yield* startDev()
        const spans = [
          { trace: "mixed", id: "root", type: "agent" },
          { trace: "mixed", id: "http", parent: "root", attributes: { "http.method": "GET" } },
          { trace: "mixed", id: "turn", parent: "http", type: "generation", input: "hi", output: "yo" }
        ] as const
        yield* post(`${running.url}/v1/traces`, body(spans.map(span), "other"))
        yield* indexed(running, 3)
        const page = yield* openPage(running, tracePage("mixed"))
        yield* seeText(page, "Hide 1 other span")
        assert.strictEqual(yield* act(() => page.getByRole("treeitem").count()), 2)
        yield* act(() => page.getByText("Hide 1 other span").click())
        assert.strictEqual(yield* act(() => page.getByRole("treeitem").count()), 3)
      }))

    it.scoped("an open trace grows while it is looked at", () =>
      Effect.gen(function*() {
        const running = yield* start
        const page = yield* openPage(running, tracePage("alpha"))
        yield* seeText(page, "4 observations")
        yield* send(running, {
          trace: "alpha",
          id: "alpha-5",
          parent: "alpha-1",
          name: "late step",
          type: "span",
          start: 850,
          took: 20
        })
        yield* seeText(page, "late step", 2000)
      }))

    it.scoped("a session shows its traces as one thread", () =>
      Effect.gen(function*() {
        const page = yield* openPage(yield* start, "/sessions/session%20alpha")
        yield* seeText(page, "Weather in alpha?")
        yield* seeText(page, "21 degrees")
        assert.strictEqual(yield* act(() => page.getByText("Weather in beta?").count()), 0)
        yield* accessible(page)
      }))

    it.scoped("the delivery page shows what was refused and why, and makes the server misbehave", () =>
      Effect.gen(function*() {
        const running = yield* start
        const batch = { batch: [{ id: "e1", type: "span-create", timestamp: "yesterday", body: { id: "s" } }] }
        yield* post(`${running.url}/api/public/ingestion`, JSON.stringify(batch))
        const page = yield* openPage(running, "/delivery")
        yield* seeText(page, "1 refused")
        yield* act(() => page.getByRole("button", { name: "Why" }).first().click())
        yield* seeText(page, /timestamp/)
        yield* seeText(page, /Langfuse Cloud take only scores here/)
        yield* accessible(page)
        yield* act(() => page.getByRole("button", { name: "500" }).click())
        yield* act(() => page.locator("button[aria-pressed=true]", { hasText: "500" }).waitFor())
        const refused = yield* post(`${running.url}/api/public/otel/v1/traces`, "{}")
        assert.strictEqual(refused.status, 500)
        yield* act(() => page.getByRole("button", { name: "Works" }).click())
        yield* act(() => page.locator("button[aria-pressed=true]", { hasText: "Works" }).waitFor())
        assert.strictEqual((yield* post(`${running.url}/api/public/otel/v1/traces`, "{}")).status, 200)
      }))

    it.scoped("all pages fit in 360 pixels, in the dark", () =>
      Effect.gen(function*() {
        const running = yield* start
        const size = { viewport: { width: 360, height: 740 }, colorScheme: "dark" } as const
        for (
          const path of [
            "/",
            tracePage("alpha"),
            `${tracePage("alpha")}?observation=${hex("alpha-4", 16)}`,
            "/sessions/session%20alpha",
            "/delivery"
          ]
        ) {
          const page = yield* openPage(running, path, size)
          yield* act(() => page.locator("main").waitFor())
          yield* Effect.sleep("300 millis")
          assert.isAtMost(yield* overflow(page), 0, path)
          yield* accessible(page)
        }
      }))

    it.scoped("an exported page shows the trace without a server", () =>
      Effect.gen(function*() {
        const running = yield* start
        const html = yield* act(() =>
          fetch(`${running.url}/console/api${tracePage("alpha")}/export.html`).then((response) => response.text())
        )
        const file = `${yield* act(() => mkdtemp(join(tmpdir(), "export-")))}/trace.html`
        yield* act(() => writeFile(file, html))
        const page = yield* openPage({ ...running, url: "file://" }, file)
        yield* seeText(page, "It has 21 degrees.")
        yield* act(() => page.getByRole("treeitem", { name: /weather/ }).click())
        yield* act(() => page.locator("h2", { hasText: "weather" }).waitFor())
      }))
  })
})
