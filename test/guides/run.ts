/**
 * Runs a program of the guides against an embedded server of its own, and compares what that then holds.
 */
import { assert } from "@effect/vitest"
import { Context, Effect, Layer, Redacted } from "effect"
import { LangfuseServer } from "effect-langfuse"
import * as Http from "node:http"
import type { AddressInfo } from "node:net"
import { compiled } from "../../scripts/lib/compile.js"
import * as Process from "../utils/process.js"
import { layerServer } from "../utils/server.js"
import type { Expectation, Expectations, ExpectedObservation, ExpectedScore, Run } from "./expectation.js"

export const folder = "effect-langfuse-guides"

export const makeServer = (options?: LangfuseServer.Options) =>
  Effect.map(Layer.build(layerServer(options)), (context) => Context.get(context, LangfuseServer.LangfuseServer))

/** What a provider of models is to a program: an address that answers. */
const makeProvider = (answers: ReadonlyArray<unknown>) =>
  Effect.acquireRelease(
    Effect.async<Http.Server>((resume) => {
      const left = [...answers]
      const server = Http.createServer((request, response) => {
        request.resume()
        const answer = left.shift()
        response.writeHead(answer === undefined ? 500 : 200, { "content-type": "application/json" })
        response.end(JSON.stringify(answer ?? {}))
      })
      server.listen(0, "127.0.0.1", () => resume(Effect.succeed(server)))
    }),
    (server) => Effect.sync(() => void server.close())
  ).pipe(Effect.map((server) => `http://127.0.0.1:${(server.address() as AddressInfo).port}`))

const runOn = (
  server: LangfuseServer.Service,
  program: string,
  { env, provider }: Expectation,
  args: ReadonlyArray<string>
) =>
  Effect.gen(function*() {
    const ended = yield* Process.node(compiled(folder, program), args, {
      LANGFUSE_PUBLIC_KEY: server.publicKey,
      LANGFUSE_SECRET_KEY: Redacted.value(server.secretKey),
      LANGFUSE_BASE_URL: server.url,
      ...(provider === undefined
        ? undefined
        : { OPENAI_API_KEY: "sk-1", OPENAI_API_URL: yield* makeProvider(provider) }),
      ...env
    })
    assert.strictEqual(ended.code, 0, `${program} ended with\n${ended.stdout}${ended.stderr}`)
    const run: Run = {
      ...ended,
      traces: yield* server.traces,
      scores: yield* server.scores,
      requests: yield* server.requests
    }
    return run
  })

/** Runs the program that the entry is about, and what has to run before it. */
export const run = (program: string, all: Expectations) =>
  Effect.gen(function*() {
    const expected = all[program]
    if (expected === undefined) return yield* Effect.dieMessage(`there is no entry for ${program} in test/guides`)
    const server = yield* makeServer(expected.server)
    yield* server.script(...expected.faults ?? [])
    let args: ReadonlyArray<string> = []
    if (expected.after !== undefined) {
      const first = expected.after.program
      args = expected.after.args(yield* runOn(server, first, all[first] ?? expected, []))
    }
    const ended = yield* runOn(server, program, expected, args)
    compare(expected, ended)
    const losses = yield* server.losses
    assert.deepStrictEqual(losses.map(({ reason }) => reason), [])
  }).pipe(Effect.scoped)

// ---------------------------------------------------------------------------------------------------------------------
// comparing
// ---------------------------------------------------------------------------------------------------------------------

const compare = (expected: Expectation, run: Run): void => {
  const strange = troubles(run).filter((line) => !expected.warns?.some((pattern) => pattern.test(line)))
  assert.deepStrictEqual<unknown>(strange, [])
  for (const pattern of expected.warns ?? []) {
    assert.isTrue(troubles(run).some((line) => pattern.test(line)), `${pattern}`)
  }
  for (const pattern of expected.prints ?? []) assert.match(run.stdout, pattern)
  assert.deepStrictEqual<unknown>(
    run.requests.map(({ status }) => status).filter((status) => status === undefined || status >= 300),
    expected.refusals ?? []
  )
  assert.deepStrictEqual<unknown>(
    byName(run.traces).map((trace, index) => traceAs(byName(expected.traces)[index], trace)),
    byName(expected.traces).map(({ observations, scores, ...trace }) => ({
      userId: undefined,
      sessionId: undefined,
      ...trace,
      tags: [...trace.tags ?? []].sort(),
      observations: byName(observations).map(normal),
      scores: byName(scores ?? [])
    }))
  )
  const elsewhere = run.scores.filter((score) => !run.traces.some((trace) => trace.id === score.traceId))
  assert.deepStrictEqual<unknown>(
    byName(elsewhere).map((score, index) => scoreAs(byName(expected.scores ?? [])[index], score, [])),
    byName(expected.scores ?? [])
  )
  expected.check?.(run)
}

