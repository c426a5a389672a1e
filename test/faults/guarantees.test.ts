/**
 * The page of promises names tests that exist, and every file of the suite is there for one of them.
 */
import { assert, describe, it } from "@effect/vitest"
import { readdirSync, readFileSync } from "node:fs"
import { fileURLToPath } from "node:url"

const root = fileURLToPath(new URL("../../", import.meta.url))
const page = readFileSync(`${root}docs/guarantees.md`, "utf8")

const named = [...page.matchAll(/^ {2}- `(test\/[\w./]+\.test\.ts)` "(.+)"$/gm)].map(([, file = "", title = ""]) => ({
  file,
  title
}))

/** Whether a source has the title as the text of a literal, in whatever quotes. */
const has = (source: string, title: string): boolean => {
  const escaped = title.replaceAll("\"", "\\\"")
  return source.includes(`"${escaped}"`) || source.includes(`\`${title}\``)
}

describe("docs/guarantees.md", () => {
  it("names tests by titles that exist", () => {
    const missing = named.filter(({ file, title }) => !has(readFileSync(`${root}${file}`, "utf8"), title))
    assert.deepStrictEqual(missing, [])
    assert.isAbove(named.length, 50)
  })

  it("names each test once for a promise, and at least one for each promise", () => {
    const promises = page.split(/^(?=- |## )/m).filter((part) => part.startsWith("- "))
    const kept = page.slice(0, page.indexOf("## What is not promised"))
    for (const promise of promises.filter((promise) => kept.includes(promise))) {
      const references = promise.match(/^ {2}- `.+$/gm) ?? []
      assert.isAbove(references.length, 0, promise)
      assert.strictEqual(new Set(references).size, references.length, promise)
    }
  })

  it("has a line for every file of this suite", () => {
    const files = ["faults", "properties"].flatMap((folder) =>
      readdirSync(`${root}test/${folder}`).filter((file) => file.endsWith(".test.ts")).map((file) =>
        `test/${folder}/${file}`
      )
    )
    const mentioned = new Set([...named.map(({ file }) => file), "test/faults/guarantees.test.ts"])
    assert.deepStrictEqual(files.filter((file) => !mentioned.has(file)), [])
  })
})
