import type { HttpClientRequest } from "@effect/platform"
import { HttpClient, HttpClientResponse } from "@effect/platform"
import { Deferred, Effect, FiberId, Layer } from "effect"

/** One request as the fake client saw it. */
export interface Seen {
  readonly method: string
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: Uint8Array
  readonly text: string
  /** Envelope ids of a batch. */
  readonly ids: ReadonlyArray<string>
}

export type Responder = (seen: Seen, index: number) => Effect.Effect<Response, never> | Response

/** Accepts every event of a batch, as Langfuse v3 does. */
export const accept: Responder = (seen) => accepted(seen.ids)

export const accepted = (ids: ReadonlyArray<string>): Response =>
  json(207, { successes: ids.map((id) => ({ id, status: 201 })), errors: [] })

export const json = (status: number, body: unknown, headers: Record<string, string> = {}): Response =>
  new Response(JSON.stringify(body), { status, headers: { "content-type": "application/json", ...headers } })

/** What the health check of a server of that version says. */
export const healthy = (version: string): Responder => () => json(200, { status: "OK", version })

const idsOf = (text: string): ReadonlyArray<string> => {
  try {
    const body: { readonly batch?: ReadonlyArray<{ readonly id: string }> } = JSON.parse(text)
    return (body.batch ?? []).map((event) => event.id)
  } catch {
    return []
  }
}

const bodyOf = (request: HttpClientRequest.HttpClientRequest): Uint8Array =>
  // A copy: the buffer of a request is used again.
  request.body._tag === "Uint8Array" ? request.body.body.slice() : new Uint8Array()

/** A client that records what it is asked and answers as told. Health checks are answered apart, and not among `requests`. */
export const make = (respond: Responder = accept, respondToHealth: Responder = healthy("3.225.4")) => {
  const requests: Array<Seen> = []
  const healthChecks: Array<Seen> = []
  let interrupted = 0
  const client = HttpClient.make((request, url) =>
    Effect.suspend(() => {
      const body = bodyOf(request)
      const text = new TextDecoder().decode(body)
      const seen: Seen = {
        method: request.method,
        url: url.toString(),
        headers: request.headers,
        body,
        text,
        ids: idsOf(text)
      }
      const isHealth = url.pathname.endsWith("/api/public/health")
      const index = (isHealth ? healthChecks : requests).push(seen) - 1
      const answer = (isHealth ? respondToHealth : respond)(seen, index)
      return (Effect.isEffect(answer) ? answer : Effect.succeed(answer)).pipe(
        Effect.map((response) => HttpClientResponse.fromWeb(request, response)),
        Effect.onInterrupt(() => Effect.sync(() => void (isHealth ? 0 : interrupted++)))
      )
    })
  )
  return {
    client,
    layer: Layer.succeed(HttpClient.HttpClient, client),
    requests,
    healthChecks,
    /** Envelope ids of each batch, in order of arrival. */
    batches: () => requests.map((seen) => seen.ids),
    interrupted: () => interrupted
  }
}

/** A responder whose answers wait until they are let go, one `Deferred` a request. */
export const gated = (respond: Responder = accept) => {
  const gates: Array<Deferred.Deferred<void>> = []
  const gate = (index: number) => (gates[index] ??= Deferred.unsafeMake(FiberId.none))
  const responder: Responder = (seen, index) =>
    Effect.flatMap(Deferred.await(gate(index)), () => {
      const answer = respond(seen, index)
      return Effect.isEffect(answer) ? answer : Effect.succeed(answer)
    })
  return { responder, release: (index: number) => Deferred.succeed(gate(index), undefined) }
}
