/**
 * The examples, each in a process of its own with keys in its environment: none of them is in a request, but for Langfuse's own
 * in the header it belongs to, or in what the program prints.
 */
import { assert, beforeAll, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { copyFile } from "node:fs/promises"
import { createServer } from "node:http"
import type { AddressInfo } from "node:net"
import { compile, compiled, outdir, root } from "../../scripts/lib/compile.js"
import { node } from "../utils/process.js"

const folder = "effect-langfuse-secrets"

const examples = ["agent-session", "agent", "effect-ai", "http-server", "tee"]

const environment = {
  OPENAI_API_KEY: "sk-pl4nted-openai",
  ANTHROPIC_API_KEY: "sk-pl4nted-anthropic",
  DATABASE_URL: "postgres://app:pl4nted-password@db/app",
  AWS_SECRET_ACCESS_KEY: "pl4nted-aws",
  SESSION_COOKIE: "pl4nted-cookie",
  LANGFUSE_SECRET_KEY: "sk-lf-pl4nted"
}

interface Request {
  readonly authorization: string
  readonly rest: string
}

/** A server that takes everything and remembers it. Its version decides which protocol it is spoken to in. */
const record = (version: string) =>
  Effect.acquireRelease(
    Effect.promise(() => {
      const requests: Array<Request> = []
      const server = createServer((request, response) => {
        const chunks: Array<Buffer> = []
        request.on("data", (chunk: Buffer) => chunks.push(chunk))
        request.on("end", () => {
          const body = Buffer.concat(chunks).toString("utf8")
          const { authorization = "", ...headers } = request.headers
          requests.push({ authorization, rest: `${request.url} ${JSON.stringify(headers)} ${body}` })
          const isBatch = request.url?.endsWith("/ingestion") === true
          response.writeHead(isBatch ? 207 : 200, { "content-type": "application/json" })
          response.end(JSON.stringify(isBatch ? answer(body) : { status: "OK", version }))
        })
      })
      return new Promise<
        { readonly url: string; readonly requests: ReadonlyArray<Request>; readonly close: () => void }
      >(
        (resolve) =>
          server.listen(0, "127.0.0.1", () => {
            const { port } = server.address() as AddressInfo // of a TCP server
            resolve({ url: `http://127.0.0.1:${port}`, requests, close: () => server.close() })
          })
      )
    }),
    ({ close }) => Effect.sync(close)
  )

const answer = (body: string): unknown => {
  const { batch } = JSON.parse(body) as { readonly batch: ReadonlyArray<{ readonly id: string }> }
  return { successes: batch.map(({ id }) => ({ id, status: 201 })), errors: [] }
}

beforeAll(async () => {
  const entries = Object.fromEntries(examples.map((name) => [name, `examples/${name}.ts`]))
  await compile({ entries, folder, packages: "bundled" })
  // Read from beside the program.
  await copyFile(`${root}examples/session.json`, `${outdir(folder)}/session.json`)
}, 60_000)

describe("keys in the environment of examples", () => {
  for (const [version, path] of [["3.10.0", "/api/public/ingestion"], ["4.16.0", "/otel/v1/traces"]] as const) {
    for (const name of examples) {
      it.scopedLive(`${name}, with a server ${version}`, () =>
        Effect.gen(function*() {
          const { requests, url } = yield* record(version)
          const { code, stderr, stdout } = yield* node(compiled(folder, name), [], {
            ...environment,
            LANGFUSE_PUBLIC_KEY: "pk-lf-public",
            LANGFUSE_BASE_URL: url
          })
          assert.strictEqual(code, 0, stderr)
          assert.isTrue(requests.some(({ rest }) => rest.includes(path)))
          const basic = `Basic ${Buffer.from(`pk-lf-public:${environment.LANGFUSE_SECRET_KEY}`).toString("base64")}`
          for (const { authorization, rest } of requests) {
            assert.include(["", basic], authorization)
            assert.notInclude(rest, "pl4nted")
            assert.notInclude(rest, basic)
          }
          assert.notInclude(stdout + stderr, "pl4nted")
          assert.notInclude(stdout + stderr, basic)
        }), 60_000)
    }
  }
})
