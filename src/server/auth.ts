/**
 * Who may write what, decided by the `Authorization` header.
 */
import type * as Headers from "@effect/platform/Headers"

/** `project` may write everything, `scores` (a browser that knows only the public key) scores and logs. */
export type Access = "project" | "scores"

export type Decision =
  | { readonly ok: true; readonly access: Access }
  | { readonly ok: false; readonly message: string }

const refused = (message: string): Decision => ({ ok: false, message })

const wrong = (what: string): Decision => refused(`${what}. Confirm that you've configured the correct host.`)

const decoded = (base64: string): string | undefined => {
  try {
    return atob(base64)
  } catch {
    return undefined
  }
}

/**
 * The secret alone decides: a wrong public key beside the right secret is let in, and so is anything after a further
 * space or colon.
 */
export const authorize = (
  headers: Headers.Headers,
  keys: { readonly publicKey: string; readonly secretKey: string }
): Decision => {
  const header = headers["authorization"]
  if (header === undefined || header === "") return refused("No authorization header")
  if (header.startsWith("Basic ")) {
    const [, credentials = ""] = header.split(" ")
    const pair = decoded(credentials)
    if (pair === undefined) return wrong("Invalid character")
    const [user = "", secret = ""] = pair.split(":")
    if (user === "" || secret === "") return wrong("Invalid authorization header")
    return secret === keys.secretKey ? { ok: true, access: "project" } : wrong("Invalid credentials")
  }
  if (header.startsWith("Bearer ")) {
    return header.slice("Bearer ".length) === keys.publicKey
      ? { ok: true, access: "scores" }
      : wrong("Invalid public key")
  }
  return refused("Invalid authorization header")
}
