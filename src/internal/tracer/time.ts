/** Times of Effect's tracer, which has them in nanoseconds since 1970. */

const nanosOfMilli = 1_000_000n

/** Milliseconds, exact where there are no parts of one. */
export const toMillis = (nanos: bigint): number => Number(nanos / nanosOfMilli) + Number(nanos % nanosOfMilli) / 1e6
