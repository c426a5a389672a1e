import { assert, describe, it } from "@effect/vitest"
import { Arbitrary, FastCheck, Schema } from "effect"
import { IngestionEvent } from "effect-langfuse"
import * as AST from "effect/SchemaAST"
import { accepts } from "../../src/internal/accept.js"

const { ast } = IngestionEvent.IngestionEvent

/** One for each type of event. */
const schemas = (AST.isUnion(ast) ? ast.types : []).map((member) => Schema.make<IngestionEvent.IngestionEvent>(member))

/** An event in which one field of the body, the envelope or the trace context has become something else. */
const changed = (event: IngestionEvent.IngestionEvent) =>
  FastCheck.tuple(
    FastCheck.constantFrom("event", "body", "trace", "usage", "usageDetails"),
    FastCheck.constantFrom(
      ...Object.keys(event),
      ...Object.keys(event.body ?? {}),
      "id",
      "level",
      "tags",
      "total_tokens",
      "environment",
      "isAppRoot",
      "modelParameters"
    ),
    FastCheck.oneof(
      FastCheck.anything(),
      FastCheck.constantFrom<unknown>(
        undefined,
        null,
        "",
        -1,
        1.5,
        NaN,
        [],
        {},
        [1],
        ["a"],
        { a: { b: 1 } },
        "2026-01-01"
      )
    )
  ).map(([where, key, value]): unknown => {
    const body: Record<string, unknown> = { ...event.body }
    if (where === "event") return { ...event, [key]: value }
    if (where === "trace") return { ...event, trace: { ...event.trace, [key]: value } }
    if (where === "body") return { ...event, body: { ...body, [key]: value } }
    return { ...event, body: { ...body, [where]: { [key]: value } } }
  })

describe("what a schema accepts, as a plain function", () => {
  it("is known for every type of event", () => {
    assert.strictEqual(schemas.length, 17)
  })

  for (const schema of schemas) {
    const name = String(schema.ast)
    const events = Arbitrary.make(schema)
    const isAccepted = accepts(schema)
    const isValid = Schema.is(schema)

    it.prop(`every ${name}`, { event: schema }, ({ event }) => {
      assert.isTrue(isAccepted(event))
    })

    it.prop(
      `of a ${name} in which something is wrong just what the schema does`,
      [FastCheck.gen()],
      ([gen]) => {
        const event = gen(() => events)
        const value = gen(() => changed(event))
        assert.strictEqual(isAccepted(value), isValid(value))
      }
    )
  }

  it.prop("of any value just what the schema does", { value: FastCheck.anything() }, ({ value }) => {
    for (const schema of schemas) assert.strictEqual(accepts(schema)(value), Schema.is(schema)(value))
  })

  it("nothing at all of a schema it does not know how to decide", () => {
    assert.isFalse(accepts(Schema.DateFromSelf)(new Date(0)))
    assert.isFalse(accepts(Schema.Tuple(Schema.String))(["a"]))
    assert.isFalse(accepts(Schema.Struct({ at: Schema.DateFromSelf }))({ at: new Date(0) }))
    const key = Schema.TemplateLiteral("a", Schema.String)
    assert.isFalse(accepts(Schema.Record({ key, value: Schema.String }))({ b: 1 }))
    assert.isFalse(accepts(Schema.Record({ key: key.pipe(Schema.minLength(2)), value: Schema.String }))({ b: 1 }))
  })

  it("of a record the keys that its schema is about", () => {
    const schema = Schema.Record({ key: Schema.String.pipe(Schema.minLength(2)), value: Schema.Number })
    for (const value of [{}, { ab: 1 }, { a: "x" }, { a: "x", ab: 1 }, { a: 1, ab: "x" }, [], null]) {
      assert.strictEqual(accepts(schema)(value), Schema.is(schema)(value), JSON.stringify(value))
    }
  })

  it("a list with holes is not one of texts", () => {
    assert.isFalse(accepts(Schema.Array(Schema.String))(new Array(2)))
    assert.isTrue(accepts(Schema.Array(Schema.String))(["a", "b"]))
  })
})
