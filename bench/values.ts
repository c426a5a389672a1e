/**
 * What it costs to make text of a value, against the JSON.stringify that any client has to do.
 *
 *     npx tsx bench/values.ts
 */
import { Option } from "effect"
import { contentOf, jsonOf } from "../src/core/item/content.js"
import type { Policy } from "../src/core/item/policy.js"
import { readable, redactedNames } from "../src/internal/readable.js"
import { header, row } from "./lib/micro.js"
import { messages, plain } from "./lib/payloads.js"

const policy: Policy = {
  content: "full",
  maxEventBytes: 1_000_000,
  mask: undefined,
  onMaskFailure: () => {},
  environment: undefined,
  release: undefined,
  redactedNames,
  readable
}

header(["JSON.stringify", "jsonOf"])
for (const [name, value] of plain) {
  row(name, [
    { name: "JSON.stringify", run: () => JSON.stringify(value) },
    { name: "jsonOf", run: () => jsonOf(value, policy) }
  ])
}

class Message {
  readonly value: unknown
  constructor(value: unknown) {
    Object.assign(this, value)
  }
}

console.log("\nthe careful way")
const careful: ReadonlyArray<readonly [string, unknown]> = [
  ["20 KB of messages, class instances", messages(12, 20_000).map((message) => new Message(message))],
  ["20 KB of messages, an Option beside them", { messages: messages(12, 20_000), next: Option.some(1) }],
  ["1000 records and a Date", { at: new Date(0), rows: plain.find(([name]) => name === "1000 records")?.[1] }],
  ["1 KB of messages, one header redacted", { messages: messages(5, 1000), authorization: "Bearer x" }]
]
for (const [name, value] of careful) {
  row(name, [
    { name: "JSON.stringify", run: () => JSON.stringify(value) },
    { name: "jsonOf", run: () => jsonOf(value, policy) }
  ])
}

console.log("\nmonsters, once")
let shared: unknown = {}
for (let i = 0; i < 41; i++) shared = { a: shared, b: shared }
const monsters: ReadonlyArray<readonly [string, unknown]> = [
  ["4 million numbers", Array.from({ length: 4_000_000 }, (_, i) => i)],
  ["41 objects that share their parts", shared],
  ["a text of 50 MB in a list", [Buffer.alloc(50_000_000, "x").toString("latin1")]]
]
for (const [name, value] of monsters) {
  for (const maxEventBytes of [10_000, 1_000_000]) {
    const start = performance.now()
    const content = contentOf(value, { ...policy, maxEventBytes })
    const milliseconds = (performance.now() - start).toFixed(1).padStart(8)
    console.log(
      `${name.padEnd(40)}${milliseconds} ms, maxEventBytes ${maxEventBytes}, ${content?.text.length} characters`
    )
  }
}
