/** The names that providers, SDKs and instrumentations give to the counts of a call of a model. */

export type Side = "input" | "output"

/** What a name stands for. */
export type Meaning =
  | { readonly is: "total" | "written" | "written5m" | "written1h" | "toolPrompt" | "inside" }
  | { readonly is: "whole" | "rest"; readonly of: Side }
  /** `isApart`: whoever uses this name counts it beside the whole. */
  | { readonly is: "part"; readonly of: Side; readonly bucket: string; readonly isApart: boolean }
  /** What is cached of a part. */
  | { readonly is: "cachedPart"; readonly of: Side; readonly bucket: string }

const inputPart = (bucket: string): Meaning => ({ is: "part", of: "input", bucket, isApart: false })
const outputPart = (bucket: string, isApart = false): Meaning => ({ is: "part", of: "output", bucket, isApart })

const cached = "input_cached_tokens"
export const cacheCreation = "input_cache_creation"
export const cacheCreation1h = "input_cache_creation_1h"
const reasoning = "output_reasoning_tokens"

const camelCase = (name: string): string => name.replace(/_([a-z0-9])/g, (_, letter: string) => letter.toUpperCase())
const snakeCase = (name: string): string => name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)

/** Each name as it is and in camel case. */
const tableOf = <A>(entries: ReadonlyArray<readonly [names: ReadonlyArray<string>, meaning: A]>): Map<string, A> =>
  new Map(
    entries.flatMap(([names, meaning]) =>
      names.flatMap((name) => [[name, meaning] as const, [camelCase(name), meaning] as const])
    )
  )

const inputs = [
  "input_tokens",
  "prompt_tokens",
  "prompt_token_count",
  "input_token_count",
  "prompt_eval_count",
  "tokens"
]
const outputs = [
  "output_tokens",
  "completion_tokens",
  "candidates_token_count",
  "response_token_count",
  "output_token_count",
  "eval_count"
]
const totals = ["total_tokens", "total_token_count"]

const meanings = tableOf<Meaning>([
  [inputs, { is: "whole", of: "input" }],
  [outputs, { is: "whole", of: "output" }],
  [[...totals, "total"], { is: "total" }],
  [["prompt_cache_miss_tokens"], { is: "rest", of: "input" }],
  [
    [
      "input_cached_tokens",
      "cached_input_tokens",
      "cached_tokens",
      "cached_content_token_count",
      "cached_content_tokens",
      "prompt_cache_hit_tokens",
      "cache_read_tokens",
      "cache_read.input_tokens",
      "cache_read_input_tokens",
      "cache_read_input_token_count"
    ],
    inputPart(cached)
  ],
  [
    [
      "input_cache_creation",
      "cache_creation_tokens",
      "cache_creation.input_tokens",
      "cache_creation_input_tokens",
      "cache_creation_input_token_count",
      "cache_write_tokens",
      "cache_write.input_tokens",
      "cache_write_input_tokens",
      "cache_write_input_token_count"
    ],
    { is: "written" }
  ],
  [["cache_creation.ephemeral_5m_input_tokens"], { is: "written5m" }],
  [["cache_creation.ephemeral_1h_input_tokens", "input_cache_creation_1h"], { is: "written1h" }],
  [["tool_use_prompt_token_count"], { is: "toolPrompt" }],
  [
    ["output_reasoning_tokens", "reasoning_tokens", "reasoning_output_tokens", "reasoning.output_tokens"],
    outputPart(reasoning)
  ],
  [["thoughts_token_count", "thoughts_tokens"], outputPart(reasoning, true)]
])

/** Names of Anthropic and Amazon Bedrock: beside `input_tokens` they are not part of it. */
export const apart: ReadonlySet<string> = new Set(
  tableOf([[[
    "cache_read_input_tokens",
    "cache_read_input_token_count",
    "cache_creation_input_tokens",
    "cache_creation_input_token_count",
    "cache_write_input_tokens",
    "cache_write_input_token_count"
  ], true]]).keys()
)

/** The input that Anthropic and Amazon Bedrock count beside those. */
export const besideCached: ReadonlySet<string> = new Set(
  tableOf([[["input_tokens", "input_token_count"], true]]).keys()
)

