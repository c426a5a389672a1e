import { assert, describe, layer } from "@effect/vitest"
import { Effect } from "effect"
import type { Page } from "playwright-core"
import type * as Dev from "../../cli/dev/dev.js"
import {
  act,
  executablePath,
  hex,
  indexed,
  layerBrowser,
  openPage,
  seeText,
  send,
  type SpanOptions,
  startDev
} from "./utils.js"

const sendMany = (running: Dev.Running, count: number, make: (index: number) => SpanOptions) =>
  Effect.gen(function*() {
    for (let from = 0; from < count; from += 5000) {
      const size = Math.min(5000, count - from)
      yield* send(running, ...Array.from({ length: size }, (_, index) => make(from + index)))
    }
  })

const oneTrace = (index: number): SpanOptions => ({
  trace: "large",
  id: String(index),
  ...(index === 0 ? {} : { parent: String(Math.floor((index - 1) / 8)) }),
  name: `step ${index}`,
  type: index % 3 === 0 ? "generation" : "tool",
  start: index,
  took: 5
})

const watchTasks = (page: Page) =>
  act(() =>
    page.evaluate(
      "window.tasks = []; new PerformanceObserver((list) => list.getEntries().forEach((entry) => tasks.push(entry.duration))).observe({ type: 'longtask' })"
    )
  )

const elements = (page: Page) => act(() => page.evaluate<number>("document.querySelectorAll('*').length"))

/** Scrolls through a list in steps; the longest time from one frame to the next. */
const scrollThrough = (page: Page, selector: string) =>
  act(() =>
    page.evaluate<number>(`(async () => {
      const list = document.querySelector(${JSON.stringify(selector)})
      let longest = 0
      let last = performance.now()
      for (let step = 1; step <= 60; step++) {
        list.scrollTop = (list.scrollHeight - list.clientHeight) * step / 60
        await new Promise(requestAnimationFrame)
        longest = Math.max(longest, performance.now() - last)
        last = performance.now()
      }
      return longest
    })()`)
  )

describe.skipIf(executablePath === undefined)("large traces and lists", () => {
  layer(layerBrowser, { excludeTestServices: true })("in a browser", (it) => {
    it.scoped("100,000 observations of one trace render only what is visible", () =>
      Effect.gen(function*() {
        const running = yield* startDev({ maxBytes: 2 ** 31 })
        yield* sendMany(running, 100_000, oneTrace)
        yield* indexed(running, 100_000)
        const page = yield* openPage(running, `/traces/${hex("large", 32)}?observation=${hex("0", 16)}`)
        yield* act(() => page.getByRole("treeitem").first().waitFor({ timeout: 30_000 }))
        assert.isBelow(yield* elements(page), 2000)
        yield* scrollThrough(page, ".tree-scroll")
        const last = page.locator("[aria-posinset='100000']")
        yield* act(() => last.waitFor())
        assert.isBelow(yield* elements(page), 2000)
        yield* act(() => page.getByRole("tree").focus())
        yield* act(() => page.keyboard.press("End"))
        yield* act(() => page.locator("[aria-posinset='100000'][aria-selected=true]").waitFor({ timeout: 30_000 }))
      }), 180_000)

    it.scoped("10,000 traces are a list that scrolls", () =>
      Effect.gen(function*() {
        const running = yield* startDev()
        yield* sendMany(
          running,
          10_000,
          (index) => ({ trace: `t${index}`, id: String(index), type: "agent", name: `trace ${index}`, start: index })
        )
        yield* indexed(running, 10_000)
        const page = yield* openPage(running, "/")
        yield* seeText(page, "trace 9999")
        assert.isBelow(yield* elements(page), 2500)
        yield* watchTasks(page)
        yield* scrollThrough(page, ".list-scroll")
        yield* act(() => page.getByText("trace 0", { exact: true }).waitFor())
        assert.isBelow(yield* elements(page), 2500)
      }), 120_000)

    it.scoped("a trace of 1,000 observations opens in little more than an empty page", () =>
      Effect.gen(function*() {
        const running = yield* startDev()
        yield* send(running, { trace: "small", id: "one", type: "agent", name: "step 0" })
        yield* sendMany(running, 1000, oneTrace)
        yield* indexed(running, 1001)
        const page = yield* openPage(running, "/")
        const open = (trace: string) =>
          act(async () => {
            await page.goto(`${running.url}/`)
            const line = page.locator(`a[href="/traces/${hex(trace, 32)}"]`)
            await line.waitFor()
            return page.evaluate<number>(`(async () => {
              const link = document.querySelector('a[href="/traces/${hex(trace, 32)}"]')
              const start = performance.now()
              link.click()
              while (document.querySelector("[role=treeitem]") === null) await new Promise(requestAnimationFrame)
              return performance.now() - start
            })()`)
          })
        const fastest = (trace: string) =>
          Effect.map(Effect.replicateEffect(open(trace), 5), (times) => Math.min(...times))
        const small = yield* fastest("small")
        const large = yield* fastest("large")
        console.info(`opens in ${Math.round(large)} ms, a trace of one in ${Math.round(small)} ms`)
        assert.isBelow(large, 10 * Math.max(small, 20))
      }), 60_000)
  })
})
