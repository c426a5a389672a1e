/** How the values of Effect and of the platform are written. */

const names: ReadonlySet<string> = new Set([
  "authorization",
  "cookie",
  "set-cookie",
  "x-api-key",
  "proxy-authorization"
])

export const redactedNames = (): ReadonlySet<string> => names

export const readable = (_value: object): { readonly value: unknown } | undefined => undefined
