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
  const hasMetadata = Object.keys(observation.metadata).length > 0
  return (
    <>
      <dl class="facts">
        {facts.map(([name, value]) => isSet(value) && <Fact key={name} name={name}>{value}</Fact>)}
        {parameters.map(([name, value]) => (
          <Fact key={`parameter ${name}`} name={name.replaceAll("_", " ")}>{parameter(value)}</Fact>
        ))}
      </dl>
      {hasMetadata && (
        <details class="section" open={Object.keys(observation.metadata).length <= 6}>
          <summary>Metadata</summary>
          <Json value={observation.metadata} />
        </details>
      )}
    </>
  )
}
