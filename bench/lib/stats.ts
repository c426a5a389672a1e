export interface Summary {
  readonly median: number
  readonly min: number
  readonly max: number
}

export const summary = (values: ReadonlyArray<number>): Summary => {
  const sorted = values.slice().sort((a, b) => a - b)
  const at = (index: number): number => sorted[index] ?? Number.NaN
  const middle = sorted.length >> 1
  return {
    median: sorted.length % 2 === 1 ? at(middle) : (at(middle - 1) + at(middle)) / 2,
    min: at(0),
    max: at(sorted.length - 1)
  }
}
