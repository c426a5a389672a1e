/**
 * Requests and responses of the platform and of Node: what Effect itself would log of them, with keys redacted. Bodies are
 * not read.
 */
import type { Readable } from "../core/item/builtin.js"
import { read } from "../core/item/object.js"
import { redacted } from "../core/item/redact.js"

const symbol = (name: string): symbol => Symbol.for(`@effect/platform/${name}`)

const clientRequest = symbol("HttpClientRequest")
const serverRequest = symbol("HttpServerRequest")
const clientResponse = symbol("HttpClientResponse")
const serverResponse = symbol("HttpServerResponse")
const body = symbol("HttpBody")
const cookies = symbol("Cookies")
const cookie = symbol("Cookies/Cookie")

export const http = (value: object): Readable | undefined => {
  if (clientRequest in value) {
    const { hash, headers, method, url } = fields(value, "method", "url", "hash", "headers")
    const urlParams = pairs(read(value, "urlParams"))
    return {
      value: { method, url, urlParams, hash: isNone(hash) ? undefined : hash, headers, body: read(value, "body") }
    }
  }
  if (serverRequest in value) {
    const { headers, method, originalUrl: url, remoteAddress } = fields(
      value,
      "method",
      "originalUrl",
      "headers",
      "remoteAddress"
    )
    return { value: { method, url, headers, remoteAddress } }
  }
  if (clientResponse in value) return { value: fields(value, "status", "headers", "request") }
  if (serverResponse in value) return { value: fields(value, "status", "statusText", "headers", "cookies", "body") }
  if (body in value) return { value: bodyNote(value) }
  if (cookies in value) {
    const all = read(value, "cookies")
    return {
      value: typeof all === "object" && all !== null
        ? Object.fromEntries(Object.keys(all).map((name) => [name, redacted]))
        : {}
    }
  }
  if (cookie in value) return { value: { name: read(value, "name"), value: redacted, options: read(value, "options") } }
  return node(value)
}

/** Node keeps the header fields of a request, as they are sent, in a text among its properties. */
const node = (value: object): Readable | undefined => {
  if ("_header" in value && typeof read(value, "getHeaders") === "function") {
    const getHeaders = read(value, "getHeaders") as () => unknown // by the check above
    return {
      value: {
        ...fields(value, "method", "protocol", "host", "path", "statusCode"),
        headers: getHeaders.call(value)
      }
    }
  }
  if ("rawHeaders" in value && "httpVersion" in value) {
    return { value: fields(value, "method", "url", "statusCode", "statusMessage", "headers") }
  }
  return undefined
}

const isNone = (value: unknown): boolean =>
  typeof value === "object" && value !== null && read(value, "_tag") === "None"

const fields = (value: object, ...names: ReadonlyArray<string>): Record<string, unknown> =>
  Object.fromEntries(names.map((name) => [name, read(value, name)]))

const pairs = (value: unknown): unknown => Array.isArray(value) && value.length > 0 ? value : undefined

const bodyNote = (value: object): unknown => {
  const { _tag, contentLength, contentType } = fields(value, "_tag", "contentType", "contentLength")
  if (_tag === "Empty") return undefined
  const size = typeof contentLength === "number" ? `${contentLength} bytes` : undefined
  return `<${["body", contentType, size].filter((part) => typeof part === "string").join(" ")}>`
}
