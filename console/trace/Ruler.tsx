import * as Format from "../lib/format.js"

const marks = [0, 0.25, 0.5, 0.75, 1]

/** The times above the waterfall. */
export const Ruler = ({ from, to }: { readonly from: number; readonly to: number }) => (
  <div class="ruler" aria-hidden="true">
    <span>Observation</span>
    <div class="ruler-marks">
      {to > from &&
        marks.map((mark) => (
          <span key={mark} style={{ insetInlineStart: `${mark * 100}%` }}>{Format.duration((to - from) * mark)}</span>
        ))}
    </div>
  </div>
)
