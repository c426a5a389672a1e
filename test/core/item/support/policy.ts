import type { Policy } from "../../../../src/core/item/policy.js"

/** Everything leaves as it is. */
export const open: Policy = {
  content: "full",
  maxEventBytes: 1_000_000,
  mask: undefined,
  onMaskFailure: () => {},
  environment: undefined,
  release: undefined,
  redactedNames: () => new Set(["authorization"]),
  readable: () => undefined
}
