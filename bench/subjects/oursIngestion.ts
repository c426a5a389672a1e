/** This library over the batch endpoint. */
import { main } from "../lib/child.js"
import { events } from "../lib/ours.js"

await main(events("ingestion"))
