/**
 * From any id to one of OpenTelemetry: 32 hex digits for a trace, 16 for a span.
 *
 * An id that is one already stays as it is. Any other becomes the beginning of its SHA-256, which is what the official
 * SDKs make of a seed, so that the same text is the same id in every process. Traces, observations, parents and scores all
 * go through here: Langfuse joins them by comparing texts.
 *
 * @see https://langfuse.com/docs/observability/features/trace-ids-and-distributed-tracing
 */
import * as Effect from "effect/Effect"
import { isSpanId, isTraceId } from "../w3c.js"

/** An id as it was given, and as it is sent. */
export interface Id {
  readonly given: string
  readonly sent: string
}

/** The SHA-256 of a text in hex, `undefined` where the runtime has none to offer. */
export type Digests = (text: string) => string | undefined

/** The same object for the same id over and over, which is how the events of a trace come. */
const lastOf = (isId: (id: string) => boolean): (given: string) => Id | undefined => {
  let last: Id = { given: "", sent: "" }
  return (given) => {
    if (given !== "" && given === last.given) return last
    return isId(given) ? last = { given, sent: given } : undefined
  }
}

/** The id as it is, if it can stay so. */
export const asTraceId: (given: string) => Id | undefined = lastOf(isTraceId)

export const asParentId: (given: string) => Id | undefined = lastOf(isSpanId)

export const asSpanId = (given: string): Id | undefined => isSpanId(given) ? { given, sent: given } : undefined

export const traceIdOf = (given: string, digests: Digests): Id | undefined =>
  asTraceId(given) ?? cut(given, digests(given), 32)

export const spanIdOf = (given: string, digests: Digests): Id | undefined =>
  asSpanId(given) ?? cut(given, digests(given), 16)

/** The text whose digest is the id of the span that stands for the trace itself. */
export const rootSeed = (traceId: string): string => `root of ${traceId}`

/** The id of that span; a part of the trace's where there are no digests. */
export const rootIdOf = (traceId: string, digests: Digests): string =>
  notZero((digests(rootSeed(traceId)) ?? traceId.slice(16)).slice(0, 16))

const cut = (given: string, digest: string | undefined, length: number): Id | undefined =>
  digest === undefined ? undefined : { given, sent: notZero(digest.slice(0, length)) }

/** Zeros are how OpenTelemetry spells "no id". */
const notZero = (id: string): string => /[^0]/.test(id) ? id : `${id.slice(1)}1`

/** Digests that are remembered. An agent names the same trace and parent over and over. */
const remembered = 10_000

/** Works out the digests of texts, all at once. WebCrypto is asynchronous, so it is asked before any of them is needed. */
export type Hasher = (texts: Iterable<string>) => Effect.Effect<Digests>

export const makeHasher = (): Hasher => {
  const cache = new Map<string, string>()
  return (texts) =>
    Effect.suspend(() => {
      const found = new Map<string, string>()
      const missing = new Set<string>()
      for (const text of texts) {
        const digest = cache.get(text)
        if (digest === undefined) missing.add(text)
        else found.set(text, digest)
      }
      const digests: Digests = (text) => found.get(text)
      // A page that was not served over https has no WebCrypto.
      if (missing.size === 0 || globalThis.crypto?.subtle === undefined) return Effect.succeed(digests)
      return Effect.promise(() => Promise.all([...missing].map(sha256))).pipe(
        Effect.map((entries) => {
          for (const [text, digest] of entries) {
            found.set(text, digest)
            cache.set(text, digest)
          }
          for (const oldest of cache.keys()) {
            if (cache.size <= remembered) break
            cache.delete(oldest)
          }
          return digests
        })
      )
    })
}

const encoder = new TextEncoder()

const sha256 = async (text: string): Promise<readonly [text: string, digest: string]> => {
  const bytes = new Uint8Array(await crypto.subtle.digest("SHA-256", encoder.encode(text)))
  let digest = ""
  for (const byte of bytes) digest += byte.toString(16).padStart(2, "0")
  return [text, digest]
}
