/**
 * Traces that were asked for a moment ago: a page asks for several things of one trace.
 */
import type * as Option from "effect/Option"
import type { StoredTrace } from "../../src/LangfuseServer.js"

/** As many as pages are likely to be open. */
const kept = 4

export class Recent {
  readonly #traces = new Map<string, Option.Option<StoredTrace>>()

  find(id: string): Option.Option<StoredTrace> | undefined {
    return this.#traces.get(id)
  }

  keep(id: string, trace: Option.Option<StoredTrace>): void {
    this.#traces.delete(id)
    this.#traces.set(id, trace)
    const [oldest] = this.#traces.keys()
    if (this.#traces.size > kept && oldest !== undefined) this.#traces.delete(oldest)
  }

  forget(id: string): void {
    this.#traces.delete(id)
  }

  clear(): void {
    this.#traces.clear()
  }
}
