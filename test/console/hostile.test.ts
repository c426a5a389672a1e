import { assert, describe, layer } from "@effect/vitest"
import { Effect } from "effect"
import { act, executablePath, hex, indexed, layerBrowser, openPage, seeText, send, startDev } from "./utils.js"

const payloads = [
  "<script>alert(1)</script>",
  "<img src=x onerror=alert(2)>",
  "<svg onload=alert(3)></svg>",
  "[click](javascript:alert(4))",
  "[click](JaVaScRiPt&colon;alert(5))",
  "<a href=\"javascript:alert(6)\">six</a>",
  "![picture](https://evil.example/pixel.png)",
  "<iframe src=https://evil.example></iframe>",
  "<form action=https://evil.example><input name=a><button>go</button></form>",
  "<style>body{display:none}</style>",
  "<base href=https://evil.example>",
  "<meta http-equiv=refresh content='0;url=https://evil.example'>",
  "<math><mtext><table><mglyph><style><img src=x onerror=alert(7)>",
  "[x]: javascript:alert(8)\n[x]",
  "<details open ontoggle=alert(9)>",
  "</script><script>alert(10)</script>",
  "\u001b[2J\u001b[31mred\u001b[0m \u202Ereversed",
  "{{constructor.constructor('alert(11)')()}}"
]

const all = payloads.join("\n\n")

const deep = (levels: number): string => `${"[".repeat(levels)}1${"]".repeat(levels)}`

const tracePage = (trace: string, id: string) => `/traces/${hex(trace, 32)}?observation=${hex(id, 16)}`

describe.skipIf(executablePath === undefined)("hostile contents", () => {
  layer(layerBrowser, { excludeTestServices: true })("in a browser", (it) => {
    // That nothing runs, asks or opens is what `openPage` looks for.
    it.scoped("neither run nor reach anything from any place of a trace", () =>
      Effect.gen(function*() {
        const running = yield* startDev()
        yield* send(running, {
          trace: "evil",
          id: "one",
          name: all.slice(0, 900),
          type: "generation",
          input: [
            { role: "system", content: all },
            { role: "user", content: all },
            {
              role: "assistant",
              content: [{ type: "thinking", thinking: all }],
              tool_calls: [{ id: all, function: { name: all, arguments: JSON.stringify({ [all]: all }) } }]
            },
            { role: "tool", tool_call_id: all, content: all },
            { role: all, name: all, content: all }
          ],
          output: { role: "assistant", content: all },
          error: all,
          attributes: {
            "langfuse.trace.name": all.slice(0, 900),
            "session.id": payloads[0] ?? "",
            "user.id": payloads[1] ?? "",
            "langfuse.trace.tags": JSON.stringify(payloads),
            "langfuse.observation.model.name": all,
            "langfuse.observation.metadata.note": all,
            "langfuse.observation.model.parameters": JSON.stringify({ [all]: all, __proto__: { polluted: true } })
          }
        })
        yield* indexed(running, 1)
        for (
          const path of [
            "/",
            tracePage("evil", "one"),
            `/traces/${hex("evil", 32)}`,
            "/delivery",
            `/sessions/${encodeURIComponent(payloads[0] ?? "")}`
          ]
        ) {
          const page = yield* openPage(running, path)
          yield* act(() => page.locator("main").waitFor())
          yield* Effect.sleep("400 millis")
          const found = yield* act(() =>
            page.evaluate<number>(
              "document.querySelectorAll('main script, main iframe, main form, main style, main base, main meta, main [onerror], main [onload], main a[href^=javascript i], main img:not([src^=\"data:\"])').length"
            )
          )
          assert.strictEqual(found, 0, path)
          assert.strictEqual(
            yield* act(() => page.evaluate<string>("getComputedStyle(document.body).display")),
            "block"
          )
        }
        const page = yield* openPage(running, tracePage("evil", "one"))
        for (const button of yield* act(() => page.getByRole("button", { name: "Raw" }).all())) {
          yield* act(() => button.click())
        }
        yield* act(() => page.locator(".role-system .role").first().click())
        yield* Effect.sleep("300 millis")
      }))

    it.scoped("do not run in an exported page either", () =>
      Effect.gen(function*() {
        const running = yield* startDev()
        yield* send(running, {
          trace: "evil",
          id: "one",
          name: payloads[15] ?? "",
          type: "generation",
          input: all,
          output: all
        })
        yield* indexed(running, 1)
        const html = yield* act(() =>
          fetch(`${running.url}/console/api/traces/${hex("evil", 32)}/export.html`).then((response) => response.text())
        )
        const page = yield* openPage({ ...running, url: "data:" }, ",")
        yield* act(() => page.setContent(html))
        yield* seeText(page, "red")
        yield* Effect.sleep("300 millis")
      }))

    it.scoped("a text of 10 MB does not freeze the page", () =>
      Effect.gen(function*() {
        const running = yield* startDev()
        const long = `${"word ".repeat(2_000_000)}the end`
        yield* send(running, {
          trace: "long",
          id: "one",
          type: "generation",
          input: [{ role: "user", content: long }],
          output: long
        })
        yield* indexed(running, 1)
        const page = yield* openPage(running, "/")
        yield* act(() =>
          page.evaluate(
            "window.tasks = []; new PerformanceObserver((list) => list.getEntries().forEach((entry) => tasks.push(entry.duration))).observe({ type: 'longtask' })"
          )
        )
        yield* act(() => page.locator("a.trace-line").click())
        yield* seeText(page, "Show more", 15_000)
        yield* act(() => page.locator(".tree-line").first().click())
        yield* act(() => page.locator(".observation-header h2").waitFor())
        const longest = yield* act(() => page.evaluate<number>("Math.max(0, ...tasks)"))
        assert.isBelow(longest, 3000)
        assert.isBelow(yield* act(() => page.evaluate<number>("document.body.innerText.length")), 200_000)
      }), 60_000)

    it.scoped("JSON that is nested deeply does not freeze the page", () =>
      Effect.gen(function*() {
        const running = yield* startDev()
        yield* send(running, { trace: "deep", id: "one", type: "generation", input: deep(50_000), output: deep(3000) })
        yield* send(running, { trace: "deep", id: "two", type: "tool", input: `{"a":${deep(5000)}}`, output: "[]" })
        yield* indexed(running, 2)
        for (const id of ["one", "two"]) {
          const page = yield* openPage(running, tracePage("deep", id))
          yield* act(() => page.locator(".observation-header h2").waitFor())
          for (const button of yield* act(() => page.getByRole("button", { name: "Raw" }).all())) {
            yield* act(() => button.click())
          }
          yield* act(() => page.locator(".facts").waitFor())
        }
      }))
  })
})
