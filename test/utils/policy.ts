/** A policy as the layer would make it, for tests of the core. */
import type { Policy } from "../../src/core/item/policy.js"
import { readable, redactedNames } from "../../src/internal/readable.js"

export const policy = (given: Partial<Policy> = {}): Policy => ({
  content: "full",
  maxEventBytes: 1_000_000,
  mask: undefined,
  onMaskFailure: () => {},
  environment: undefined,
  release: undefined,
  redactedNames,
  readable,
  ...given
})
