import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { files, readCases } from "./recorded/cases.js"
import { exceptions } from "./recorded/exceptions.js"
import { keyOf, replay, type Result } from "./recorded/replay.js"

// What Langfuse's own code answered and stored, replayed against the embedded server: see recorded/README.md.

const all = files.map((file) => ({ file, cases: readCases(file) }))

const replayFile = (cases: (typeof all)[number]["cases"]) => {
  const groups = new Map<string, Array<{ readonly one: (typeof cases)[number]; readonly server: string }>>()
  for (const one of cases) {
    for (const server of [one.server, ...one.also ?? [], ...one.alsoAnswer ?? []]) {
      const key = keyOf(one, server)
      groups.set(key, [...groups.get(key) ?? [], { one, server }])
    }
  }
  return Effect.map(
    Effect.forEach(groups.values(), (group) => replay(group.map(({ one }) => one), group[0]?.server ?? "")),
    (results) => results.flat()
  )
}

describe("the embedded server does as the real one was recorded to do", () => {
  for (const { cases, file } of all) {
    it.live(file, () =>
      Effect.gen(function*() {
        const results = yield* replayFile(cases)
        const differing = results.filter(({ differences, name }) =>
          differences.length > 0 && exceptions[`${file}/${name}`] === undefined
        )
        const show = ({ differences, name }: Result) => [name, ...differences.map((line) => `  ${line}`)].join("\n")
        assert.deepStrictEqual(differing.map(show), [])
      }))
  }

  it("has at most three exceptions in a hundred", () => {
    const names = new Set(all.flatMap(({ cases, file }) => cases.map(({ name }) => `${file}/${name}`)))
    for (const name of Object.keys(exceptions)) assert.isTrue(names.has(name), name)
    assert.isAtMost(Object.keys(exceptions).length, names.size * 0.03)
  })
})
