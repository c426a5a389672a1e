/**
 * The guides and the README are true: what they show is what is run here, and what they lead to is there.
 */
import { assert, beforeAll, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { existsSync, statSync } from "node:fs"
import { posix } from "node:path"
import { compile, root } from "../scripts/lib/compile.js"
import * as Commands from "./guides/commands.js"
import type { Expectations } from "./guides/expectation.js"
import { first } from "./guides/first.js"
import * as Pages from "./guides/pages.js"
import * as Run from "./guides/run.js"
import { second } from "./guides/second.js"
import { third } from "./guides/third.js"

const expectations: Expectations = { ...first, ...second, ...third }

describe("what the pages show", () => {
  for (const page of Pages.pages) {
    const programs = Pages.blocks(page).filter(({ language }) => language === "ts")
    if (programs.length === 0) continue
    it(`${page}: every program is a file, or a part of one`, () => {
      for (const block of programs) {
        const marker = Pages.marker(block)
        if (marker === undefined) assert.fail(`${block.at}: <!-- program: … --> is missing above`)
        assert.strictEqual(block.text, Pages.shown(marker.program, marker.region), block.at)
      }
    })
  }

  it("every block says in one way what it is", () => {
    for (const { at, language } of Pages.pages.flatMap(Pages.blocks)) {
      assert.notMatch(language, /^(typescript|tsx|js|mjs|javascript|bash|shell|console|zsh)/, at)
    }
  })

  it("every program is shown somewhere, and expected to do something", () => {
    const markers = Pages.pages.flatMap(Pages.blocks).map((block) => Pages.marker(block)?.program)
    for (const program of Pages.programs) assert.include(markers, program)
    assert.deepStrictEqual(Object.keys(expectations).sort(), [...Pages.programs].sort())
  })

  it("every page is in the index", () => {
    const listed = Pages.links("docs/README.md").map((link) => `docs/${link}`)
    for (const page of Pages.pages) {
      if (page.startsWith("docs/") && page !== "docs/README.md") assert.include(listed, page)
    }
  })
})

describe("commands", () => {
  for (const page of Pages.pages) {
    const blocks = Pages.blocks(page).filter(({ language }) => language === "sh")
    if (blocks.length === 0) continue
    it.scopedLive(`${page}: all of them work`, () =>
      Effect.gen(function*() {
        const server = yield* Run.makeServer()
        yield* Effect.forEach(
          blocks.flatMap(({ text }) => Pages.commands(text)),
          (command) => Commands.check(command, server)
        )
      }))
  }
})

describe("links", () => {
  for (const page of Pages.pages) {
    it(`${page}: all of them lead somewhere`, () => {
      for (const link of Pages.links(page)) {
        const [path = "", anchor] = link.split("#")
        const target = path === "" ? page : posix.normalize(posix.join(posix.dirname(page), path))
        assert.isTrue(existsSync(`${root}${target}`), link)
        if (anchor !== undefined) {
          assert.isTrue(statSync(`${root}${target}`).isFile(), link)
          assert.include(Pages.anchors(target), anchor, link)
        }
      }
    })
  }
})

describe.concurrent("programs", () => {
  beforeAll(() =>
    compile({
      entries: Object.fromEntries(Pages.programs.map((name) => [name, `examples/guides/${name}.ts`])),
      folder: Run.folder,
      packages: "bundled"
    }), 60_000)

  for (const program of Pages.programs) {
    it.live(program, () => Run.run(program, expectations), 60_000)
  }
})
