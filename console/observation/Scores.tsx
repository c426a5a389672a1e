import type { Score } from "../wire.js"
import { Markdown } from "./Markdown.js"

const valueOf = (score: Score): string =>
  typeof score.value === "boolean" ? (score.value ? "yes" : "no") : String(score.value)

/** Scores with their comments. */
export const Scores = ({ scores }: { readonly scores: ReadonlyArray<Score> }) =>
  scores.length === 0 ? null : (
    <ul class="scores" aria-label="Scores">
      {scores.map((score) => (
        <li key={score.id} class={`score score-${score.dataType}`}>
          <span class="score-name">{score.name}</span> <strong>{valueOf(score)}</strong>
          {score.source !== "API" && <span class="quiet">{score.source.toLowerCase()}</span>}
          {score.comment !== undefined && score.comment !== null && score.comment !== "" && (
            <Markdown text={score.comment} />
          )}
        </li>
      ))}
    </ul>
  )
