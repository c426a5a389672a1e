import { FetchHttpClient } from "@effect/platform"
import * as NodeContext from "@effect/platform-node/NodeContext"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer } from "effect"
import * as Cli from "../../cli/cli.js"
import { hex, indexed, send, startDev } from "./utils.js"

/** Runs the command line as far as it goes by itself. */
const run = (...args: ReadonlyArray<string>) =>
  Effect.consoleWith((console) => {
    const out: Array<string> = []
    const err: Array<string> = []
    const into = (lines: Array<string>) => (...said: ReadonlyArray<unknown>) =>
      Effect.sync(() => void lines.push(said.map(String).join(" ")))
    return Cli.run(args, { columns: undefined }).pipe(
      Effect.withConsole({ ...console, log: into(out), error: into(err) }),
      Effect.map((code) => ({ code, out: out.join("\n"), err: err.join("\n") })),
      Effect.provide(Layer.merge(NodeContext.layer, FetchHttpClient.layer))
    )
  })

describe("the command", () => {
  it.scopedLive("dev says in one sentence that its port is taken", () =>
    Effect.gen(function*() {
      const { port } = new URL((yield* startDev()).url)
      const { code, err } = yield* run("dev", "--port", port)
      assert.strictEqual(code, 1)
      assert.strictEqual(
        err,
        `Port ${port} is taken. Choose another one: effect-langfuse dev --port ${Number(port) + 1}`
      )
    }))

  it.scopedLive("dev says in one sentence that a file is not its own", () =>
    Effect.gen(function*() {
      const { code, err } = yield* run("dev", "--port", "0", "--store", "package.json")
      assert.strictEqual(code, 1)
      assert.strictEqual(err, "package.json: is no file of effect-langfuse dev; name another one for --store")
    }))

  it.scopedLive("traces lists and shows what a dev holds, as text and as JSON", () =>
    Effect.gen(function*() {
      const running = yield* startDev()
      const hostile = "bell\u0007 \u001b[31mred"
      yield* send(running, { trace: "alpha", id: "one", name: hostile, type: "generation", input: "hi", output: "yo" })
      yield* indexed(running, 1)
      const id = hex("alpha", 32)
      const list = yield* run("traces", "list", "--url", running.url)
      assert.include(list.out, id)
      const shown = yield* run("traces", "show", "--url", running.url, id)
      assert.strictEqual(shown.code, 0)
      assert.match(shown.out, /generation[\s\S]*in: hi[\s\S]*out: yo/)
      assert.notMatch(shown.out, /[^\P{Cc}\n]/u)
      const json: { readonly id?: unknown } = JSON.parse(
        (yield* run("traces", "show", "--json", "--url", running.url, id)).out
      )
      assert.strictEqual(json.id, id)
    }))

  it.scopedLive("traces says with its exit code what went wrong", () =>
    Effect.gen(function*() {
      const running = yield* startDev()
      const missing = yield* run("traces", "show", "--url", running.url, "unknown")
      assert.strictEqual(missing.code, 1)
      assert.include(missing.err, "There is no such trace")
      const nobody = yield* run("traces", "list", "--url", "http://127.0.0.1:1")
      assert.strictEqual(nobody.code, 1)
      assert.include(nobody.err, "npx effect-langfuse dev")
      assert.strictEqual((yield* run("traces", "list", "--limit", "0")).code, 2)
    }))
})
