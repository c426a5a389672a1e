import { useState } from "preact/hooks"
import * as Format from "../lib/format.js"
import { withoutAnsi } from "../model/content.js"

/** As much text as a page lays out without a pause. */
const portion = 20_000

/** Text as it is; more of a long one on demand. */
export const LongText = ({ text }: { readonly text: string }) => {
  const [shown, setShown] = useState(portion)
  const visible = text.length > shown ? text.slice(0, shown) : text
  return (
    <div class="long-text">
      <pre>{withoutAnsi(visible)}</pre>
      {text.length > shown && (
        <p class="more">
          <button type="button" onClick={() => setShown(shown + portion * 5)}>
            Show more
          </button>{" "}
          <span class="quiet">
            {Format.count(shown)} of {Format.count(text.length)} characters
          </span>
        </p>
      )}
    </div>
  )
}
