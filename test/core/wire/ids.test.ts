import { assert, describe, it } from "@effect/vitest"
import { createHash } from "node:crypto"
import { isSpanId, isTraceId, rootIdOf, spanIdOf, traceIdOf } from "../../../src/core/wire/ids.js"
import { sha256 } from "../../../src/core/wire/sha256.js"
import { fixed, id, text } from "./support/items.js"

const digest = (text: string): string => createHash("sha256").update(text).digest("hex")

describe("sha256", () => {
  it.prop("is that of Node", [text], ([text]) => {
    assert.strictEqual(sha256(text), digest(text))
  }, fixed(300))

  it("is that of Node around the length of a block", () => {
    for (let length = 0; length < 200; length++) {
      assert.strictEqual(sha256("a".repeat(length)), digest("a".repeat(length)))
    }
    assert.strictEqual(sha256("é".repeat(100_000)), digest("é".repeat(100_000)))
  })
})

describe("ids", () => {
  it.prop("are those of OpenTelemetry, and stay as they are if they are that already", [id], ([id]) => {
    assert.isTrue(isTraceId(traceIdOf(id)))
    assert.isTrue(isSpanId(spanIdOf(id)))
    assert.isTrue(isSpanId(rootIdOf(traceIdOf(id))))
    assert.strictEqual(traceIdOf(traceIdOf(id)), traceIdOf(id))
    assert.strictEqual(spanIdOf(spanIdOf(id)), spanIdOf(id))
    if (!/^[0-9a-f]{32}$/.test(id)) assert.strictEqual(traceIdOf(id), digest(id).slice(0, 32))
    if (!/^[0-9a-f]{16}$/.test(id)) assert.strictEqual(spanIdOf(id), digest(id).slice(0, 16))
  }, fixed(500))

  it("are not what is none for OpenTelemetry", () => {
    for (const id of ["0".repeat(32), "A".repeat(32), "a".repeat(31), `${"a".repeat(31)}g`, "a".repeat(33), ""]) {
      assert.isFalse(isTraceId(id), id)
    }
    for (const id of ["0".repeat(16), "A".repeat(16), "a".repeat(15), "a".repeat(17), "ａ".repeat(16)]) {
      assert.isFalse(isSpanId(id), id)
    }
  })

  it("gives each trace a root of its own", () => {
    const traceId = "0123456789abcdef0123456789abcdef"
    assert.strictEqual(rootIdOf(traceId), digest(`root of ${traceId}`).slice(0, 16))
  })
})
