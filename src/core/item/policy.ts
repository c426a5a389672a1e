/** What is done to values before they leave. */
import type { Readable } from "./builtin.js"
import type { Mask } from "./mask.js"

export interface Policy {
  /** `"metadata"`: inputs and outputs, the trace's too, are not even serialised. */
  readonly content: "full" | "metadata"
  /** Bytes of one event on the batch endpoint's wire, after masking. */
  readonly maxEventBytes: number
  readonly mask: Mask | undefined
  /** Called for each value whose mask failed. Must not throw. */
  readonly onMaskFailure: () => void
  readonly environment: string | undefined
  readonly release: string | undefined
  /** Names, in lower case, whose texts are redacted wherever they are met. Asked once for each value. */
  readonly redactedNames: () => ReadonlySet<string>
  /**
   * What a value that core does not know is written as (Effect's own types, the platform's requests): another value, which
   * is looked at in its turn. `undefined` where the shell does not know it either.
   */
  readonly readable: (value: object) => Readable | undefined
}
