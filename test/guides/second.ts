/**
 * The programs of docs/privacy.md, docs/short-lived.md, docs/opentelemetry.md, docs/fleets.md and docs/migrating.md.
 */
import type { Expectations } from "./expectation.js"

export const second: Expectations = {}
