/**
 * Who may ask what: only this machine, and no page but ours may read.
 */
import * as HttpServerResponse from "@effect/platform/HttpServerResponse"

interface Asking {
  readonly method: string
  readonly headers: { readonly [name: string]: string | undefined }
}

/** A name that resolves to this machine by an attacker's DNS is in the Host header; ours are these. */
export const isOurHost = (headers: Asking["headers"], port: number): boolean => {
  const host = headers["host"]?.toLowerCase()
  return host !== undefined && ["127.0.0.1", "localhost", "[::1]"].some((name) => host === `${name}:${port}`)
}

/** Whether a browser says that another page is asking. What is no browser says nothing. */
export const isForeign = (headers: Asking["headers"], port: number): boolean => {
  const site = headers["sec-fetch-site"]
  if (site !== undefined && site !== "same-origin" && site !== "none") return true
  const origin = headers["origin"]
  return origin !== undefined &&
    !["127.0.0.1", "localhost", "[::1]"].some((name) => origin === `http://${name}:${port}`)
}

/** No script but the bundle runs, nothing is fetched from elsewhere, and no page frames ours. */
export const pageHeaders = {
  "content-security-policy": [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self' data:",
    "connect-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
    "require-trusted-types-for 'script'",
    "trusted-types dompurify"
  ].join("; "),
  "cross-origin-opener-policy": "same-origin",
  "referrer-policy": "no-referrer",
  "x-frame-options": "DENY"
}

const everywhere = {
  "cross-origin-resource-policy": "same-origin",
  "x-content-type-options": "nosniff",
  "cache-control": "no-store"
}

export const guarded = (response: HttpServerResponse.HttpServerResponse): HttpServerResponse.HttpServerResponse =>
  HttpServerResponse.setHeaders(response, everywhere)

export const problem = (status: number, message: string): HttpServerResponse.HttpServerResponse =>
  guarded(HttpServerResponse.unsafeJson({ error: message }, { status }))
