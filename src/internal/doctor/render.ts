/**
 * A report as a person reads it, line by line, and as a script does.
 */
import { version } from "../version.js"
import type { Check, Outcome, Report, Verdict } from "./verdict.js"
import { checks, count, isHealthy } from "./verdict.js"

const labels: { readonly [K in Check]: string } = {
  "configuration": "configuration",
  "address": "address",
  "server": "server",
  "clock": "clock",
  "keys": "keys",
  "otlp-endpoint": "OpenTelemetry",
  "batch-endpoint": "batch endpoint",
  "protocol": "protocol",
  "canary-trace": "test trace",
  "canary-score": "test score"
}

const width = Math.max(...Object.values(labels).map((label) => label.length))

const symbols: { readonly [K in Outcome]: string } = { ok: "✓", warning: "!", problem: "✗", skipped: "-" }

/** Select Graphic Rendition: green, yellow, red, grey. */
const colors: { readonly [K in Outcome]: number } = { ok: 32, warning: 33, problem: 31, skipped: 90 }

export interface Text {
  readonly title: string
  /** Without a line break at its end. A cure that was told already is not told again. */
  readonly verdict: (verdict: Verdict) => string
  readonly summary: (report: Report, options: { readonly canary: boolean }) => string
}

export interface Terminal {
  readonly colors: boolean
  /** Characters in a line, for wrapping; absent where lines are not to be wrapped. */
  readonly columns?: number | undefined
}

export const text = (options: Terminal): Text => {
  const colored = (outcome: Outcome, text: string) =>
    options.colors ? `\u001b[${colors[outcome]}m${text}\u001b[0m` : text
  const told = new Set<string>()
  const { columns = Infinity } = options

  /** Breaks lines between words, for text that stands that far to the right. */
  const wrap = (text: string, indent: number): string => {
    const room = Math.max(columns - indent, 40)
    const lines = [""]
    for (const word of text.split(" ")) {
      const line = lines[lines.length - 1] ?? ""
      if (line === "") lines[lines.length - 1] = word
      else if (line.length + 1 + word.length <= room) lines[lines.length - 1] = `${line} ${word}`
      else lines.push(word)
    }
    return lines.join(`\n${" ".repeat(indent)}`)
  }

  const verdict = ({ check, cure, message, outcome }: Verdict): string => {
    const line = `${colored(outcome, symbols[outcome])} ${labels[check].padEnd(width)}  ${wrap(message, width + 4)}`
    if (cure === undefined || told.has(cure)) return line
    told.add(cure)
    return `${line}\n${" ".repeat(width + 4)}→ ${wrap(cure, width + 6)}`
  }

  const summary = (report: Report, { canary }: { readonly canary: boolean }): string => {
    const warnings = count(report, "warning")
    const problems = count(report, "problem")
    const left = unreached(report, canary)
    const headline = problems > 0
      ? colored("problem", `${some(problems, "problem")} found.`)
      : colored(
        warnings > 0 ? "warning" : "ok",
        `${canary ? "Healthy" : "Healthy, as far as can be told without sending anything"}${
          warnings > 0 ? `, with ${some(warnings, "warning")}` : ""
        }.`
      )
    return [
      "",
      headline,
      ...(left.length > 0 ? [wrap(`Not checked yet: ${left.map((check) => labels[check]).join(", ")}.`, 0)] : [])
    ].join("\n")
  }

  return { title: `effect-langfuse doctor ${version}\n`, verdict, summary }
}

const some = (count: number, noun: string): string => `${count} ${noun}${count === 1 ? "" : "s"}`

/** Checks that one before them kept from being made. */
const unreached = (report: Report, canary: boolean): ReadonlyArray<Check> => {
  const made = new Set(report.verdicts.map(({ check }) => check))
  return checks.filter((check) => !made.has(check) && (canary || !check.startsWith("canary")))
}

/** One object on one line. */
export const json = (report: Report, options: { readonly canary: boolean }): string =>
  JSON.stringify({
    healthy: isHealthy(report),
    version,
    baseUrl: report.baseUrl,
    serverVersion: report.serverVersion,
    protocol: report.protocol,
    traceUrl: report.traceUrl,
    checks: report.verdicts,
    notChecked: unreached(report, options.canary)
  })
