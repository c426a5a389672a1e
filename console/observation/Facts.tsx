import type { ComponentChildren } from "preact"
import type { Observation } from "../wire.js"
import { Json } from "./Json.js"

const Fact = ({ children, name }: { readonly name: string; readonly children: ComponentChildren }) => (
  <div>
    <dt>{name}</dt>
    <dd>{children}</dd>
  </div>
)

const isSet = (value: string | number | null): value is string | number => value !== null && value !== ""

/** Tokens a second after the first one. */
const speed = ({ latency, timeToFirstToken, usageDetails }: Observation): string | null => {
  const output = usageDetails["output"]
  const time = (latency ?? 0) - (timeToFirstToken ?? 0)
  return output !== undefined && output > 0 && time > 0 ? `${Math.round(output / time)} tokens/s` : null
}

const parameter = (value: unknown): string => typeof value === "object" ? JSON.stringify(value) : String(value)

type Metadata = Observation["metadata"]

/** What the program said, and what its instrumentation said of itself. */
const splitMetadata = (metadata: Metadata): readonly [Metadata, Metadata] => {
  const entries = Object.entries(metadata)
  const isInstrumentation = ([key]: readonly [string, unknown]) => /^(resourceAttributes|scope)(\.|$)/.test(key)
  return [
    Object.fromEntries(entries.filter((entry) => !isInstrumentation(entry))),
    Object.fromEntries(entries.filter(isInstrumentation))
  ]
}

/** What is known of an observation beside its contents. */
export const Facts = ({ observation }: { readonly observation: Observation }) => {
  const facts: ReadonlyArray<readonly [string, string | number | null]> = [
    ["Start", new Date(observation.startTime).toLocaleString("en-GB")],
    ["Speed", speed(observation)],
    [
      "Prompt",
      observation.promptName === null ? null : `${observation.promptName} v${observation.promptVersion ?? "?"}`
    ],
    ["Environment", observation.environment === "default" ? null : observation.environment],
    ["Version", observation.version],
    ["Release", observation.release],
    ["Id", observation.id],
    ["Parent", observation.parentObservationId]
  ]
  const parameters = Object.entries(observation.modelParameters ?? {})
  const [metadata, instrumentation] = splitMetadata(observation.metadata)
  return (
    <>
      <dl class="facts">
        {facts.map(([name, value]) => isSet(value) && <Fact key={name} name={name}>{value}</Fact>)}
        {parameters.map(([name, value]) => (
          <Fact key={`parameter ${name}`} name={name.replaceAll("_", " ")}>{parameter(value)}</Fact>
        ))}
      </dl>
      {Object.keys(metadata).length > 0 && (
        <details class="section" open={Object.keys(metadata).length <= 12}>
          <summary>Metadata</summary>
          <Json value={metadata} />
        </details>
      )}
      {Object.keys(instrumentation).length > 0 && (
        <details class="section">
          <summary>Instrumentation and resource</summary>
          <Json value={instrumentation} />
        </details>
      )}
    </>
  )
}
