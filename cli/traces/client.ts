/**
 * Asks a running `dev` for traces, over Langfuse's public API.
 */
import * as HttpClient from "@effect/platform/HttpClient"
import * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"

/** One sentence for a person. */
export class ClientError extends Data.TaggedError("ClientError")<{ readonly line: string }> {}

const Text = Schema.NullOr(Schema.String)

const Observation = Schema.Struct({
  id: Schema.String,
  parentObservationId: Text,
  type: Schema.String,
  name: Text,
  startTime: Schema.String,
  endTime: Text,
  level: Schema.String,
  statusMessage: Text,
  model: Text,
  usageDetails: Schema.Record({ key: Schema.String, value: Schema.Unknown }),
  totalCost: Schema.NullOr(Schema.Number),
  input: Schema.Unknown,
  output: Schema.Unknown
}, { key: Schema.String, value: Schema.Unknown })

const core = {
  id: Schema.String,
  name: Text,
  timestamp: Schema.String,
  userId: Text,
  sessionId: Text,
  latency: Schema.NullOr(Schema.Number),
  totalCost: Schema.NullOr(Schema.Number)
}

const Traces = Schema.Struct({
  data: Schema.Array(
    Schema.Struct({ ...core, observations: Schema.Array(Schema.String) }, { key: Schema.String, value: Schema.Unknown })
  ),
  meta: Schema.Struct({ totalItems: Schema.Number }, { key: Schema.String, value: Schema.Unknown })
})

const Score = Schema.Struct(
  { name: Schema.String, value: Schema.Unknown, observationId: Text, comment: Schema.optional(Text) },
  { key: Schema.String, value: Schema.Unknown }
)

const Trace = Schema.Struct(
  { ...core, observations: Schema.Array(Observation), scores: Schema.Array(Score) },
  { key: Schema.String, value: Schema.Unknown }
)

export type Traces = typeof Traces.Type
export type Trace = typeof Trace.Type
export type Observation = typeof Observation.Type

const Problem = Schema.Struct({ error: Schema.String })

const ask = <A, I>(
  url: string,
  path: string,
  query: { readonly [name: string]: string },
  schema: Schema.Schema<A, I>
) =>
  Effect.gen(function*() {
    const base = yield* Effect.try({
      try: () => new URL(path, url).toString(),
      catch: () => new ClientError({ line: "--url takes an address such as http://127.0.0.1:3210" })
    })
    const response = yield* HttpClient.execute(
      HttpClientRequest.get(base).pipe(HttpClientRequest.appendUrlParams(query))
    ).pipe(
      Effect.timeout("30 seconds"),
      Effect.mapError(() =>
        new ClientError({ line: `No dev answers at ${url}. Start it with: npx effect-langfuse dev` })
      )
    )
    const body: unknown = yield* response.json.pipe(Effect.orElseSucceed(() => undefined))
    if (response.status !== 200) {
      const said = Option.map(Schema.decodeUnknownOption(Problem)(body), ({ error }) => error)
      return yield* new ClientError({
        line: Option.getOrElse(said, () => `${url} answered ${response.status}: it may not be a dev`)
      })
    }
    return yield* Schema.decodeUnknown(schema)(body).pipe(
      Effect.mapError(() => new ClientError({ line: `What answers at ${url} is not a dev` }))
    )
  }).pipe(Effect.scoped)

export interface Filter {
  readonly limit: number
  readonly session: Option.Option<string>
  readonly user: Option.Option<string>
  readonly name: Option.Option<string>
}

export const list = (url: string, filter: Filter) => {
  const given = (name: string, value: Option.Option<string>) => Option.isSome(value) ? { [name]: value.value } : {}
  return ask(url, "/api/public/traces", {
    limit: String(filter.limit),
    ...given("sessionId", filter.session),
    ...given("userId", filter.user),
    ...given("name", filter.name)
  }, Traces)
}

export const show = (url: string, id: string) => ask(url, `/api/public/traces/${encodeURIComponent(id)}`, {}, Trace)
