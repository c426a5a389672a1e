/** Programs that run against an embedded Langfuse of each generation, and what it stored of them. */
import type { HttpClient } from "@effect/platform"
import { it } from "@effect/vitest"
import { Effect, Layer } from "effect"
import type { LangfuseConfig } from "effect-langfuse"
import { LangfuseIngest, LangfuseServer, LangfuseTracer } from "effect-langfuse"
import { collectLogs } from "./ingest.js"
import { layerServer } from "./server.js"

type World = LangfuseServer.LangfuseServer | HttpClient.HttpClient

/** The same program on v3, over the batch endpoint, and on v4, over OpenTelemetry. */
export const onBoth = <A, E>(title: string, run: Effect.Effect<A, E, World>): void => {
  for (const version of ["3.225.4", "4.16.0"]) {
    it.live(`${title} (v${version.charAt(0)})`, () => Effect.provide(run, layerServer({ version })))
  }
}

/** What a process has: an ingest service and a tracer of its own. All has been sent when it is closed. */
export const layerProcess = (
  options: LangfuseTracer.Options = {},
  ingest: Partial<LangfuseConfig.Options> = {},
  tracer: (options: LangfuseTracer.Options) => Layer.Layer<never, never, LangfuseIngest.LangfuseIngest> =
    LangfuseTracer.layer
) =>
  Layer.unwrapEffect(
    Effect.map(LangfuseServer.LangfuseServer, ({ publicKey, secretKey, url }) =>
      tracer(options).pipe(
        Layer.provideMerge(LangfuseIngest.layer({ baseUrl: url, publicKey, secretKey, ...ingest }))
      ))
  )

/** Runs a program as a process of its own. */
export const inProcess = <A, E, R>(
  program: Effect.Effect<A, E, R>,
  ...options: Parameters<typeof layerProcess>
) => Effect.scoped(Effect.provide(program, layerProcess(...options)))

/** The same, with the warnings that it logged. */
export const withWarnings = <A, E, R>(program: Effect.Effect<A, E, R>) =>
  Effect.suspend(() => {
    const logs = collectLogs()
    return Effect.map(Effect.provide(program, logs.layer), (result) => [result, logs.warnings()] as const)
  })

export const stored = Effect.flatMap(LangfuseServer.LangfuseServer, (server) => server.traces)

/** The observations of all traces, by name; those that stand for a trace are not there. */
export const observations = Effect.map(
  stored,
  (traces) =>
    traces.flatMap(({ observations }) =>
      observations.filter(({ name, parentObservationId }) => parentObservationId !== undefined || name !== "trace")
    )
)

/** `{ child: parent }` by names; `"?"` for a parent that is not there. */
export const tree = Effect.map(observations, (all) => {
  const names = new Map(all.map(({ id, name }) => [id, name]))
  return Object.fromEntries(all.map(({ name, parentObservationId }) => [
    name,
    parentObservationId === undefined ? undefined : names.get(parentObservationId) ?? "?"
  ]))
})

export const observation = (name: string) =>
  Effect.flatMap(observations, (all) => {
    const [found, ...others] = all.filter((one) => one.name === name)
    return found !== undefined && others.length === 0
      ? Effect.succeed(found)
      : Effect.dieMessage(`${others.length + (found === undefined ? 0 : 1)} observations are called ${name}`)
  })
