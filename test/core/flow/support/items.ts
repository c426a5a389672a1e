/** Items as they come from the program, and the ledger that holds them. */
import type { Entry } from "../../../../src/core/flow/ledger.js"
import { Ledger } from "../../../../src/core/flow/ledger.js"
import { bytesOfItem } from "../../../../src/core/item/complete.js"
import { Content, type Item, Observation, Trace, TraceFields } from "../../../../src/core/item/item.js"

export const text = (value: string): Content => new Content(value, false)

export const json = (value: unknown): Content => new Content(JSON.stringify(value), true)

const measured = <A extends Item>(item: A): A => {
  item.bytes = bytesOfItem(item)
  return item
}

let events = 0

interface Options {
  readonly op?: "create" | "update"
  readonly type?: Observation["type"]
  readonly at?: number
  readonly isWhole?: boolean
}

export const observation = (id: string, fields: Partial<Observation> = {}, options: Options = {}): Observation => {
  const { at = 0, isWhole = false, op = "create", type = "span" } = options
  return measured(Object.assign(new Observation(`event ${events++}`, at, id, op, type, isWhole), fields))
}

export const update = (id: string, fields: Partial<Observation> = {}, at = 1): Observation =>
  observation(id, fields, { op: "update", at })

export const trace = (id: string, fields: Partial<TraceFields> = {}, at = 0): Trace => {
  const item = new Trace(`event ${events++}`, at, id)
  Object.assign(item.fields, fields)
  return measured(item)
}

export const fieldsOf = (fields: Partial<TraceFields>): TraceFields => Object.assign(new TraceFields(), fields)

/** Entries of one ledger. */
export const holder = () => {
  const ledger = new Ledger()
  return {
    ledger,
    hold: (...items: ReadonlyArray<Item>): ReadonlyArray<Entry> => items.map((item) => ledger.hold(item))
  }
}
