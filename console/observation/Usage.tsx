import * as Format from "../lib/format.js"
import type { Observation } from "../wire.js"

const isDollars = (value: unknown): value is number => typeof value === "number"

/** Tokens and cost by bucket, the total last. */
export const Usage = ({ observation }: { readonly observation: Observation }) => {
  const { costDetails, totalCost, usageDetails } = observation
  const buckets = [...new Set([...Object.keys(usageDetails), ...Object.keys(costDetails)])]
    .filter((bucket) => bucket !== "total")
  const total = usageDetails["total"]
  if (buckets.length === 0 && total === undefined && totalCost === null) return null
  const most = Math.max(1, ...buckets.map((bucket) => usageDetails[bucket] ?? 0))
  return (
    <table class="usage">
      <thead>
        <tr>
          <th scope="col">Usage</th>
          <th scope="col" class="number">Tokens</th>
          <th scope="col" class="number">Cost</th>
        </tr>
      </thead>
      <tbody>
        {buckets.map((bucket) => {
          const cost = costDetails[bucket]
          return (
            <tr key={bucket}>
              <th scope="row">
                <span class="share" style={{ inlineSize: `${((usageDetails[bucket] ?? 0) / most) * 100}%` }} />
                {bucket.replaceAll("_", " ")}
              </th>
              <td class="number">{Format.count(usageDetails[bucket])}</td>
              <td class="number">{isDollars(cost) ? Format.cost(cost) : "–"}</td>
            </tr>
          )
        })}
        <tr class="total">
          <th scope="row">total</th>
          <td class="number">{Format.count(total)}</td>
          <td class="number">{Format.cost(totalCost)}</td>
        </tr>
      </tbody>
    </table>
  )
}
