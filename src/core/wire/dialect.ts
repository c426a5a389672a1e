/** What a Langfuse server knows, by its version. */

export interface Dialect {
  /**
   * Of observation types, more than span, generation and event: from 3.98.2 on. Before that, the batch endpoint refuses an
   * event of another type, and the OpenTelemetry endpoint makes a span or a generation of it.
   */
  readonly knowsAllTypes: boolean
  /** From 3.31 on. Before that, an event's environment is dropped. */
  readonly knowsEnvironments: boolean
  /** `usageDetails` and `costDetails`: from 3.2 on. Before that there is only `usage`. */
  readonly knowsDetails: boolean
}

export const current: Dialect = { knowsAllTypes: true, knowsEnvironments: true, knowsDetails: true }

const old: Dialect = { ...current, knowsAllTypes: false }
const older: Dialect = { ...old, knowsEnvironments: false }
const oldest: Dialect = { ...older, knowsDetails: false }

// Asked for each event, and nearly always of the same server.
let lastVersion: string | undefined
let lastDialect = current

/** `version` as the health check gives it. A server that does not tell, or not in numbers, is taken for a current one. */
export const dialectOf = (version: string | undefined): Dialect => {
  if (version === lastVersion) return lastDialect
  lastVersion = version
  return lastDialect = isBefore(version, 3, 2, 0)
    ? oldest
    : isBefore(version, 3, 31, 0)
    ? older
    : isBefore(version, 3, 98, 2)
    ? old
    : current
}

const isBefore = (version: string | undefined, major: number, minor: number, patch: number): boolean => {
  const match = /^v?(\d+)(?:\.(\d+))?(?:\.(\d+))?(?![.\d])/.exec(version?.trim() ?? "")
  if (match === null) return false
  const given = [Number(match[1]), Number(match[2] ?? 0), Number(match[3] ?? 0)]
  for (const [index, wanted] of [major, minor, patch].entries()) {
    const part = given[index] ?? 0
    if (part !== wanted) return part < wanted
  }
  return false
}
