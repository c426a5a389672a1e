/** Which observation an event is about, and which of its fields the server reads. */
import { eventTypeOfCreate, type ObservationType, observationTypes } from "./item.js"

export interface Kind {
  readonly type: ObservationType
  readonly op: "create" | "update"
  /** Fields that the server would drop without a word. */
  readonly unread: ReadonlySet<string>
  /** Has its type as a field. */
  readonly isLegacy: boolean
}

const ofPrompts = ["promptName", "promptVersion"]
const ofCalls = ["completionStartTime", "model", "modelParameters", "usage", "usageDetails", "costDetails"]

const none: ReadonlySet<string> = new Set()
const prompts: ReadonlySet<string> = new Set(ofPrompts)
const calls: ReadonlySet<string> = new Set([...ofPrompts, ...ofCalls])
const callsAndEnd: ReadonlySet<string> = new Set([...calls, "endTime"])

const unreadBy = (type: ObservationType): ReadonlySet<string> =>
  type === "event" ? callsAndEnd : type === "span" ? calls : none

const kindFor = (type: ObservationType, op: "create" | "update"): Kind => ({
  type,
  op,
  unread: unreadBy(type),
  isLegacy: false
})

/** Sent as the real type. Legacy events have no prompt. */
const legacyKindFor = (type: ObservationType, op: "create" | "update"): Kind => ({
  type,
  op,
  unread: type === "generation" ? prompts : unreadBy(type),
  isLegacy: true
})

const kinds: ReadonlyMap<string, Kind> = new Map([
  ...observationTypes.map((type) => [eventTypeOfCreate(type), kindFor(type, "create")] as const),
  ["span-update", kindFor("span", "update")],
  ["generation-update", kindFor("generation", "update")]
])

const legacyKinds: ReadonlyMap<unknown, Kind> = new Map(
  (["create", "update"] as const).flatMap((op) =>
    (["generation", "span", "event"] as const).map((type) =>
      [`observation-${op} ${type.toUpperCase()}`, legacyKindFor(type, op)] as const
    )
  )
)

/** Of an event of this type, with that type in its body; `undefined` for what is no observation. */
export const kindOf = (type: string, bodyType: () => unknown): Kind | undefined => {
  const kind = kinds.get(type)
  if (kind !== undefined || (type !== "observation-create" && type !== "observation-update")) return kind
  const named = bodyType()
  return typeof named === "string" ? legacyKinds.get(`${type} ${named}`) : undefined
}
