/** The way back: an item as the plain event that a program would have enqueued. */
import type { IngestionEvent } from "../../IngestionEvent.js"
import type { Item } from "./item.js"

export const toEvent = (_item: Item): IngestionEvent => {
  throw new Error("not written yet")
}
