/**
 * Answers of the server as plain values, before a fault or the wire sees them.
 */
import { isRecord, parse } from "./json.js"
import type { Verdict } from "./service.js"

export interface Answer {
  readonly status: number
  readonly headers: { readonly [name: string]: string }
  readonly body: string
  /** What became of each thing in the request, where that is not the same for all. */
  readonly verdicts?: ReadonlyArray<Verdict>
}

/** Langfuse lets every origin in, and lets none of them read more than the usual headers. */
const cors = { "access-control-allow-origin": "*" }

export const json = (status: number, body: unknown): Answer => ({
  status,
  headers: { "content-type": "application/json; charset=utf-8", ...cors },
  body: JSON.stringify(body)
})

/** What the framework says on its own, before Langfuse has seen the request. */
export const text = (status: number, body: string): Answer => ({
  status,
  headers: {},
  body
})

/** Why an answer refuses the whole request, on one line. */
export const reasonOf = ({ body, status }: Answer): string | undefined => {
  if (status < 400) return undefined
  const parsed = parse(body)
  const said = isRecord(parsed) ? [parsed["error"], parsed["message"]].find((text) => typeof text === "string") : body
  return typeof said === "string" ? said.replace(/\s+/g, " ") : `status ${status}`
}

/** Whatever could not be processed. */
export const failed = (error: unknown): Answer =>
  json(500, { message: "Internal Server Error", error: error instanceof Error ? error.message : "An unknown error" })

export const notFound: Answer = {
  status: 404,
  headers: { "content-type": "text/html; charset=utf-8" },
  body: "<!DOCTYPE html><html><head><title>404: This page could not be found</title></head>" +
    "<body><h1>404</h1><h2>This page could not be found.</h2></body></html>"
}

export const preflight = (requested: string | undefined): Answer => ({
  status: 204,
  headers: {
    ...cors,
    "access-control-allow-methods": "GET,HEAD,PUT,PATCH,POST,DELETE",
    ...(requested === undefined ? {} : { "access-control-allow-headers": requested }),
    vary: "Access-Control-Request-Headers"
  },
  body: ""
})

const megabyte = 1024 * 1024

export const tooLarge = (limit: number): Answer =>
  text(413, `Body exceeded ${limit >= megabyte ? `${Number((limit / megabyte).toFixed(2))}mb` : `${limit}b`} limit`)
