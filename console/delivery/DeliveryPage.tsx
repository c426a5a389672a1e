import { useEffect, useState } from "preact/hooks"
import * as Format from "../lib/format.js"
import { live } from "../lib/source.js"
import { status } from "../lib/traces.js"
import type { RequestLine } from "../wire.js"
import { Faults } from "./Faults.js"
import { RequestList } from "./RequestList.js"

/** Asked again whenever the event stream speaks: it does so when a request came, or was answered. */
const useRequests = (): ReadonlyArray<RequestLine> | undefined => {
  const [requests, setRequests] = useState<ReadonlyArray<RequestLine>>()
  const now = status.value
  useEffect(() => {
    let isGone = false
    live.requests().then(({ requests }) => !isGone && setRequests([...requests].reverse()), () => undefined)
    return () => {
      isGone = true
    }
  }, [now])
  return requests
}

const Figure = ({ name, tone, value }: { readonly name: string; readonly value: string; readonly tone?: string }) => (
  <div class={tone === undefined ? "figure" : `figure ${tone}`}>
    <dt>{name}</dt>
    <dd>{value}</dd>
  </div>
)

/** How traces got here, what was refused or lost, and switches to see what a program does when it cannot deliver. */
export const DeliveryPage = () => {
  const requests = useRequests()
  const now = status.value
  const [isProblems, setProblems] = useState(false)
  useEffect(() => {
    document.title = "Delivery · effect-langfuse dev"
  }, [])
  const shown = isProblems
    ? requests?.filter(({ losses, notes, refused, status }) =>
      losses.length > 0 || refused.length > 0 || notes.length > 0 || status === undefined || status >= 300
    )
    : requests
  return (
    <main class="delivery-page">
      <h1 class="hidden">Delivery</h1>
      {now !== undefined && (
        <div class="bar-top">
          <dl class="figures">
            <Figure name="Requests" value={Format.count(now.requests)} />
            <Figure name="Observations" value={Format.count(now.observations)} />
            <Figure name="Refused" value={Format.count(now.refused)} tone={now.refused > 0 ? "bad" : ""} />
            <Figure name="Lost silently" value={Format.count(now.losses)} tone={now.losses > 0 ? "bad" : ""} />
          </dl>
          <Faults current={now.fault} />
          <label class="check">
            <input
              type="checkbox"
              checked={isProblems}
              onChange={({ currentTarget }) => setProblems(currentTarget.checked)}
            />{" "}
            Only problems
          </label>
        </div>
      )}
      {shown === undefined
        ? <p class="page quiet loading">Loading…</p>
        : shown.length === 0
        ? <p class="page quiet">{isProblems ? "No problems." : "No request has come yet."}</p>
        : <RequestList requests={shown} />}
    </main>
  )
}
