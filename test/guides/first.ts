/**
 * The programs of the README, docs/first-trace.md, docs/agents.md, docs/effect-ai.md, docs/sessions-users-scores.md and
 * docs/testing.md.
 */
import type { Expectations } from "./expectation.js"

export const first: Expectations = {}
