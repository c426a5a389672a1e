/**
 * Keeps the keys out of what is shown, although a server may say back what it was sent.
 */
import * as Encoding from "effect/Encoding"

/** Takes the keys out of words that are not our own. */
export type Redact = (text: string) => string

const longest = 1000

export const make = (publicKey = "", secretKey = ""): Redact => {
  const secrets = [Encoding.encodeBase64(`${publicKey}:${secretKey}`), secretKey, publicKey]
  return (text) =>
    secrets
      .reduce((rest, secret) => secret === "" ? rest : rest.replaceAll(secret, "<redacted>"), text)
      // After the keys are out: half of one would not be found.
      .slice(0, longest)
      // One line in a terminal, and nothing that steers it.
      .replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]+/gu, " ")
}
