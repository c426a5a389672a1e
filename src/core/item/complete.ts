/** The last step of an item: masked, cut to size and measured. */
import { bytesOfContent, bytesOfMetadata } from "./content.js"
import { cutItem } from "./cut.js"
import type { Clearable, Item, TraceFields } from "./item.js"
import { maskItem } from "./mask.js"
import type { Policy } from "./policy.js"
import { bytesOf } from "./text.js"

export const complete = <A extends Item>(item: A, policy: Policy): A => {
  maskItem(item, policy)
  item.bytes = bytesOfItem(item)
  // A character takes at most six bytes of JSON: nearly no event has to be measured exactly.
  if (6 * item.bytes > policy.maxEventBytes && cutItem(item, policy.maxEventBytes)) item.bytes = bytesOfItem(item)
  return item
}

/** The memory that an item takes. */
export const bytesOfItem = (item: Item): number => {
  switch (item.kind) {
    case "observation":
      return 800 + bytesOfIds(item) + bytesOfText(item.traceId) + bytesOfText(item.parentId) + bytesOfText(item.level) +
        bytesOfContent(item.input) + bytesOfContent(item.output) + bytesOfMetadata(item.metadata) +
        (item.context === undefined ? 0 : bytesOfFields(item.context)) + bytesOfText(item.statusMessage) +
        bytesOfText(item.name) + bytesOfText(item.model) + bytesOfText(item.version) + bytesOfText(item.promptName) +
        bytesOfText(item.parameters) + bytesOfText(item.usage) + bytesOfText(item.cost) + bytesOf(item.extra)
    case "trace":
      return 350 + bytesOfIds(item) + bytesOfFields(item.fields) + bytesOf(item.extra)
    case "plain":
      return 150 + bytesOfIds(item) + bytesOf(item.body)
  }
}

const bytesOfIds = (item: Item): number => bytesOf(item.eventId) + bytesOf(item.id)

const bytesOfFields = (fields: TraceFields): number => {
  let bytes = 200 + bytesOfContent(fields.input) + bytesOfContent(fields.output) + bytesOfMetadata(fields.metadata) +
    bytesOfText(fields.name) + bytesOfText(fields.userId) + bytesOfText(fields.sessionId) +
    bytesOfText(fields.release) +
    bytesOfText(fields.version)
  if (fields.tags !== undefined) { for (const tag of fields.tags) bytes += 16 + bytesOf(tag) }
  return bytes
}

const bytesOfText = (text: Clearable<string>): number => typeof text === "string" ? bytesOf(text) : 0
