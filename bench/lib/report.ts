/**
 * From samples to the result: a median with its range for each measure of each subject, and how they compare.
 */
import { arch, cpus, loadavg, totalmem } from "node:os"
import type { Sample } from "./plan.js"
import type { Summary } from "./stats.js"
import { summary } from "./stats.js"

export interface Value extends Summary {
  readonly unit: string
}

export interface Result {
  readonly machine: Readonly<Record<string, string | number>>
  readonly subjects: { readonly [subject: string]: { readonly [measure: string]: Value } }
}

/** One figure from one run. */
export interface Figure {
  readonly subject: string
  readonly measure: string
  readonly unit: string
  readonly value: number
}

export const machine = () => ({
  cpu: cpus()[0]?.model.trim() ?? "unknown",
  cores: cpus().length,
  architecture: arch(),
  memoryGb: Math.round(totalmem() / 1e9),
  node: process.version,
  date: new Date().toISOString().slice(0, 10),
  // Of the last minute, before anything was started here: other work on the machine makes figures worse.
  load: Number((loadavg()[0] ?? 0).toFixed(2))
})

/** Figures of all samples. `none` is compared within the same round. */
export const figures = (samples: ReadonlyArray<Sample>): ReadonlyArray<Figure> =>
  samples.flatMap((sample) => {
    const none = samples.find(({ round, subject, trial }) =>
      subject === "none" && round === sample.round && trial.key === sample.trial.key
    )
    return sample.trial.measures.flatMap(({ name, of, unit }) => {
      const value = of(sample, none)
      return value === undefined || !Number.isFinite(value)
        ? []
        : [{ subject: sample.subject, measure: name, unit, value }]
    })
  })

export const result = (
  machine: Result["machine"],
  all: ReadonlyArray<Figure>
): Result => {
  const subjects: Record<string, Record<string, Value>> = {}
  const groups = new Map<string, { readonly first: Figure; readonly values: Array<number> }>()
  for (const figure of all) {
    // What could not be measured.
    if (!Number.isFinite(figure.value)) continue
    const key = `${figure.subject} ${figure.measure}`
    const group = groups.get(key) ?? { first: figure, values: [] }
    group.values.push(figure.value)
    groups.set(key, group)
  }
  for (const { first, values } of groups.values()) {
    const measures = subjects[first.subject] ??= {}
    measures[first.measure] = { ...rounded(summary(values)), unit: first.unit }
  }
  return { machine, subjects }
}

const rounded = ({ max, median, min }: Summary): Summary => ({
  median: significant(median),
  min: significant(min),
  max: significant(max)
})

const significant = (value: number): number => Number(value.toPrecision(4))

/** A Markdown table: a row for each measure, a column for each subject, `median (min–max)`. */
export const table = ({ subjects }: Result, names: ReadonlyArray<string>): string => {
  const measures = [...new Set(names.flatMap((name) => Object.keys(subjects[name] ?? {})))]
  const rows = measures.map((measure) => {
    const unit = names.map((name) => subjects[name]?.[measure]?.unit).find((unit) => unit !== undefined) ?? ""
    return [`${measure} (${unit})`, ...names.map((name) => cell(subjects[name]?.[measure]))]
  })
  const head = ["", ...names]
  const widths = head.map((name, i) => Math.max(3, name.length, ...rows.map((row) => (row[i] ?? "").length)))
  const line = (cells: ReadonlyArray<string>) =>
    `| ${cells.map((cell, i) => i === 0 ? cell.padEnd(widths[i] ?? 0) : cell.padStart(widths[i] ?? 0)).join(" | ")} |`
  const rule = widths.map((width, i) => i === 0 ? "-".repeat(width) : `${"-".repeat(width - 1)}:`)
  return [line(head), line(rule), ...rows.map(line)].join("\n")
}

const cell = (value: Value | undefined): string =>
  value === undefined
    ? "–"
    : value.min === value.max
    ? show(value.median)
    : `${show(value.median)} (${show(value.min)}–${show(value.max)})`

const show = (value: number): string =>
  Math.abs(value) >= 100 ? String(Math.round(value)) : String(Number(value.toPrecision(3)))
