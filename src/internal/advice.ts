/**
 * What a person can do about an error: the second half of a warning.
 */
import type { LangfuseError } from "../LangfuseError.js"

const wrongAddress = "is LANGFUSE_BASE_URL right?"

export const adviceOn = (error: LangfuseError): string => {
  switch (error.reason) {
    case "Unreachable":
      return `is the server up, and ${wrongAddress}`
    case "Timeout":
      return "the server is slow or hangs; requestTimeout (LANGFUSE_TIMEOUT) bounds each request"
    case "RateLimited":
      return "fewer, larger batches (maxBatch, interval) need fewer requests; retry sends refused events again"
    case "TooLarge":
      return "a proxy in front takes less than Langfuse does; lower maxEventBytes"
    case "UnexpectedBody":
      return wrongAddress
    case "Unconfirmed":
      return "the server answered without a verdict on them"
    case "Rejected":
      return "the server refused these events one by one"
    case "Unsendable":
      return "they were not sent; the constructors of IngestionEvent check events when they are made"
    case "Closed":
      return "raise shutdownTimeout, or flush before the program ends"
    case "Defect":
      return "this is a bug in the HTTP client or transport that was provided"
    case "Status":
      return adviceOnStatus(error.status ?? 0)
  }
}

const adviceOnStatus = (status: number): string => {
  switch (status) {
    case 401:
      return "check LANGFUSE_PUBLIC_KEY and LANGFUSE_SECRET_KEY, and that LANGFUSE_BASE_URL is the region they belong to"
    case 403:
      return "the project may not write, for example because its usage limit is reached"
    case 404:
    case 405:
      return wrongAddress
    case 407:
      return "a proxy on the way wants credentials of its own"
    case 408:
      return "the server gave the request up; retry sends failed events again"
    default:
      return status >= 500
        ? "the server is in trouble; retry sends failed events again"
        // A browser shows no status of a redirect.
        : status === 0 || (status >= 300 && status < 400)
        ? `redirects are not followed; ${wrongAddress}`
        : "the server did not understand the request"
  }
}
