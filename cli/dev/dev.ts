/**
 * The running `dev`: the store, what is kept of it in a file, and the pages, on the `HttpServer` at hand.
 */
import * as HttpServer from "@effect/platform/HttpServer"
import * as HttpServerRequest from "@effect/platform/HttpServerRequest"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import * as Stream from "effect/Stream"
import * as LangfuseServer from "../../src/LangfuseServer.js"
import * as App from "./app.js"
import type { Assets } from "./assets.js"
import * as File from "./file.js"
import * as Store from "./store.js"

export interface Options {
  readonly assets: Assets
  readonly file: string | undefined
  readonly maxBytes: number
  /** Told what there is to say, in one sentence. */
  readonly say: (line: string) => Effect.Effect<void>
}

export interface Running {
  readonly url: string
  /** Any keys do: these are to have something to set. */
  readonly publicKey: string
  readonly secretKey: string
  readonly store: Store.Store
  readonly file: string | undefined
  /** Requests that came from the file. */
  readonly restored: number | undefined
}

/** A clock that stands at the time when something arrived. */
const standing = (real: Clock.Clock, at: string): Clock.Clock => {
  const millis = Date.parse(at)
  const nanos = BigInt(millis) * 1_000_000n
  return {
    [Clock.ClockTypeId]: Clock.ClockTypeId,
    unsafeCurrentTimeMillis: () => millis,
    unsafeCurrentTimeNanos: () => nanos,
    currentTimeMillis: Effect.succeed(millis),
    currentTimeNanos: Effect.succeed(nanos),
    sleep: (duration) => real.sleep(duration)
  }
}

/** Takes again what was taken before; returns how many requests that were. */
const restore = Effect.fnUntraced(function*(file: File.StoreFile, store: Store.Store) {
  const clock = yield* Effect.clock
  return yield* file.taken.pipe(
    Stream.mapEffect((taken) => {
      const request = HttpServerRequest.fromWeb(
        new Request(new URL(taken.path, store.url), { method: "POST", headers: taken.headers, body: taken.body })
      )
      return store.restore.pipe(
        Effect.provideService(HttpServerRequest.HttpServerRequest, request),
        Effect.scoped,
        Effect.withClock(Number.isNaN(Date.parse(taken.at)) ? clock : standing(clock, taken.at)),
        Effect.orDie
      )
    }),
    Stream.runCount
  )
})

export const make = Effect.fnUntraced(function*(options: Options) {
  const { address, serve } = yield* HttpServer.HttpServer
  const file = options.file === undefined ? undefined : yield* File.open({
    path: options.file,
    maxBytes: options.maxBytes,
    say: options.say
  })
  const store = yield* Store.make({
    maxBytes: options.maxBytes,
    // One trace that never ends leaves room for others.
    maxTraceBytes: options.maxBytes / 2,
    file: options.file,
    onTaken: (request) => file === undefined ? Effect.void : file.append(request)
  })
  const restored = file === undefined ? undefined : yield* restore(file, store)
  const port = address._tag === "TcpAddress" ? address.port : 0
  const epoch = (yield* Clock.currentTimeMillis).toString(36)
  // Nobody traces the program that traces are sent to.
  yield* Effect.withTracerEnabled(serve(App.make({ store, assets: options.assets, port, epoch })), false)
  return {
    url: store.url,
    publicKey: LangfuseServer.defaults.publicKey,
    secretKey: Redacted.value(LangfuseServer.defaults.secretKey),
    store,
    file: options.file,
    restored
  } satisfies Running as Running
})
