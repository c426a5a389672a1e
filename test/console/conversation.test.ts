import { assert, describe, it } from "@effect/vitest"
import { readFileSync } from "node:fs"
import { compare } from "../../console/model/changes.js"
import { withoutAnsi } from "../../console/model/content.js"
import { firstWords, type Message, read, textOf } from "../../console/model/conversation.js"

interface Case {
  readonly name: string
  readonly stored: {
    readonly observations: ReadonlyArray<{ readonly input?: unknown; readonly output?: unknown }>
    readonly chat?: {
      readonly conversation: boolean
      readonly inputAccepted: boolean
      readonly outputAccepted: boolean
    }
  }
}

const recorded: ReadonlyArray<Case> = readFileSync(new URL("../recorded/chat-view.ndjson", import.meta.url), "utf8")
  .trim().split("\n").map((line) => JSON.parse(line))

const kinds = (message: Message | undefined) => message?.parts.map(({ kind }) => kind)

const only = (value: unknown, role: "user" | "assistant" = "assistant"): Message => {
  const messages = read(value, role)?.messages ?? []
  const [message] = messages
  assert.isDefined(message, "a message was read")
  return message as Message // just checked
}

describe("conversations", () => {
  // What Langfuse's own page shows as JSON, and so do we.
  const shownAsJson = new Set(["list-of-texts", "role-missing", "mixed-list", "content-missing"])
  const shown = recorded.filter(({ name, stored }) => stored.chat?.conversation === true && !shownAsJson.has(name))

  it.each(shown.map((one) => [one.name, one] as const))(
    "Langfuse shows %s as a conversation, and so do we",
    (_, one) => {
      const [observation] = one.stored.observations
      const messages = [
        ...read(observation?.input, "user")?.messages ?? [],
        ...read(observation?.output, "assistant")?.messages ?? []
      ]
      assert.isAbove(messages.length, 0)
      for (const message of messages) assert.isAbove(message.role.length, 0)
    }
  )

  it("reads calls of tools in the shapes of all providers", () => {
    const shapes: ReadonlyArray<unknown> = [
      {
        role: "assistant",
        content: null,
        tool_calls: [{ id: "c", type: "function", function: { name: "f", arguments: "{\"a\":1}" } }]
      },
      { role: "assistant", tool_calls: [{ id: "c", name: "f", args: { a: 1 } }] },
      { role: "assistant", content: [{ type: "tool_use", id: "c", name: "f", input: { a: 1 } }] },
      { role: "assistant", content: [{ type: "tool-call", toolCallId: "c", toolName: "f", input: { a: 1 } }] },
      { role: "assistant", content: [{ type: "tool-call", id: "c", name: "f", params: { a: 1 } }] },
      { role: "assistant", parts: [{ type: "tool_call", id: "c", name: "f", arguments: { a: 1 } }] },
      { role: "model", parts: [{ functionCall: { id: "c", name: "f", args: { a: 1 } } }] },
      { type: "function_call", call_id: "c", name: "f", arguments: "{\"a\":1}" }
    ]
    for (const shape of shapes) {
      const [part] = only([shape]).parts
      assert.deepStrictEqual(part, { kind: "call", id: "c", name: "f", input: { a: 1 } }, JSON.stringify(shape))
    }
  })

  it("reads results of tools in the shapes of all providers", () => {
    const shapes: ReadonlyArray<unknown> = [
      { role: "tool", tool_call_id: "c", content: "sunny" },
      {
        role: "user",
        content: [{ type: "tool_result", tool_use_id: "c", content: [{ type: "text", text: "sunny" }] }]
      },
      { role: "tool", content: [{ type: "tool-result", id: "c", name: "f", result: "sunny" }] },
      { role: "tool", parts: [{ type: "tool_call_response", id: "c", response: "sunny" }] },
      { type: "function_call_output", call_id: "c", output: "sunny" }
    ]
    for (const shape of shapes) {
      const [part] = only([shape]).parts
      assert.isTrue(part?.kind === "result" && part.id === "c" && part.output === "sunny", JSON.stringify(shape))
    }
  })

  it("keeps reasoning apart from the answer", () => {
    const shapes: ReadonlyArray<unknown> = [
      { role: "assistant", content: "21.", thinking: [{ type: "thinking", content: "sum" }] },
      { role: "assistant", content: "21.", reasoning_content: "sum" },
      { role: "assistant", content: [{ type: "reasoning", text: "sum" }, { type: "text", text: "21." }] },
      { role: "assistant", content: [{ type: "thinking", thinking: "sum" }, { type: "text", text: "21." }] }
    ]
    for (const shape of shapes) {
      assert.deepStrictEqual(kinds(only(shape)), ["reasoning", "text"], JSON.stringify(shape))
      assert.strictEqual(textOf(only(shape)), "21.")
    }
  })

  it("leaves other JSON alone", () => {
    for (const value of [{ city: "Lisbon" }, [1, 2], [], {}, null, 5, true, [{ a: 1 }], { input: "x", limit: 5 }]) {
      assert.isUndefined(read(value, "user"), JSON.stringify(value))
    }
  })

  it("gives up on what is nested deeply", () => {
    const deep: unknown = JSON.parse(`${"[".repeat(50_000)}1${"]".repeat(50_000)}`)
    const values = [
      deep,
      [{ role: "user", content: deep }],
      { messages: deep },
      [{ role: "tool", content: [{ type: "tool_result", content: deep }] }],
      [{ role: "assistant", thinking: deep }],
      { choices: deep },
      [{ role: "user", parts: [{ functionCall: { name: "f", args: deep } }] }]
    ]
    for (const value of values) {
      read(value, "user")
      firstWords(value)
    }
  })

  it("says what was asked in one line", () => {
    assert.strictEqual(firstWords("Why\n is it  so?"), "Why is it so?")
    assert.strictEqual(firstWords([{ role: "system", content: "s" }, { role: "user", content: "q" }]), "q")
    assert.strictEqual(firstWords({ question: "q" }), "q")
    assert.isUndefined(firstWords({ list: [] }))
    assert.isAtMost(firstWords("x".repeat(1_000_000))?.length ?? 0, 160)
  })
})

describe("what changed", () => {
  const said = (...texts: ReadonlyArray<string>) =>
    read(texts.map((content) => ({ role: "user", content })), "user")?.messages ?? []

  it("finds what was added at the end", () => {
    const { before, now, same } = compare(said("a", "b"), said("a", "b", "c", "d"))
    assert.deepStrictEqual([same, before.length, now.map(textOf)], [2, 0, ["c", "d"]])
  })

  it("finds where messages were changed", () => {
    const { before, now, same } = compare(said("a", "b", "c"), said("a", "B"))
    assert.deepStrictEqual([same, before.map(textOf), now.map(textOf)], [1, ["b", "c"], ["B"]])
  })
})

describe("text", () => {
  it("loses what only a terminal understands", () => {
    assert.strictEqual(
      withoutAnsi("\u001b[1;31mred\u001b[0m \u001b]8;;https://x.example\u0007link\u001b]8;;\u0007!"),
      "red link!"
    )
    assert.strictEqual(withoutAnsi("plain [31m text"), "plain [31m text")
  })
})
