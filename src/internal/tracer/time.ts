/** Times as Effect's tracer has them, in nanoseconds since 1970, as the text Langfuse takes. */
import { fromMillis } from "../datetime.js"

const nanosOfMilli = 1_000_000n

/** 000 to 999: thousands of nanoseconds, and nanoseconds. */
const three = Array.from({ length: 1000 }, (_, n) => String(n).padStart(3, "0"))

/** Milliseconds where that is exact, as with most clocks, else nanoseconds. Langfuse keeps milliseconds. */
export const fromNanos = (nanos: bigint): string => {
  let millis = Number(nanos / nanosOfMilli)
  let rest = Number(nanos % nanosOfMilli)
  if (rest < 0) {
    millis -= 1
    rest += 1_000_000
  }
  const text = fromMillis(millis)
  if (text === undefined) return "1970-01-01T00:00:00.000Z"
  return rest === 0 ? text : `${text.slice(0, -1)}${three[Math.floor(rest / 1000)]}${three[rest % 1000]}Z`
}
