/**
 * What is to be had once, so that whoever still points at the place does not keep what was in it.
 *
 * Much of what an engine moves to old memory is not long-lived: something old, and long dead, points at it, and stays until
 * the next full garbage collection. Where each event would take that way, a collector spends more on events than we do.
 */
import * as Effect from "effect/Effect"

export class Slot<A> {
  item: A | undefined

  constructor(item: A) {
    this.item = item
  }
}

/** Once for each slot. */
export const takeFrom = <A>(slot: Slot<A>): A => {
  const item = slot.item as A // as said
  slot.item = undefined
  return item
}

/**
 * An effect that is run once and then no longer holds what it was made with.
 *
 * For what is given to `ensuring`, `restore`, `provideService` or `withPermits`, as far as events can be reached from it.
 * Effect writes down what those are given in a function that it assigns to a property. V8 lays such functions into old
 * memory at once, as long as it has not come to optimise that code, which it does not at a few requests a second.
 * `run` must not be a closure over the event either, nor be made where there is one.
 *
 * @see https://github.com/v8/v8/blob/main/src/parsing/parser.h (`CheckAssigningFunctionLiteralToProperty`)
 */
export const once = <A, B, E, R>(given: A, run: (given: A) => Effect.Effect<B, E, R>): Effect.Effect<B, E, R> => {
  const slot = new Slot(given)
  return Effect.suspend(() => run(takeFrom(slot)))
}
