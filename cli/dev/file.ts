/**
 * The file of `--store`: what was taken, a request a line, to be taken again at the next start.
 */
import * as FileSystem from "@effect/platform/FileSystem"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Ref from "effect/Ref"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import type { RecordedRequest } from "../../src/LangfuseServer.js"

/** One sentence for a person. */
export class StoreFileError extends Data.TaggedError("StoreFileError")<{ readonly line: string }> {}

const Taken = Schema.Struct({
  at: Schema.String,
  path: Schema.String,
  headers: Schema.Record({ key: Schema.String, value: Schema.String }),
  body: Schema.String
})

export type Taken = typeof Taken.Type

const readLine = Schema.decodeUnknownOption(Schema.parseJson(Taken))

/** The first line says whose file it is. */
const heading = `${JSON.stringify({ "effect-langfuse": "dev", format: 1 })}\n`

const keptHeaders = ["x-langfuse-ingestion-version", "x-langfuse-sdk-name", "x-langfuse-sdk-version"]

/** Nothing is kept of who sent it; the body is text in any case. */
const writeLine = (request: RecordedRequest): string | undefined => {
  const { body, headers, path, receivedAt } = request
  if (body === undefined || request.method !== "POST") return undefined
  const kept = keptHeaders.flatMap((name) => headers[name] === undefined ? [] : [[name, headers[name]] as const])
  const taken: Taken = {
    at: receivedAt,
    path,
    headers: Object.fromEntries([["content-type", "application/json"], ...kept]),
    body
  }
  return `${JSON.stringify(taken)}\n`
}

export interface StoreFile {
  /** What was taken before, the oldest first. */
  readonly taken: Stream.Stream<Taken, StoreFileError>
  readonly append: (request: RecordedRequest) => Effect.Effect<void>
}

export interface Options {
  readonly path: string
  /** A file that grows beyond this loses the older half of its lines. */
  readonly maxBytes: number
  /** Told what there is to say, in one sentence. */
  readonly say: (line: string) => Effect.Effect<void>
}

const reasonOf = (error: { readonly _tag: string; readonly reason?: string }): string => error.reason ?? error._tag

/** Fails when the file is not ours, or cannot be read and written. */
export const open = Effect.fnUntraced(function*(options: Options) {
  const { maxBytes, path, say } = options
  const fs = yield* FileSystem.FileSystem
  const cannot = (what: string) => (error: { readonly _tag: string; readonly reason?: string }) =>
    new StoreFileError({ line: `${path}: cannot be ${what} (${reasonOf(error)})` })
  const write = (text: string, flag: "a" | "w", to = path) => fs.writeFileString(to, text, { flag, mode: 0o600 })

  const exists = yield* fs.exists(path).pipe(Effect.mapError(cannot("read")))
  const size = yield* Ref.make(exists ? Number((yield* fs.stat(path).pipe(Effect.mapError(cannot("read")))).size) : 0)
  if ((yield* Ref.get(size)) === 0) {
    yield* write(heading, "w").pipe(Effect.mapError(cannot("written")))
    yield* Ref.set(size, heading.length)
  }
  const start = yield* fs.stream(path, { bytesToRead: heading.length }).pipe(
    Stream.decodeText(),
    Stream.mkString,
    Effect.mapError(cannot("read"))
  )
  if (start !== heading) {
    return yield* new StoreFileError({
      line: `${path}: is no file of effect-langfuse dev; name another one for --store`
    })
  }
  // A write that was cut off leaves half a line: what comes next must not be glued to it.
  const end = yield* fs.stream(path, { offset: Math.max(0, (yield* Ref.get(size)) - 1) }).pipe(
    Stream.decodeText(),
    Stream.mkString,
    Effect.mapError(cannot("read"))
  )
  if (!end.endsWith("\n")) {
    yield* write("\n", "a").pipe(Effect.mapError(cannot("written")))
    yield* Ref.update(size, (bytes) => bytes + 1)
  } else {
    yield* write("", "a").pipe(Effect.mapError(cannot("written")))
  }

  const lines = fs.stream(path).pipe(Stream.decodeText(), Stream.splitLines, Stream.drop(1))

  const taken = lines.pipe(
    Stream.mapError(cannot("read")),
    Stream.filter((line) => line !== ""),
    Stream.map((line) => readLine(line)),
    Stream.tap((read) => Option.isSome(read) ? Effect.void : say(`${path}: a line that cannot be read was skipped`)),
    Stream.filterMap((read) => read)
  )

  /** Keeps the newer half; the file is whole at any time. */
  const shorten = Effect.gen(function*() {
    const spare = (yield* Ref.get(size)) - maxBytes / 2
    const next = `${path}.next`
    let dropped = 0
    yield* write(heading, "w", next)
    yield* lines.pipe(
      Stream.filter((line) => {
        if (dropped >= spare) return true
        dropped += Buffer.byteLength(line) + 1
        return false
      }),
      Stream.filter((line) => line !== ""),
      Stream.runForEach((line) => write(`${line}\n`, "a", next))
    )
    yield* fs.rename(next, path)
    yield* Ref.set(size, Number((yield* fs.stat(path)).size))
    yield* say(`${path}: the older half was dropped, to stay below ${Math.round(maxBytes / 1024 / 1024)} MiB`)
  })

  const failing = yield* Ref.make(false)
  const append = (request: RecordedRequest): Effect.Effect<void> => {
    const line = writeLine(request)
    if (line === undefined) return Effect.void
    return write(line, "a").pipe(
      Effect.zipRight(Ref.updateAndGet(size, (bytes) => bytes + Buffer.byteLength(line))),
      Effect.flatMap((bytes) => bytes > maxBytes ? shorten : Effect.void),
      Effect.zipRight(Ref.set(failing, false)),
      // Said once, until it works again.
      Effect.catchAll((error) =>
        Effect.whenEffect(
          say(`${path}: cannot be written (${reasonOf(error)}); what arrives now is not kept in it`),
          Effect.map(Ref.getAndSet(failing, true), (before) => !before)
        )
      ),
      Effect.asVoid
    )
  }

  return { taken, append } satisfies StoreFile as StoreFile
})
