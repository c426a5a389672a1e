import { FileSystem } from "@effect/platform"
import { NodeFileSystem } from "@effect/platform-node"
import { assert, beforeAll, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { copyFile } from "node:fs/promises"
import * as Session from "../examples/lib/session.js"
import { compile, compiled, outdir, root } from "../scripts/lib/compile.js"
import { node } from "./utils/process.js"

const folder = "effect-langfuse-examples"

const examples = ["agent-session", "agent", "effect-ai", "http-server", "services", "tee"]

/** Runs an example as its npm script does, but compiled once for all of its runs. */
const run = (example: string, args: ReadonlyArray<string>, env: { readonly [name: string]: string } = {}) =>
  node(compiled(folder, example), args, env)

/** The same example against an embedded v4 and an embedded v3. */
const onBoth = (example: string) =>
  Effect.all([run(example, ["--server", "v4"]), run(example, ["--server", "v3"])], { concurrency: 2 })

const withFile = (content: string) =>
  Effect.gen(function*() {
    const fs = yield* FileSystem.FileSystem
    const path = yield* fs.makeTempFileScoped({ suffix: ".json" })
    yield* fs.writeFileString(path, content)
    return path
  })

/** The tree without what differs from run to run. */
const shape = (stdout: string): string =>
  stdout.replace(/ · (\d+(\.\d+)? m?s)/g, "").replace(/ · trace [0-9a-f ·span]+/g, "")

beforeAll(async () => {
  await compile({
    entries: Object.fromEntries(examples.map((name) => [name, `examples/${name}.ts`])),
    folder,
    packages: "bundled"
  })
  // Read from beside the program.
  await copyFile(`${root}examples/session.json`, `${outdir(folder)}/session.json`)
}, 60_000)

describe("examples", () => {
  it.live(
    "the main one replays its session, on both kinds of server, with the same result",
    () =>
      Effect.gen(function*() {
        const [v4, v3] = yield* onBoth("agent-session")
        assert.strictEqual(v4.code, 0, v4.stderr)
        assert.strictEqual(v3.code, 0, v3.stderr)
        // The replay runs on a clock of its own, so even durations are the same.
        assert.strictEqual(v4.stdout, v3.stdout)
        assert.match(v4.stdout, /agent {6}· session/)
        assert.strictEqual(v4.stdout.match(/generation · turn \d/g)?.length, 5)
        assert.match(v4.stdout, /npm · 2\.39 s/)
        assert.match(v4.stdout, /score {6}exit status = submitted/)
        assert.match(v4.stdout, /offered 12 .* delivered 12 /)
      }),
    60_000
  )

  for (const name of examples.slice(1)) {
    it.live(
      `${name} leaves the same tree on both kinds of server, and a balanced ledger`,
      () =>
        Effect.gen(function*() {
          const [v4, v3] = yield* onBoth(name)
          assert.strictEqual(v4.code, 0, v4.stderr)
          assert.strictEqual(v3.code, 0, v3.stderr)
          assert.strictEqual(shape(v4.stdout), shape(v3.stdout))
          assert.match(v4.stdout, /pending 0 .* rejected 0 · failed 0/)
        }),
      60_000
    )
  }

  it.live(
    "the five services have one tree a request, with the right user on every observation",
    () =>
      Effect.gen(function*() {
        const { stdout } = yield* run("services", ["--server", "v4"])
        for (const user of ["ada", "grace"]) {
          assert.include(stdout, `trace question · user ${user} · session chat of ${user} · in 23 B · out 18 B`)
        }
        assert.strictEqual(stdout.match(/^trace /gm)?.length, 2)
        assert.strictEqual(stdout.match(/^└─ agent {6}· gateway/gm)?.length, 2)
        assert.match(stdout, /offered 14 .* delivered 14 /)
      }),
    60_000
  )

  it.scopedLive("a malformed session is one line with file and position, and exit code 2", () =>
    Effect.gen(function*() {
      const path = yield* withFile("{\"trajectory\": [\n  {\"action\": \"ls\",}]}")
      const { code, stderr, stdout } = yield* run("agent-session", [path])
      assert.strictEqual(code, 2)
      assert.strictEqual(stdout, "")
      assert.strictEqual(stderr, `${path}:2:19: not JSON\n`)
    }).pipe(Effect.provide(NodeFileSystem.layer)))

  it.live("a malformed setting is one line that names the variable, and exit code 2", () =>
    Effect.gen(function*() {
      const { code, stderr } = yield* run("agent-session", [], {
        LANGFUSE_PUBLIC_KEY: "pk-lf-1",
        LANGFUSE_SECRET_KEY: "sk-lf-hidden",
        LANGFUSE_SAMPLE_RATE: "7"
      })
      assert.strictEqual(code, 2)
      assert.match(stderr, /^.*LANGFUSE_SAMPLE_RATE takes a number from 0 to 1, but got 7.*\n$/)
      assert.notInclude(stderr, "hidden")
    }))

  const problems: ReadonlyArray<readonly [name: string, text: string, line: RegExp]> = [
    ["not JSON", "{", /^s\.json:1:2: not JSON$/],
    ["no session", "[]", /^s\.json: top level: /],
    ["no turns", "{\"trajectory\": []}", /^s\.json: trajectory\[0\]: /],
    ["a turn that is no object", "{\"trajectory\": [{}, 3]}", /^s\.json: trajectory\[1\]: /],
    ["a field of a wrong kind", "{\"trajectory\": [{\"action\": {\"a\": 1}}]}", /^s\.json: trajectory\[0\]\.action: /]
  ]
  for (const [name, text, line] of problems) {
    it.effect(`a session file with ${name} is told in one line`, () =>
      Effect.gen(function*() {
        const error = yield* Effect.flip(Session.parse("s.json", text))
        assert.match(error.line, line)
        assert.notInclude(error.line, "\n")
      }))
  }

  it.effect("a session without a history has the conversation put together from its turns", () =>
    Effect.gen(function*() {
      const session = yield* Session.parse(
        "x.traj.json",
        JSON.stringify({ trajectory: [{ response: "a", observation: "b" }, { response: "c" }] })
      )
      assert.strictEqual(session.name, "x")
      assert.deepStrictEqual(session.turns[1]?.messages, [
        { role: "assistant", content: "a" },
        { role: "user", content: "b" }
      ])
    }))
})
