/**
 * Waiting for work that may not be interruptible, and not for longer than it is worth.
 *
 * What `Effect.disconnect` and `Effect.timeoutFail` do one around the other, with half as many fibers: each request takes
 * this way, and at a few requests a second the engine never comes to optimise what fibers do.
 */
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"

/**
 * The outcome of `self`, or `onTimeout` after `duration`. `self` runs in a fiber of its own, which is interrupted when nobody
 * waits for it any more; if that takes time, it does so in the background.
 */
export const within = <A, E, E1>(
  self: Effect.Effect<A, E>,
  options: { readonly duration: Duration.Duration; readonly onTimeout: () => E1 }
): Effect.Effect<A, E | E1> =>
  Effect.uninterruptibleMask((restore) =>
    // As a value, since a fiber that fails is logged.
    Effect.flatMap(Effect.forkDaemon(Effect.exit(restore(self))), (work) =>
      Effect.flatMap(Effect.forkDaemon(Effect.interruptible(Effect.sleep(options.duration))), (timer) =>
        restore(Effect.async<A, E | E1>((resume) => {
          work.addObserver((exit) => resume(Effect.flatten(exit)))
          timer.addObserver((exit) => {
            if (Exit.isSuccess(exit)) {
              resume(Effect.failSync(options.onTimeout))
            }
          })
        })).pipe(
          Effect.onExit(() =>
            Effect.fiberIdWith((id) =>
              Effect.sync(() => {
                work.unsafeInterruptAsFork(id)
                timer.unsafeInterruptAsFork(id)
              })
            )
          )
        )))
  )