/** Names that stand for whole objects of details. In the newest SDKs the name of the count itself does. */
const sides = tableOf<Side>([
  [["input_tokens_details", "input_token_details", "prompt_tokens_details", "prompt_token_details"], "input"],
  [["prompt_details", "input_details", "input_tokens", "prompt_tokens"], "input"],
  [
    ["output_tokens_details", "output_token_details", "completion_tokens_details", "completion_token_details"],
    "output"
  ],
  [["completion_details", "output_details", "output_tokens", "completion_tokens"], "output"]
])

/** Details under names of their own; any other is a bucket by the name that Langfuse gives it. */
const details: { readonly [S in Side]: ReadonlyMap<string, Meaning> } = {
  input: tableOf<Meaning>([
    [["total", "total_tokens"], { is: "whole", of: "input" }],
    [["no_cache", "no_cache_tokens", "text", "text_tokens"], { is: "rest", of: "input" }],
    [["cached", "cached_tokens", "cache_read", "cache_read_tokens", "cache_read_input_tokens"], inputPart(cached)],
    [
      ["cache_write", "cache_write_tokens", "cache_creation", "cache_creation_tokens", "cache_creation_input_tokens"],
      { is: "written" }
    ],
    [["ephemeral_5m_input_tokens"], { is: "written5m" }],
    [["ephemeral_1h_input_tokens"], { is: "written1h" }],
    [["audio"], inputPart("input_audio_tokens")]
  ]),
  output: tableOf<Meaning>([
    [["total", "total_tokens"], { is: "whole", of: "output" }],
    [["text", "text_tokens"], { is: "rest", of: "output" }],
    [["reasoning", "reasoning_tokens"], outputPart(reasoning)],
    [["audio"], outputPart("output_audio_tokens")],
    // Anthropic's, for whose models Langfuse has no other price than that of the output.
    [["thinking_tokens"], { is: "inside" }]
  ])
}

/** OpenAI's realtime API: how many of the cached tokens are audio, and so on. */
export const ofCached: ReadonlySet<string> = new Set(tableOf([[["cached_tokens_details"], true]]).keys())

export const isModality = (bucket: string): boolean => /_(?:audio|image|video|text)(?:_tokens)?$/.test(bucket)

/** Objects of whole usages: what some instrumentations put all under that is not the whole, and the counts of Cohere. */
const wholes: ReadonlySet<string> = new Set(["details", "tokens", ...tableOf([[["billed_units"], true]]).keys()])

export const meaningOf = (name: string): Meaning | undefined => {
  const known = meanings.get(name)
  if (known !== undefined) return known
  const dot = name.indexOf(".")
  if (dot < 0) return undefined
  const [head, detail] = [name.slice(0, dot), name.slice(dot + 1)]
  if (wholes.has(head)) return meaningOf(detail)
  const of = sides.get(head)
  if (of === undefined) return undefined
  const inner = detail.indexOf(".")
  if (inner > 0 && ofCached.has(detail.slice(0, inner))) {
    const part = meaningOf(`${head}.${detail.slice(inner + 1)}`)
    return part?.is === "part" ? { is: "cachedPart", of, bucket: part.bucket } : { is: "inside" }
  }
  return details[of].get(detail) ?? { is: "part", of, bucket: `${of}_${snakeCase(detail)}`, isApart: false }
}

/** OpenAI's own objects, and nothing beside them: Langfuse itself takes these apart. */
export const openAiShapes: ReadonlyArray<ReadonlySet<string>> = [
  new Set(["prompt_tokens", "completion_tokens", "total_tokens", "prompt_tokens_details", "completion_tokens_details"]),
  new Set(["input_tokens", "output_tokens", "total_tokens", "input_tokens_details", "output_tokens_details"])
]

const ofProvider: ReadonlySet<string> = new Set(
  tableOf([[[...inputs, ...outputs, ...totals, "billed_units"], true]]).keys()
)

/** Whether an object has a provider's or an SDK's names for its counts; any other has buckets. */
export const isProviderUsage = (names: ReadonlyArray<string>): boolean => names.some((name) => ofProvider.has(name))
