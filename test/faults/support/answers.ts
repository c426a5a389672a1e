/**
 * Answers as real servers, and the proxies in front of them, give them.
 *
 * The shapes are those of Langfuse's own handlers (https://api.reference.langfuse.com); the pages are what common
 * gateways send.
 */
import { LangfuseServer } from "effect-langfuse"

export interface Answer {
  readonly name: string
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
  /** What a warning about it says. */
  readonly says: RegExp
  /** Whether the request may pass in two halves. */
  readonly isDivided?: boolean | undefined
}

const json = { "content-type": "application/json; charset=utf-8" }
const plain = { "content-type": "text/plain; charset=utf-8" }
const html = { "content-type": "text/html" }

const of = (
  name: string,
  status: number,
  headers: Readonly<Record<string, string>>,
  body: unknown,
  says: RegExp
): Answer => ({
  name,
  status,
  headers,
  body: typeof body === "string" ? body : JSON.stringify(body),
  says: status < 300 ? says : new RegExp(`${status}: .*${says.source}`)
})

const page = (title: string) =>
  `<html>\r\n<head><title>${title}</title></head>\r\n<body>\r\n<center><h1>${title}</h1></center>\r\n` +
  "<hr><center>nginx</center>\r\n</body>\r\n</html>\r\n"

const keys = /LANGFUSE_PUBLIC_KEY and LANGFUSE_SECRET_KEY/
const address = /is LANGFUSE_BASE_URL right/
const notLangfuse = /the answer is not Langfuse's .*is LANGFUSE_BASE_URL right/
const trouble = /the server is in trouble; retry sends failed events again/

/** Of the batch endpoint. */
export const ingestion: ReadonlyArray<Answer> = [
  of("400, the shape", 400, json, {
    message: "Invalid request data",
    errors: ["Invalid input: expected array, received undefined"]
  }, /Invalid request data/),
  of("400 of the framework", 400, plain, "Invalid JSON", /did not understand/),
  of("401, no header", 401, json, {
    error: "UnauthorizedError",
    message: "No authorization header"
  }, keys),
  of("401, another scheme", 401, json, {
    error: "UnauthorizedError",
    message: "Invalid authorization header"
  }, keys),
  of("401, wrong keys", 401, json, {
    error: "UnauthorizedError",
    message: "Invalid credentials. Confirm that you've configured the correct host."
  }, keys),
  of("403, suspended", 403, json, {
    error: "ForbiddenError",
    message: "Ingestion suspended: Usage threshold exceeded. Please upgrade your plan."
  }, /Ingestion suspended.*usage limit/),
  of("404 of the framework", 404, { "content-type": "text/html; charset=utf-8" }, page("404"), address),
  of("405", 405, json, { error: "MethodNotAllowedError", message: "Method not allowed" }, address),
  of("408", 408, html, page("408 Request Time-out"), /gave the request up/),
  of("500, the storage", 500, json, { message: "Invalid request data", errors: ["S3 is not reachable"] }, trouble),
  of("500, the database", 500, json, { error: "Internal Server Error" }, trouble)
]

/** Of the OpenTelemetry endpoint. */
export const otlp: ReadonlyArray<Answer> = [
  {
    ...of("400, the spans", 400, json, {
      error: "Invalid OTLP trace export: 1 of 3 span(s) cannot be processed (traceId:absent). Check your exporter."
    }, /cannot be processed/),
    isDivided: true
  },
  { ...of("400 of something else", 400, plain, "Bad Request", /did not understand/), isDivided: true },
  of("400, the content type", 400, json, { error: "Invalid content type" }, /Invalid content type/),
  of("400, the compression", 400, json, { error: "Failed to decompress request body" }, /decompress/),
  of("400, the version", 400, json, {
    error: "Unsupported x-langfuse-ingestion-version: \"5\". Maximum supported: \"4\"."
  }, /Unsupported/),
  of("401", 401, json, { message: "Invalid credentials. Confirm that you've configured the correct host." }, keys),
  of("403, the scope", 403, json, {
    message: "Access denied - insufficient permissions for this endpoint",
    error: "ForbiddenError"
  }, /insufficient permissions/),
  of("403, suspended", 403, json, {
    error: "ForbiddenError",
    message: "Ingestion suspended: Usage threshold exceeded. Please upgrade your plan."
  }, /Ingestion suspended.*usage limit/),
  of("405", 405, json, { error: "MethodNotAllowedError", message: "Method not allowed" }, address),
  of("408", 408, html, page("408 Request Time-out"), /gave the request up/),
  of("500, the queue", 500, json, { message: "Internal Server Error", error: "Redis is not reachable" }, trouble),
  of("503, the database", 503, json, { message: "Service Unavailable" }, trouble)
]

/** Of whatever stands in front. */
export const gateway: ReadonlyArray<Answer> = [
  {
    ...of("413 of Langfuse", 413, plain, "Body exceeded 4.5mb limit", /lower maxEventBytes/),
    isDivided: true
  },
  {
    ...of("413 of a proxy", 413, html, page("413 Request Entity Too Large"), /lower maxEventBytes/),
    isDivided: true
  },
  {
    ...of(
      "407 of a proxy",
      407,
      { ...html, "proxy-authenticate": "Basic realm=\"proxy\"" },
      page("407"),
      /wants credentials/
    ),
    // To fetch this is no answer at all: https://fetch.spec.whatwg.org/#http-network-or-cache-fetch
    says: /407: .*wants credentials|no connection, or it broke/
  },
  of("418", 418, plain, "short and stout", /did not understand/),
  of("499", 499, plain, "", /did not understand/),
  of("502 with a page", 502, html, page("502 Bad Gateway"), trouble),
  of("503 with Retry-After", 503, { ...html, "retry-after": "120" }, page("503 Service Unavailable"), trouble),
  of("504 with a page", 504, html, page("504 Gateway Time-out"), trouble),
  of("520 without a body", 520, {}, "", trouble),
  of("599", 599, json, { message: "" }, trouble)
]

/** Answers of status 2xx that are nobody's who takes events. */
export const page2xx: ReadonlyArray<Answer> = [
  of("200 with a page", 200, html, LangfuseServer.Fault.html().body, notLangfuse),
  of("200 without a body", 200, {}, "", notLangfuse),
  of("204", 204, {}, "", notLangfuse),
  of("207 of WebDAV", 207, { "content-type": "application/xml" }, "<?xml version=\"1.0\"?><multistatus/>", notLangfuse),
  of("207 that is binary", 207, { "content-type": "application/octet-stream" }, "\u0000\u0001\ufffd", notLangfuse)
]

/** Answers of status 2xx that are JSON, but not what the batch endpoint says. */
export const foreign: ReadonlyArray<Answer> = [
  of("200 with other JSON", 200, json, { ok: true }, notLangfuse),
  of("200 with null", 200, json, "null", notLangfuse),
  of("200 with a list", 200, json, [], notLangfuse),
  of("200 with a number too large for a number", 200, json, "1e999999", notLangfuse),
  of("207 with half of the lists", 207, json, { successes: [] }, notLangfuse),
  of("207 with lists of something else", 207, json, { successes: [1, 2], errors: "none" }, notLangfuse),
  of(
    "207 with deep nesting",
    207,
    json,
    `{"successes":${"[".repeat(50_000)}${"]".repeat(50_000)},"errors":[]}`,
    notLangfuse
  ),
  of("207 that names the prototype", 207, json, "{\"__proto__\":{\"successes\":[],\"errors\":[]}}", notLangfuse)
]
