/** Arbitrary items, as hostile as the ways in let them be. */
import { FastCheck } from "effect"
import { Content, type Metadata, Observation, Plain, Trace, TraceFields } from "../../../../src/core/item/item.js"

export { runs as fixed } from "../../../utils/properties.js"

/** With U+FFFD for half a surrogate pair, as Node has it. */
export const wellFormed = (text: string): string => Buffer.from(text).toString()

const hex = (length: number) =>
  FastCheck.string({ unit: FastCheck.constantFrom(..."0123456789abcdef"), minLength: length, maxLength: length })

/** Of all planes, with halves of surrogate pairs and control characters. */
export const text = FastCheck.oneof(
  FastCheck.string(),
  FastCheck.string({ unit: "binary", maxLength: 80 }),
  FastCheck.string({
    unit: FastCheck.constantFrom(
      "a",
      "é",
      "語",
      "\u{1f600}",
      "\ud83d",
      "\ude00",
      "\"",
      "\\",
      "\n",
      "\u0000",
      "\u2028",
      "\ufeff"
    ),
    maxLength: 120
  }),
  FastCheck.constantFrom("", "false", "0", "null", "\"\"", "[]", "\\ud", "x".repeat(47), "x".repeat(48), "é".repeat(49))
)

/** Any id: as OpenTelemetry has it, nearly so, or not at all. */
export const id = FastCheck.oneof(
  hex(32),
  hex(16),
  FastCheck.uuid(),
  text.filter((id) => id !== ""),
  FastCheck.constantFrom("0".repeat(32), "0".repeat(16), "ABCDEF0123456789", "x".repeat(900), "\r")
)

/** Milliseconds with fractions, from the first year to the last and beyond both. */
const millis = FastCheck.oneof(
  FastCheck.double({ min: 1.7e12, max: 1.9e12, noNaN: true }),
  FastCheck.integer({ min: 1_700_000_000_000, max: 1_900_000_000_000 }),
  FastCheck.double({ min: -7e13, max: 3e14, noNaN: true }),
  FastCheck.constantFrom(0, -1, -0.5, 0.25, 18_446_744_073_709, 18_446_744_073_710, 4e12, 253_402_300_799_999.9, 1e300)
)

const content = FastCheck.oneof(
  text.map((text) => new Content(text, false)),
  FastCheck.jsonValue().filter((value) => typeof value !== "string").map((value) =>
    new Content(JSON.stringify(value), true)
  ),
  FastCheck.constantFrom(...["false", "0", "null", "[]", "{}", "true", "1e3"].map((json) => new Content(json, true)))
)

const metadata: FastCheck.Arbitrary<Metadata> = FastCheck.oneof(
  { weight: 9, arbitrary: FastCheck.array(FastCheck.tuple(text, content), { maxLength: 5 }) },
  { weight: 1, arbitrary: FastCheck.array(FastCheck.tuple(text, content), { minLength: 100, maxLength: 200 }) },
  {
    weight: 1,
    arbitrary: FastCheck.array(
      FastCheck.tuple(FastCheck.constantFrom("originalId", "originalLevel", "observationType", "__proto__"), content)
    )
  }
).map((entries) => new Map(entries))

const maybe = <A>(arbitrary: FastCheck.Arbitrary<A>): FastCheck.Arbitrary<A | undefined> =>
  FastCheck.option(arbitrary, { nil: undefined })

const clearable = <A>(arbitrary: FastCheck.Arbitrary<A>): FastCheck.Arbitrary<A | null | undefined> =>
  FastCheck.oneof(maybe(arbitrary), FastCheck.constant(null))

const name = FastCheck.oneof(
  text,
  FastCheck.constantFrom("n".repeat(1000), "n".repeat(1001), `${"n".repeat(999)}\u{1f600}`)
)

const level = FastCheck.oneof(
  FastCheck.constantFrom("DEBUG", "DEFAULT", "WARNING", "ERROR", "error", " warn ", "loud"),
  text
)

const fields = FastCheck.record({
  name: clearable(name),
  userId: clearable(text),
  sessionId: clearable(text),
  release: clearable(text),
  version: clearable(text),
  environment: maybe(FastCheck.constantFrom("production", "test")),
  tags: maybe(FastCheck.array(text, { maxLength: 4 })),
  isPublic: maybe(FastCheck.boolean()),
  metadata: maybe(metadata),
  input: maybe(content),
  output: maybe(content),
  start: maybe(millis),
  isAppRoot: FastCheck.boolean()
}).map((given) => Object.assign(new TraceFields(), given))

const extra = FastCheck.dictionary(text, FastCheck.jsonValue(), { maxKeys: 2 }).map((fields) =>
  Object.entries(fields).map(([key, value]) => `,${JSON.stringify(wellFormed(`x ${key}`))}:${JSON.stringify(value)}`)
    .join("")
)

const buckets = FastCheck.dictionary(FastCheck.constantFrom("input", "output", "total"), FastCheck.nat()).map((value) =>
  JSON.stringify(value)
)

export const types = [
  "span",
  "generation",
  "event",
  "agent",
  "tool",
  "chain",
  "retriever",
  "evaluator",
  "embedding",
  "guardrail"
] as const

export const observation = FastCheck.tuple(
  FastCheck.record({
    eventId: id,
    at: millis,
    id,
    op: FastCheck.constantFrom("create" as const, "update" as const),
    type: FastCheck.constantFrom(...types)
  }),
  FastCheck.record({
    traceId: maybe(id),
    parentId: maybe(id),
    name: clearable(name),
    level: clearable(level),
    statusMessage: clearable(text),
    model: clearable(text),
    version: clearable(text),
    environment: maybe(FastCheck.constantFrom("production", "test")),
    start: maybe(millis),
    end: maybe(millis),
    completionStart: maybe(millis),
    input: maybe(content),
    output: maybe(content),
    metadata: maybe(metadata),
    parameters: maybe(buckets),
    usage: maybe(buckets),
    cost: maybe(buckets),
    promptName: clearable(text),
    promptVersion: clearable(FastCheck.oneof(FastCheck.nat(70_000), FastCheck.double(), FastCheck.constant(-1))),
    context: maybe(fields),
    extra
  })
).map(([{ at, eventId, id, op, type }, rest]) =>
  Object.assign(new Observation(eventId, at, id, op, type, op === "create"), rest)
)

export const trace = FastCheck.tuple(id, millis, id, fields, extra).map(([eventId, at, id, fields, extra]) =>
  Object.assign(new Trace(eventId, at, id), { fields, extra })
)

export const plain = FastCheck.tuple(
  id,
  millis,
  id,
  FastCheck.constantFrom("score-create", "sdk-log", "dataset-run-item-create"),
  FastCheck.dictionary(FastCheck.string(), FastCheck.jsonValue())
).map(([eventId, at, id, type, body]) => new Plain(eventId, at, id, type, JSON.stringify(body), undefined, []))
