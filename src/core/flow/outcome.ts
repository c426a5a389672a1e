/** What became of an event. */

/** The same words as `LangfuseError`, which the shell makes of it. */
export type Reason =
  | "Unreachable"
  | "Timeout"
  | "Status"
  | "RateLimited"
  | "TooLarge"
  | "UnexpectedBody"
  | "Unconfirmed"
  | "Rejected"
  | "Unsendable"
  | "Closed"
  | "Defect"

export interface Problem {
  readonly reason: Reason
  /** HTTP status, of the answer or of the event's own entry in it. */
  readonly status: number | undefined
  /** One line for a person. */
  readonly description: string
}

export type Outcome = "delivered" | { readonly rejected: Problem } | { readonly failed: Problem }
