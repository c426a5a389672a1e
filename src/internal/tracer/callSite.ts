/**
 * Where in the program a combinator was called, for the span traces of `Cause.pretty`: what Effect's own `withSpan`
 * takes down, which would find this library's file instead.
 */

const canLimit = (): boolean => {
  // Hardened environments freeze it.
  const limit = Object.getOwnPropertyDescriptor(Error, "stackTraceLimit")
  return limit === undefined ? Object.isExtensible(Error) : limit.writable === true || limit.set !== undefined
}

/** `Error`, as far as it is of use here: only some engines have the limit. */
interface Limited {
  readonly prototype: Error
  stackTraceLimit?: number | undefined
}

const limited: Limited | undefined = canLimit() ? Error : undefined

/** The place that called the function that calls this one. It is read from the stack only when somebody asks. */
export const callSite = (): () => string | undefined => {
  const before = limited?.stackTraceLimit
  if (limited !== undefined) limited.stackTraceLimit = 3
  const error = new Error()
  if (limited !== undefined) limited.stackTraceLimit = before
  return () => error.stack?.split("\n")[3]?.trim()
}
