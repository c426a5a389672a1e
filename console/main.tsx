/**
 * Where the pages begin: live in the running `dev`, or with the trace that an exported file has inside.
 */
import { render } from "preact"
import { type Exported, fromFile } from "./lib/source.js"
import { follow } from "./lib/traces.js"
import { SourceContext } from "./lib/useTrace.js"
import { App } from "./page/App.js"
import { TracePage } from "./trace/TracePage.js"
import "./style/index.css"

const root = document.getElementById("app")
const embedded = document.getElementById("trace")?.textContent

if (root !== null) {
  if (embedded === null || embedded === undefined) {
    follow()
    render(<App />, root)
  } else {
    const file: Exported = JSON.parse(embedded)
    render(
      <SourceContext.Provider value={fromFile(file)}>
        <div class="shell">
          <TracePage id={file.summary.id} isFile />
        </div>
      </SourceContext.Provider>,
      root
    )
  }
}
