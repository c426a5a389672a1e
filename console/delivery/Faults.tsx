import { useState } from "preact/hooks"
import { live } from "../lib/source.js"
import type { FaultName } from "../wire.js"
import { faults } from "../wire.js"

const labels: { readonly [fault in FaultName]: readonly [string, string] } = {
  none: ["Works", "Requests are answered as a Langfuse does"],
  "rate limit": ["429", "Every request is answered with 429 and Retry-After: 1; nothing is stored"],
  error: ["500", "Every request is answered with 500; nothing is stored"],
  hang: ["Hangs", "No request is answered"],
  slow: ["Slow", "Everything is stored and answered 3 seconds later"],
  cut: ["Cuts", "Every connection is cut; nothing is stored"]
}

/** Makes the server misbehave until it is switched back. */
export const Faults = ({ current }: { readonly current: FaultName }) => {
  const [problem, setProblem] = useState<string>()
  const choose = (fault: FaultName) =>
    live.misbehave(fault).then(() => setProblem(undefined), (error: unknown) => setProblem(String(error)))
  return (
    <fieldset class={current === "none" ? "faults" : "faults active"}>
      <legend>Server</legend>
      {faults.map((fault) => (
        <button
          key={fault}
          type="button"
          aria-pressed={fault === current}
          title={labels[fault][1]}
          onClick={() => choose(fault)}
        >
          {labels[fault][0]}
        </button>
      ))}
      {problem !== undefined && <span class="problem">{problem}</span>}
    </fieldset>
  )
}