/** Lines that tell of something that went wrong: whatever goes to stderr, and what loggers call so. */
const troubles = ({ stderr, stdout }: Run): ReadonlyArray<string> => [
  ...stderr.split("\n").filter((line) => line.trim() !== ""),
  ...stdout.split("\n").filter((line) => /level=(WARN|ERROR|FATAL)|\] (WARN|ERROR|FATAL) \(/.test(line))
]

interface Named {
  readonly name: string | undefined
  readonly observations?: ReadonlyArray<{ readonly name?: string | undefined }> | undefined
}

/** Traces of one name and of the same millisecond are stored in the order in which they arrive: they are told by what is in them. */
const nameOf = ({ name = "", observations = [] }: Named): string =>
  observations.length === 1 ? `${name}\n${observations[0]?.name ?? ""}` : name

const byName = <A extends Named>(all: ReadonlyArray<A>): ReadonlyArray<A> =>
  all.map((one, index) => ({ name: nameOf(one), one, index }))
    .sort((a, b) => a.name < b.name ? -1 : a.name > b.name ? 1 : a.index - b.index)
    .map(({ one }) => one)

const normal = ({ children, ...expected }: ExpectedObservation): object => ({
  level: "DEFAULT",
  ...expected,
  children: byName(children ?? []).map(normal)
})

type Fields = { readonly [key: string]: unknown }

/** The fields of `actual` that `expected` names, and of metadata those keys. */
const fieldsAs = (expected: object | undefined, actual: object, always: ReadonlyArray<string>): Fields => {
  const has: Fields = { ...actual }
  const wanted: Fields = { ...expected }
  const keys = new Set([...always, ...Object.keys(wanted)])
  return Object.fromEntries([...keys].map((key) => {
    const [value, like] = [has[key], wanted[key]]
    return [key, key === "metadata" && isRecord(value) && isRecord(like) ? fieldsAs(like, value, []) : value]
  }))
}

const isRecord = (value: unknown): value is object =>
  typeof value === "object" && value !== null && !Array.isArray(value)

const traceAs = (expected: Expectation["traces"][number] | undefined, trace: LangfuseServer.StoredTrace): Fields => {
  const { observations: expectedObservations = [], scores: expectedScores = [], ...wanted } = { ...expected }
  const all = trace.observations
  const childrenOf = (
    expected: ReadonlyArray<ExpectedObservation>,
    chosen: (observation: LangfuseServer.StoredObservation) => boolean
  ): ReadonlyArray<object> =>
    byName(all.filter(chosen)).map((observation) => {
      const mine = byName(all.filter(chosen)).indexOf(observation)
      const { children = [], ...wanted } = { ...byName(expected)[mine] }
      return {
        ...fieldsAs(wanted, observation, ["name", "type", "level"]),
        children: childrenOf(children, ({ parentObservationId }) => parentObservationId === observation.id)
      }
    })
  return {
    ...fieldsAs(wanted, trace, ["name", "userId", "sessionId"]),
    tags: [...trace.tags].sort(),
    observations: childrenOf(
      expectedObservations,
      // A parent may be in another process.
      ({ parentObservationId }) => !all.some(({ id }) => id === parentObservationId)
    ),
    scores: byName(trace.scores).map((score, index) => scoreAs(byName(expectedScores)[index], score, all))
  }
}

const scoreAs = (
  expected: ExpectedScore | undefined,
  score: LangfuseServer.StoredScore,
  observations: ReadonlyArray<LangfuseServer.StoredObservation>
): Fields => {
  const { observation: named, ...wanted } = { ...expected }
  const target = observations.find(({ id }) => id === score.observationId)
  return {
    ...fieldsAs(wanted, score, ["name"]),
    ...(named === undefined && score.observationId === undefined ? undefined : { observation: target?.name })
  }
}
