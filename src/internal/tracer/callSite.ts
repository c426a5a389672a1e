/**
 * Where in the program a combinator was called, for the span traces of `Cause.pretty`: what Effect's own `withSpan`
 * takes down, which would find this library's file instead.
 */

const canLimit = (): boolean => {
  // Hardened environments freeze it.
  const limit = Object.getOwnPropertyDescriptor(Error, "stackTraceLimit")
  return limit === undefined ? Object.isExtensible(Error) : limit.writable === true || limit.set !== undefined
}

const limited: { stackTraceLimit?: number | undefined } | undefined = canLimit() ? Error : undefined

/** The place that called the function that calls this one. It is read from the stack only when somebody asks. */
export const callSite = (): () => string | undefined => {
  const before = limited?.stackTraceLimit
  if (limited !== undefined) limited.stackTraceLimit = 3
  const error = new Error()
  if (limited !== undefined) limited.stackTraceLimit = before
  return () => error.stack?.split("\n")[3]?.trim()
}
