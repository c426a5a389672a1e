/**
 * Who may write what, decided by the `Authorization` header.
 */
import type * as Headers from "@effect/platform/Headers"
import * as Either from "effect/Either"
import * as Encoding from "effect/Encoding"

/** `project` may write everything, `scores` (a browser that knows only the public key) scores and logs. */
export type Access = "project" | "scores"

export type Verdict =
  | { readonly ok: true; readonly access: Access }
  | { readonly ok: false; readonly message: string }

const refused = (message: string): Verdict => ({ ok: false, message })

const wrong = "Invalid credentials. Confirm that you've configured the correct host."

/** The secret alone decides: a wrong public key beside the right secret is let in. */
export const authorize = (
  headers: Headers.Headers,
  keys: { readonly publicKey: string; readonly secretKey: string }
): Verdict => {
  const header = headers["authorization"]
  if (header === undefined || header === "") return refused("No authorization header")
  if (header.startsWith("Basic ")) {
    const pair = Either.getOrElse(Encoding.decodeBase64String(header.slice("Basic ".length)), () => "")
    const colon = pair.indexOf(":")
    const [user, secret] = [pair.slice(0, Math.max(colon, 0)), pair.slice(colon + 1)]
    if (colon < 0 || user === "" || secret === "") return refused("Invalid authorization header")
    return secret === keys.secretKey ? { ok: true, access: "project" } : refused(wrong)
  }
  if (header.startsWith("Bearer ")) {
    return header.slice("Bearer ".length) === keys.publicKey ? { ok: true, access: "scores" } : refused(wrong)
  }
  return refused("Invalid authorization header")
}
