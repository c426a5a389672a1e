import { DeliveryPage } from "../delivery/DeliveryPage.js"
import { place } from "../lib/router.js"
import { SessionPage } from "../session/SessionPage.js"
import { TracePage } from "../trace/TracePage.js"
import { TracesPage } from "../traces/TracesPage.js"
import { Shell } from "./Shell.js"

const Page = () => {
  const { page } = place.value
  switch (page.name) {
    case "traces":
      return <TracesPage />
    case "trace":
      return <TracePage key={page.id} id={page.id} />
    case "session":
      return <SessionPage key={page.id} id={page.id} />
    case "delivery":
      return <DeliveryPage />
  }
}

/** The whole console. */
export const App = () => (
  <Shell>
    <Page />
  </Shell>
)
