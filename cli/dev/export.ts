/**
 * A trace as one file: JSON, or a page that needs nothing else.
 */
import { createHash } from "node:crypto"
import type { StoredTrace } from "../../src/LangfuseServer.js"
import type { Assets } from "./assets.js"
import * as PublicApi from "./publicApi.js"
import * as Shape from "./shape.js"

export const json = (trace: StoredTrace): string => `${JSON.stringify(PublicApi.trace(trace), undefined, 2)}\n`

/** Inside of a script element, `<` could end it. */
const embedded = (value: unknown): string => JSON.stringify(value).replaceAll("<", "\\u003c")

const hash = (text: string): string => `'sha256-${createHash("sha256").update(text, "utf8").digest("base64")}'`

const escape = (text: string): string =>
  text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll("\"", "&quot;")

/** The same pages, with the trace inside; only its own script runs, and nothing is fetched. */
export const html = (trace: StoredTrace, assets: Assets): string => {
  const content = {
    summary: { ...Shape.summary(trace), revision: 1 },
    metadata: trace.metadata,
    observations: Shape.observationsOf(trace).map((observation) => ({
      row: { ...Shape.row(observation), revision: 1 },
      whole: Shape.observation(observation)
    })),
    scores: trace.scores.map(Shape.score)
  }
  const policy = [
    "default-src 'none'",
    `script-src ${hash(assets.script)}`,
    `style-src ${hash(assets.style)}`,
    "img-src data:",
    "base-uri 'none'",
    "form-action 'none'",
    "require-trusted-types-for 'script'",
    "trusted-types dompurify"
  ].join("; ")
  return [
    "<!DOCTYPE html>",
    "<html lang=\"en\"><head><meta charset=\"utf-8\">",
    `<meta http-equiv="Content-Security-Policy" content="${policy}">`,
    "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">",
    "<meta name=\"color-scheme\" content=\"light dark\">",
    `<title>${escape(trace.name ?? trace.id)}</title>`,
    `<style>${assets.style}</style></head>`,
    "<body><div id=\"app\"></div>",
    `<script type="application/json" id="trace">${embedded(content)}</script>`,
    `<script type="module">${assets.script}</script>`,
    "</body></html>",
    ""
  ].join("\n")
}
