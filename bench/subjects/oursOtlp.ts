/** This library over Langfuse's OpenTelemetry endpoint. */
import { main } from "../lib/child.js"
import { events } from "../lib/ours.js"

await main(events("otlp"))
