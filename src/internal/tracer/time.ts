/** Times as Effect's tracer has them, in nanoseconds since 1970, as the text Langfuse takes. */
import { fromMillis } from "../datetime.js"

const nanosOfMilli = 1_000_000n

/** Milliseconds where that is exact, as with most clocks, else nanoseconds. Langfuse keeps milliseconds. */
export const fromNanos = (nanos: bigint): string => {
  let millis = nanos / nanosOfMilli
  let rest = nanos % nanosOfMilli
  if (rest < 0n) {
    millis -= 1n
    rest += nanosOfMilli
  }
  const text = fromMillis(Number(millis))
  if (text === undefined) return "1970-01-01T00:00:00.000Z"
  return rest === 0n ? text : `${text.slice(0, -1)}${String(rest).padStart(6, "0")}Z`
}
