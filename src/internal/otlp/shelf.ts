/**
 * Texts that are kept for a while and hardly ever read again, as bytes that lie outside of the engine's heap.
 *
 * A text that is kept for more than an instant is copied twice and marked again and again by the garbage collector, and of
 * thousands a second that costs more than to write them down once. A piece of the shelf is given back when nothing that
 * lies on it is kept any longer.
 */

import type { Texts } from "./facts.js"

/** Where the texts of an event lie. */
export interface Slot {
  readonly piece: Uint8Array
  readonly start: number
  readonly end: number
  /** Characters of each text, in the order in which they lie; -1 for one that is not there. */
  readonly head: number
  readonly metadata: number
  readonly input: number
  readonly output: number
  readonly trace: number
}

export interface Shelf {
  /** A lone surrogate becomes U+FFFD, as it does on the wire. */
  readonly put: (texts: Texts) => Slot
}

const pieceBytes = 64 * 1024

/** What is larger lies by itself, so that the rest of a piece is never much. */
const largest = pieceBytes / 16

const encoder = new TextEncoder()
const decoder = new TextDecoder("utf-8", { ignoreBOM: true })

export const make = (): Shelf => {
  let piece: Uint8Array | undefined
  let used = 0

  /** Where a text has been written to. */
  const write = (text: string): Pick<Slot, "piece" | "start" | "end"> => {
    if (text.length > largest) {
      const own = encoder.encode(text)
      return { piece: own, start: 0, end: own.length }
    }
    if (piece !== undefined) {
      const start = used
      const { read, written } = encoder.encodeInto(text, piece.subarray(start))
      if (read === text.length) {
        used = start + written
        return { piece, start, end: used }
      }
    }
    piece = new Uint8Array(pieceBytes)
    used = encoder.encodeInto(text, piece).written
    return { piece, start: 0, end: used }
  }

  return {
    put: ({ head, input, metadata, output, trace }) => {
      const { end, piece, start } = write(`${head}${metadata ?? ""}${input ?? ""}${output ?? ""}${trace ?? ""}`)
      return {
        piece,
        start,
        end,
        head: head.length,
        metadata: lengthOf(metadata),
        input: lengthOf(input),
        output: lengthOf(output),
        trace: lengthOf(trace)
      }
    }
  }
}

const lengthOf = (text: string | undefined): number => text === undefined ? -1 : text.length

export const take = (slot: Slot): Texts => {
  const all = decoder.decode(slot.piece.subarray(slot.start, slot.end))
  let from = 0
  const next = (length: number): string => all.slice(from, from += length)
  const nextOf = (length: number): string | undefined => length < 0 ? undefined : next(length)
  return {
    head: next(slot.head),
    metadata: nextOf(slot.metadata),
    input: nextOf(slot.input),
    output: nextOf(slot.output),
    trace: nextOf(slot.trace)
  }
}
