import { useState } from "preact/hooks"
import * as Format from "../lib/format.js"
import type { RequestLine } from "../wire.js"

const verdictOf = (request: RequestLine): readonly [string, string] => {
  if (request.status === undefined) return request.took === undefined ? ["waiting", "open"] : ["no answer", "ERROR"]
  if (request.status >= 300) return [String(request.status), "ERROR"]
  const parts = [
    request.refused.length > 0 ? `${request.refused.length} refused` : undefined,
    request.losses.length > 0 ? `${request.losses.length} lost` : undefined
  ].filter((part) => part !== undefined)
  return parts.length === 0 ? [String(request.status), "good"] : [parts.join(", "), "ERROR"]
}

const hasMore = ({ losses, notes, refused }: RequestLine): boolean => losses.length + notes.length + refused.length > 0

const More = ({ request }: { readonly request: RequestLine }) => (
  <ul class="verdicts">
    {request.notes.map((note) => <li key={note} class="note">{note}</li>)}
    {request.refused.map(({ id, reason, status }, index) => (
      <li key={`refused ${index}`}>
        <span class="level level-ERROR">{status}</span> <code>{id ?? "no id"}</code> {reason}
      </li>
    ))}
    {request.losses.map(({ id, reason }, index) => (
      <li key={`lost ${index}`}>
        <span class="level level-ERROR">lost</span> <code>{id ?? "no id"}</code> {reason}
      </li>
    ))}
  </ul>
)

const Line = ({ request }: { readonly request: RequestLine }) => {
  const [isOpen, setOpen] = useState(false)
  const [verdict, tone] = verdictOf(request)
  const more = hasMore(request)
  return (
    <>
      <tr class={request.fault === undefined ? undefined : "faulted"}>
        <td class="time">{Format.clock(request.at)}</td>
        <td>
          {request.protocol} {request.gzip && <span class="quiet">gzip</span>}
        </td>
        <td class="quiet client">{request.client}</td>
        <td class="number">{request.items === 0 ? "" : Format.count(request.items)}</td>
        <td class="number">{Format.bytes(request.bytes)}</td>
        <td class="number took">{request.took === undefined ? "" : Format.duration(request.took)}</td>
        <td>
          <span class={`level level-${tone}`}>{verdict}</span>
          {more && (
            <button type="button" class="small" aria-expanded={isOpen} onClick={() => setOpen(!isOpen)}>
              {isOpen ? "Hide" : "Why"}
            </button>
          )}
        </td>
      </tr>
      {isOpen && (
        <tr class="why">
          <td colSpan={7}>
            <More request={request} />
          </td>
        </tr>
      )}
    </>
  )
}

/** As many as one looks at; the others are said. */
const portion = 200

/** The newest request first. */
export const RequestList = ({ requests }: { readonly requests: ReadonlyArray<RequestLine> }) => {
  const [limit, setLimit] = useState(portion)
  return (
    <div class="requests" tabIndex={0} role="region" aria-label="Requests">
      <table>
        <thead>
          <tr>
            <th scope="col">Time</th>
            <th scope="col">Protocol</th>
            <th scope="col" class="client">Client</th>
            <th scope="col" class="number">Events</th>
            <th scope="col" class="number">Size</th>
            <th scope="col" class="number took">Answered in</th>
            <th scope="col">Verdict</th>
          </tr>
        </thead>
        <tbody>{requests.slice(0, limit).map((request) => <Line key={request.number} request={request} />)}</tbody>
      </table>
      {requests.length > limit && (
        <button type="button" class="fold" onClick={() => setLimit(limit + portion * 2)}>
          {Format.count(requests.length - limit)} older requests
        </button>
      )}
    </div>
  )
}
