/**
 * The event stream of a page: what changed, a few times a second, and a sign of life when nothing does.
 *
 * A page that is slow is told less often, never more late: each message is made when the one before it has left.
 */
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import type { Store } from "./store.js"

const shortest = "150 millis"
/** In shortest pauses: how long without a word. */
const silence = 100

/** Numbers of changes hold for one run of the process, which this names. */
export type Epoch = string

const eventId = (epoch: Epoch, revision: number): string => `${epoch}.${revision}`

/** What a page that was connected before knows already. */
export const knownOf = (epoch: Epoch, lastEventId: string | undefined): number => {
  const [run, revision] = (lastEventId ?? "").split(".")
  return run === epoch ? Number(revision) || 0 : 0
}

const waitForChange = (store: Store, version: number): Effect.Effect<boolean> =>
  Effect.gen(function*() {
    for (let pauses = 0; pauses < silence; pauses++) {
      if (store.version() !== version) return true
      yield* Effect.sleep(shortest)
    }
    return false
  })

export const events = (store: Store, epoch: Epoch, known: number): Stream.Stream<Uint8Array> => {
  const encoder = new TextEncoder()
  return Stream.unfoldEffect({ revision: known, version: -1 }, (seen) =>
    Effect.gen(function*() {
      if (seen.version !== -1) yield* Effect.sleep(shortest)
      const changed = yield* waitForChange(store, seen.version)
      if (!changed) return [": still here\n\n", seen] as const
      const version = store.version()
      const update = yield* store.updateSince(seen.revision)
      return [
        `id: ${eventId(epoch, update.revision)}\ndata: ${JSON.stringify(update)}\n\n`,
        { revision: update.revision, version }
      ] as const
    }).pipe(Effect.asSome)).pipe(Stream.map((text) => encoder.encode(text)))
}
