/**
 * What the load and the server, which are processes of their own, say to each other.
 */

/** How the server misbehaves; `well` is not at all. */
export const faults = [
  "well",
  "late",
  "hangs",
  "500",
  "502 page",
  "401",
  "429",
  "413 for many",
  "refuses some",
  "omits some",
  "resets before",
  "resets after",
  "breaks off",
  "page",
  "empty",
  "truncated",
  "closed"
] as const

export type Fault = (typeof faults)[number]

export interface Order {
  readonly seed: number
  /** Milliseconds that it takes for each request. */
  readonly delay: number
  /** What it says when it is asked for its health. */
  readonly version: string
}

export interface Account {
  /** Numbers of the events it holds, as text: see `Bits`. */
  readonly stored: string
  readonly requests: number
  /** Requests that met each fault, and how often it was closed. */
  readonly faults: Readonly<Record<string, number>>
}

export type ToServer = { readonly _tag: "start"; readonly order: Order } | { readonly _tag: "stop" }

export type FromServer =
  | { readonly _tag: "listening"; readonly url: string }
  | { readonly _tag: "account"; readonly account: Account }

/** The number of an event, from the id of its observation. */
export const numberOf = (id: unknown): number | undefined =>
  typeof id === "string" && /^50a4[0-9a-f]{12}$/.test(id) ? Number.parseInt(id.slice(4), 16) : undefined

export const idOf = (number: number): string => `50a4${number.toString(16).padStart(12, "0")}`
