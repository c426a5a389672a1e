import type { ObservationType } from "../wire.js"

const paths: { readonly [type in ObservationType]: string } = {
  AGENT: "M8 2.5v2M4 4.5h8v7H4zM6.3 7.5v1M9.7 7.5v1M2 7.5v2M14 7.5v2M6 14h4",
  GENERATION: "M8 1.5 9.6 6.4 14.5 8 9.6 9.6 8 14.5 6.4 9.6 1.5 8 6.4 6.4z",
  TOOL: "M2.5 4 6 8l-3.5 4M8 12h5.5",
  SPAN: "M2 4.5h9M5 8h9M3 11.5h7",
  EVENT: "M8 5a3 3 0 1 0 0 6 3 3 0 0 0 0-6zM8 1.5V3M8 13v1.5M1.5 8H3M13 8h1.5",
  CHAIN: "M6.5 9.5 9.5 6.5M7 4.5 8.5 3a3.2 3.2 0 0 1 4.5 4.5L11.5 9M9 11.5 7.5 13A3.2 3.2 0 0 1 3 8.5L4.5 7",
  RETRIEVER: "M7 2.5a4.5 4.5 0 1 0 0 9 4.5 4.5 0 0 0 0-9zM10.3 10.3 14 14",
  EVALUATOR: "M2.5 8.5 6 12l7.5-8",
  EMBEDDING: "M3 3h2v2H3zM7 7h2v2H7zM11 11h2v2h-2zM11 3h2v2h-2zM3 11h2v2H3z",
  GUARDRAIL: "M8 1.5 13 3.5v4c0 3.4-2 5.800-5 7-3-1.200-5-3.600-5-7v-4z"
}

/** The sign of a type; its colour comes with the class. */
export const Icon = ({ type }: { readonly type: ObservationType }) => (
  <svg
    class={`icon type-${type}`}
    viewBox="0 0 16 16"
    width="14"
    height="14"
    role="img"
    aria-label={type.toLowerCase()}
  >
    <path d={paths[type]} />
  </svg>
)
