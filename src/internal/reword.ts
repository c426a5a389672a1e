/**
 * What a server says may end up in a log, and some servers say back what they were sent: the keys are taken out, and words
 * that repeat the payload are not repeated.
 */
import * as Encoding from "effect/Encoding"
import * as Redacted from "effect/Redacted"
import type { Outcome, Problem, Reason } from "../core/flow/outcome.js"
import type { TransportSettings } from "./settings.js"

/** Reasons whose description holds words, or a header, of the server. */
const quotesServer: ReadonlySet<Reason> = new Set<Reason>([
  "Status",
  "RateLimited",
  "TooLarge",
  "UnexpectedBody",
  "Rejected"
])

/** What stands there when Langfuse means this: see `IngestionResponse`. Others read it, so it stays as it is. */
const ownWords = /^(Event type not accepted|Authentication error): /

const longestDescription = 300

/** Longer than the name of a field, which a reason may well mention, and shorter than a sentence. */
const window = 32

/** What JSON in JSON is quoted with, once or twice over. */
const quotes = /[\\"]/g

/** Whether `said` has 40 characters in a row, or nearly as many, from the payload. */
const repeats = (said: string, payload: string): boolean => {
  const words = said.replace(quotes, "")
  if (words.length < window) return false
  for (let i = 0; i + window <= words.length; i += window / 4) {
    if (payload.includes(words.slice(i, i + window))) return true
  }
  return false
}

/** Makes an outcome of one request fit for a log. */
export type Reword = (outcome: Outcome) => Outcome

/** For the request with this body, which is read only where the server said something. */
export const make = (
  options: Pick<TransportSettings, "publicKey" | "secretKey">
): (body: Uint8Array) => Reword => {
  const secret = Redacted.value(options.secretKey)
  const keys = [Encoding.encodeBase64(`${options.publicKey}:${secret}`), secret, options.publicKey]
  return (body) => {
    let payload: string | undefined
    const known = new Map<Problem, Problem>()
    const shown = (problem: Problem): Problem => {
      if (!quotesServer.has(problem.reason) || ownWords.test(problem.description)) return problem
      const before = known.get(problem)
      if (before !== undefined) return before
      payload ??= new TextDecoder().decode(body).replace(quotes, "")
      const description = repeats(problem.description, payload)
        ? "refused in words that repeat what was sent"
        : keys.reduce((text, key) => text.replaceAll(key, "<redacted>"), problem.description)
          .slice(0, longestDescription)
          // One line in a log.
          .replace(/[\p{Cc}\p{Zl}\p{Zp}]+/gu, " ")
      const made = { reason: problem.reason, status: problem.status, description }
      known.set(problem, made)
      return made
    }
    return (outcome) =>
      outcome === "delivered"
        ? outcome
        : "failed" in outcome
        ? { failed: shown(outcome.failed) }
        : { rejected: shown(outcome.rejected) }
  }
}
