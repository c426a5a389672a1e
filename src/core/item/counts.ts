/** The counts of one call of a model, and how buckets that do not overlap are made of them. */
import { cacheCreation, cacheCreation1h, isModality, type Meaning, type Side } from "./usageNames.js"

export type Numbers = Map<string, number>

export const sumOf = (numbers: Iterable<number>): number => {
  let sum = 0
  for (const number of numbers) sum += number
  return sum
}

const maxNames = 10
const maxName = 60

/** What was left out. */
export class Left {
  count = 0
  private readonly names: Array<string> = []

  add(name: string): void {
    this.count++
    if (this.names.length < maxNames) this.names.push(name.length > maxName ? `${name.slice(0, maxName)}…` : name)
  }

  /** Names only: what stands in the place of a count may be anything. */
  note(rule: string): string | undefined {
    if (this.count === 0) return undefined
    const more = this.count > this.names.length ? ` and ${this.count - this.names.length} more` : ""
    return `left out: ${this.names.join(", ")}${more} (${rule})`
  }
}

export class Counts {
  readonly input = new Whole()
  readonly output = new Whole()
  total: number | undefined = undefined
  toolPrompt = 0
  private written: number | undefined = undefined
  private written5m = 0
  private written1h = 0

  set(meaning: Meaning, count: number): void {
    switch (meaning.is) {
      case "total":
        this.total ??= count
        return
      case "written":
        this.written ??= count
        return
      case "written5m":
      case "written1h":
        this[meaning.is] = count
        this.written ??= 0
        return
      case "toolPrompt":
        this.toolPrompt = count
        return
      case "inside":
        return
      case "cachedPart":
        this[meaning.of].cached.set(meaning.bucket, count)
        return
      case "whole":
        this[meaning.of].count ??= count
        return
      case "rest":
        this[meaning.of].rest ??= count
        return
      case "part": {
        const whole = this[meaning.of]
        if (!whole.parts.has(meaning.bucket)) whole.parts.set(meaning.bucket, count)
        if (meaning.isApart) whole.isApart = true
      }
    }
  }

  /** Tokens that stay in the cache for an hour have a price of their own. */
  private settleWritten(): void {
    if (this.written === undefined) return
    const short = Math.max(this.written - this.written1h, this.written5m)
    if (short > 0 || this.written1h === 0) this.input.parts.set(cacheCreation, short)
    if (this.written1h > 0) this.input.parts.set(cacheCreation1h, this.written1h)
  }

  /** `isOpenAi`: exactly OpenAI's own object, which Langfuse itself takes apart. */
  disjoint(isOpenAi: boolean, left: Left): Numbers {
    this.settleWritten()
    const { input, output, total } = this
    input.settleCached()
    const sum = (input.count ?? 0) + (output.count ?? 0)
    if ((total ?? 0) <= sum + this.toolPrompt) {
      input.leaveOut(left)
      output.leaveOut(left)
    }
    const isSum = total === sum
    const overlaps = (whole: Whole) => isSum && !whole.isApart && whole.isTold() && (isOpenAi || whole.fitsEach())
    const isOverlapping = overlaps(input) && overlaps(output)
    if (!isOverlapping) this.placeParts()
    const buckets: Numbers = new Map()
    input.addTo(buckets, "input")
    output.addTo(buckets, "output")
    if (this.toolPrompt > 0 && (total ?? Number.MAX_SAFE_INTEGER) >= sumOf(buckets.values()) + this.toolPrompt) {
      buckets.set("input", (buckets.get("input") ?? 0) + this.toolPrompt)
    }
    // A total below the sum of what it is the total of counts something else.
    if (total !== undefined && (isOverlapping || total >= sumOf(buckets.values()))) buckets.set("total", total)
    return buckets
  }

  /** Decides which parts are beside their whole. */
  private placeParts(): void {
    const { input, output, total } = this
    const mayFit = [!input.isApart && input.fits(), !output.isApart && output.fits()] as const
    // A total that leaves out cached tokens is no evidence: some just add up the two counts that Anthropic gives.
    const ways: ReadonlyArray<readonly [boolean, boolean]> = [
      mayFit,
      [mayFit[0], output.fits()],
      [mayFit[0], false],
      [false, mayFit[1]],
      [false, false]
    ]
    const totalOf = ([isInInput, isInOutput]: readonly [boolean, boolean]): number =>
      (input.count ?? 0) + (output.count ?? 0) + this.toolPrompt + (isInInput ? 0 : input.sum()) +
      (isInOutput ? 0 : output.sum())
    const way = total === undefined ? mayFit : ways.find((way) => totalOf(way) === total) ?? mayFit
    input.isApart = !way[0]
    output.isApart = !way[1]
  }
}

/** The tokens of one side, and what is known of their parts. */
class Whole {
  count: number | undefined = undefined
  /** What is in no part. */
  rest: number | undefined = undefined
  readonly parts: Numbers = new Map()
  /** How many tokens of a part are cached, and so counted there too. */
  readonly cached: Numbers = new Map()
  isApart = false

  sum(): number {
    return sumOf(this.parts.values())
  }

  /** Where only parts were told, a total that leaves them out says nothing about them. */
  isTold(): boolean {
    return this.count !== undefined || (this.rest === undefined && this.parts.size === 0)
  }

  fits(): boolean {
    return this.sum() <= (this.count ?? 0)
  }

  fitsEach(): boolean {
    for (const part of this.parts.values()) if (part > (this.count ?? 0)) return false
    return true
  }

  settleCached(): void {
    for (const [bucket, cached] of this.cached) {
      const part = this.parts.get(bucket)
      if (part !== undefined) this.parts.set(bucket, Math.max(0, part - cached))
    }
  }

  /**
   * Parts that are too many for their whole, although none is too large, are parts of each other: nobody says how much of
   * the audio was cached. So the audio, and the like, is in the whole without a bucket of its own.
   */
  leaveOut(left: Left): void {
    if (this.isApart || !this.fitsEach()) return
    const modalities = Array.from(this.parts).filter(([bucket, count]) => count > 0 && isModality(bucket))
    for (const [bucket] of modalities.sort(([, one], [, other]) => one - other)) {
      if (this.fits()) return
      this.parts.delete(bucket)
      left.add(bucket)
    }
  }

  addTo(buckets: Numbers, name: Side): void {
    const { count, isApart, parts, rest } = this
    if (count !== undefined) buckets.set(name, isApart ? count : Math.max(0, count - this.sum()))
    else if (rest !== undefined) buckets.set(name, rest)
    for (const [part, number] of parts) buckets.set(part, number)
  }
}
