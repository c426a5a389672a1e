import type { HttpClientRequest } from "@effect/platform"
import { HttpClient, HttpClientResponse } from "@effect/platform"
import { Deferred, Effect, FiberId, Layer } from "effect"

/** One request as the fake client saw it. */
export interface Seen {
  readonly method: string
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
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

const idsOf = (text: string): ReadonlyArray<string> => {
  try {
    const body: { readonly batch?: ReadonlyArray<{ readonly id: string }> } = JSON.parse(text)
    return (body.batch ?? []).map((event) => event.id)
  } catch {
    return []
  }
}

const textOf = (request: HttpClientRequest.HttpClientRequest): string =>
  request.body._tag === "Uint8Array" ? new TextDecoder().decode(request.body.body) : ""

/** A client that records what it is asked and answers as told. */
export const make = (respond: Responder = accept) => {
  const requests: Array<Seen> = []
  let interrupted = 0
  const client = HttpClient.make((request, url) =>
    Effect.suspend(() => {
      const text = textOf(request)
      const seen: Seen = {
        method: request.method,
        url: url.toString(),
        headers: request.headers,
        text,
        ids: idsOf(text)
      }
      const index = requests.push(seen) - 1
      const answer = respond(seen, index)
      return (Effect.isEffect(answer) ? answer : Effect.succeed(answer)).pipe(
        Effect.map((response) => HttpClientResponse.fromWeb(request, response)),
        Effect.onInterrupt(() => Effect.sync(() => void interrupted++))
      )
    })
  )
  return {
    client,
    layer: Layer.succeed(HttpClient.HttpClient, client),
    requests,
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
